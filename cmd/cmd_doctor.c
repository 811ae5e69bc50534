/* SPDX-License-Identifier: Apache-2.0 */
#include "base/event.h"
#include "base/json.h"
#include "base/mem.h"
#include "build/sandbox/probe.h"
#include "cmd/cmd.h"
#include "cmd/show.h"
#include "layers/store.h"

enum format { FORMAT_TEXT, FORMAT_JSON };

struct values {
	enum format format;
};

static const struct opt_word formats[] = {
	{ "text", FORMAT_TEXT },
	{ "json", FORMAT_JSON },
	{ NULL, 0 },
};

static const struct opt options[] = { OPT_ENUM(0, "format", struct values, format, formats, "how",
					      "for people or for programs"),
	OPT_END };

static const char *const answers[] = {
	[PROBE_NO] = "no",
	[PROBE_PARTLY] = "partly",
	[PROBE_YES] = "yes",
};

static const char *const rungs[] = {
	[PROBE_RUNG_NONE] = "none: RUN cannot work here, but COPY, pull and push can",
	[PROBE_RUNG_ONE_ID] = "one id: RUN works, but files cannot be given to other users",
	[PROBE_RUNG_SUPERVISED] = "one id, supervised: RUN works, owners and users are noted, "
				  "permissions are root's",
	[PROBE_RUNG_RANGE] = "a range of ids: everything works",
};

static void
show_text_report(const struct probe *p, const char *store, struct buf *out)
{
	struct show_table table = { .cells = STRV_INIT, .columns = 3 };

	buf_addf(out, "isolation: %s\nstore: ", rungs[p->rung]);
	show_line(store, out);
	buf_adds(out, "\n\n");
	for (size_t i = 0; i < p->count; i++) {
		AUTO(buf) struct buf detail = BUF_INIT;

		show_line(p->facts[i].detail, &detail);
		strv_add(&table.cells, p->facts[i].name);
		strv_add(&table.cells, answers[p->facts[i].answer]);
		strv_add(&table.cells, detail.data);
	}
	if (p->count > 0)
		show_table(&table, out);
	strv_free(&table.cells);
	for (size_t i = 0; i < p->count; i++) {
		if (p->facts[i].advice[0] == '\0')
			continue;
		buf_addf(out, "\n%s: ", p->facts[i].name);
		show_text(p->facts[i].advice, out);
		buf_addc(out, '\n');
	}
}

static void
show_json_report(const struct probe *p, const char *store, struct buf *out)
{
	static const char *const names[] = { "none", "one-id", "supervised", "range" };
	AUTO(json) json_t *o = json_object();
	json_t *facts = json_array();

	json_object_set_new(o, "isolation", json_text(names[p->rung]));
	json_object_set_new(o, "store", json_text(store));
	for (size_t i = 0; i < p->count; i++) {
		json_t *fact = json_object();

		json_object_set_new(fact, "name", json_text(p->facts[i].name));
		json_object_set_new(fact, "answer", json_text(answers[p->facts[i].answer]));
		json_object_set_new(fact, "detail", json_text(p->facts[i].detail));
		json_object_set_new(fact, "advice", json_text(p->facts[i].advice));
		json_array_append_new(facts, fact);
	}
	json_object_set_new(o, "facts", facts);
	json_format(o, JSON_STYLE_INDENT, out);
	buf_addc(out, '\n');
}

static int
doctor_run(struct call *call, struct err *err)
{
	const struct values *v = call->values;
	AUTO(store) struct store *store = NULL;
	AUTO(buf) struct buf answer = BUF_INIT;
	struct probe p = { .count = 0 };

	/* a store that cannot be opened is one of the things to be told */
	if (store_open(call->globals->root, &store, err) < 0)
		event_warn("%s", err->msg);
	probe_run(store == NULL ? -1 : store_dir(store), &p);
	(v->format == FORMAT_JSON ? show_json_report : show_text_report)(
		&p, store == NULL ? "cannot be opened" : store_path(store), &answer);
	return show_answer(&answer, err);
}

const struct cmd cmd_doctor = {
	.name = "doctor",
	.summary = "tell what this machine allows",
	.args = "",
	.about = "Tries what a build needs, and tells which isolation RUN gets here, what the "
		 "store can do, and "
		 "the one change that would give more.",
	.options = options,
	.values_size = sizeof(struct values),
	.args_max = 0,
	.run = doctor_run,
};
