/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BUILD_RUN_MOUNT_H
#define BUILD_RUN_MOUNT_H

#include "base/err.h"
#include "build/key.h"
#include "build/sandbox/box.h"
#include "build/solve.h"

/* run_mount - what RUN --mount shows inside the box: files of a stage, an image or a context
 * (bind), a directory that stays from build to build (cache), memory (tmpfs), a secret, the
 * caller's ssh agent.
 *
 * 1. run_mounts_ready: the stages and contexts that are mounted are done
 * 2. run_mounts_key: what of them counts for the step's key; never a secret's value
 * 3. run_mounts_want: their files are there as trees
 * 4. run_mounts_prepare: in the coordinator, which may read secrets
 * 5. run_mounts_open: in the worker
 */

struct run_mounts {
	struct box_mount *items; /* sorted by target */
	size_t count;
	struct run_mount_view
		*views; /* roots to be stacked in the worker, one per bind of a stage */
	size_t view_count;
	struct strv texts; /* targets and secrets, owned */
	struct strv argv;  /* of a RUN that is one script: the script's file; else empty */
	int *fds;          /* owned: caches and their locks, stagings */
	size_t fd_count, fd_room;
	char **secrets; /* owned, wiped when freed */
	size_t *secret_lens;
	size_t secret_count;
	size_t agent_count; /* ssh mounts so far */
};
#define RUN_MOUNTS_INIT       \
	{                     \
		.items = NULL \
	}
void auto_run_mounts(struct run_mounts *m);

int run_mounts_ready(struct solve *s, struct node *n, struct err *err);
void run_mounts_key(struct solve *s, struct node *n, struct key *key);
int run_mounts_want(struct solve *s, struct node *n, struct err *err);
int run_mounts_prepare(
	struct solve *s, struct node *n, struct run_mounts *out, struct strv *env, struct err *err);
int run_mounts_open(struct run_mounts *m, struct err *err);
void stagings_free(struct solve *s, struct node *n);

/* The files of a cache lie in a directory inside the store's: whoever owns them, the store's own can be moved
 * away and removed. */
struct cache_new { /* what a new one gets */
	uid_t owner; /* outside: the namespace's 0:0 */
	gid_t group;
	mode_t mode;
	uint32_t uid, gid; /* inside */
	int userns;
};
#define CACHE_FILES "fs"
/* In a worker outside; makes it on first use. */
int cache_open(int top, const struct cache_new *c, int *out, struct err *err);

/* A cache mount with from= (run_mount_seed.c): its directory begins as a copy of these files, and is another
 * one when they are others. */
bool seed_is_wanted(const struct step_mount *m);
/* What is to be copied; the origin is listed. */
int seed_plan(struct solve *s, struct node *n, size_t mount, struct err *err);
/* 1: stagings[mount].seed is the directory; 0: later. */
int seed_want(struct solve *s, struct node *n, size_t mount, struct err *err);

#endif
