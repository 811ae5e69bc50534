/* SPDX-License-Identifier: Apache-2.0 */
/* ui_plain - one line an event, as BuildKit prints them:
 *
 *	#3 [build 2/5] RUN make
 *	#3 0.123 cc -o demo demo.c
 *	#3 DONE 1.2s
 *
 * A piece of work that is interrupted by another says "#3 ...", and names itself again when it goes
 *on. */
#include "cmd/ui.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "cmd/piece.h"
#include "cmd/show.h"

#define BYTES_EVERY_S 5.0

struct plain {
	struct ui ui;
	pthread_mutex_t lock; /* places may be told of from several threads */
	struct pieces pieces;
	unsigned current; /* number of the piece that wrote last; 0: none */
	struct buf out;
	int fd;
};

/* Names the piece unless it wrote the last line. */
static void
turn_to(struct plain *p, struct piece *piece)
{
	if (p->current == piece->number)
		return;
	for (size_t i = 0; i < p->pieces.count; i++) {
		const struct piece *last = &p->pieces.rows[i];

		if (last->number == p->current && !last->ended)
			buf_addf(&p->out, "#%u ...\n", last->number);
	}
	if (p->current != 0)
		buf_addc(&p->out, '\n');
	buf_addf(&p->out, "#%u %s\n", piece->number, piece->what);
	p->current = piece->number;
}

static void
log_line(void *arg, struct piece *piece, const char *line, size_t len)
{
	struct plain *p = arg;

	turn_to(p, piece);
	buf_addf(&p->out, "#%u %.3f ", piece->number, piece_clock() - piece->start);
	buf_add(&p->out, line, len);
	buf_addc(&p->out, '\n');
}

static void
show_bytes(struct plain *p, struct piece *piece, const struct event *e)
{
	double now = piece_clock();

	piece->done = e->done;
	piece->total = e->total;
	if (piece->shown == 0)
		piece->shown = piece->start;
	if (now - piece->shown < BYTES_EVERY_S)
		return;
	piece->shown = now;
	turn_to(p, piece);
	buf_addf(&p->out, "#%u ", piece->number);
	show_size(e->done, &p->out);
	if (e->total > 0) {
		buf_adds(&p->out, " / ");
		show_size(e->total, &p->out);
	}
	buf_addf(&p->out, " %.1fs\n", now - piece->start);
}

static void
show_end(struct plain *p, struct piece *piece, const struct event *e)
{
	if (piece->ended)
		return;
	piece_flush(piece, log_line, p);
	turn_to(p, piece);
	piece->ended = true;
	if (e->kind == EVENT_CACHED) {
		buf_addf(&p->out, "#%u CACHED\n", piece->number);
	} else if (e->kind == EVENT_DONE) {
		buf_addf(&p->out, "#%u DONE %.1fs\n", piece->number, piece_clock() - piece->start);
	} else {
		buf_addf(&p->out, "#%u ERROR: ", piece->number);
		show_text(e->text == NULL ? "" : e->text, &p->out);
		buf_addc(&p->out, '\n');
	}
}

static void
show_words(struct plain *p, const struct piece *piece, const struct event *e)
{
	if (piece != NULL)
		buf_addf(&p->out, "#%u ", piece->number);
	buf_adds(&p->out, e->kind == EVENT_WARN ? "WARN: " : "debug: ");
	show_text(e->text == NULL ? "" : e->text, &p->out);
	buf_addc(&p->out, '\n');
}

static void
event(struct ui *ui, const struct event *e)
{
	struct plain *p = (struct plain *)ui;
	struct piece *piece;

	pthread_mutex_lock(&p->lock);
	piece = pieces_find(&p->pieces, e);
	if (e->kind == EVENT_WARN || e->kind == EVENT_DEBUG) {
		show_words(p, piece, e);
	} else if (piece != NULL) {
		if (e->kind == EVENT_START)
			turn_to(p, piece);
		else if (e->kind == EVENT_BYTES)
			show_bytes(p, piece, e);
		else if (e->kind == EVENT_LOG)
			piece_log(piece, e, log_line, p);
		else
			show_end(p, piece, e);
	}
	(void)fd_write(p->fd, p->out.data, p->out.len); /* nobody is left to be told */
	buf_clear(&p->out);
	pthread_mutex_unlock(&p->lock);
}

static void
end(struct ui *ui)
{
	struct plain *p = (struct plain *)ui;

	for (size_t i = 0; i < p->pieces.count; i++)
		piece_flush(&p->pieces.rows[i], log_line, p);
	(void)fd_write(p->fd, p->out.data, p->out.len);
	buf_free(&p->out);
	pieces_free(&p->pieces);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

struct ui *
ui_plain_new(int fd)
{
	struct plain *p = xzalloc(sizeof *p);

	p->ui = (struct ui){ .event = event, .end = end };
	pthread_mutex_init(&p->lock, NULL);
	p->out = (struct buf)BUF_INIT;
	p->fd = fd;
	return &p->ui;
}
