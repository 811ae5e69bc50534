/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/cmd.h"
#include "cmd/show.h"

static int
version_run(struct call *call, struct err *err)
{
	AUTO(buf) struct buf answer = BUF_INIT;

	(void)call;
	buf_adds(&answer, "cooper " COOPER_VERSION "\n");
	return show_answer(&answer, err);
}

static const struct opt options[] = { OPT_END };

const struct cmd cmd_version = {
	.name = "version",
	.summary = "show the version",
	.args = "",
	.options = options,
	.run = version_run,
};

static int
help_run(struct call *call, struct err *err)
{
	const struct cmd *cmd = NULL;

	if (call->args.count > 0 && (cmd = cmd_find_or(call->args.items[0], err)) == NULL)
		return -1;
	return cmd_show_help(cmd, err);
}

const struct cmd cmd_help_command = {
	.name = "help",
	.summary = "show what a command does",
	.args = "[<command>]",
	.options = options,
	.args_max = 1,
	.hidden = true,
	.run = help_run,
};
