/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/event.h"
#include "base/file.h"
#include "base/path.h"
#include "build/cache.h"
#include "build/foreign.h"
#include "build/material.h"
#include "build/run_mount.h"
#include "build/sandbox/box.h"
#include "build/solve.h"
#include "layers/diff.h"

/* step_run - RUN: a box over the layers below, whose upper directory is the new layer's tree. */

/* --- the worker ------------------------------------------------------------------------------- */

struct running {
	struct solve *s;
	struct node *n;
	int *lowers;
	size_t lower_count;
	struct tree_new *tree;
	struct run_mounts *mounts;
	struct strv env;
	char *resolv_conf, *hosts;
	int memory;
};

/* As BuildKit words it, since people search for these words. */
static int
ended_badly(const struct plan_step *step, const struct box_result *r, struct err *err)
{
	AUTO(free) char *line = strv_join(&step->argv, " ");

	if (r->oom)
		err_set(err, ERR_STEP, "process \"%s\" was killed for want of memory", line);
	else if (r->signal != 0)
		err_set(err, ERR_STEP, "process \"%s\" was killed by signal %d (%s)", line,
			r->signal, strsignal(r->signal));
	else
		err_set(err, ERR_STEP,
			"process \"%s\" did not complete successfully: exit code: %d", line,
			r->status);
	err->status = r->status;
	return -1;
}

static int
hash_file(struct hasher *h, int tree, const struct entry *e, struct digest *out, struct err *err)
{
	AUTO(fd) int fd = path_open(tree, e->path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);

	if (fd < 0)
		return err_sys(err, "open '%s'", e->path);
	hasher_reset(h);
	if (hasher_add_fd(h, fd, NULL) < 0)
		return err_sys(err, "read '%s'", e->path);
	hasher_digest(h, out);
	return 0;
}

/* With the digests of its files the layer has a name that does not depend on times. */
static int
hash_files(int tree, struct listing *l, struct err *err)
{
	AUTO(hasher) struct hasher *h = hasher_new(DIGEST_SHA256);
	AUTO(listed) struct listed e = LISTED_INIT;
	struct digest digest;

	for (size_t i = 0; i < l->count; i++) {
		if (listing_kind(l, i) != ENTRY_FILE)
			continue;
		if (hash_file(h, tree, listing_at(l, i, &e), &digest, err) < 0)
			return -1;
		listing_set_digest(l, i, &digest);
	}
	return 0;
}

static int
collect(struct running *r, const struct strv *stubs, const struct owners *owners, json_t *result,
	struct err *err)
{
	AUTO(listing) struct listing listing = LISTING_INIT;
	AUTO(strv) struct strv names = STRV_INIT;

	/* most of the time for a step that changes nothing would go into looking at what is below it */
	if (path_names(r->tree->fs_fd, &names, err) < 0 ||
		(names.count > 0 && (diff_upper(r->tree->fs_fd, root_view(r->n->before), stubs,
					     owners, &listing, err) < 0 ||
					    hash_files(r->tree->fs_fd, &listing, err) < 0)))
		return err_in(err, "changes of the step");
	return material_write_listing(r->memory, &listing, result, err);
}

static enum box_network
network_of(const struct running *r)
{
	const struct instruction *in = r->n->step->in;
	const char *asked = r->s->o->network;

	if (in->run.network_given && in->run.network == RUN_NETWORK_NONE)
		return BOX_NETWORK_NONE;
	if (in->run.network_given && in->run.network == RUN_NETWORK_HOST)
		return BOX_NETWORK_HOST;
	return streq(asked, "none") ? BOX_NETWORK_NONE : BOX_NETWORK_HOST;
}

static int
run_box(void *arg, json_t **result, struct err *err)
{
	struct running *r = arg;
	const struct plan_step *step = r->n->step;
	AUTO(strv) struct strv stubs = STRV_INIT;
	AUTO(owners) struct owners owners = OWNERS_INIT;
	struct box box = BOX_INIT;
	struct box_result ended = { .status = 0 };

	box.userns_fd = r->s->userns;
	box.root = (struct rootfs){ .lowers = r->lowers,
		.lower_count = r->lower_count,
		.upper = r->tree->fs_fd,
		.work = r->tree->work_fd };
	if (run_mounts_open(r->mounts, err) < 0)
		return -1;
	box.mounts = r->mounts->items;
	box.mount_count = r->mounts->count;
	box.argv = r->mounts->argv.count > 0 ? &r->mounts->argv : &step->argv;
	box.env = &r->env;
	box.cwd = step->working_dir;
	box.user = step->user;
	box.network = network_of(r);
	box.seccomp = r->s->seccomp;
	if (r->s->ids.is_single) {
		box.is_supervised = true;
		box.below = root_view(r->n->before);
		box.owners = &owners;
	}
	box.resolv_conf = r->resolv_conf;
	box.hosts = r->hosts;
	worker_log_fds(&box.stdout_fd, &box.stderr_fd);
	if (box_run(&box, &ended, &stubs, err) < 0)
		return foreign_explain(
			&r->s->plan->stages[step->stage].platform, FOREIGN_BINFMT, err);
	if (ended.status != 0)
		return ended_badly(step, &ended, err);
	*result = json_object();
	return collect(r, &stubs, box.owners, *result, err);
}

/* --- the coordinator -------------------------------------------------------------------------- */

static int
ran(struct solve *s, struct job *j, json_t *result, struct err *err)
{
	struct node *n = j->subject;

	n->pending--;
	memcpy(n->made.tree, j->tree.id, sizeof n->made.tree);
	if (material_take_made(j, result, n, err) < 0 ||
		store_tree_commit(s->store, j->tree.id, 0, err) < 0)
		return -1;
	return node_made(s, n, err);
}

/* Names, not addresses: those are this machine's affair. */
static void
key_hosts(const struct solve *s, struct key *key)
{
	for (size_t i = 0; i < s->o->add_hosts.count; i++) {
		const char *row = s->o->add_hosts.items[i];
		AUTO(free) char *name = xstrndup(row, strcspn(row, "=:"));

		key_add(key, "--add-host", name);
	}
}

static void
define(struct solve *s, struct node *n)
{
	const struct plan_step *step = n->step;
	AUTO(buf) struct buf platform = BUF_INIT;

	platform_format(&s->plan->stages[step->stage].platform, &platform);
	key_begin(&n->key, "run");
	key_add(&n->key, "what it starts from", n->before->state.text);
	key_add_list(&n->key, "command", &step->argv);
	key_add(&n->key, "script", step->script);
	key_add_list(&n->key, "variable", &step->env);
	key_add(&n->key, "WORKDIR", step->working_dir);
	key_add(&n->key, "USER", step->user);
	key_add(&n->key, "platform", platform.data);
	key_add_number(&n->key, "network",
		step->in->run.network_given ? (int)step->in->run.network + 1 : 0);
	key_add(&n->key, "--network", s->o->network);
	key_hosts(s, &n->key);
	run_mounts_key(s, n, &n->key);
	key_end(&n->key, &n->definition);
}

/* Variables that a build argument may bring without an ARG, and without a trace. */
static void
environment(struct solve *s, const struct plan_step *step, struct strv *out)
{
	const struct strv *given = &s->plan->args.given;

	strv_add_all(out, &step->env);
	for (size_t i = 0; i < given->count; i++) {
		AUTO(free) char *name = xstrndup(given->items[i], strcspn(given->items[i], "="));

		if (build_args_is_proxy(name) && strv_env_get(out, name) == NULL)
			strv_env_set(out, name, strv_env_get(given, name));
	}
}

#define HOST_FILE_MAX 1048576

static char *
host_file(const char *path)
{
	AUTO(buf) struct buf text = BUF_INIT;
	struct err ignored;

	return file_read(AT_FDCWD, path, HOST_FILE_MAX, &text, &ignored) < 0 ? NULL
									     : buf_steal(&text);
}

static char *
hosts_text(const struct solve *s)
{
	AUTO(buf) struct buf text = BUF_INIT;

	buf_adds(&text, "127.0.0.1\tlocalhost buildkitsandbox\n::1\tlocalhost ip6-localhost "
			"ip6-loopback\n");
	for (size_t i = 0; i < s->o->add_hosts.count; i++) {
		const char *row = s->o->add_hosts.items[i];
		size_t name = strcspn(row, "=:");
		const char *address = row[name] != '\0' ? row + name + 1 : "";
		size_t len = strlen(address);

		if (address[0] == '[' && len > 2 && address[len - 1] == ']')
			buf_addf(
				&text, "%.*s\t%.*s\n", (int)(len - 2), address + 1, (int)name, row);
		else
			buf_addf(&text, "%s\t%.*s\n", address, (int)name, row);
	}
	return buf_steal(&text);
}

static int
start(struct solve *s, struct node *n, struct running *r, struct err *err)
{
	struct job j = { .finish = ran,
		.subject = n,
		.tree = TREE_NEW_INIT,
		.is_step = true,
		.event = n->event,
		.step = n->step };
	struct worker_job w = {
		.name = "run", .run = run_box, .arg = r, .event = n->event, .logs = true
	};
	AUTO(tree_new) struct tree_new tree = TREE_NEW_INIT;

	if (root_open(s, n->before, &r->lowers, &r->lower_count, err) < 0)
		return -1;
	if (store_tree_new(s->store, s->ids.root_uid, s->ids.root_gid, &tree, err) < 0)
		return -1;
	j.memory = r->memory = fd_memory("listing", err);
	if (j.memory < 0)
		return -1;
	j.tree = tree;
	r->tree = &j.tree;
	tree = (struct tree_new)TREE_NEW_INIT;
	n->pending = 1;
	n->state = NODE_WORKING;
	return solve_start(s, &j, &w, false, err);
}

static int
work(struct solve *s, struct node *n, struct err *err)
{
	AUTO(free) char *resolv_conf = NULL, *hosts = NULL;
	AUTO(run_mounts) struct run_mounts mounts = RUN_MOUNTS_INIT;
	struct running r = { .s = s, .n = n, .env = STRV_INIT, .mounts = &mounts };
	int result;

	if (solve_inside(s, err) < 0)
		return -1;
	if (solve_filter(s, err) < 0)
		return -1;
	environment(s, n->step, &r.env);
	r.resolv_conf = resolv_conf = host_file("/etc/resolv.conf");
	r.hosts = hosts = hosts_text(s);
	result = run_mounts_prepare(s, n, &mounts, &r.env, err);
	if (result == 0) {
		node_miss(s, n);
		result = start(s, n, &r, err);
	}
	root_close(r.lowers, r.lower_count);
	free(r.lowers);
	strv_free(&r.env);
	return result;
}

static int
look_up(struct solve *s, struct node *n, struct err *err)
{
	struct cache_hit hit;
	int found;

	define(s, n);
	found = node_may_use_cache(s, n) ? cache_find(s->store, &n->definition, &hit, err) : 0;
	if (found > 0)
		node_cached(s, n, &hit);
	else
		n->state = NODE_KEYED;
	return found < 0 ? -1 : 0;
}

int
step_run_advance(struct solve *s, struct node *n, struct err *err)
{
	int ready;

	if (n->state == NODE_WORKING || n->pending > 0)
		return 0;
	ready = run_mounts_ready(s, n, err);
	if (ready <= 0)
		return ready;
	if (n->event == 0)
		n->event = event_start("%s", n->step->name);
	if (n->state == NODE_WAITING && look_up(s, n, err) < 0)
		return -1;
	if (n->state != NODE_KEYED)
		return 0;
	ready = materials_want(s, n->before, MATERIAL_TREE, err);
	if (ready > 0)
		ready = materials_want(s, n->before, MATERIAL_LISTING, err);
	if (ready > 0)
		ready = run_mounts_want(s, n, err);
	if (ready <= 0 || !solve_may_start(s))
		return ready < 0 ? -1 : 0;
	return work(s, n, err);
}
