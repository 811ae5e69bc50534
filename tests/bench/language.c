/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/mem.h"
#include "build/dockerfile/ignore.h"
#include "build/dockerfile/lint.h"
#include "build/dockerfile/parse.h"

/* language: how long 10,000 lines of a Dockerfile take (aim: under 20 ms), and 100,000 paths
 * against 200 patterns (aim: under 300 ms).  Processor time, the best of five. */

#define ROUNDS 5
#define LINES 10000
#define PATTERNS 200
#define FILES 100000

static double
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void
write_dockerfile(struct buf *out)
{
	buf_adds(out, "FROM alpine AS base\n");
	for (int i = 1; i < LINES; i += 8) {
		buf_addf(out, "ENV VAR%d=\"some value\" OTHER=$VAR%d\n", i, i - 8);
		buf_addf(out, "RUN install -y package-%d && rm -rf /var/lib/lists/*\n", i);
		buf_addf(out, "COPY --chown=1:2 src/file-%d other /dest/%d/\n", i, i);
		buf_adds(out, "# a comment\n");
		buf_addf(out, "RUN [\"/bin/sh\", \"-c\", \"echo %d\"]\n", i);
		buf_addf(out, "LABEL org.example.label-%d=value\n", i);
		buf_adds(out, "RUN a \\\n && b\n");
	}
}

static void
write_patterns(struct buf *out)
{
	static const char *const shapes[] = { "**/*.ext%d\n", "dir%d/sub\n", "**/node%d\n",
		"build%d/**\n", "*.tmp%d\n", "src/*/test%d_*\n", "**/cache%d/**\n",
		"!keep%d.txt\n" };
	for (int i = 0; i < PATTERNS; i++) {
		const char *shape = shapes[i % 8], *place = strstr(shape, "%d");

		buf_add(out, shape, (size_t)(place - shape));
		buf_addf(out, "%d%s", i, place + 2);
	}
}

static double
parse_once(const struct buf *text)
{
	AUTO(dockerfile) struct dockerfile *d = NULL;
	AUTO(diagnostics) struct diagnostics list = DIAGNOSTICS_INIT;
	AUTO(lint) struct lint lint = LINT_INIT;
	struct err err;
	double start = now_ms();

	if (dockerfile_parse(text->data, text->len, "Dockerfile", &d, &list, &err) < 0 ||
		lint_start(&lint, d, NULL, &list, &err) < 0) {
		fprintf(stderr, "%s\n", err.msg);
		exit(1);
	}
	lint_file(&lint);
	return now_ms() - start;
}

static double
ignore_once(const struct ignore *ig, char (*paths)[64])
{
	AUTO(free) unsigned char *parent = xcalloc(ignore_count(ig), 1);
	AUTO(free) unsigned char *own = xcalloc(ignore_count(ig), 1);
	double start = now_ms();
	size_t excluded = 0;

	ignore_step(ig, "src", NULL, parent, NULL);
	for (int i = 0; i < FILES; i++)
		excluded += ignore_step(ig, paths[i], parent, own, NULL);
	return excluded == 0 ? now_ms() - start : -1;
}

int
main(void)
{
	AUTO(buf) struct buf text = BUF_INIT;
	AUTO(buf) struct buf patterns = BUF_INIT;
	AUTO(ignore) struct ignore *ig = NULL;
	char(*paths)[64] = xcalloc(FILES, sizeof *paths);
	double parse = 1e9, walk = 1e9;
	struct err err;

	write_dockerfile(&text);
	write_patterns(&patterns);
	if (ignore_parse(patterns.data, patterns.len, "i", &ig, &err) < 0)
		return 1;
	for (int i = 0; i < FILES; i++)
		snprintf(paths[i], sizeof paths[i], "src/module%d/component%d/file%d.c", i / 1000,
			i / 100 % 10, i);
	for (int i = 0; i < ROUNDS; i++) {
		double p = parse_once(&text), w = ignore_once(ig, paths);

		parse = p < parse ? p : parse;
		walk = w < walk ? w : walk;
	}
	printf("parse and lint %d lines: %.1f ms\n", LINES, parse);
	printf("%d paths against %d patterns: %.1f ms\n", FILES, PATTERNS, walk);
	free(paths);
	return 0;
}
