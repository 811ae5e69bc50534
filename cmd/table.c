/* SPDX-License-Identifier: Apache-2.0 */
/* table - all commands, and the texts that are made from their rows. */
#include "cmd/cmd.h"

#include "base/mem.h"
#include "build/dockerfile/suggest.h"
#include "cmd/show.h"

const struct opt globals_options[] = { OPT_STR(0, "root", struct globals, root, "dir",
					       "keep everything in <dir> (COOPER_ROOT)"),
	OPT_BOOL(0, "debug", struct globals, debug, "tell on stderr what is done and why"),
	OPT_BOOL('h', "help", struct globals, help, "show this help"),
	OPT_BOOL(0, "version", struct globals, version, "show the version"), OPT_END };

const struct cmd *const cmd_table[] = {
	&cmd_build,
	&cmd_run,
	&cmd_pull,
	&cmd_push,
	&cmd_images,
	&cmd_tag,
	&cmd_rmi,
	&cmd_inspect,
	&cmd_history,
	&cmd_save,
	&cmd_load,
	&cmd_import,
	&cmd_copy,
	&cmd_sync,
	&cmd_ls,
	&cmd_cat,
	&cmd_find_command,
	&cmd_diff,
	&cmd_export,
	&cmd_digest,
	&cmd_manifest,
	&cmd_config,
	&cmd_blob,
	&cmd_index,
	&cmd_annotate,
	&cmd_label,
	&cmd_mutate,
	&cmd_append,
	&cmd_rebase,
	&cmd_flatten,
	&cmd_squash,
	&cmd_referrers,
	&cmd_tags,
	&cmd_repos,
	&cmd_delete,
	&cmd_artifact,
	&cmd_sign,
	&cmd_verify,
	&cmd_login,
	&cmd_logout,
	&cmd_auth,
	&cmd_registry,
	&cmd_prune,
	&cmd_check,
	&cmd_doctor,
	&cmd_version,
	&cmd_help_command,
	&cmd_man,
	&cmd_complete,
	NULL,
};

#define OVERVIEW_NAME 12

const struct cmd *
cmd_find(const char *name)
{
	for (size_t i = 0; cmd_table[i] != NULL; i++)
		if (streq(cmd_table[i]->name, name))
			return cmd_table[i];
	return NULL;
}

const struct cmd *
cmd_find_or(const char *name, struct err *err)
{
	const struct cmd *found = cmd_find(name);
	AUTO(strv) struct strv names = STRV_INIT;
	const char *near;

	if (found != NULL)
		return found;
	for (size_t i = 0; cmd_table[i] != NULL; i++)
		if (!cmd_table[i]->hidden)
			strv_add(&names, cmd_table[i]->name);
	near = suggest(name, (const char *const *)names.items, names.count, false);
	if (near != NULL)
		err_set(err, ERR_USAGE, "unknown command '%s' (did you mean '%s'?)", name, near);
	else
		err_set(err, ERR_USAGE, "unknown command '%s'; 'cooper --help' lists them", name);
	return NULL;
}

static void
add_overview(struct buf *out)
{
	buf_adds(out,
		"cooper builds container images without a daemon and without root, and moves\n"
		"them to and from registries.\n\n"
		"Usage: cooper [options] <command> ...\n\nCommands:\n");
	for (size_t i = 0; cmd_table[i] != NULL; i++)
		if (!cmd_table[i]->hidden)
			buf_addf(out, "  %-*s%s\n", OVERVIEW_NAME, cmd_table[i]->name,
				cmd_table[i]->summary);
	buf_adds(out, "\nOptions of every command:\n");
	opt_help(globals_options, out);
	buf_adds(out, "\n'cooper <command> --help' says more, 'man cooper-<command>' the same.\n");
}

static void
add_help(const struct cmd *cmd, struct buf *out)
{
	size_t at = out->len;

	buf_addf(out, "Usage: cooper %s%s%s%s\n\n", cmd->name,
		cmd->options[0].kind == OPT_KIND_END ? "" : " [options]",
		cmd->args[0] == '\0' ? "" : " ", cmd->args);
	at = out->len;
	opt_fill(cmd->summary, 0, 0, out);
	if (out->data[at] >= 'a' && out->data[at] <= 'z')
		out->data[at] = (char)(out->data[at] - 'a' + 'A');
	if (cmd->about != NULL) {
		buf_addc(out, '\n');
		opt_fill(cmd->about, 0, 0, out);
	}
	if (cmd->options[0].kind != OPT_KIND_END) {
		buf_adds(out, "\nOptions:\n");
		opt_help(cmd->options, out);
	}
	buf_adds(out, "\nOptions of every command:\n");
	opt_help(globals_options, out);
	if (cmd->example != NULL)
		buf_addf(out, "\nFor example:\n%s", cmd->example);
}

int
cmd_show_help(const struct cmd *cmd, struct err *err)
{
	AUTO(buf) struct buf text = BUF_INIT;

	if (cmd == NULL)
		add_overview(&text);
	else
		add_help(cmd, &text);
	return show_answer(&text, err);
}
