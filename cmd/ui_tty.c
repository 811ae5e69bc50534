/* SPDX-License-Identifier: Apache-2.0 */
/* ui_tty - a terminal: what is over scrolls up for good (finished steps, log lines, warnings), what
 *runs stays at the bottom and is redrawn.
 *
 *	 => [build 1/4] FROM debian                                     0.2s
 *	 => [build 2/4] RUN make
 *	cc -o demo demo.c
 *	[+] 3.1s (1/3)
 *	 => [build 2/4] RUN make                                        2.9s
 *	 => pull sha256:9f2c...      [=======>            ] 12MB/40MB   1.1s
 *
 * The drawing is done by a process of its own, which gets the events through a pipe: clocks go on
 *while the coordinator sleeps in a step, and the cursor is put right even when the coordinator is
 *killed. */
#include "cmd/ui.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/proc.h"
#include "cmd/piece.h"
#include "cmd/show.h"

#define FRAME_MS 100
#define BAR_COLUMNS 20
#define COLUMNS_DEFAULT 80
#define ROWS_DEFAULT 24

struct screen {
	struct pieces pieces;
	struct buf out;
	unsigned current; /* number of the piece whose log line came last; 0: none */
	size_t drawn;     /* rows at the bottom that are redrawn */
	size_t finished;
	double start;
	bool colour;
	int fd;
};

/* An event on its way through the pipe; its texts follow. */
struct message {
	struct event event; /* its pointers mean only: NULL or not */
	uint32_t what_len, text_len;
	bool over;
};

static void
screen_size(const struct screen *s, size_t *columns, size_t *rows)
{
	struct winsize size = { 0 };

	*columns = COLUMNS_DEFAULT;
	*rows = ROWS_DEFAULT;
	if (ioctl(s->fd, TIOCGWINSZ, &size) < 0)
		return;
	if (size.ws_col > 10)
		*columns = size.ws_col;
	if (size.ws_row > 3)
		*rows = size.ws_row;
}

static void
erase(struct screen *s)
{
	if (s->drawn > 0)
		buf_addf(&s->out, "\r\x1b[%zuA\x1b[J", s->drawn);
	s->drawn = 0;
}

/* The first `columns` columns of text, and blanks up to them. */
static void
add_clipped(const char *text, size_t columns, struct buf *out)
{
	size_t used = 0;

	for (; *text != '\0' && (used < columns || ((unsigned char)*text & 0xc0) == 0x80); text++) {
		if (((unsigned char)*text & 0xc0) != 0x80)
			used++;
		buf_addc(out, *text);
	}
	buf_addf(out, "%*s", (int)(columns - used), "");
}

static void
add_bar(const struct piece *p, struct buf *out)
{
	size_t full = p->total == 0 ? 0 : (size_t)(p->done * BAR_COLUMNS / p->total);

	if (p->total > 0) {
		buf_adds(out, " [");
		for (size_t i = 0; i < BAR_COLUMNS; i++)
			buf_addc(out, i < full ? '=' : i == full ? '>' : ' ');
		buf_addc(out, ']');
	}
	buf_addc(out, ' ');
	show_size(p->done, out);
	if (p->total > 0) {
		buf_addc(out, '/');
		show_size(p->total, out);
	}
}

static void
add_row(struct screen *s, const struct piece *p, size_t columns)
{
	AUTO(buf) struct buf tail = BUF_INIT;
	size_t taken;

	if (p->done > 0)
		add_bar(p, &tail);
	buf_addf(&tail, " %6.1fs", piece_clock() - p->start);
	taken = tail.len + strlen(" => ");
	buf_adds(&s->out, " => ");
	add_clipped(p->what, taken + 10 < columns ? columns - taken - 1 : 10, &s->out);
	buf_adds(&s->out, tail.data);
	buf_addc(&s->out, '\n');
	s->drawn++;
}

static void
draw(struct screen *s)
{
	size_t columns, rows, running = 0, shown = 0;

	screen_size(s, &columns, &rows);
	for (size_t i = 0; i < s->pieces.count; i++)
		running += !s->pieces.rows[i].ended;
	if (running > 0) {
		buf_addf(&s->out, "[+] %.1fs (%zu/%zu)\n", piece_clock() - s->start, s->finished,
			s->pieces.count);
		s->drawn++;
	}
	for (size_t i = 0; i < s->pieces.count && running > 0; i++) {
		if (s->pieces.rows[i].ended)
			continue;
		/* what does not fit is told as a number: scrolled rows cannot be erased */
		if (shown + 3 >= rows) {
			buf_addf(&s->out, " ... and %zu more\n", running - shown);
			s->drawn++;
			break;
		}
		add_row(s, &s->pieces.rows[i], columns);
		shown++;
	}
	(void)fd_write(s->fd, s->out.data, s->out.len);
	buf_clear(&s->out);
}

static void
log_line(void *arg, struct piece *piece, const char *line, size_t len)
{
	struct screen *s = arg;

	if (s->current != piece->number)
		buf_addf(&s->out, " => %s\n", piece->what);
	s->current = piece->number;
	buf_add(&s->out, line, len);
	/* colours that a program left on are its own */
	if (memchr(line, '\x1b', len) != NULL)
		buf_adds(&s->out, "\x1b[0m");
	buf_addc(&s->out, '\n');
}

static void
finish(struct screen *s, struct piece *piece, const struct event *e)
{
	size_t columns, rows;
	AUTO(buf) struct buf tail = BUF_INIT;

	if (piece->ended)
		return;
	piece_flush(piece, log_line, s);
	piece->ended = true;
	s->finished++;
	s->current = 0;
	screen_size(s, &columns, &rows);
	buf_addf(&tail,
		e->kind == EVENT_CACHED ? " CACHED"
		: e->kind == EVENT_FAIL ? " ERROR"
					: " %6.1fs",
		piece_clock() - piece->start);
	buf_adds(&s->out, !s->colour              ? " => "
			  : e->kind == EVENT_FAIL ? "\x1b[31m => "
						  : "\x1b[34m => ");
	add_clipped(piece->what, columns > tail.len + 15 ? columns - tail.len - 5 : 10, &s->out);
	buf_addf(&s->out, "%s%s\n", tail.data, s->colour ? "\x1b[0m" : "");
	if (e->kind == EVENT_FAIL && e->text != NULL) {
		show_text(e->text, &s->out);
		buf_addc(&s->out, '\n');
	}
}

static void
screen_event(struct screen *s, const struct event *e)
{
	struct piece *piece = pieces_find(&s->pieces, e);

	if (e->kind == EVENT_WARN || e->kind == EVENT_DEBUG) {
		buf_adds(&s->out, e->kind == EVENT_WARN ? "WARN: " : "debug: ");
		show_text(e->text == NULL ? "" : e->text, &s->out);
		buf_addc(&s->out, '\n');
		s->current = 0;
	} else if (piece == NULL || e->kind == EVENT_START) {
		return;
	} else if (e->kind == EVENT_LOG) {
		piece_log(piece, e, log_line, s);
	} else if (e->kind == EVENT_BYTES) {
		piece->done = e->done;
		piece->total = e->total;
	} else {
		finish(s, piece, e);
	}
}

/* 1: an event, 0: no more. */
static int
receive(int fd, struct message *m, struct buf *texts)
{
	size_t len;

	if (fd_read(fd, m, sizeof *m) != (ssize_t)sizeof *m || m->over)
		return 0;
	len = (size_t)m->what_len + m->text_len + 2;
	buf_clear(texts);
	if (fd_read(fd, buf_reserve(texts, len), len) != (ssize_t)len)
		return 0;
	m->event.what = m->event.what == NULL ? NULL : texts->data;
	m->event.text = m->event.text == NULL ? NULL : texts->data + m->what_len + 1;
	return 1;
}

/* The process that draws: until the last event, or until nobody is left who could send one. */
static void
screen_run(int from, int fd)
{
	struct screen s = { .out = BUF_INIT, .start = piece_clock(), .fd = fd };
	AUTO(buf) struct buf texts = BUF_INIT;
	struct message m;
	double drawn_at = 0;

	s.colour = getenv("NO_COLOR") == NULL;
	for (;;) {
		struct pollfd ready = { .fd = from, .events = POLLIN };
		int n = poll(&ready, 1, FRAME_MS);

		if (n < 0 && errno != EINTR)
			break;
		if (n > 0) {
			size_t before = s.out.len;

			if (receive(from, &m, &texts) == 0)
				break;
			/* what scrolls goes above what is redrawn */
			if (s.drawn > 0 && before == 0)
				erase(&s);
			screen_event(&s, &m.event);
			if (s.out.len < PIECE_LINE_MAX && piece_clock() - drawn_at < FRAME_MS / 1e3)
				continue;
		}
		erase(&s);
		draw(&s);
		drawn_at = piece_clock();
	}
	erase(&s);
	for (size_t i = 0; i < s.pieces.count; i++)
		piece_flush(&s.pieces.rows[i], log_line, &s);
	(void)fd_write(fd, s.out.data, s.out.len);
	buf_free(&s.out);
	pieces_free(&s.pieces);
}

struct tty {
	struct ui ui;
	pthread_mutex_t lock;
	pid_t pid;
	int to;
};

static void
event(struct ui *ui, const struct event *e)
{
	struct tty *t = (struct tty *)ui;
	AUTO(buf) struct buf bytes = BUF_INIT;
	struct message m = { .event = *e };

	m.what_len = e->what == NULL ? 0 : (uint32_t)strlen(e->what);
	/* only logs count their bytes */
	m.text_len = e->text == NULL        ? 0
		     : e->kind == EVENT_LOG ? e->len
					    : (uint32_t)strlen(e->text);
	buf_add(&bytes, &m, sizeof m);
	buf_add(&bytes, e->what == NULL ? "" : e->what, m.what_len);
	buf_addc(&bytes, '\0');
	buf_add(&bytes, e->text == NULL ? "" : e->text, m.text_len);
	buf_addc(&bytes, '\0');
	pthread_mutex_lock(&t->lock);
	(void)fd_write(t->to, bytes.data, bytes.len); /* nobody is left to be told */
	pthread_mutex_unlock(&t->lock);
}

static void
end(struct ui *ui)
{
	struct tty *t = (struct tty *)ui;
	struct message m = { .over = true };
	struct err ignored = { 0 };
	int status;

	(void)fd_write(t->to, &m, sizeof m);
	close(t->to);
	(void)proc_wait(t->pid, &status, &ignored);
	pthread_mutex_destroy(&t->lock);
	free(t);
}

struct ui *
ui_tty_new(int fd)
{
	struct tty *t;
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return NULL;
	pid = fork();
	if (pid == 0) {
		/* ^C is the coordinator's to answer; we show what it says then */
		signal(SIGINT, SIG_IGN);
		signal(SIGTERM, SIG_IGN);
		signal(SIGHUP, SIG_IGN);
		close(ends[1]);
		screen_run(ends[0], fd);
		_exit(0);
	}
	close(ends[0]);
	if (pid < 0) {
		close(ends[1]);
		return NULL;
	}
	t = xzalloc(sizeof *t);
	t->ui = (struct ui){ .event = event, .end = end };
	pthread_mutex_init(&t->lock, NULL);
	t->pid = pid;
	t->to = ends[1];
	return &t->ui;
}
