/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DOCKERFILE_HEREDOC_H
#define DOCKERFILE_HEREDOC_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

/* heredoc - <<NAME, <<-NAME, <<"NAME", 3<<NAME in RUN, COPY, ADD and ONBUILD of these. */

#define HEREDOCS_MAX 1024 /* of one instruction */

struct heredoc {
	char *name;     /* the delimiter without quotes: any text, ".." and slashes too */
	char *content;  /* bytes of the body as in the file, line ends and leading tabs included */
	size_t len;     /* of content, which may hold zero bytes */
	unsigned fd;    /* the number before <<; 0 when there is none */
	bool expand;    /* no part of the delimiter was quoted */
	bool chomp;     /* <<- */
};
void heredoc_free(struct heredoc *h); /* its fields */

/* Whether word is a heredoc: 1 with *out filled but for content (fields for heredoc_free()), 0 when
 * it is something else, -1 when its delimiter cannot be read. */
int heredoc_parse(const char *word, struct heredoc *out, struct err *err);

/* All heredocs of a line, in order; nothing is found in a line whose quotes do not match.  *out is
 * an array for heredoc_list_free(). */
int heredoc_find(const char *line, struct heredoc **out, size_t *out_count, struct err *err);
void heredoc_list_free(struct heredoc *list, size_t count);

/* Whether it can be a file of its name: COPY, and RUN of a script.  ERR_INPUT otherwise. */
int heredoc_check_name(const struct heredoc *h, struct err *err);

/* Content without the leading tabs of each line: what COPY writes for <<-. */
void heredoc_chomp(const char *content, size_t len, struct buf *out);

#endif
