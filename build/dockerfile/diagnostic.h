/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DOCKERFILE_DIAGNOSTIC_H
#define DOCKERFILE_DIAGNOSTIC_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

/* diagnostic - what is to be said about places of one source text: errors and lint warnings.
 *
 * The list owns a copy of the text, so that it can quote it after the parser has gone.  Errors past
 * DIAGNOSTICS_MAX are counted and not kept. */

#define DIAGNOSTICS_MAX 200

enum severity { SEVERITY_WARNING, SEVERITY_ERROR };

struct diagnostic {
	enum severity severity;
	const char *rule; /* static: "StageNameCasing"; NULL for an error */
	const char *url;  /* static, or NULL */
	const char *description; /* static: what the rule wants; NULL for an error */
	char *message;    /* owned, without place */
	int line_start;   /* 1 is the first; 0: no place is known */
	int line_end;     /* inclusive */
	int column;       /* in bytes, 1 is the first, on line `column_line`; 0: no caret */
	int column_line;
};

struct diagnostics {
	char *file; /* as it is to be shown: "Dockerfile", "docker/app.Dockerfile" */
	char *text;
	size_t len;
	struct diagnostic *items;
	size_t count;
	size_t room;
	size_t dropped; /* not kept, past DIAGNOSTICS_MAX */
};
#define DIAGNOSTICS_INIT { .items = NULL }

void diagnostics_free(struct diagnostics *d); /* back to the empty value */
void auto_diagnostics(struct diagnostics *d);

/* Names the source and copies its bytes; replaces what was there. */
void diagnostics_source(struct diagnostics *d, const char *file, const char *text, size_t len);

/* Appends a copy of *one, whose message is made from the format. */
void diagnostics_add(struct diagnostics *d, const struct diagnostic *one, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

size_t diagnostics_errors(const struct diagnostics *d);
/* By line, in order of arrival within one. */
void diagnostics_sort(struct diagnostics *d);

/* Sets err to the first error, "Dockerfile:3: unknown instruction: RNU (did you mean RUN?)", and
 * says how many more there are; returns -1.  0 when there is none. */
int diagnostics_to_err(const struct diagnostics *d, struct err *err);

/* "Dockerfile:3: unknown instruction: RNU", or "WARNING: Rule - <url>" and the message, as BuildKit
 * prints them; then the excerpt. */
void diagnostic_format(const struct diagnostics *d, const struct diagnostic *one, struct buf *out);

/* The lines line_start..line_end with their neighbours between two rules, marked by ">>>", and a
 * caret below column (0: none) of column_line.  Appends nothing for a place outside of the text.
 *
 *	Dockerfile:2
 *	--------------------
 *	   1 |     FROM scratch
 *	   2 | >>> RNU true
 *	     |     ^
 *	--------------------
 */
void diagnostics_excerpt(const struct diagnostics *d, int line_start, int line_end, int column_line,
	int column, struct buf *out);

#endif
