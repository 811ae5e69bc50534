/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DOCKERFILE_INSTRUCTION_PARSE_H
#define DOCKERFILE_INSTRUCTION_PARSE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/strv.h"
#include "build/dockerfile/instruction.h"

/* instruction_parse - one logical line to an instruction.  In two steps, as the bodies of heredocs are
 * read from the file in between:
 *
 * 1. instruction_begin(): name, flags, words
 * 2. if instruction_may_have_heredocs(): the caller finds them and reads their bodies
 * 3. instruction_finish(): the fields of its kind, and everything that can be wrong with it
 *
 * When a step fails, *at is the offset in text of what is wrong. */

/* text: the logical line, whose length is len; a zero byte in it is an error.  The name of an
 * instruction that does not exist: -1 "unknown instruction: RNU (did you mean RUN?)". */
int instruction_begin(const char *text, size_t len, char escape, struct instruction **out, size_t *at,
	struct err *err);
bool instruction_may_have_heredocs(const struct instruction *in, char escape);
/* in->comments and in->heredocs are set; text as before. */
int instruction_finish(struct instruction *in, const char *text, size_t *at, struct err *err);

/* What the comments above say of a name: "# name it is for".  name may be NULL.  NULL: nothing. */
char *instruction_comment_on(const struct strv *comments, const char *name);

/* --name=value words at the start of text, which begins at offset of the instruction: added to in's
 * flags.  Returns the length of what they took, blanks behind them included. */
size_t flags_split(const char *text, size_t offset, char escape, struct instruction *in);

/* What the flags of in say, into its fields: BuildKit's messages. */
int flags_apply(struct instruction *in, size_t *at, struct err *err);

/* Words of ENV, LABEL and ARG: quotes and escapes stay in them.  offsets (if not NULL; for free()):
 * where each begins. */
void words_split_quoted(const char *text, char escape, struct strv *out, size_t **offsets);
/* Words between runs of blanks, and nothing else; text has none at its ends. */
void words_split(const char *text, struct strv *out);

#endif
