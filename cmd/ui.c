/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/ui.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

const struct opt_word ui_words[] = {
	{ "auto", UI_AUTO },
	{ "tty", UI_TTY },
	{ "plain", UI_PLAIN },
	{ "json", UI_JSON },
	{ "rawjson", UI_JSON },
	{ "quiet", UI_QUIET },
	{ "none", UI_QUIET },
	{ NULL, 0 },
};

static void
listen(const struct event *event, void *arg)
{
	struct ui *ui = arg;

	if (event->kind != EVENT_DEBUG || ui->debug)
		ui->event(ui, event);
}

static enum ui_kind
choose(const struct ui_options *options)
{
	const char *term = getenv("TERM"), *wish = getenv("BUILDKIT_PROGRESS");

	if (options->quiet)
		return UI_QUIET;
	if (options->progress != UI_AUTO)
		return options->progress;
	for (const struct opt_word *w = ui_words; wish != NULL && w->name != NULL; w++)
		if (streq(w->name, wish) && w->value != UI_AUTO)
			return (enum ui_kind)w->value;
	return isatty(STDERR_FILENO) && term != NULL && !streq(term, "dumb") ? UI_TTY : UI_PLAIN;
}

void
ui_begin(const struct ui_options *options, bool debug)
{
	enum ui_kind kind = choose(options);
	struct ui *ui = NULL;

	ui_end();
	if (kind == UI_TTY)
		ui = ui_tty_new(STDERR_FILENO);
	else if (kind == UI_JSON)
		ui = ui_json_new(STDERR_FILENO);
	else if (kind == UI_QUIET)
		ui = ui_quiet_new(STDERR_FILENO);
	if (ui == NULL)
		ui = ui_plain_new(STDERR_FILENO);
	ui->debug = debug;
	event_listen(listen, ui, NULL, NULL);
}

void
ui_end(void)
{
	event_listener *listener = NULL;
	void *arg = NULL;
	struct ui *ui;

	event_listen(NULL, NULL, &listener, &arg);
	if (listener != listen)
		return;
	ui = arg;
	ui->end(ui);
}
