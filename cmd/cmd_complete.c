/* SPDX-License-Identifier: Apache-2.0 */
/* `cooper __complete word...`: for the completion scripts.  The words are those typed after
 * "cooper"; the last one, perhaps empty, is being typed.  One candidate a line. */
#include <string.h>

#include "base/mem.h"
#include "cmd/cmd.h"
#include "cmd/show.h"

static void
add_options(const struct opt *rows, const char *begun, struct buf *out)
{
	for (const struct opt *o = rows; o->kind != OPT_KIND_END; o++) {
		AUTO(free) char *word = xasprintf("--%s", o->name);

		if (starts_with(word, begun))
			buf_addf(out, "%s\n", word);
	}
}

static const struct opt *
find(const struct opt *rows, const char *word)
{
	size_t len = strcspn(word, "=");

	for (const struct opt *o = rows; o->kind != OPT_KIND_END; o++) {
		if (word[0] == '-' && word[1] == '-' && strlen(o->name) == len - 2 &&
			strncmp(word + 2, o->name, len - 2) == 0)
			return o;
		if (word[0] == '-' && word[1] != '\0' && word[1] == o->letter && word[2] == '\0')
			return o;
	}
	return NULL;
}

static void
add_words(const struct opt *row, const char *prefix, const char *begun, struct buf *out)
{
	for (const struct opt_word *w = row->words; w != NULL && w->name != NULL; w++)
		if (starts_with(w->name, begun))
			buf_addf(out, "%s%s\n", prefix, w->name);
}

static void
complete_command(const struct cmd *cmd, const char *before, const char *begun, struct buf *out)
{
	const struct opt *row = find(cmd->options, before);
	const char *value = strchr(begun, '=');

	if (row != NULL && row->kind == OPT_KIND_ENUM && strchr(before, '=') == NULL) {
		add_words(row, "", begun, out);
		return;
	}
	row = value == NULL ? NULL : find(cmd->options, begun);
	if (row != NULL) {
		AUTO(free) char *prefix = xstrndup(begun, (size_t)(value + 1 - begun));

		add_words(row, prefix, value + 1, out);
		return;
	}
	if (begun[0] != '-')
		return;
	add_options(cmd->options, begun, out);
	add_options(globals_options, begun, out);
}

static int
complete_run(struct call *call, struct err *err)
{
	const struct strv *words = &call->args;
	const char *begun = words->count == 0 ? "" : words->items[words->count - 1];
	AUTO(buf) struct buf answer = BUF_INIT;
	const struct cmd *cmd = NULL;

	for (size_t i = 0; cmd == NULL && i + 1 < words->count; i++)
		cmd = cmd_find(words->items[i]);
	if (cmd != NULL) {
		complete_command(cmd, words->items[words->count - 2], begun, &answer);
	} else if (begun[0] == '-') {
		add_options(globals_options, begun, &answer);
	} else {
		for (size_t i = 0; cmd_table[i] != NULL; i++)
			if (!cmd_table[i]->hidden && starts_with(cmd_table[i]->name, begun))
				buf_addf(&answer, "%s\n", cmd_table[i]->name);
	}
	return show_answer(&answer, err);
}

static const struct opt options[] = { OPT_END };

const struct cmd cmd_complete = {
	.name = "__complete",
	.summary = "print what may come next on a command line",
	.args = "[<word>...]",
	.options = options,
	.args_max = CMD_ARGS_ANY,
	.first_ends = true,
	.hidden = true,
	.run = complete_run,
};
