/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/mem.h"
#include "base/worker.h"
#include "build/run.h"
#include "cmd/cmd.h"
#include "cmd/remote_flags.h"
#include "cmd/ui.h"

/* As docker's: the program's own status is anything but this. */
#define STATUS_OURS 125

struct values {
	struct run_request request;
	bool remove;
	struct remote_flags remote;
	struct ui_options ui;
};

static const struct values defaults = { .remote = REMOTE_FLAGS_DEFAULT };

static const struct opt_word pulls[] = {
	{ "missing", BUILD_PULL_MISSING },
	{ "always", BUILD_PULL_ALWAYS },
	{ "never", BUILD_PULL_NEVER },
	{ NULL, 0 },
};

static const struct opt options[] = { OPT_BOOL('i', "interactive", struct values,
					      request.interactive, "keep stdin open"),
	OPT_BOOL('t', "tty", struct values, request.tty, "make a terminal"),
	OPT_STRV('e', "env", struct values, request.env, "name=value",
		"set a variable; without =value, to what it is in the environment"),
	OPT_STR('w', "workdir", struct values, request.working_dir, "dir", "run in this directory"),
	OPT_STR('u', "user", struct values, request.user, "user[:group]", "run as this user"),
	OPT_STRV('v', "volume", struct values, request.volumes, "host:dir[:ro]",
		"show what is at <host> as <dir>"),
	OPT_STR(0, "entrypoint", struct values, request.entrypoint, "path",
		"run <path>, not the image's entry point; empty: none"),
	OPT_STR(0, "network", struct values, request.network, "mode", "default, host or none"),
	OPT_STR(0, "hostname", struct values, request.hostname, "name", "call the machine <name>"),
	OPT_BOOL(0, "read-only", struct values, request.read_only,
		"let nothing be written to the image's files"),
	OPT_BOOL(0, "rm", struct values, remove,
		"for docker's sake: what was written is always thrown away"),
	OPT_ENUM(0, "pull", struct values, request.pull, pulls, "when",
		"ask the registry for the image"),
	OPT_STR(0, "platform", struct values, request.platform, "os/arch",
		"the image for this platform"),
	TRUST_OPTION(struct values, remote), REMOTE_OPTIONS(struct values, remote),
	UI_OPTIONS(struct values, ui), OPT_END };

static int
run_command(struct call *call, struct err *err)
{
	struct values *v = call->values;
	struct run_request *r = &v->request;
	AUTO(free) char *owned = NULL;
	AUTO(store) struct store *store = NULL;
	int status = STATUS_OURS, result;

	call->status = STATUS_OURS;
	r->image = call->args.items[0];
	for (size_t i = 1; i < call->args.count; i++)
		strv_add(&r->argv, call->args.items[i]);
	ui_begin(&v->ui, call->globals->debug);
	result = remote_flags_session(&v->remote, &owned, &r->session, err);
	if (result == 0)
		result = store_open(call->globals->root, &store, err);
	if (result == 0)
		result = worker_signals(err);
	if (result == 0)
		result = run_image(store, r, &status, err);
	strv_free(&r->argv);
	/* 126 and 127: the program is not there, as shells say it */
	if (result < 0 && err->kind == ERR_STEP && err->status != 0)
		status = err->status;
	else if (result < 0)
		status = err->kind == ERR_INTERRUPTED ? 0 : STATUS_OURS; /* 0: as main says */
	call->status = status;
	return result;
}

const struct cmd cmd_run = {
	.name = "run",
	.summary = "run a program in an image",
	.args = "<image> [<program> [<argument>...]]",
	.about = "Runs the image's command, or <program>, in the same box as a RUN instruction, "
		 "with this terminal's "
		 "input and output. What it writes to the image's files is thrown away at its end. "
		 "Exits with "
		 "the program's status; 125 when cooper itself failed, 126 and 127 when the "
		 "program cannot "
		 "be executed or is not there.",
	.example = "  cooper run -it debian bash\n  cooper run -v \"$PWD:/src\" -w /src gcc make\n",
	.options = options,
	.values_size = sizeof(struct values),
	.defaults = &defaults,
	.args_min = 1,
	.args_max = CMD_ARGS_ANY,
	.first_ends = true,
	.run = run_command,
};
