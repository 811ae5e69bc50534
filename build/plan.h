/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BUILD_PLAN_H
#define BUILD_PLAN_H

#include <stdbool.h>

#include "base/err.h"
#include "base/strv.h"
#include "build/dockerfile/diagnostic.h"
#include "build/dockerfile/ignore.h"
#include "build/dockerfile/lint.h"
#include "build/dockerfile/mode.h"
#include "build/dockerfile/owner.h"
#include "build/dockerfile/parse.h"
#include "build/fetch.h"
#include "build/scope.h"
#include "layers/config.h"
#include "layers/oci.h"
#include "registry/ref.h"

/* plan - stages to a graph.  Everything here is text and values: nothing is read, fetched or run.
 *
 *	plan_open()     expands the FROM lines, finds what the target needs, lists the images to
 *look up (call again after each round of look-ups, until it lists no new ones: a base's ONBUILD may
 *name more) plan_finish()   walks the needed stages: every instruction becomes a change of the
 *configuration, a line of history, and for RUN, COPY, ADD and WORKDIR a step
 */

enum origin_kind {
	ORIGIN_SCRATCH, /* no files */
	ORIGIN_STAGE,   /* what stage `index` ends with */
	ORIGIN_IMAGE,   /* image `index` of the plan */
	ORIGIN_CONTEXT, /* directory `index`: 0 is the build context, others are named */
};
struct origin {
	enum origin_kind kind;
	size_t index;
};

/* An image that FROM or --from names, and, once looked up, what it is. */
struct plan_image {
	char *text; /* as it stands in the Dockerfile, expanded */
	struct ref ref;
	struct platform platform; /* asked for */
	const char *context; /* --build-context value that takes its place; NULL: none.  Lent */
	/* filled by base_resolve() */
	bool resolved;
	char *pinned; /* for the progress: "docker.io/library/debian:12@sha256:..." */
	struct descriptor manifest_at; /* the manifest for the platform */
	struct config config;
	struct manifest manifest;
};

enum step_kind { STEP_RUN, STEP_COPY, STEP_WORKDIR };

struct step_mount { /* RUN --mount, expanded */
	struct mount mount;
	struct origin from; /* bind, and cache with from */
	char *target;       /* absolute */
};

struct plan_step {
	enum step_kind kind;
	size_t stage;           /* its index in the plan */
	size_t index;           /* among the steps of its stage */
	struct instruction *in; /* expanded; owned */
	char *name;             /* "[build 2/5] RUN make" */
	char *created_by;       /* its line in the history */
	bool is_onbuild;
	bool is_base; /* FROM a context: a COPY of all its files onto nothing */
	/* RUN, and what the others need to know of the stage at this point */
	struct strv env;  /* values of ARG included */
	struct strv argv; /* RUN: shell included */
	char *script;     /* RUN of one heredoc that begins with #!: its bytes; NULL: none */
	char *script_name;
	char *working_dir; /* absolute, "" means "/" */
	char *user;        /* as USER said, or "" */
	struct step_mount *mounts;
	size_t mount_count;
	/* COPY, ADD */
	struct origin from;
	bool is_add;
	struct step_fetch { /* sources of ADD that lie elsewhere */
		size_t source, context;
	} *fetches;
	size_t fetch_count;
	char *dest; /* absolute, with its trailing slash if it had one; WORKDIR: the directory */
	bool has_owner, has_mode;
	struct owner owner;
	struct mode mode;
};

struct plan_stage {
	const struct stage *stage; /* of the Dockerfile; lent */
	size_t index;
	char *label; /* its name, or "stage-1" */
	struct origin base;
	char *base_text; /* the image's name, until it is listed; NULL: a stage or scratch */
	struct platform platform;
	bool needed;          /* the target reaches it */
	bool is_open;         /* its needs are being looked at */
	bool is_replaced;     /* --build-context has its name: it is that, its instructions do not count */
	bool is_evaluated;
	bool is_target_chain; /* its layers are part of the image that is made */
	bool files_wanted;    /* some COPY --from or mount reads it */
	struct config config; /* as the stage ends; `created` of our history lines is NULL */
	size_t base_history;  /* lines of history that came from the base */
	struct scope scope;
	struct plan_step **steps;
	size_t step_count, step_room;
	bool cmd_set; /* CMD occurred in this stage */
	bool workdir_set, shell_set;
	/* the latest of each, which another one makes count no more; lent */
	const struct instruction *last_cmd, *last_entrypoint, *last_healthcheck;
};

struct plan {
	struct dockerfile *file; /* lent */
	const char *file_name;   /* for messages; lent */
	struct lint *lint;       /* lent; NULL: no warnings */
	struct build_args args;
	struct scope global;
	struct platform build_platform, target_platform;
	const struct strv *contexts; /* --build-context; lent; NULL: none */
	const struct strv *labels;   /* --label; lent */
	struct strv context_dirs; /* directories of ORIGIN_CONTEXT; item 0 is the context itself */
	struct fetch **fetches; /* for each of these: how it comes here; NULL: it is a directory */
	size_t fetch_room;
	struct plan_stage *stages;
	size_t stage_count;
	struct plan_image **images;
	size_t image_count, image_room;
	size_t target;
	bool all_stages; /* the target is not all that is needed */
	const struct ignore *ignore; /* of the context; lent; NULL: nothing is ignored */
	struct scope defaults; /* as global, as if no --build-arg was given */
	bool many_platforms; /* names of steps say which */
};

struct plan_options {
	struct dockerfile *file;
	const char *file_name;
	struct lint *lint;
	const struct strv *build_args;
	const struct strv *contexts, *labels;
	const char *target; /* NULL: the last stage */
	const struct platform *platform;
	const struct ignore *ignore;
	bool many_platforms;
	bool all_stages; /* to be checked rather than built */
};

int plan_open(const struct plan_options *o, struct plan **out, struct err *err);
/* Looks for needs again; *added: images that were not listed before. */
int plan_reach(struct plan *p, size_t *added, struct err *err);
int plan_finish(struct plan *p, struct err *err);
void plan_free(struct plan *p);
void auto_plan(struct plan **p);

/* What --from=text means in a stage: a stage before it, a named context, else an image (added to
 * the plan's list).  by_number: "0" is the first stage. */
int plan_origin(struct plan *p, size_t stage, const char *text, bool by_number,
	struct origin *out, struct err *err);

/* The ORIGIN_CONTEXT that a fetch fills; takes f. */
size_t plan_fetch(struct plan *p, struct fetch *f);

/* Texts of the ONBUILD instructions that fire when this stage begins. */
void plan_triggers(const struct plan *p, const struct plan_stage *st, struct strv *out);

/* Names that some ARG of the file declares. */
void plan_arg_names(const struct plan *p, struct strv *out);

/* "Dockerfile:12: COPY: <msg>" in front of what err says. */
int plan_at(const struct plan *p, const struct instruction *in, struct err *err);

#endif
