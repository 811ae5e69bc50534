/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMD_CMD_H
#define CMD_CMD_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/strv.h"
#include "cmd/opt.h"

/* cmd - one row per command: its words, options and function.
 *
 * A command writes its answer, and nothing else, to stdout.  It tells what happens through events,
 * fails by an error value, and never prints or exits: main does. */

/* Options that every command has. */
struct globals {
	const char *root; /* NULL: COOPER_ROOT, else the user's or the system's */
	bool debug, help, version;
};
extern const struct opt globals_options[];

struct call {
	const struct cmd *cmd;
	const struct globals *globals;
	void *values; /* the command's own struct, filled from its rows */
	struct strv args;
	int status;   /* exit status where nothing failed: `run` passes its program's on */
};

#define CMD_ARGS_ANY ((size_t)-1)

struct cmd {
	const char *name;
	const char *summary; /* one line, no full stop */
	const char *args;    /* "<image> [<tag>]" */
	const char *about;   /* paragraphs for --help and the man page, "\n\n" between them */
	const char *example; /* lines of shell, or NULL */
	const struct opt *options;
	size_t values_size;
	const void *defaults; /* a struct of values_size bytes, or NULL: zeros */
	size_t args_min, args_max;
	bool first_ends; /* options end at the first argument */
	bool hidden;
	int (*run)(struct call *call, struct err *err);
};

/* All of them, NULL-ended, in the order of the overview. */
extern const struct cmd *const cmd_table[];
const struct cmd *cmd_find(const char *name);
/* NULL: ERR_USAGE, with what may have been meant. */
const struct cmd *cmd_find_or(const char *name, struct err *err);

/* Made from the rows: what --help prints, on stdout; cmd NULL: the overview. */
int cmd_show_help(const struct cmd *cmd, struct err *err);

extern const struct cmd cmd_annotate, cmd_append, cmd_flatten, cmd_label, cmd_mutate, cmd_rebase, cmd_squash, cmd_sync;
extern const struct cmd cmd_artifact, cmd_auth, cmd_copy, cmd_delete, cmd_digest, cmd_index,
	cmd_manifest, cmd_referrers, cmd_registry, cmd_repos, cmd_sign, cmd_tags, cmd_verify;
extern const struct cmd cmd_blob, cmd_cat, cmd_config, cmd_diff, cmd_export, cmd_find_command, cmd_ls;
extern const struct cmd cmd_build, cmd_check, cmd_complete, cmd_doctor, cmd_help_command, cmd_history,
	cmd_images, cmd_import, cmd_inspect, cmd_load, cmd_login, cmd_logout, cmd_man, cmd_prune, cmd_pull, cmd_push, cmd_rmi,
	cmd_run, cmd_save, cmd_tag, cmd_version;

#endif
