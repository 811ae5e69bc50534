/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "cmd/ui.h"

/* What a listener shows of these events. */
static char *
shown(struct ui *(*make)(int fd), const struct event *events, size_t count)
{
	struct err err = { 0 };
	int fd = fd_memory("shown", &err);
	AUTO(buf) struct buf text = BUF_INIT;
	struct ui *ui = make(fd);

	for (size_t i = 0; i < count; i++)
		ui->event(ui, &events[i]);
	ui->end(ui);
	is_true(lseek(fd, 0, SEEK_SET) == 0);
	works(buf_read(&text, fd, 1u << 20, &err));
	close(fd);
	return buf_steal(&text);
}

/* Times differ from run to run: 0.123 and 1.2s become T. */
static void
blank_times(char *text)
{
	char *to = text;

	for (const char *c = text; *c != '\0';) {
		size_t len = strspn(c, "0123456789");

		if (len > 0 && c[len] == '.' && (c == text || c[-1] == ' ')) {
			len += 1 + strspn(c + len + 1, "0123456789");
			*to++ = 'T';
			c += len;
			continue;
		}
		*to++ = *c++;
	}
	*to = '\0';
}

#define START(n, name)                                     \
	{                                                  \
		.kind = EVENT_START, .id = n, .what = name \
	}
#define LOG(n, words)                                                                           \
	{                                                                                       \
		.kind = EVENT_LOG, .id = n, .text = words, .len = sizeof words - 1, .stream = 1 \
	}
#define DONE(n)                             \
	{                                   \
		.kind = EVENT_DONE, .id = n \
	}

TEST(plain_lines_are_buildkits)
{
	static const struct event events[] = {
		START(7, "[1/2] FROM debian"),
		{ .kind = EVENT_CACHED, .id = 7 },
		START(9, "[2/2] RUN make"),
		LOG(9, "one\ntw"),
		START(11, "pull sha256:00"),
		LOG(9, "o\n\x1b[31mred\n"),
		DONE(11),
		{ .kind = EVENT_FAIL, .id = 9, .text = "exit status 2\x1b[2J" },
	};
	AUTO(free) char *text = shown(ui_plain_new, events, COUNT_OF(events));

	blank_times(text);
	same_str(text, "#1 [1/2] FROM debian\n#1 CACHED\n\n#2 [2/2] RUN make\n#2 T one\n#2 ...\n\n"
		       "#3 pull sha256:00\n#3 ...\n\n#2 [2/2] RUN make\n#2 T two\n#2 T "
		       "\x1b[31mred\n#2 ...\n\n"
		       "#3 pull sha256:00\n#3 DONE Ts\n\n#2 [2/2] RUN make\n"
		       "#2 ERROR: exit status 2\\x1b[2J\n");
}

TEST(the_last_line_of_a_log_needs_no_newline)
{
	static const struct event events[] = { START(1, "RUN"), LOG(1, "no end"), DONE(1) };
	AUTO(free) char *text = shown(ui_plain_new, events, COUNT_OF(events));

	blank_times(text);
	same_str(text, "#1 RUN\n#1 T no end\n#1 DONE Ts\n");
}

TEST(names_from_outside_cannot_move_the_cursor)
{
	static const struct event events[] = { START(1, "RUN echo \x1b[2J\nx"), DONE(1) };
	AUTO(free) char *text = shown(ui_plain_new, events, COUNT_OF(events));

	blank_times(text);
	same_str(text, "#1 RUN echo \\x1b[2J\\x0ax\n#1 DONE Ts\n");
}

TEST(quiet_shows_warnings_only)
{
	static const struct event events[] = {
		START(1, "RUN"),
		LOG(1, "x\n"),
		{ .kind = EVENT_WARN, .text = "old" },
		DONE(1),
	};
	AUTO(free) char *text = shown(ui_quiet_new, events, COUNT_OF(events));

	same_str(text, "cooper: WARN: old\n");
}

TEST(json_has_one_object_a_line)
{
	static const struct event events[] = {
		START(1, "RUN \"x\""),
		LOG(1, "a\xff"),
		LOG(1, "a\n"),
		{ .kind = EVENT_BYTES, .id = 1, .done = 1, .total = 2 },
	};
	static const char *const wanted[] = {
		"\"event\":\"start\",\"id\":1,\"name\":\"RUN \\\"x\\\"\"}",
		"\"event\":\"log\",\"id\":1,\"stream\":\"stdout\",\"data\":\"61ff\"}",
		"\"event\":\"log\",\"id\":1,\"stream\":\"stdout\",\"text\":\"a\\n\"}",
		"\"event\":\"bytes\",\"id\":1,\"done\":1,\"total\":2}",
	};
	AUTO(free) char *text = shown(ui_json_new, events, COUNT_OF(events));
	char *rest = NULL, *line = strtok_r(text, "\n", &rest);

	for (size_t i = 0; i < COUNT_OF(wanted); i++) {
		is_true(line != NULL);
		is_true(strncmp(line, "{\"time\":\"2", 10) == 0);
		same_str(strstr(line, "\"event\""), wanted[i]);
		line = strtok_r(NULL, "\n", &rest);
	}
	is_true(line == NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(plain_lines_are_buildkits),
		CASE(the_last_line_of_a_log_needs_no_newline),
		CASE(names_from_outside_cannot_move_the_cursor),
		CASE(quiet_shows_warnings_only),
		CASE(json_has_one_object_a_line),
	};

	return RUN(tests);
}
