/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DOCKERFILE_LEX_H
#define DOCKERFILE_LEX_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/strv.h"

/* lex - the bytes of a Dockerfile to logical lines: a BOM, line ends, comments, `# escape=`, and lines
 * that go on.  What a line says is not looked at here. */

/* Where a part of a logical line came from. */
struct lex_piece {
	size_t offset;  /* in the logical line */
	int line;       /* of the file */
	size_t column;  /* in bytes, of the piece's first one: 0 is the first */
};

struct logical {
	struct buf text;       /* without line ends; may hold zero bytes */
	int line_start;
	int line_end;
	bool empty_lines;      /* there were empty lines within */
	struct strv comments;  /* lines of comment above, without '#' and blanks */
	struct lex_piece *pieces;
	size_t piece_count, piece_room;
};
#define LOGICAL_INIT { .text = BUF_INIT }
void auto_logical(struct logical *l);

struct lexer {
	const char *bytes;
	size_t len, at;
	int line;       /* lines taken so far */
	char escape;
	bool directives_over;
	bool escape_seen, syntax_seen, check_seen;
	struct strv comments; /* since the last instruction */
};
void lexer_start(struct lexer *l, const char *bytes, size_t len);
void auto_lexer(struct lexer *l);

/* The next logical line that is neither empty nor a comment.  1; 0 at the end; -1: a directive cannot
 * be (line of the file: l->line), and the caller may go on. */
int lexer_next(struct lexer *l, struct logical *out, struct err *err);
/* The next line of the file with its line end, whatever it is; false at the end. */
bool lexer_line(struct lexer *l, const char **out, size_t *len);

/* Line and column (both from 1) of a place in a logical line. */
void logical_place(const struct logical *l, size_t offset, int *line, int *column);

/* One line as a directive "# name = value", name in lower case, value trimmed: pointers into it.
 * prefix: "#" or "".  false: it is none. */
struct directive {
	const char *name, *value;
	size_t name_len, value_len;
};
bool directive_parse(const char *line, size_t len, const char *prefix, struct directive *out);
bool directive_is(const struct directive *d, const char *name); /* in any case */

#endif
