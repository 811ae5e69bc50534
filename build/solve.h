/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BUILD_SOLVE_H
#define BUILD_SOLVE_H

#include <stdbool.h>

#include "base/err.h"
#include "base/worker.h"
#include "build/build.h"
#include "build/copy.h"
#include "build/key.h"
#include "build/plan.h"
#include "build/sandbox/ids.h"
#include "build/sandbox/seccomp.h"
#include "build/source.h"
#include "layers/layer.h"
#include "layers/listing.h"
#include "layers/store.h"
#include "layers/view.h"

/* solve - runs the graph of a plan.
 *
 * A node is one step.  When the step before it, and all that it copies or mounts from, is done, it
 * is asked for its key; what the cache has is taken; else it says which forms of which layers it
 * needs (see material.h), and when they are there its work is done by a worker.  Nodes that do not
 * depend on each other run side by side.  Layers that the image will have become blobs in the
 * background.
 *
 * Everything here happens in the coordinator: one thread, which sleeps in worker_wait_any(). */

struct solve;
struct material;

/* The layers of a file system as some step leaves it, lowest first. */
struct root {
	struct material **items;
	size_t count, room;
	struct digest state; /* what a later key depends on */
	struct view *view;   /* made on first need by root_view() */
};

/* One running worker, and what it fills. */
struct job {
	struct worker *worker;
	/* Called when it has ended well; result is lent. */
	int (*finish)(struct solve *s, struct job *j, json_t *result, struct err *err);
	void *subject; /* a node, a material or an image */
	struct ids_job inside;
	int memory;                   /* where it writes a listing or other bytes; -1: nowhere */
	struct ingest *ingest;        /* where it writes a blob; NULL: nowhere */
	struct tree_new tree;         /* where it writes a tree; fs_fd -1: nowhere */
	bool is_step;                 /* counts among the steps at work */
	uint32_t event;               /* failed with the worker's words when it fails; 0: none */
	const struct plan_step *step; /* for the place in the error; NULL: none */
};

enum node_state { NODE_WAITING, NODE_KEYED, NODE_WORKING, NODE_DONE };

struct node {
	struct plan_step *step;
	enum node_state state;
	struct root *before; /* the root it starts from */
	struct root after;
	struct key key;           /* with its inputs, for the record */
	struct digest definition; /* looked up first */
	struct digest content;    /* COPY: of what is copied; looked up next */
	struct copy_list plan;    /* COPY: the layer */
	uint32_t event;
	unsigned pending;         /* jobs of this node that have not ended */
	bool wants_tree;          /* somebody will read or run on its layer's files */
	bool wants_blob;          /* its layer is part of the image */
	struct layer_record made; /* being filled by the jobs */
	int listing_fd;           /* of the layer, in nameless memory; -1: it is not there yet */
	uint64_t entries;         /* that it has */
	struct digest content_made;
	char created[40]; /* RFC 3339, once done */
	/* COPY and WORKDIR: who owns what is made, once known */
	bool owner_known;
	uint32_t uid, gid;
	struct added_archive *archives; /* ADD: what of its sources is an archive */
	size_t archive_count;
	bool archives_known;
	struct staging *stagings; /* RUN: what bind mounts show of a context, as trees */
	size_t staging_count;
};

/* Some files of a context as a tree, for as long as a RUN needs them. */
struct staging {
	struct node *node;
	struct copy_list list;
	struct tree_new tree;
	bool is_started;
	/* of a cache that begins with them: its directory, and once they are in it that of the
	 * files; else -1 */
	int cache, seed;
	char seed_name[48];
};

/* A file among the sources of ADD, and what is in it if it is an archive. */
struct added_archive {
	struct node *node;
	size_t parent; /* as in struct copy_place */
	char *path;
	struct tree_new tree;
	bool is_archive;
	struct listing listing;
};

struct stage_run { /* a stage at work */
	struct root base;
	struct node *nodes;
	size_t count;
	bool base_known;
};

struct context_run {
	bool wanted, busy, done;
	const struct fetch *fetch; /* how its directory comes here; lent; NULL: it is here */
	struct source_past past;   /* what it was before */
	int dir;                   /* its directory; -1: none */
	struct ignore *ignore;     /* of the first one: lent */
	struct strv sources;       /* what steps want of it */
	int new_cache;       /* where the scan writes what it knows of files; -1: it is not at work */
	struct listing listing;
	struct view *view;
	uint32_t event;
};

struct solve {
	struct store *store;
	const struct build_options *o;
	struct plan *plan;
	struct stage_run *stages; /* one per stage of the plan */
	struct root *images;      /* one per image of the plan */
	struct root scratch;
	struct context_run *contexts;
	size_t context_count;
	struct material **materials; /* all, owned */
	size_t material_count, material_room;
	struct job **jobs;
	size_t job_count, job_room;
	unsigned steps_at_work, max_steps;
	bool layers_stay_remote; /* base layers that nobody needs here are not fetched */
	bool no_export;          /* only the files are wanted, no blobs */
	struct ids ids;
	int userns; /* -1 until solve_inside() */
	struct seccomp *seccomp;
	bool is_flushing; /* a job of solve_flush() runs */
	bool has_trash;   /* trees were dropped; solve_stop() removes their files */
	struct layer_record
		empty;  /* the layer of a step that changed nothing; id 0: not looked up */
	char epoch[40]; /* RFC 3339 of SOURCE_DATE_EPOCH; "" if it is not given */
	int64_t epoch_s;
	int64_t made_s; /* mtime of directories that a COPY or WORKDIR has to make */
	enum codec_kind codec;
	int level;
};

/* The userns, made on first need. */
int solve_inside(struct solve *s, struct err *err);
/* s->seccomp, for the boxes of this build; after solve_inside(). */
int solve_filter(struct solve *s, struct err *err);
/* Trees reach the disk while the build goes on, so that store_sync() has little to wait for. */
int solve_flush(struct solve *s, struct err *err);
/* A tree that is not needed after all. */
int solve_drop(struct solve *s, const char *tree, struct err *err);
/* RFC 3339 of now, or of SOURCE_DATE_EPOCH. */
void solve_time(const struct solve *s, char out[40]);

/* Starts a worker for j (copied), whose fields say what it fills.  inside: the body runs in the user
 * namespace. */
int solve_start(struct solve *s, const struct job *j, const struct worker_job *w, bool inside,
	struct err *err);
bool solve_may_start(const struct solve *s); /* another step */

struct view *root_view(struct root *r); /* all listings must be there; lent */
void root_add(struct root *r, struct material *m);
void root_copy(const struct root *r, struct root *out);
/* Descriptors of the trees, the top one first, for stacking; layers known to be empty are left out.
 * *out is for the caller to close, its array to free; the trees must be there. */
int root_open(struct solve *s, const struct root *r, int **out, size_t *out_count, struct err *err);
void root_close(int *lowers, size_t count);
void root_free(struct root *r);
/* The root that an origin stands for; NULL for a context.  Valid when origin_ready(). */
struct root *solve_root(struct solve *s, const struct origin *o);
bool origin_ready(struct solve *s, const struct origin *o);

/* A node's work is done: its layer joins the root.  hit: what the record has. */
struct cache_hit;
void node_done(struct solve *s, struct node *n, const struct cache_hit *hit);
void node_cached(struct solve *s, struct node *n, const struct cache_hit *hit);
/* The layer in n->made and n->listing_fd is complete: into the store, the cache and the root. */
int node_made(struct solve *s, struct node *n, struct err *err);
bool node_may_use_cache(const struct solve *s, const struct node *n);
void node_group(const struct solve *s, const struct node *n, struct buf *out);
void node_miss(struct solve *s, struct node *n);

/* Starts what a context's steps wait for; 1: its listing is there, 0: later. */
int context_want(struct solve *s, size_t index, struct err *err);
void context_runs_free(struct solve *s);

/* Makes the layer of a copy list: a tar made of the origin's files, which becomes a blob (ingest
 * not NULL), a tree (tree not NULL), or both in one pass.  Two jobs with this subject; each calls
 * finish.  origin: where the list's files are; their trees must be there. */
struct copy_start {
	const struct copy_list *list;
	const struct origin *origin;
	struct tree_new *tree; /* taken; NULL: none */
	int tar_fd, other_fd;  /* lent: the tar goes here as well, and the end that is not its; 0:
				  nowhere */
	bool blob;
	const struct view *lower; /* what is below the tree, for parents */
	const int *places;        /* directories of COPY_FROM_PLACE; lent */
	int (*made)(struct solve *s, struct job *j, json_t *result, struct err *err);
	int (*applied)(struct solve *s, struct job *j, json_t *result, struct err *err);
	void *subject;
	uint32_t event;
	const struct plan_step *step;
};
int copy_start(struct solve *s, struct copy_start *c, struct err *err);
/* ADD (step_add.c): the places of its sources beside the context: those fetched, and once they are
 * unpacked the archives; *out is for the caller to free.  dirs (may be NULL): their directories,
 * likewise, lent ones in it. */
void add_places(
	struct solve *s, const struct node *n, struct copy_place **out, size_t *count, int **dirs);
/* 1: what its sources need is fetched and listed; 0: later. */
int add_ready(struct solve *s, struct node *n, struct err *err);
/* 1: its archives are unpacked; 0: later. */
int add_want(struct solve *s, struct node *n, const struct copy_candidates *files, struct err *err);
bool add_has_local(const struct plan_step *step); /* some source is in the context */
bool add_unpacks(const struct plan_step *step);
void add_free(struct solve *s, struct node *n);

/* Each kind of step: called again and again until it is done. */
int step_run_advance(struct solve *s, struct node *n, struct err *err);
int step_copy_advance(struct solve *s, struct node *n, struct err *err);

/* All of it: every needed stage is done, and the target's layers are blobs. */
int solve_run(struct solve *s, struct err *err);
/* Waits until all layers of a root are trees, and listed. */
int solve_trees(struct solve *s, struct root *r, struct err *err);
int solve_wait(struct solve *s, struct err *err); /* until no job is left */
void solve_stop(struct solve *s);                 /* ends what still runs, frees */

#endif
