/* SPDX-License-Identifier: Apache-2.0 */
/* registry doctor: how a registry is reached and what it can do. */
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "cmd/cmd.h"
#include "cmd/remote_flags.h"
#include "cmd/show.h"
#include "layers/store.h"
#include "registry/examine.h"

struct values {
	bool json;
	struct remote_flags remote;
};

static const struct values defaults = { .remote = REMOTE_FLAGS_DEFAULT };
static const struct opt options[] = { OPT_BOOL(0, "json", struct values, json, "for programs"),
	REMOTE_OPTIONS(struct values, remote), OPT_END };

static const char *const grades[] = {
	[EXAMINE_GOOD] = "good",
	[EXAMINE_NOTE] = "note",
	[EXAMINE_BAD] = "bad",
};

static void
show_rows(const struct examine *e, struct buf *out)
{
	struct show_table table = { .cells = STRV_INIT, .columns = 3 };

	for (size_t i = 0; i < e->count; i++) {
		AUTO(buf) struct buf text = BUF_INIT;

		show_line(e->rows[i].text, &text);
		strv_add(&table.cells, e->rows[i].what);
		strv_add(&table.cells, grades[e->rows[i].grade]);
		strv_add(&table.cells, text.data);
	}
	show_table(&table, out);
	strv_free(&table.cells);
}

static void
show_json(const struct examine *e, struct buf *out)
{
	AUTO(json) json_t *rows = json_array();

	for (size_t i = 0; i < e->count; i++) {
		json_t *row = json_object();

		json_object_set_new(row, "name", json_text(e->rows[i].what));
		json_object_set_new(row, "grade", json_text(grades[e->rows[i].grade]));
		json_object_set_new(row, "detail", json_text(e->rows[i].text));
		json_array_append_new(rows, row);
	}
	json_format(rows, JSON_STYLE_INDENT, out);
	buf_addc(out, '\n');
}

static int
open_session(const struct call *call, struct store *store, struct session **out, struct err *err)
{
	const struct values *v = call->values;
	struct session_options how;
	AUTO(free) char *owned = NULL;

	if (remote_flags_session(&v->remote, &owned, &how, err) < 0)
		return -1;
	how.store = store;
	return session_open(&how, out, err);
}

static int
registry_run(struct call *call, struct err *err)
{
	const struct values *v = call->values;
	const char *text = call->args.items[1];
	bool has_repository = strchr(text, '/') != NULL;
	AUTO(free) char *whole = xasprintf("%s%s", text, has_repository ? "" : "/x/x");
	AUTO(examine) struct examine e = EXAMINE_INIT;
	AUTO(store) struct store *store = NULL;
	AUTO(session) struct session *session = NULL;
	AUTO(buf) struct buf answer = BUF_INIT;
	struct err ignored;
	struct ref ref;
	int good;

	if (!streq(call->args.items[0], "doctor"))
		return err_set(err, ERR_USAGE, "registry knows 'doctor' only");
	if (ref_parse(whole, &ref, err) < 0 || (!has_repository && ref.host_implied))
		return err_set(err, ERR_INPUT,
			"'%s' is no registry: give a host like registry.example.com:5000, or a "
			"name there",
			text);
	/* only for what was learned about it */
	(void)!store_open(call->globals->root, &store, &ignored);
	if (open_session(call, store, &session, err) < 0)
		return -1;
	good = examine_registry(session, &ref, has_repository, &e, err);
	if (good < 0)
		return -1;
	(v->json ? show_json : show_rows)(&e, &answer);
	if (show_answer(&answer, err) < 0)
		return -1;
	return good > 0 ? 0 : err_set(err, ERR_REMOTE, "%s cannot be used so", ref.host);
}

const struct cmd cmd_registry = {
	.name = "registry",
	.summary = "tell how a registry is reached and what it can do",
	.args = "doctor <registry>[/<repository>]",
	.about = "Looks at the configuration that applies, the addresses, the certificate, the "
		 "credentials (never showing a secret), the mirrors, what is left of a rate limit, "
		 "whether referrers are listed, and what earlier pushes have learned. Asks only; "
		 "nothing is written there. Fails where the registry does not answer or does not "
		 "let us in.",
	.example = "  cooper registry doctor registry.example.com:5000\n"
		   "  cooper registry doctor docker.io/library/alpine --json\n",
	.options = options,
	.values_size = sizeof(struct values),
	.defaults = &defaults,
	.args_min = 2,
	.args_max = 2,
	.run = registry_run,
};
