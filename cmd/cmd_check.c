/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>

#include "base/mem.h"
#include "cmd/cmd.h"
#include "cmd/show.h"
#include "layers/check.h"

struct values {
	bool repair, quick;
};

static const struct opt options[] = { OPT_BOOL(0, "repair", struct values, repair,
					      "put right what can be put right"),
	OPT_BOOL(0, "quick", struct values, quick,
		"compare sizes only, and do not read all bytes again"),
	OPT_END };

static const char *const grades[] = {
	[CHECK_NOTE] = "note",
	[CHECK_PROBLEM] = "problem",
	[CHECK_REPAIRED] = "repaired",
};

static void
report(const struct check_finding *f, void *arg)
{
	struct buf *answer = arg;

	buf_addf(answer, "%s: %s ", grades[f->grade], f->what);
	show_line(f->which, answer);
	buf_adds(answer, ": ");
	show_line(f->text, answer);
	buf_addc(answer, '\n');
}

static int
check_run(struct call *call, struct err *err)
{
	const struct values *v = call->values;
	const struct check_options o = { .repair = v->repair, .skip_bytes = v->quick };
	AUTO(store) struct store *store = NULL;
	AUTO(buf) struct buf answer = BUF_INIT;
	struct check_result r;

	if (store_open(call->globals->root, &store, err) < 0 ||
		store_check(store, &o, report, &answer, &r, err) < 0)
		return -1;
	buf_addf(&answer, "%" PRIu64 " blobs, ", r.blobs);
	show_size(r.bytes, &answer);
	buf_addf(&answer,
		", %" PRIu64 " names, %" PRIu64 " layers, %" PRIu64 " trees: %" PRIu64 " problems",
		r.names, r.layers, r.trees, r.problems);
	if (r.repaired > 0)
		buf_addf(&answer, ", %" PRIu64 " repaired", r.repaired);
	buf_addc(&answer, '\n');
	if (show_answer(&answer, err) < 0)
		return -1;
	if (r.problems == 0)
		return 0;
	return err_set(err, ERR_CORRUPT, "%s",
		v->repair ? "some could not be put right: pull or build those images again"
			  : "run 'cooper check --repair' to put right what can be");
}

const struct cmd cmd_check = {
	.name = "check",
	.summary = "verify that the store is whole",
	.args = "",
	.about = "Reads all blobs and compares them with their names, and follows all names, "
		 "layers and cache records to "
		 "what they need. Exits with 6 when problems stay.\n\nWith --repair, blobs that "
		 "are not what "
		 "they should be are moved to quarantine/, and records of what is missing are "
		 "dropped.",
	.options = options,
	.values_size = sizeof(struct values),
	.args_max = 0,
	.run = check_run,
};
