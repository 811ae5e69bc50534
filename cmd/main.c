/* SPDX-License-Identifier: Apache-2.0 */
/* main - finds the command, fills its struct from its rows, runs it, and prints what went wrong.
 * Nobody else prints errors or ends the process. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "cmd/cmd.h"
#include "cmd/show.h"
#include "cmd/ui.h"

/* Documented in cooper(1), EXIT STATUS.  `run` exits with its program's status instead. */
static const struct {
	enum err_kind kind;
	int status;
} exit_statuses[] = {
	{ ERR_SYSTEM, 1 },
	{ ERR_USAGE, 2 },
	{ ERR_INPUT, 3 },
	{ ERR_NOTFOUND, 4 },
	{ ERR_DENIED, 5 },
	{ ERR_CORRUPT, 6 },
	{ ERR_REMOTE, 7 },
	{ ERR_STEP, 8 },
	{ ERR_INTERRUPTED, 130 },
};

static int
exit_status(enum err_kind kind)
{
	for (size_t i = 0; i < COUNT_OF(exit_statuses); i++)
		if (exit_statuses[i].kind == kind)
			return exit_statuses[i].status;
	return 1;
}

static void
print_error(const struct err *e)
{
	AUTO(buf) struct buf line = BUF_INIT;

	buf_adds(&line, "cooper: ");
	show_text(e->msg, &line);
	buf_addc(&line, '\n');
	(void)!write(STDERR_FILENO, line.data, line.len);
}

/* Descriptors 0 to 2 must be ours, or the first file opened is somebody's stdout. */
static int
open_standard_fds(struct err *err)
{
	for (int fd = 0; fd <= 2; fd++) {
		if (fcntl(fd, F_GETFD) >= 0)
			continue;
		if (open("/dev/null", fd == 0 ? O_RDONLY : O_WRONLY) !=
			fd) /* not O_CLOEXEC: they are inherited */
			return err_sys(err, "open /dev/null");
	}
	return 0;
}

static int
check_args(const struct cmd *cmd, size_t count, struct err *err)
{
	if (count < cmd->args_min)
		return err_set(err, ERR_USAGE, "%s wants %s; see 'cooper %s --help'", cmd->name,
			cmd->args, cmd->name);
	if (count > cmd->args_max && cmd->args_max == 0)
		return err_set(err, ERR_USAGE, "%s takes no arguments; see 'cooper %s --help'",
			cmd->name, cmd->name);
	if (count > cmd->args_max)
		return err_set(err, ERR_USAGE, "%s takes %s and no more; see 'cooper %s --help'",
			cmd->name, cmd->args, cmd->name);
	return 0;
}

/* argv is what follows the command's name. */
static int
run_command(const struct cmd *cmd, struct globals *globals, const char *const *argv, int *status,
	struct err *err)
{
	AUTO(free) void *values = xcalloc(1, cmd->values_size + 1);
	const struct opt_set sets[] = { { cmd->options, values }, { globals_options, globals } };
	struct call call = { .cmd = cmd, .globals = globals, .values = values, .args = STRV_INIT };
	int result;

	if (cmd->defaults != NULL)
		memcpy(values, cmd->defaults, cmd->values_size);
	result = opt_parse(sets, COUNT_OF(sets), cmd->first_ends, argv, &call.args, err);
	if (result < 0)
		err_in(err, "%s", cmd->name);
	else if (globals->help)
		result = cmd_show_help(cmd, err);
	else
		result = check_args(cmd, call.args.count, err);
	if (result == 0 && !globals->help) {
		/* warnings, until the command asks for more */
		ui_begin(&(struct ui_options){ .progress = UI_QUIET }, globals->debug);
		result = cmd->run(&call, err);
		ui_end();
	}
	*status = call.status;
	strv_free(&call.args);
	opt_free(sets, 1);
	return result;
}

static int
run(const char *const *argv, int *status, struct err *err)
{
	struct globals globals = { .root = getenv("COOPER_ROOT") };
	const struct opt_set sets[] = { { globals_options, &globals } };
	AUTO(strv) struct strv words = STRV_INIT;
	const struct cmd *cmd;

	if (globals.root != NULL && globals.root[0] == '\0')
		globals.root = NULL;
	if (open_standard_fds(err) < 0 || opt_parse(sets, 1, true, argv, &words, err) < 0)
		return -1;
	if (globals.version)
		return run_command(
			&cmd_version, &globals, (const char *const[]){ NULL }, status, err);
	if (words.count == 0 && globals.help)
		return cmd_show_help(NULL, err);
	if (words.count == 0)
		return err_set(err, ERR_USAGE, "no command given; 'cooper --help' lists them");
	cmd = cmd_find_or(words.items[0], err);
	if (cmd == NULL)
		return -1;
	return run_command(cmd, &globals, (const char *const *)words.items + 1, status, err);
}

int
main(int argc, char **argv)
{
	struct err err = { .kind = ERR_NONE };
	int status = 0;

	(void)argc;
	/* a reader of stdout, or a registry, that goes away is an error value and not our death */
	signal(SIGPIPE, SIG_IGN);
	if (argv[0] == NULL)
		return 2;
	if (run((const char *const *)argv + 1, &status, &err) == 0)
		return status;
	print_error(&err);
	return status != 0 ? status : exit_status(err.kind);
}
