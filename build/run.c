/* SPDX-License-Identifier: Apache-2.0 */
#include "build/run.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "build/base.h"
#include "build/build.h"
#include "build/material.h"
#include "build/sandbox/box.h"
#include "build/solve.h"
#include "build/terminal.h"

struct program {
	struct solve *s;
	const struct run_request *request;
	const struct config *config;
	struct root *root;
	int *lowers;
	size_t lower_count;
	struct tree_new tree;
	struct strv argv, env;
	struct box_mount *mounts;
	size_t mount_count;
	struct strv targets; /* of the mounts */
	char *resolv_conf;
	struct terminal *terminal; /* NULL: none */
};

/* --- what runs -------------------------------------------------------------------------------- */

static int
command_line(struct program *p, struct err *err)
{
	const struct run_request *r = p->request;
	const struct config *c = p->config;

	if (r->entrypoint != NULL) {
		if (*r->entrypoint != '\0')
			strv_add(&p->argv, r->entrypoint);
	} else {
		strv_add_all(&p->argv, &c->entrypoint);
	}
	if (r->argv.count > 0)
		strv_add_all(&p->argv, &r->argv);
	else if (r->entrypoint == NULL)
		strv_add_all(&p->argv, &c->cmd);
	if (p->argv.count == 0)
		return err_set(
			err, ERR_USAGE, "image '%s' has no command: say what to run", r->image);
	return 0;
}

static void
environment(struct program *p)
{
	const struct run_request *r = p->request;

	strv_add_all(&p->env, &p->config->env);
	if (r->tty && strv_env_get(&p->env, "TERM") == NULL)
		strv_env_set(&p->env, "TERM", "xterm");
	for (size_t i = 0; i < r->env.count; i++) {
		const char *row = r->env.items[i], *equals = strchr(row, '=');
		AUTO(free) char *name = xstrndup(row, strcspn(row, "="));
		const char *value = equals != NULL ? equals + 1 : getenv(name);

		if (value != NULL)
			strv_env_set(&p->env, name, value);
	}
}

/* host:container[:ro|rw] */
static int
add_volume(struct program *p, const char *text, struct err *err)
{
	AUTO(strv) struct strv parts = STRV_INIT;
	struct box_mount *m;
	int fd;

	strv_split(&parts, text, ":");
	if (parts.count < 2 || parts.count > 3 || parts.items[1][0] != '/' ||
		parts.items[0][0] == '\0' ||
		(parts.count == 3 && !streq(parts.items[2], "ro") && !streq(parts.items[2], "rw")))
		return err_set(err, ERR_USAGE, "-v '%s' is not HOST-PATH:/PATH[:ro]", text);
	fd = openat(AT_FDCWD, parts.items[0], O_PATH | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, "-v '%s'", parts.items[0]);
	p->mounts = xrealloc(p->mounts, p->mount_count + 1, sizeof *p->mounts);
	m = &p->mounts[p->mount_count++];
	strv_add(&p->targets, parts.items[1]);
	*m = (struct box_mount){ .kind = BOX_BIND,
		.fd = fd,
		.target = p->targets.items[p->targets.count - 1],
		.is_read_only = parts.count == 3 && streq(parts.items[2], "ro") };
	return 0;
}

/* --- in the worker ---------------------------------------------------------------------------- */

static int
run_box(void *arg, json_t **result, struct err *err)
{
	struct program *p = arg;
	const struct run_request *r = p->request;
	const struct config *c = p->config;
	struct box box = BOX_INIT;
	struct box_result ended = { .status = 0 };

	box.userns_fd = p->s->userns;
	box.root = (struct rootfs){ .lowers = p->lowers,
		.lower_count = p->lower_count,
		.upper = r->read_only ? -1 : p->tree.fs_fd,
		.work = r->read_only ? -1 : p->tree.work_fd };
	box.mounts = p->mounts;
	box.mount_count = p->mount_count;
	box.resolv_conf = p->resolv_conf;
	box.hosts = "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n";
	box.hostname = r->hostname != NULL ? r->hostname : "cooper";
	box.argv = &p->argv;
	box.env = &p->env;
	box.cwd = r->working_dir != NULL ? r->working_dir : c->working_dir;
	box.user = r->user != NULL ? r->user : c->user;
	box.network = streq(r->network, "none") ? BOX_NETWORK_NONE : BOX_NETWORK_HOST;
	box.seccomp = p->s->seccomp;
	box.is_supervised = p->s->ids.is_single;
	box.stdin_fd = p->terminal != NULL ? terminal_peer(p->terminal)
		       : r->interactive    ? STDIN_FILENO
					   : -1;
	box.stdout_fd = p->terminal != NULL ? terminal_peer(p->terminal) : STDOUT_FILENO;
	box.stderr_fd = p->terminal != NULL ? terminal_peer(p->terminal) : STDERR_FILENO;
	box.has_tty = p->terminal != NULL;
	box.has_init = true;
	if (p->terminal != NULL)
		terminal_leave(p->terminal);
	if (box_run(&box, &ended, NULL, err) < 0)
		return -1;
	*result = json_integer(ended.status);
	return 0;
}

/* --- the coordinator -------------------------------------------------------------------------- */

static int
prepare(struct program *p, struct err *err)
{
	struct solve *s = p->s;
	AUTO(buf) struct buf resolv = BUF_INIT;
	struct err ignored;

	if (command_line(p, err) < 0)
		return -1;
	environment(p);
	/* before anything is opened that will be mounted: see has_moved in ids.h */
	if (solve_inside(s, err) < 0)
		return -1;
	for (size_t i = 0; i < p->request->volumes.count; i++)
		if (add_volume(p, p->request->volumes.items[i], err) < 0)
			return -1;
	if (file_read(AT_FDCWD, "/etc/resolv.conf", 1048576, &resolv, &ignored) == 0)
		p->resolv_conf = buf_steal(&resolv);
	if (solve_trees(s, p->root, err) < 0 ||
		root_open(s, p->root, &p->lowers, &p->lower_count, err) < 0 ||
		solve_filter(s, err) < 0)
		return -1;
	if (p->request->read_only)
		return 0;
	return store_tree_new(s->store, s->ids.root_uid, s->ids.root_gid, &p->tree, err);
}

static int
perform(struct program *p, int *status, struct err *err)
{
	struct worker_job job = { .name = "run", .run = run_box, .arg = p };
	AUTO(worker) struct worker *w = NULL;
	AUTO(terminal) struct terminal *terminal = NULL;
	AUTO(json) json_t *result = NULL;
	size_t done;

	if (p->request->tty && terminal_open(&terminal, err) < 0)
		return -1;
	p->terminal = terminal;
	if (worker_start(&job, &w, err) < 0)
		return -1;
	if (terminal != NULL && terminal_relay(terminal, w, p->request->interactive, err) < 0)
		return -1;
	if (worker_wait_any(&w, 1, &done, err) < 0 || worker_result(w, &result, err) < 0)
		return -1;
	*status = (int)json_integer_value(result);
	return 0;
}

static void
program_free(struct program *p)
{
	struct err ignored;

	root_close(p->lowers, p->lower_count);
	free(p->lowers);
	for (size_t i = 0; i < p->mount_count; i++)
		auto_fd(&p->mounts[i].fd);
	free(p->mounts);
	strv_free(&p->targets);
	strv_free(&p->argv);
	strv_free(&p->env);
	free(p->resolv_conf);
	if (p->tree.fs_fd >= 0)
		solve_drop(p->s, p->tree.id, &ignored);
	auto_tree_new(&p->tree);
}

static int
run_resolved(struct solve *s, const struct run_request *r, struct plan_image *image, int *status,
	struct err *err)
{
	struct root root = { .items = NULL };
	struct program p = {
		.s = s, .request = r, .config = &image->config, .root = &root, .tree = TREE_NEW_INIT
	};
	int result = materials_of_image(s, image, &root, err);

	if (result == 0)
		result = prepare(&p, err);
	if (result == 0)
		result = perform(&p, status, err);
	program_free(&p);
	root_free(&root);
	return result;
}

int
run_image(struct store *store, const struct run_request *r, int *status, struct err *err)
{
	struct build_options options = BUILD_OPTIONS_INIT;
	struct plan_image image = { .text = (char *)(uintptr_t)r->image }, *images[] = { &image };
	struct plan plan = { .stage_count = 0 };
	struct solve s = { .store = store, .o = &options, .plan = &plan, .userns = -1 };
	int result;

	options.session = r->session;
	platform_host(&image.platform);
	if (r->platform != NULL && platform_parse(r->platform, &image.platform, err) < 0)
		return err_in(err, "--platform");
	if (base_find_ref(store, r->image, &image.ref, err) < 0)
		return -1;
	result = base_resolve(store, r->pull, &r->session, images, 1, err);
	if (result == 0)
		result = run_resolved(&s, r, &image, status, err);
	solve_stop(&s);
	free(image.pinned);
	config_free(&image.config);
	manifest_free(&image.manifest);
	descriptor_free(&image.manifest_at);
	return result;
}
