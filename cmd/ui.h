/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMD_UI_H
#define CMD_UI_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/event.h"
#include "cmd/opt.h"

/* ui - what happens, shown on stderr: one listener of events, in four dresses.
 *
 * tty: finished steps and all log lines scroll by, running steps stay below them and are redrawn.
 * plain: one line an event, as BuildKit prints them.  json: one object a line.  quiet: warnings, and
 * what a step that fails has printed.
 * What a RUN prints passes through whole and untouched; all other words from outside are shown
 * without control characters. */

enum ui_kind { UI_AUTO, UI_TTY, UI_PLAIN, UI_JSON, UI_QUIET };
extern const struct opt_word ui_words[];

/* A command that shows progress has this in its struct, and UI_OPTIONS in its rows. */
struct ui_options {
	enum ui_kind progress;
	bool quiet;
};
#define UI_OPTIONS(type, field)                                                                \
	OPT_ENUM(0, "progress", type, field.progress, ui_words, "how", "show what happens"),   \
		OPT_BOOL('q', "quiet", type, field.quiet, "show warnings and errors only")

/* Begins to listen; AUTO: tty where stderr is a terminal, else plain (BUILDKIT_PROGRESS may choose). */
void ui_begin(const struct ui_options *options, bool debug);
/* Shows what is left, and stops listening; nothing if nothing began. */
void ui_end(void);

/* The dresses: made by their file, ended and freed by end. */
struct ui {
	void (*event)(struct ui *ui, const struct event *e);
	void (*end)(struct ui *ui);
	bool debug;
};
struct ui *ui_plain_new(int fd);
struct ui *ui_json_new(int fd);
struct ui *ui_quiet_new(int fd);
/* Draws from a process of its own, so that clocks go on while ours sleeps.  NULL: it could not be made. */
struct ui *ui_tty_new(int fd);

#endif
