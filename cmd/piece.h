/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMD_PIECE_H
#define CMD_PIECE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/event.h"

/* piece - a piece of work that events tell of, as a listener remembers it. */

struct piece {
	uint32_t id;
	unsigned number; /* 1, 2, ... in order of appearance */
	char *what;      /* fit to be shown */
	double start;    /* seconds, of piece_clock() */
	double shown;    /* when its bytes were shown last */
	uint64_t done, total;
	bool ended;
	struct buf line[2]; /* what came of a log line so far, per stream */
};

struct pieces {
	struct piece *rows;
	size_t count, room;
};

void pieces_free(struct pieces *p);
/* The piece that the event tells of, made if new; NULL for id 0.  Valid until the next call. */
struct piece *pieces_find(struct pieces *p, const struct event *e);

double piece_clock(void);

/* Cuts a log event into lines and hands each over without its '\n'; what is left is kept.  A kept
 * line longer than PIECE_LINE_MAX is handed over in parts. */
#define PIECE_LINE_MAX (64u << 10)
typedef void piece_line(void *arg, struct piece *piece, const char *line, size_t len);
void piece_log(struct piece *piece, const struct event *e, piece_line *line, void *arg);
/* Hands over what is left. */
void piece_flush(struct piece *piece, piece_line *line, void *arg);

#endif
