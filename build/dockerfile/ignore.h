/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DOCKERFILE_IGNORE_H
#define DOCKERFILE_IGNORE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/strv.h"

/* ignore - .dockerignore and --exclude: an ordered list of patterns, the last that matches wins, '!'
 * takes back.  A pattern that matches a directory matches what is below.  Semantics, quirks
 * included, are moby/patternmatcher's.
 *
 * Paths are relative to the root of the context, without "./", a leading or a trailing '/'.
 *
 * For a walk: keep one state per open directory and use ignore_step(), which costs one look at each
 * pattern; ignore_excludes() looks at all parents each time. */

#define IGNORE_SIZE_MAX (4 * 1024 * 1024)
#define IGNORE_PATTERNS_MAX 65536
#define IGNORE_PATTERN_MAX 8192 /* bytes: matching goes a step deeper for each star */

struct ignore;

/* The bytes of an ignore file, called `file` in errors: ".dockerignore:3: ...".  Comments (# in
 * column 0), blanks, '/' in front and a BOM are dealt with. */
int ignore_parse(const char *bytes, size_t len, const char *file, struct ignore **out,
	struct err *err);
/* A list of patterns, as from --exclude flags. */
int ignore_new(const struct strv *patterns, struct ignore **out, struct err *err);
void ignore_free(struct ignore *ig); /* NULL is fine */
void auto_ignore(struct ignore **ig);

/* What the bytes of ignore_parse() were called; NULL for a list. */
const char *ignore_file(const struct ignore *ig);
size_t ignore_count(const struct ignore *ig);
bool ignore_has_exceptions(const struct ignore *ig); /* any '!' */
/* The pattern, cleaned and without '!', and the line of the file it stands on (0: none). */
const char *ignore_pattern(const struct ignore *ig, size_t index, bool *exception, int *line);

/* Whether the path is excluded.  *by (if not NULL): index of the pattern that decided it last. */
bool ignore_excludes(const struct ignore *ig, const char *path, size_t *by);

/* In a walk.  A state is ignore_count() bytes that the caller allocates; parent is that of the
 * directory which holds path (NULL for what is in the root), own is filled for what is below path
 * (NULL: path is no directory). */
bool ignore_step(const struct ignore *ig, const char *path, const unsigned char *parent,
	unsigned char *own, size_t *by);

/* Whether an excluded directory must be entered, because an exception may match below it. */
bool ignore_may_enter(const struct ignore *ig, const char *dir);

/* Whether the context's root itself is as good as excluded: one of the patterns is * or ** (for the
 * rule CopyIgnoredFile). */
bool ignore_is_everything(const struct ignore *ig);

#endif
