/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DOCKERFILE_EXPAND_H
#define DOCKERFILE_EXPAND_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/strv.h"

/* expand - variables and quotes in an instruction's words, as BuildKit's shell lexer treats them.
 *
 * $name ${name} ${name:-w} ${name-w} ${name:+w} ${name+w} ${name:?w} ${name?w} ${name#p} ${name##p}
 * ${name%p} ${name%%p} ${name/p/r} ${name//p/r}; w, p and r are expanded themselves.  'x' is taken as
 * it is; "x" expands $ and knows the escapes \" \$ \\; outside of quotes the escape character frees
 * the next one.  Patterns know * ? and the escapes \* \? \\ \} \/.
 *
 * Errors (ERR_INPUT) are BuildKit's: "failed to process \"${x\": syntax error: missing '}'". */

#define EXPAND_SIZE_MAX (1024 * 1024) /* bytes of one result */
#define EXPAND_DEPTH_MAX 100          /* ${a:-${b:-${c...}}} */
#define EXPAND_WORDS_MAX 65536
#define EXPAND_NAMES_MAX 1000         /* noted as used or undefined; further ones are not */

/* Where values come from. */
struct expand_vars {
	const char *(*get)(const void *arg, const char *name); /* NULL: not set */
	const void *arg;
};
/* A list of NAME=value, which must outlive the result; NULL: nothing is set. */
struct expand_vars expand_vars_env(const struct strv *env);

enum expand_flags {
	EXPAND_RAW_QUOTES = 1,  /* quotes stay in the result */
	EXPAND_RAW_ESCAPES = 2, /* the escape character stays as well */
	EXPAND_NO_QUOTES = 4,   /* quotes are no special characters (bodies of heredocs) */
	EXPAND_KEEP_UNSET = 8,  /* what is not set stays as it was written */
};

struct expansion {
	char *text;             /* the whole */
	struct strv words;      /* split at blanks that were not quoted; results of $x are split */
	struct strv used;       /* names that were asked for and set, each once */
	struct strv undefined;  /* names that were asked for and not set, each once */
};
#define EXPANSION_INIT { .text = NULL }
void expansion_free(struct expansion *e);
void auto_expansion(struct expansion *e);

/* escape: '\\' or '`', what `# escape=` said.  On success *out (freed before) is filled. */
int expand(const char *text, char escape, unsigned flags, const struct expand_vars *vars,
	struct expansion *out, struct err *err);

/* For the common case: one word in, one out (for free()); names that are not set are added to
 * *undefined, once each, unless it is NULL. */
int expand_word(const char *text, char escape, const struct expand_vars *vars, char **out,
	struct strv *undefined, struct err *err);

/* EXPOSE: the result split into words, which are added to *out. */
int expand_words(const char *text, char escape, const struct expand_vars *vars, struct strv *out,
	struct strv *undefined, struct err *err);

/* The body of a COPY or ADD heredoc whose delimiter has no quotes: the escape is always '\\', quotes
 * are ordinary, \c becomes c. */
int expand_heredoc(const char *text, const struct expand_vars *vars, char **out,
	struct strv *undefined, struct err *err);

#endif
