/* SPDX-License-Identifier: Apache-2.0 */
/* ui_json - one object a line: "time" (RFC 3339, UTC), "event", and of "id", "name", "text",
 * "stream", "done", "total" those that the event has.  Log text that is not UTF-8 comes as "data",
 * in hexadecimal. */
#include "cmd/ui.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"

struct json_ui {
	struct ui ui;
	pthread_mutex_t lock;
	int fd;
};

static const char *const names[] = {
	[EVENT_START] = "start",
	[EVENT_BYTES] = "bytes",
	[EVENT_CACHED] = "cached",
	[EVENT_LOG] = "log",
	[EVENT_DONE] = "done",
	[EVENT_FAIL] = "fail",
	[EVENT_WARN] = "warn",
	[EVENT_DEBUG] = "debug",
};

static json_t *
time_now(void)
{
	struct timespec now;
	struct tm tm;
	char day[32];
	AUTO(free) char *text = NULL;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	strftime(day, sizeof day, "%Y-%m-%dT%H:%M:%S", &tm);
	text = xasprintf("%s.%03ldZ", day, now.tv_nsec / 1000000);
	return json_text(text);
}

static void
add_log(json_t *line, const struct event *e)
{
	AUTO(buf) struct buf text = BUF_INIT;
	json_t *value = json_stringn(e->text, e->len);

	json_object_set_new(line, "stream", json_text(e->stream == 2 ? "stderr" : "stdout"));
	if (value != NULL) {
		json_object_set_new(line, "text", value);
		return;
	}
	for (uint32_t i = 0; i < e->len; i++)
		buf_addf(&text, "%02x", (unsigned char)e->text[i]);
	json_object_set_new(line, "data", json_text(text.data));
}

static void
event(struct ui *ui, const struct event *e)
{
	struct json_ui *j = (struct json_ui *)ui;
	AUTO(json) json_t *line = json_object();
	AUTO(buf) struct buf text = BUF_INIT;

	json_object_set_new(line, "time", time_now());
	json_object_set_new(line, "event", json_text(names[e->kind]));
	if (e->id != 0)
		json_object_set_new(line, "id", json_integer(e->id));
	if (e->what != NULL)
		json_object_set_new(line, "name", json_text(e->what));
	if (e->kind == EVENT_LOG)
		add_log(line, e);
	else if (e->text != NULL)
		json_object_set_new(line, "text", json_text(e->text));
	if (e->kind == EVENT_BYTES) {
		json_object_set_new(line, "done", json_integer((json_int_t)e->done));
		if (e->total > 0)
			json_object_set_new(line, "total", json_integer((json_int_t)e->total));
	}
	json_format(line, JSON_STYLE_COMPACT, &text);
	buf_addc(&text, '\n');
	pthread_mutex_lock(&j->lock);
	(void)fd_write(j->fd, text.data, text.len); /* nobody is left to be told */
	pthread_mutex_unlock(&j->lock);
}

static void
end(struct ui *ui)
{
	struct json_ui *j = (struct json_ui *)ui;

	pthread_mutex_destroy(&j->lock);
	free(j);
}

struct ui *
ui_json_new(int fd)
{
	struct json_ui *j = xzalloc(sizeof *j);

	j->ui = (struct ui){ .event = event, .end = end };
	pthread_mutex_init(&j->lock, NULL);
	j->fd = fd;
	return &j->ui;
}
