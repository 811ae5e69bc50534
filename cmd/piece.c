/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/piece.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "cmd/show.h"

double
piece_clock(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

void
pieces_free(struct pieces *p)
{
	for (size_t i = 0; i < p->count; i++) {
		free(p->rows[i].what);
		buf_free(&p->rows[i].line[0]);
		buf_free(&p->rows[i].line[1]);
	}
	free(p->rows);
	*p = (struct pieces){ 0 };
}

struct piece *
pieces_find(struct pieces *p, const struct event *e)
{
	AUTO(buf) struct buf what = BUF_INIT;

	if (e->id == 0)
		return NULL;
	/* the newest are asked for most */
	for (size_t i = p->count; i-- > 0;)
		if (p->rows[i].id == e->id)
			return &p->rows[i];
	show_line(e->what == NULL ? "" : e->what, &what);
	p->rows = grow(p->rows, p->count, &p->room, sizeof *p->rows);
	p->rows[p->count] = (struct piece){
		.id = e->id,
		.number = (unsigned)p->count + 1,
		.what = xstrdup(what.data),
		.start = piece_clock(),
		.line = { BUF_INIT, BUF_INIT },
	};
	return &p->rows[p->count++];
}

void
piece_log(struct piece *piece, const struct event *e, piece_line *line, void *arg)
{
	struct buf *kept = &piece->line[e->stream == 2];
	const char *text = e->text;
	size_t left = e->len;

	while (left > 0) {
		const char *end = memchr(text, '\n', left);
		size_t len = end == NULL ? left : (size_t)(end - text);

		if (end != NULL && kept->len == 0) {
			line(arg, piece, text, len);
		} else {
			buf_add(kept, text, len);
			if (end != NULL || kept->len > PIECE_LINE_MAX) {
				line(arg, piece, kept->data, kept->len);
				buf_clear(kept);
			}
		}
		text += len + (end != NULL);
		left -= len + (end != NULL);
	}
}

void
piece_flush(struct piece *piece, piece_line *line, void *arg)
{
	for (size_t i = 0; i < 2; i++) {
		if (piece->line[i].len > 0)
			line(arg, piece, piece->line[i].data, piece->line[i].len);
		buf_free(&piece->line[i]);
	}
}
