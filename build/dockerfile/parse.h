/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DOCKERFILE_PARSE_H
#define DOCKERFILE_PARSE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/strv.h"
#include "build/dockerfile/diagnostic.h"
#include "build/dockerfile/instruction.h"

/* parse - the bytes of a Dockerfile to stages of instructions.  Reads no file, prints nothing, keeps
 * going after an error so that all of them are reported at once.
 *
 * Text rules, messages and quirks are BuildKit's (frontend/dockerfile 1.2x); what differs on purpose
 * is said in docs/dockerfile.md: lines may be longer than 64 KiB, bytes that are not UTF-8 are kept. */

#define DOCKERFILE_SIZE_MAX (16 * 1024 * 1024)
#define DOCKERFILE_LINE_MAX (1024 * 1024) /* of one instruction, heredocs apart */
#define DOCKERFILE_STAGES_MAX 10000
#define DOCKERFILE_INSTRUCTIONS_MAX 200000
#define DOCKERFILE_WORDS_MAX 65536 /* of one instruction */

struct directives {
	char escape;    /* '\\' or '`' */
	char *syntax;   /* whole value of `# syntax=`; NULL: none.  Never fetched */
	int syntax_line;
	char *check;    /* whole value of `# check=`; NULL: none */
	int check_line;
	struct lint_config lint; /* what check says */
};

struct stage {
	char *name;       /* lower case; NULL: none */
	char *base;       /* as written, not expanded: "alpine:$TAG", "scratch", a stage's name */
	char *platform;   /* as written, not expanded; NULL: not given */
	char *comment;    /* "# <name> <this>" above it; NULL: none */
	struct instruction *from; /* FROM itself: lines, text, words, comments */
	struct instruction **items;
	size_t count;
	size_t room;
};

struct dockerfile {
	struct directives directives;
	struct instruction **meta_args; /* ARG before the first FROM */
	size_t meta_arg_count;
	size_t meta_arg_room;
	struct stage *stages; /* at least one */
	size_t stage_count;
	size_t stage_room;
	int *empty_continuations; /* lines at which an instruction with empty lines inside ends */
	size_t empty_continuation_count;
	size_t empty_continuation_room;
};

void dockerfile_free(struct dockerfile *d);
void auto_dockerfile(struct dockerfile **d);

/* file: how the source is called in messages.  diagnostics: gets the source and every error; with
 * errors the result is -1 and err is the first of them. */
int dockerfile_parse(const char *bytes, size_t len, const char *file, struct dockerfile **out,
	struct diagnostics *diagnostics, struct err *err);

/* One trigger of an ONBUILD, heredocs included; the escape character is always '\\'.  Its lines are
 * 0.  Errors: "ONBUILD trigger 'RNU x': unknown instruction: RNU". */
int dockerfile_parse_trigger(const char *text, struct instruction **out, struct err *err);

/* Index of the last stage with this name in any case, or -1. */
int dockerfile_stage(const struct dockerfile *d, const char *name);

#endif
