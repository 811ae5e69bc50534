/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DOCKERFILE_INSTRUCTION_H
#define DOCKERFILE_INSTRUCTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/strv.h"
#include "build/dockerfile/expand.h"
#include "build/dockerfile/heredoc.h"
#include "build/dockerfile/mount.h"

/* instruction - one instruction, typed: which fields count depends on its kind. */

enum instruction_kind {
	INSTRUCTION_ADD,
	INSTRUCTION_ARG,
	INSTRUCTION_CMD,
	INSTRUCTION_COPY,
	INSTRUCTION_ENTRYPOINT,
	INSTRUCTION_ENV,
	INSTRUCTION_EXPOSE,
	INSTRUCTION_FROM,
	INSTRUCTION_HEALTHCHECK,
	INSTRUCTION_LABEL,
	INSTRUCTION_MAINTAINER,
	INSTRUCTION_ONBUILD,
	INSTRUCTION_RUN,
	INSTRUCTION_SHELL,
	INSTRUCTION_STOPSIGNAL,
	INSTRUCTION_USER,
	INSTRUCTION_VOLUME,
	INSTRUCTION_WORKDIR,
	INSTRUCTION_COUNT,
};

const char *instruction_name(enum instruction_kind kind);      /* "ADD" */
int instruction_kind_of(const char *name, size_t len);         /* in any case; -1: none */
/* The name that is meant by a misspelt one, in its case ("rnu": "run"); NULL: none.  For free(). */
char *instruction_suggest(const char *name);

/* --name=value right after the instruction, quotes and escapes removed. */
struct flag {
	char *name;   /* without "--" */
	char *value;  /* NULL: there was no '=' */
	size_t start; /* where it begins in the instruction's text */
};

/* NAME=value of ENV, LABEL, ARG. */
struct pair {
	char *name;
	char *value;   /* not expanded; NULL: ARG without '=' */
	char *comment; /* ARG: what the comment above says of it; NULL: nothing */
	bool legacy;   /* ENV name value: without '=' */
};

/* Which rules are looked at: a `# check=` directive, or a comment above an instruction. */
struct lint_config {
	bool skip_all, experimental_all, error;
	struct strv skip, experimental; /* names of rules */
};
#define LINT_CONFIG_INIT { .skip_all = false }

/* What COPY and ADD have beyond their words.  Strings are NULL when not given; not expanded. */
struct copy_options {
	char *from; /* COPY */
	char *chown;
	char *chmod;
	char *checksum;        /* ADD */
	struct strv exclude;
	bool link;
	bool parents;          /* COPY */
	int unpack;            /* ADD: 1, 0, or -1 when not given */
	int keep_git_dir;      /* ADD: likewise */
	struct strv sources;   /* all but the destination and the heredocs */
	char *dest;
	struct heredoc *files; /* heredocs among the sources: content is chomped already */
	size_t file_count;
};

enum run_network { RUN_NETWORK_DEFAULT, RUN_NETWORK_NONE, RUN_NETWORK_HOST };
enum run_security { RUN_SANDBOX, RUN_INSECURE };

struct run_options {
	struct strv mount_texts; /* as written; mounts come from instruction_expand() */
	struct mount *mounts;
	size_t mount_count;
	bool network_given;
	enum run_network network;
	enum run_security security;
	struct strv devices;     /* as written */
};

/* Nanoseconds; 0: as inherited or by default. */
struct health {
	struct strv test; /* {"NONE"}, {"CMD", ...}, {"CMD-SHELL", "text"} */
	int64_t interval, timeout, start_period, start_interval;
	int retries;
};

struct instruction {
	enum instruction_kind kind;
	char *name;     /* as written: "run" */
	char *text;     /* the whole of it, continuation lines joined, outer blanks removed */
	int line_start; /* 1 is the first; 0: not from a file */
	int line_end;   /* the end of the last heredoc included */
	struct strv comments; /* comment lines right above, without '#' and blanks */
	struct lint_config lint; /* of these comments */

	struct flag *flags;
	size_t flag_count, flag_room;
	/* Arguments.  RUN, CMD, ENTRYPOINT in shell form: one (none when empty).  MAINTAINER, USER,
	 * WORKDIR, STOPSIGNAL: one.  EXPOSE: sorted by bytes.  HEALTHCHECK: the kind, then its command.
	 * FROM: 1 or 3.  ONBUILD: none. */
	struct strv words;
	bool is_json; /* the words were a JSON array: exec form */
	struct pair *pairs;
	size_t pair_count;
	struct heredoc *heredocs; /* in order; content not chomped */
	size_t heredoc_count;

	struct copy_options copy;  /* COPY, ADD */
	struct run_options run;    /* RUN */
	struct health health;      /* HEALTHCHECK */
	char *trigger;             /* ONBUILD: text of what fires, heredocs written out again */
};

void instruction_free(struct instruction *in);      /* of the heap */
void auto_instruction(struct instruction **in);
void instruction_clear(struct instruction *in);     /* its fields */
struct instruction *instruction_copy(const struct instruction *in);

const struct flag *instruction_flag(const struct instruction *in, const char *name); /* or NULL */

/* A copy in which variables are replaced where this kind allows it, all by the values that hold
 * before it: COPY and ADD (sources, dest, chown, chmod, checksum, bodies of unquoted heredocs), ENV
 * and LABEL (names and values), USER, WORKDIR, STOPSIGNAL, VOLUME, EXPOSE (split into words), RUN
 * (mounts, now parsed).  The others come back as they are, ARG too: its pairs see one another, so
 * the caller walks them with expand_word().  Names not set are added to *undefined, once each. */
int instruction_expand(const struct instruction *in, char escape, const struct expand_vars *vars,
	struct instruction **out, struct strv *undefined, struct err *err);

/* The command line of RUN, CMD, ENTRYPOINT before the shell is put in front: for a shell form the
 * text followed by its heredocs as the shell wants them.  A RUN whose text is nothing but one
 * heredoc (`RUN <<EOF`) gives the body alone, and *script is set when that body begins with #!: it is
 * then a file to run, named after the delimiter.  For free(); NULL for an exec form. */
char *instruction_shell_text(const struct instruction *in, bool *script);

#endif
