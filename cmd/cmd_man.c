/* SPDX-License-Identifier: Apache-2.0 */
/* `cooper __man [command]`: the man pages, from the same rows as --help.  cmd/man/ holds what this
 * prints, and tests/lint/cli.sh compares them. (mdoc(7)) */
#include <string.h>

#include "cmd/cmd.h"
#include "cmd/show.h"

/* Text for mdoc: no line begins a request, no backslash is an escape, dashes are dashes. */
static void
add_text(const char *text, struct buf *out)
{
	const char *begin = text;
	bool line_begins = true;

	for (; *text != '\0'; text++) {
		if (line_begins && (*text == '.' || *text == '\''))
			buf_adds(out, "\\&");
		/* mandoc wants each sentence on a line of its own */
		if (*text == ' ' && text != begin && text[-1] == '.' && text[1] != '.')
			buf_addc(out, '\n');
		else if (*text == '\\')
			buf_adds(out, "\\e");
		else if (*text == '-')
			buf_adds(out, "\\-");
		else
			buf_addc(out, *text);
		line_begins = *text == '\n' || out->data[out->len - 1] == '\n';
	}
}

static void
add_paragraphs(const char *text, struct buf *out)
{
	const char *end;

	while ((end = strstr(text, "\n\n")) != NULL) {
		AUTO(free) char *paragraph = xstrndup(text, (size_t)(end - text));

		add_text(paragraph, out);
		buf_adds(out, "\n.Pp\n");
		text = end + 2;
	}
	add_text(text, out);
	buf_addc(out, '\n');
}

static void
add_options(const struct opt *rows, struct buf *out)
{
	buf_adds(out, ".Bl -tag -width Ds\n");
	for (const struct opt *o = rows; o->kind != OPT_KIND_END; o++) {
		buf_adds(out, ".It ");
		if (o->letter != 0)
			buf_addf(out, "Fl %c , ", o->letter);
		buf_adds(out, "Fl Fl ");
		add_text(o->name, out);
		if (o->kind == OPT_KIND_TRISTATE)
			buf_addf(out, " Ns Op = Ns Ar %s", o->arg);
		else if (opt_takes_value(o))
			buf_addf(out, " Ar %s", o->arg);
		buf_addc(out, '\n');
		add_text(o->help, out);
		for (const struct opt_word *w = o->words; w != NULL && w->name != NULL; w++)
			buf_addf(out, "%s%s", w == o->words ? ": " : ", ", w->name);
		buf_adds(out, ".\n");
	}
	buf_adds(out, ".El\n");
}

static void
add_head(const char *title, const char *name, const char *summary, struct buf *out)
{
	buf_addf(out,
		".\\\" SPDX-License-Identifier: Apache-2.0\n.\\\" made by 'cooper __man'\n"
		".Dd November 24, 2026\n.Dt %s 1\n.Os\n.Sh NAME\n.Nm %s\n.Nd %s\n",
		title, name, summary);
}

static void
add_command(const struct cmd *cmd, struct buf *out)
{
	AUTO(free) char *name = xasprintf("cooper-%s", cmd->name);
	AUTO(free) char *title = xstrdup(name);

	for (char *c = title; *c != '\0'; c++)
		*c = *c >= 'a' && *c <= 'z' ? (char)(*c - 'a' + 'A') : *c;
	add_head(title, name, cmd->summary, out);
	buf_addf(out, ".Sh SYNOPSIS\n.Nm cooper %s\n", cmd->name);
	if (cmd->options[0].kind != OPT_KIND_END)
		buf_adds(out, ".Op Ar options\n");
	if (cmd->args[0] != '\0')
		add_paragraphs(cmd->args, out);
	if (cmd->about != NULL) {
		buf_adds(out, ".Sh DESCRIPTION\n");
		add_paragraphs(cmd->about, out);
	}
	if (cmd->options[0].kind != OPT_KIND_END) {
		buf_adds(out, ".Sh OPTIONS\n");
		add_options(cmd->options, out);
	}
	if (cmd->example != NULL) {
		buf_adds(out, ".Sh EXAMPLES\n.Bd -literal\n");
		add_text(cmd->example, out);
		buf_adds(out, ".Ed\n");
	}
	buf_adds(out, ".Sh SEE ALSO\n.Xr cooper 1 ,\nfor the options and exit status of every "
		      "command.\n");
}

static const char environment[] =
	".Sh ENVIRONMENT\n.Bl -tag -width Ds\n"
	".It Ev COOPER_ROOT\nThe directory that holds images and cache, as\n.Fl Fl root .\n"
	".It Ev BUILDKIT_PROGRESS\nHow progress is shown where\n.Fl Fl progress\nis not given.\n"
	".It Ev NO_COLOR\nIf set, nothing is coloured.\n"
	".It Ev SOURCE_DATE_EPOCH\nSeconds since 1970: no time in a built image is later.\n.El\n";

static const char exit_status[] =
	".Sh EXIT STATUS\n.Bl -tag -width Ds -compact\n"
	".It 0\nAll is done.\n"
	".It 1\nA system call failed.\n"
	".It 2\nThe command line is wrong.\n"
	".It 3\nA document, such as a Dockerfile, a name or an archive, cannot be understood.\n"
	".It 4\nWhat was asked for is not there.\n"
	".It 5\nSomebody refused: credentials, permission, policy.\n"
	".It 6\nBytes are not what their digest or format says.\n"
	".It 7\nThe other side, or the way to it, failed; another try may help.\n"
	".It 8\nA step of a build failed.\n"
	".It 130\nSomebody pressed ^C.\n.El\n.Pp\n.Nm cooper run\nexits with the status of its "
	"program, "
	"125 when cooper itself failed,\n126 when the program cannot be executed, and 127 when it "
	"is not there.\n";

static void
add_overview(struct buf *out)
{
	add_head("COOPER", "cooper", "build container images, and move them to and from registries",
		out);
	buf_adds(out,
		".Sh SYNOPSIS\n.Nm\n.Op Ar options\n.Ar command\n.Ar ...\n.Sh DESCRIPTION\n.Nm\n"
		"builds container images from a Dockerfile, without a daemon and without root, "
		"and\n"
		"moves images to and from registries.\nThe answer is on stdout, and all else on "
		"stderr.\n"
		"Its commands are:\n.Bl -tag -width Ds\n");
	for (size_t i = 0; cmd_table[i] != NULL; i++) {
		if (cmd_table[i]->hidden)
			continue;
		buf_addf(out, ".It Xr cooper\\-%s 1\n", cmd_table[i]->name);
		add_text(cmd_table[i]->summary, out);
		buf_adds(out, ".\n");
	}
	buf_adds(out, ".El\n.Sh OPTIONS\nOf every command:\n");
	add_options(globals_options, out);
	buf_adds(out, environment);
	buf_adds(out, exit_status);
}

static int
man_run(struct call *call, struct err *err)
{
	AUTO(buf) struct buf answer = BUF_INIT;
	const struct cmd *cmd;

	if (call->args.count == 0) {
		add_overview(&answer);
		return show_answer(&answer, err);
	}
	cmd = cmd_find_or(call->args.items[0], err);
	if (cmd == NULL)
		return -1;
	add_command(cmd, &answer);
	return show_answer(&answer, err);
}

static const struct opt options[] = { OPT_END };

const struct cmd cmd_man = {
	.name = "__man",
	.summary = "print a man page",
	.args = "[<command>]",
	.options = options,
	.args_max = 1,
	.hidden = true,
	.run = man_run,
};
