/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "build/material.h"
#include "build/run_mount.h"
#include "layers/ownership.h"

/* run_mount_seed - directories of cache mounts, and what one with from= begins with.  The files are copied beside the cache and
 * get their place by a rename, so that a cache is whole or not there; of several who do it at once one
 * wins, and the others take his. */

struct giving {
	int dir;
	const char *name;
	const struct cache_new *cache;
};

static int
give(void *arg, json_t **result, struct err *err)
{
	struct giving *g = arg;
	const struct ownership o = { .uid = g->cache->uid, .gid = g->cache->gid };
	AUTO(fd)
	int fd = openat(g->dir, g->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	(void)result;
	/* EINVAL: there is one id only */
	if (fd < 0 ||
		(fchown(fd, o.uid, o.gid) < 0 && (errno != EINVAL || ownership_set(fd, &o) < 0)))
		return err_sys(err, "chown");
	return 0;
}

/* Only inside may it get an owner that is not the caller. */
static int
make_cache(int top, const char *name, const struct cache_new *c, struct err *err)
{
	struct giving g = { top, name, c };
	struct worker_job w = { .name = "chown", .run = give, .arg = &g };
	struct ids_job inside;

	if (mkdirat(top, name, 0700) < 0 || fchownat(top, name, c->owner, c->group, 0) < 0 ||
		fchmodat(top, name, c->mode, 0) < 0)
		return err_sys(err, "make its directory");
	if (c->uid == 0 && c->gid == 0)
		return 0;
	ids_job_inside(c->userns, &w, &inside);
	return worker_call(&w, NULL, err);
}

int
cache_open(int top, const struct cache_new *c, int *out, struct err *err)
{
	const int flags = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	AUTO(free) char *name = xasprintf("new-%d", (int)getpid());
	int fd = openat(top, CACHE_FILES, flags);

	if (fd < 0) {
		if (make_cache(top, name, c, err) < 0)
			return -1;
		/* of several that begin at once one wins */
		if (renameat2(top, name, top, CACHE_FILES, RENAME_NOREPLACE) < 0 &&
			(errno != EEXIST || unlinkat(top, name, AT_REMOVEDIR) < 0))
			return err_sys(err, "name its directory");
		fd = openat(top, CACHE_FILES, flags);
	}
	if (fd < 0)
		return err_sys(err, "open its directory");
	*out = fd;
	return 0;
}

bool
seed_is_wanted(const struct step_mount *m)
{
	return m->mount.kind == MOUNT_CACHE && m->from.kind != ORIGIN_SCRATCH;
}

int
seed_plan(struct solve *s, struct node *n, size_t mount, struct err *err)
{
	const struct step_mount *m = &n->step->mounts[mount];
	const char *source = m->mount.source != NULL ? m->mount.source : "/";
	struct root *root = solve_root(s, &m->from);
	AUTO(strv) struct strv sources = STRV_INIT;
	struct copy_request r = { .sources = &sources,
		.dest = "/",
		.origin = root != NULL ? root_view(root) : s->contexts[m->from.index].view,
		.origin_is_context = root == NULL,
		.mtime = s->made_s };

	strv_add(&sources, source);
	return copy_plan(&r, &n->stagings[mount].list, err);
}

/* The cache of this id that begins with these files. */
static int
open_cache(struct solve *s, struct node *n, size_t mount, int *out, struct err *err)
{
	const struct step_mount *m = &n->step->mounts[mount];
	struct root *root = solve_root(s, &m->from);
	struct digest content = { .text = "" };
	AUTO(free) char *id = NULL;
	AUTO(fd) int lock = -1;

	if (root == NULL)
		copy_content_digest(&n->stagings[mount].list, &content);
	id = xasprintf("from\n%s\n%s\n%s", m->mount.id != NULL ? m->mount.id : m->target,
		root != NULL ? root->state.text : content.text,
		m->mount.source != NULL ? m->mount.source : "/");
	return store_mount_open(
		s->store, id, true, s->ids.root_uid, s->ids.root_gid, 0755, out, &lock, err);
}

static int
seeded(struct staging *st, struct err *err)
{
	st->seed = openat(st->cache, CACHE_FILES, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return st->seed < 0 ? err_sys(err, "cache mount") : 0;
}

static int
made(struct solve *s, struct job *j, json_t *result, struct err *err)
{
	(void)s;
	(void)result;
	(void)err;
	((struct staging *)j->subject)->node->pending--;
	return 0;
}

static int
applied(struct solve *s, struct job *j, json_t *result, struct err *err)
{
	struct staging *st = j->subject;

	(void)s;
	(void)result;
	st->node->pending--;
	if (renameat(st->cache, st->seed_name, st->cache, CACHE_FILES) < 0 && errno != EEXIST &&
		errno != ENOTEMPTY)
		return err_sys(err, "cache mount");
	return seeded(st, err);
}

static int
start(struct solve *s, struct node *n, size_t mount, struct err *err)
{
	struct staging *st = &n->stagings[mount];
	AUTO(tree_new) struct tree_new tree = TREE_NEW_INIT;
	struct copy_start c = { .list = &st->list,
		.origin = &n->step->mounts[mount].from,
		.tree = &tree,
		.made = made,
		.applied = applied,
		.subject = st,
		.event = n->event,
		.step = n->step };

	snprintf(st->seed_name, sizeof st->seed_name, "new-%d-%zu-%p", (int)getpid(), mount,
		(void *)st);
	if (mkdirat(st->cache, st->seed_name, 0755) < 0 ||
		fchownat(st->cache, st->seed_name, s->ids.root_uid, s->ids.root_gid, 0) < 0)
		return err_sys(err, "cache mount");
	tree.fs_fd =
		openat(st->cache, st->seed_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (tree.fs_fd < 0)
		return err_sys(err, "cache mount");
	n->pending += 2;
	return copy_start(s, &c, err);
}

int
seed_want(struct solve *s, struct node *n, size_t mount, struct err *err)
{
	struct staging *st = &n->stagings[mount];
	struct root *root = solve_root(s, &n->step->mounts[mount].from);
	struct stat have;
	int ready;

	if (st->is_started)
		return 1;
	if (root != NULL) {
		ready = materials_want(s, root, MATERIAL_LISTING, err);
		if (ready > 0)
			ready = materials_want(s, root, MATERIAL_TREE, err);
		if (ready <= 0)
			return ready;
		if (seed_plan(s, n, mount, err) < 0)
			return err_in(err, "--mount");
	}
	if (solve_inside(s, err) < 0 || open_cache(s, n, mount, &st->cache, err) < 0)
		return -1;
	st->is_started = true;
	if (fstatat(st->cache, CACHE_FILES, &have, AT_SYMLINK_NOFOLLOW) == 0)
		return seeded(st, err) < 0 ? -1 : 1;
	return start(s, n, mount, err) < 0 ? -1 : 0;
}
