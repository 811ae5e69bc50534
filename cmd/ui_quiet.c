/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/ui.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "cmd/show.h"

/* ui_quiet - warnings, and what a step printed if it fails: who asked for silence still wants to know why. */

/* Of what one step printed, the last so many bytes are kept. */
#define KEPT_MAX 65536

struct kept {
	uint32_t id;
	struct buf text;
};

struct quiet {
	struct ui ui; /* first */
	pthread_mutex_t lock;
	struct kept *rows; /* of steps that run */
	size_t count, room;
	int fd;
};

static struct kept *
find(struct quiet *q, uint32_t id)
{
	for (size_t i = 0; i < q->count; i++)
		if (q->rows[i].id == id)
			return &q->rows[i];
	return NULL;
}

static void
keep(struct quiet *q, const struct event *e)
{
	struct kept *k = find(q, e->id);

	if (k == NULL) {
		q->rows = grow(q->rows, q->count, &q->room, sizeof *q->rows);
		k = &q->rows[q->count++];
		*k = (struct kept){ .id = e->id, .text = BUF_INIT };
	}
	buf_add(&k->text, e->text, e->len);
	if (k->text.len > 2 * KEPT_MAX) {
		memmove(k->text.data, k->text.data + k->text.len - KEPT_MAX, KEPT_MAX);
		buf_truncate(&k->text, KEPT_MAX);
	}
}

static void
forget(struct quiet *q, const struct event *e)
{
	struct kept *k = find(q, e->id);

	if (k == NULL)
		return;
	if (e->kind == EVENT_FAIL)
		(void)fd_write(q->fd, k->text.data, k->text.len);
	buf_free(&k->text);
	*k = q->rows[--q->count];
}

static void
say(struct quiet *q, const struct event *e)
{
	AUTO(buf) struct buf line = BUF_INIT;

	buf_adds(&line, e->kind == EVENT_WARN ? "cooper: WARN: " : "cooper: debug: ");
	show_text(e->text == NULL ? "" : e->text, &line);
	buf_addc(&line, '\n');
	(void)fd_write(q->fd, line.data, line.len); /* nobody is left to be told */
}

static void
event(struct ui *ui, const struct event *e)
{
	struct quiet *q = (struct quiet *)ui;

	pthread_mutex_lock(&q->lock);
	if (e->kind == EVENT_WARN || e->kind == EVENT_DEBUG)
		say(q, e);
	else if (e->kind == EVENT_LOG)
		keep(q, e);
	else if (e->kind == EVENT_DONE || e->kind == EVENT_FAIL)
		forget(q, e);
	pthread_mutex_unlock(&q->lock);
}

static void
end(struct ui *ui)
{
	struct quiet *q = (struct quiet *)ui;

	for (size_t i = 0; i < q->count; i++)
		buf_free(&q->rows[i].text);
	free(q->rows);
	pthread_mutex_destroy(&q->lock);
	free(q);
}

struct ui *
ui_quiet_new(int fd)
{
	struct quiet *q = xzalloc(sizeof *q);

	q->ui = (struct ui){ .event = event, .end = end };
	pthread_mutex_init(&q->lock, NULL);
	q->fd = fd;
	return &q->ui;
}
