/* SPDX-License-Identifier: Apache-2.0 */
#include "build/run_mount.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/path.h"
#include "build/material.h"
#include "build/sandbox/rootfs.h"
#include "build/secret.h"
#include "build/ssh_relay.h"

#define SCRIPT_DIR "/dev/pipes"

/* A bind of a stage or image, or a cache: its descriptor is only known in the worker. */
struct run_mount_view {
	size_t item; /* which of the mounts */
	int *lowers; /* bind: trees, the top one first; owned */
	size_t lower_count;
	char *source;        /* bind: path in that root */
	struct store *store; /* cache; NULL: bind */
	char *id;
	enum mount_sharing sharing;
	char *agent; /* ssh: its socket, of the caller; NULL: none */
	int seed; /* cache with from: its directory; ssh: where the socket will be; lent; else -1 */
	uid_t owner; /* outside */
	gid_t group;
	mode_t mode;
	struct cache_new cache;
};

static void
wipe(char *bytes, size_t len)
{
	explicit_bzero(bytes, len);
	free(bytes);
}

void
auto_run_mounts(struct run_mounts *m)
{
	for (size_t i = 0; i < m->view_count; i++) {
		for (size_t k = 0; k < m->views[i].lower_count; k++)
			auto_fd(&m->views[i].lowers[k]);
		free(m->views[i].lowers);
		free(m->views[i].source);
		free(m->views[i].id);
		free(m->views[i].agent);
	}
	for (size_t i = 0; i < m->fd_count; i++)
		auto_fd(&m->fds[i]);
	for (size_t i = 0; i < m->secret_count; i++)
		wipe(m->secrets[i], m->secret_lens[i]);
	free(m->views);
	free(m->fds);
	free(m->secrets);
	free(m->secret_lens);
	free(m->items);
	strv_free(&m->texts);
	strv_free(&m->argv);
	*m = (struct run_mounts)RUN_MOUNTS_INIT;
}

void
stagings_free(struct solve *s, struct node *n)
{
	for (size_t i = 0; i < n->staging_count; i++) {
		struct staging *st = &n->stagings[i];
		struct err ignored;

		if (st->tree.fs_fd >= 0)
			solve_drop(s, st->tree.id, &ignored);
		auto_tree_new(&st->tree);
		copy_list_free(&st->list);
		auto_fd(&st->cache);
		auto_fd(&st->seed);
	}
	free(n->stagings);
	n->stagings = NULL;
	n->staging_count = 0;
}

/* --- what must be done before ----------------------------------------------------------------- */

static bool
is_context_bind(const struct step_mount *m)
{
	return m->mount.kind == MOUNT_BIND && m->from.kind == ORIGIN_CONTEXT;
}

static int
plan_staging(struct solve *s, struct node *n, size_t mount, struct err *err)
{
	const struct step_mount *m = &n->step->mounts[mount];
	const char *source = m->mount.source != NULL ? m->mount.source : "/";
	AUTO(strv) struct strv sources = STRV_INIT;
	AUTO(buf) struct buf clean = BUF_INIT;
	AUTO(free) char *rooted = xasprintf("/%s", source);
	struct copy_request r = { .sources = &sources,
		.origin = s->contexts[m->from.index].view,
		.origin_is_context = true,
		.mtime = s->made_s };

	/* the tree holds the source under its own path, so that a file keeps its name */
	path_clean(rooted, &clean);
	strv_add(&sources, source);
	r.dest = clean.data;
	return copy_plan(&r, &n->stagings[mount].list, err);
}

int
run_mounts_ready(struct solve *s, struct node *n, struct err *err)
{
	struct plan_step *step = n->step;

	for (size_t i = 0; i < step->mount_count; i++) {
		const struct step_mount *m = &step->mounts[i];
		int ready = m->from.kind == ORIGIN_CONTEXT ? context_want(s, m->from.index, err)
							   : origin_ready(s, &m->from);

		if (ready <= 0)
			return ready;
	}
	if (n->stagings != NULL || step->mount_count == 0)
		return 1;
	n->stagings = xcalloc(step->mount_count, sizeof *n->stagings);
	n->staging_count = step->mount_count;
	for (size_t i = 0; i < step->mount_count; i++) {
		const struct step_mount *m = &step->mounts[i];
		int planned = 0;

		n->stagings[i] = (struct staging){
			.node = n, .tree = TREE_NEW_INIT, .cache = -1, .seed = -1
		};
		if (is_context_bind(m))
			planned = plan_staging(s, n, i, err);
		else if (seed_is_wanted(m) && m->from.kind == ORIGIN_CONTEXT)
			planned = seed_plan(s, n, i, err);
		if (planned < 0)
			return err_in(err, "--mount");
	}
	return 1;
}

void
run_mounts_key(struct solve *s, struct node *n, struct key *key)
{
	for (size_t i = 0; i < n->step->mount_count; i++) {
		const struct step_mount *m = &n->step->mounts[i];
		struct root *root = solve_root(s, &m->from);
		struct digest content = { .text = "" };
		AUTO(free)
		char *what = xasprintf("--mount %s", m->target != NULL     ? m->target
						     : m->mount.id != NULL ? m->mount.id
									   : "");

		key_add(key, what, mount_kind_name(m->mount.kind));
		key_add(key, "id", m->mount.id);
		key_add(key, "source", m->mount.source);
		key_add(key, "env", m->mount.env);
		key_add_number(key, "read-only", m->mount.read_only);
		key_add_number(key, "mode", m->mount.mode_given ? (int64_t)m->mount.mode : -1);
		key_add_number(key, "uid", m->mount.uid_given ? (int64_t)m->mount.uid : -1);
		key_add_number(key, "gid", m->mount.gid_given ? (int64_t)m->mount.gid : -1);
		if (m->mount.kind != MOUNT_BIND && !seed_is_wanted(m))
			continue;
		if (root == NULL)
			copy_content_digest(&n->stagings[i].list, &content);
		key_add(key, "files", root != NULL ? root->state.text : content.text);
	}
}

static int
staged(struct solve *s, struct job *j, json_t *result, struct err *err)
{
	(void)s;
	(void)result;
	(void)err;
	((struct node *)j->subject)->pending--;
	return 0;
}

static int
want_staging(struct solve *s, struct node *n, size_t mount, struct err *err)
{
	struct staging *st = &n->stagings[mount];
	AUTO(tree_new) struct tree_new tree = TREE_NEW_INIT;
	struct copy_start c = { .list = &st->list,
		.origin = &n->step->mounts[mount].from,
		.tree = &tree,
		.made = staged,
		.applied = staged,
		.subject = n,
		.event = n->event,
		.step = n->step };

	if (st->is_started)
		return 1;
	if (solve_inside(s, err) < 0 ||
		store_tree_new(s->store, s->ids.root_uid, s->ids.root_gid, &tree, err) < 0)
		return -1;
	st->is_started = true;
	memcpy(st->tree.id, tree.id, sizeof st->tree.id);
	st->tree.fs_fd = fcntl(tree.fs_fd, F_DUPFD_CLOEXEC, 0);
	n->pending += 2;
	return copy_start(s, &c, err) < 0 ? -1 : 0;
}

int
run_mounts_want(struct solve *s, struct node *n, struct err *err)
{
	int all = 1;

	for (size_t i = 0; i < n->step->mount_count; i++) {
		const struct step_mount *m = &n->step->mounts[i];
		int one = 1;

		if (is_context_bind(m))
			one = want_staging(s, n, i, err);
		else if (m->mount.kind == MOUNT_BIND)
			one = materials_want(s, solve_root(s, &m->from), MATERIAL_TREE, err);
		else if (seed_is_wanted(m))
			one = seed_want(s, n, i, err);
		if (one < 0)
			return -1;
		all = all && one;
	}
	return all;
}

/* --- the list --------------------------------------------------------------------------------- */

static const char *
keep_text(struct run_mounts *m, char *text)
{
	strv_take(&m->texts, text);
	return text;
}

static void
keep_fd(struct run_mounts *m, int fd)
{
	m->fds = grow(m->fds, m->fd_count, &m->fd_room, sizeof *m->fds);
	m->fds[m->fd_count++] = fd;
}

static int
prepare_secret(struct solve *s, const struct step_mount *sm, struct box_mount *item,
	struct run_mounts *out, struct strv *env, struct err *err)
{
	const struct mount *m = &sm->mount;
	const char *id = m->id != NULL       ? m->id
			 : m->source != NULL ? m->source
			 : m->target != NULL ? path_base(m->target)
					     : m->env;
	AUTO(secret) struct buf bytes = BUF_INIT;
	int found = secret_find(&s->o->secrets, id, &bytes, err);

	if (found < 0)
		return -1;
	if (found == 0)
		return m->required ? err_set(err, ERR_NOTFOUND,
					     "secret %s is required: give it with --secret "
					     "id=%s,src=FILE",
					     id, id)
				   : 0;
	out->secrets = xrealloc(out->secrets, out->secret_count + 1, sizeof *out->secrets);
	out->secret_lens =
		xrealloc(out->secret_lens, out->secret_count + 1, sizeof *out->secret_lens);
	out->secret_lens[out->secret_count] = bytes.len;
	out->secrets[out->secret_count++] = xmemdup(bytes.data, bytes.len + 1);
	if (m->env != NULL)
		strv_env_set(env, m->env, bytes.data);
	if (m->env != NULL && sm->target == NULL)
		return 0;
	*item = (struct box_mount){ .kind = BOX_FILE,
		.fd = -1,
		.is_read_only = true,
		.target = keep_text(out, sm->target != NULL
						 ? xstrdup(sm->target)
						 : xasprintf("/run/secrets/%s", path_base(id))),
		.mode = m->mode_given ? m->mode : 0400,
		.uid = m->uid_given ? m->uid : 0,
		.gid = m->gid_given ? m->gid : 0,
		.bytes = out->secrets[out->secret_count - 1],
		.len = out->secret_lens[out->secret_count - 1] };
	return 1;
}

static struct run_mount_view *
view_add(struct run_mounts *out)
{
	struct run_mount_view *v;

	out->views = xrealloc(out->views, out->view_count + 1, sizeof *out->views);
	v = &out->views[out->view_count++];
	*v = (struct run_mount_view){ .item = out->count, .seed = -1 };
	return v;
}

static int
prepare_bind(struct solve *s, struct node *n, size_t mount, struct box_mount *item,
	struct run_mounts *out, struct err *err)
{
	const struct step_mount *sm = &n->step->mounts[mount];
	struct root *root = solve_root(s, &sm->from);
	const char *source = sm->mount.source != NULL ? sm->mount.source : "/";
	struct run_mount_view *v;

	*item = (struct box_mount){ .kind = BOX_STACK,
		.fd = -1,
		.is_read_only = sm->mount.read_only,
		.target = keep_text(out, xstrdup(sm->target)) };
	v = view_add(out);
	v->source = xstrdup(source);
	if (root == NULL) {
		v->lowers = xcalloc(1, sizeof *v->lowers);
		v->lowers[0] = fcntl(n->stagings[mount].tree.fs_fd, F_DUPFD_CLOEXEC, 0);
		v->lower_count = 1;
		return 1;
	}
	if (root_open(s, root, &v->lowers, &v->lower_count, err) < 0)
		return -1;
	return 1;
}

static int
prepare_cache(struct solve *s, struct node *n, size_t mount, struct box_mount *item,
	struct run_mounts *out)
{
	const struct step_mount *sm = &n->step->mounts[mount];
	const struct mount *m = &sm->mount;
	AUTO(buf) struct buf clean = BUF_INIT;
	struct run_mount_view *v;

	path_clean(m->id != NULL ? m->id : sm->target, &clean);
	*item = (struct box_mount){ .kind = BOX_BIND,
		.fd = -1,
		.is_read_only = m->read_only,
		.target = keep_text(out, xstrdup(sm->target)) };
	v = view_add(out);
	v->store = s->store;
	v->id = xstrdup(clean.data);
	v->sharing = m->sharing;
	v->seed = n->stagings[mount].seed;
	v->mode = 0755;
	v->owner = s->ids.root_uid;
	v->group = s->ids.root_gid;
	v->cache = (struct cache_new){ .owner = v->owner,
		.group = v->group,
		.mode = m->mode_given ? m->mode : 0755,
		.uid = m->uid_given ? m->uid : 0,
		.gid = m->gid_given ? m->gid : 0,
		.userns = s->userns };
	return 1;
}

/* The directory in which the worker will make the socket; the mount itself is opened there. */
static int
prepare_ssh(struct solve *s, struct node *n, size_t mount, struct box_mount *item,
	struct run_mounts *out, struct strv *env, struct err *err)
{
	const struct step_mount *sm = &n->step->mounts[mount];
	const char *id = sm->mount.id != NULL ? sm->mount.id : "default";
	struct tree_new *tree = &n->stagings[mount].tree;
	AUTO(free) char *agent = NULL;
	AUTO(free)
	char *target = sm->target != NULL
			       ? xstrdup(sm->target)
			       : xasprintf("/run/buildkit/ssh_agent.%zu", out->agent_count);
	int found = ssh_relay_find(&s->o->ssh, id, &agent, err);
	struct run_mount_view *v;

	out->agent_count++;
	if (found < 0)
		return -1;
	/* as BuildKit: the variable is there also where the agent is not */
	if (strv_env_get(env, "SSH_AUTH_SOCK") == NULL)
		strv_env_set(env, "SSH_AUTH_SOCK", target);
	if (found == 0)
		return sm->mount.required
			       ? err_set(err, ERR_NOTFOUND,
					 "ssh agent %s is required: give it with --ssh %s", id, id)
			       : 0;
	if (store_tree_new(s->store, s->ids.root_uid, s->ids.root_gid, tree, err) < 0)
		return -1;
	*item = (struct box_mount){
		.kind = BOX_BIND, .fd = -1, .target = keep_text(out, steal(&target))
	};
	v = view_add(out);
	v->agent = steal(&agent);
	v->seed = tree->fs_fd;
	v->owner = ids_outside(&s->ids.uids, sm->mount.uid_given ? sm->mount.uid : 0);
	v->group = ids_outside(&s->ids.gids, sm->mount.gid_given ? sm->mount.gid : 0);
	v->mode = sm->mount.mode_given ? sm->mount.mode : 0600;
	return 1;
}

static int
prepare_one(struct solve *s, struct node *n, size_t mount, struct box_mount *item,
	struct run_mounts *out, struct strv *env, struct err *err)
{
	const struct step_mount *sm = &n->step->mounts[mount];

	switch (sm->mount.kind) {
	case MOUNT_BIND:
		return prepare_bind(s, n, mount, item, out, err);
	case MOUNT_CACHE:
		return prepare_cache(s, n, mount, item, out);
	case MOUNT_TMPFS:
		*item = (struct box_mount){ .kind = BOX_TMPFS,
			.fd = -1,
			.mode = 01777,
			.size = (uint64_t)sm->mount.size,
			.target = keep_text(out, xstrdup(sm->target)) };
		return 1;
	case MOUNT_SECRET:
		return prepare_secret(s, sm, item, out, env, err);
	case MOUNT_SSH:
		return prepare_ssh(s, n, mount, item, out, env, err);
	}
	return 0;
}

static int
by_target(const void *a, const void *b)
{
	return strcmp(((const struct box_mount *)a)->target, ((const struct box_mount *)b)->target);
}

/* An outer target is mounted before an inner one; views keep pointing at theirs. */
static void
sort_items(struct run_mounts *m)
{
	for (size_t i = 0; i < m->view_count; i++)
		m->items[m->views[i].item].size =
			i + 1; /* binds have no size: it carries the view */
	if (m->count > 1)
		qsort(m->items, m->count, sizeof *m->items, by_target);
	for (size_t i = 0; i < m->count; i++)
		if ((m->items[i].kind == BOX_BIND || m->items[i].kind == BOX_STACK) &&
			m->items[i].size > 0) {
			m->views[m->items[i].size - 1].item = i;
			m->items[i].size = 0;
		}
}

int
run_mounts_prepare(
	struct solve *s, struct node *n, struct run_mounts *out, struct strv *env, struct err *err)
{
	out->items = xcalloc(n->step->mount_count + 1, sizeof *out->items);
	for (size_t i = 0; i < n->step->mount_count; i++) {
		int used = prepare_one(s, n, i, &out->items[out->count], out, env, err);

		if (used < 0)
			return -1;
		out->count += (size_t)used;
	}
	if (n->step->script != NULL) {
		char *path = xasprintf(SCRIPT_DIR "/%s", path_base(n->step->script_name));

		out->items[out->count++] = (struct box_mount){ .kind = BOX_FILE,
			.fd = -1,
			.mode = 0755,
			.is_read_only = true,
			.target = keep_text(out, path),
			.bytes = n->step->script,
			.len = strlen(n->step->script) };
		strv_add(&out->argv, path);
	}
	sort_items(out);
	return 0;
}

/* --- in the worker ---------------------------------------------------------------------------- */

static int
open_cache(struct run_mounts *m, struct run_mount_view *v, struct err *err)
{
	int fd = -1, lock = -1, files = -1;

	int result = v->sharing == MOUNT_PRIVATE
			     ? store_mount_open_private(v->store, v->id, v->owner, v->group,
				       v->mode, &fd, &lock, err)
			     : store_mount_open(v->store, v->id, v->sharing == MOUNT_SHARED,
				       v->owner, v->group, v->mode, &fd, &lock, err);

	/* the lock ends with this worker */
	if (result < 0)
		return err_in(err, "cache mount '%s'", v->id);
	keep_fd(m, fd);
	keep_fd(m, lock);
	if (v->seed < 0 && cache_open(fd, &v->cache, &files, err) < 0)
		return err_in(err, "cache mount '%s'", v->id);
	if (files >= 0)
		keep_fd(m, files);
	m->items[v->item].fd = v->seed >= 0 ? v->seed : files;
	return 0;
}

static int
open_agent(struct run_mounts *m, const struct run_mount_view *v, struct err *err)
{
	int fd;

	if (ssh_relay_start(v->agent, v->seed, v->owner, v->group, v->mode, err) < 0)
		return -1;
	fd = openat(v->seed, "agent", O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, "socket for the ssh agent");
	keep_fd(m, fd);
	m->items[v->item].fd = fd;
	return 0;
}

int
run_mounts_open(struct run_mounts *m, struct err *err)
{
	/* caches first: they are opened as the caller, who owns the store */
	for (size_t i = 0; i < m->view_count; i++) {
		struct run_mount_view *v = &m->views[i];

		if ((v->store != NULL && open_cache(m, v, err) < 0) ||
			(v->agent != NULL && open_agent(m, v, err) < 0))
			return -1;
	}
	for (size_t i = 0; i < m->view_count; i++) {
		const struct run_mount_view *v = &m->views[i];
		struct box_mount *item = &m->items[v->item];

		if (v->store != NULL || v->agent != NULL)
			continue;
		item->lowers = v->lowers;
		item->lower_count = v->lower_count;
		item->source = v->source;
	}
	return 0;
}
