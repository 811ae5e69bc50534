/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/event.h"
#include "base/file.h"
#include "base/path.h"
#include "build/material.h"
#include "build/solve.h"
#include "build/unpack.h"

/* step_add - what ADD has beyond COPY: sources that are fetched, and archives that are unpacked.  Both
 * become directories of plain files, ours, with a listing that has what such files cannot show (owners,
 * modes, devices); so a COPY on listings and a worker outside of the namespace do the rest. */

bool
add_has_local(const struct plan_step *step)
{
	return step->in->copy.sources.count > step->fetch_count;
}

/* Local archives unless told otherwise, fetched ones only when told. */
bool
add_unpacks(const struct plan_step *step)
{
	return step->is_add &&
	       (step->in->copy.unpack > 0 || (step->in->copy.unpack < 0 && add_has_local(step)));
}

void
add_places(
	struct solve *s, const struct node *n, struct copy_place **out, size_t *count, int **dirs)
{
	const struct plan_step *step = n->step;
	size_t fetched = step->fetch_count, used = fetched;
	struct copy_place *places = xcalloc(fetched + n->archive_count + 1, sizeof *places);
	int *fds = xcalloc(fetched + n->archive_count + 1, sizeof *fds);

	for (size_t i = 0; i < fetched; i++) {
		const struct context_run *c = &s->contexts[step->fetches[i].context];

		places[i] = (struct copy_place){ .source = step->fetches[i].source,
			.name = c->fetch->kind == FETCH_FILE ? c->fetch->name : "/",
			.view = c->view };
		fds[i] = c->dir;
	}
	for (size_t i = 0; i < n->archive_count; i++) {
		const struct added_archive *u = &n->archives[i];

		if (!u->is_archive)
			continue;
		places[used] = (struct copy_place){
			.archive = &u->listing, .parent = u->parent, .path = u->path
		};
		fds[used++] = u->tree.fs_fd;
	}
	*out = places;
	*count = used;
	if (dirs != NULL)
		*dirs = fds;
	else
		free(fds);
}

int
add_ready(struct solve *s, struct node *n, struct err *err)
{
	int all = 1;

	/* all of them, so that they come side by side */
	for (size_t i = 0; i < n->step->fetch_count; i++) {
		int one = context_want(s, n->step->fetches[i].context, err);

		if (one < 0)
			return -1;
		all = all && one;
	}
	return all;
}

/* --- archives -----------------------------------------------------------------------------------
 */

struct opening {
	int from; /* the directory that has the file */
	const char *path;
	int dir, memory;
};

static int
unpack(void *arg, json_t **result, struct err *err)
{
	struct opening *o = arg;
	AUTO(fd) int fd = path_open(o->from, o->path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
	AUTO(listing) struct listing listing = LISTING_INIT;
	bool is_archive;

	if (fd < 0)
		return err_sys(err, "open '%s'", o->path);
	if (unpack_sniff(fd, &is_archive, err) < 0)
		return -1;
	*result = json_boolean(is_archive);
	if (!is_archive)
		return 0;
	if (unpack_listed(stream_fd(fd_steal(&fd)), o->dir, &listing, err) < 0)
		return err_in(err, "archive '%s'", o->path);
	return listing_write(&listing, o->memory, err);
}

static int
unpacked(struct solve *s, struct job *j, json_t *result, struct err *err)
{
	struct added_archive *u = j->subject;

	(void)s;
	u->node->pending--;
	u->is_archive = json_is_true(result);
	u->tree = j->tree;
	j->tree = (struct tree_new)TREE_NEW_INIT;
	return u->is_archive ? material_read_listing(j, &u->listing, err) : 0;
}

static int
start(struct solve *s, struct added_archive *u, int from, struct err *err)
{
	struct job j = { .finish = unpacked,
		.subject = u,
		.tree = TREE_NEW_INIT,
		.event = u->node->event,
		.step = u->node->step };
	struct opening o = { .from = from, .path = u->path };
	struct worker_job w = { .name = "unpack", .run = unpack, .arg = &o };

	if (store_tree_new(s->store, geteuid(), getegid(), &j.tree, err) < 0)
		return -1;
	o.dir = j.tree.fs_fd;
	j.memory = o.memory = fd_memory("listing", err);
	if (j.memory < 0) {
		auto_tree_new(&j.tree);
		return -1;
	}
	u->node->pending++;
	return solve_start(s, &j, &w, false, err);
}

int
add_want(struct solve *s, struct node *n, const struct copy_candidates *files, struct err *err)
{
	const struct plan_step *step = n->step;

	n->archives_known = true;
	n->archives = xcalloc(files->count + 1, sizeof *n->archives);
	for (size_t i = 0; i < files->count; i++) {
		const struct copy_candidate *f = &files->items[i];
		struct added_archive *u = &n->archives[n->archive_count];
		size_t context = f->parent == COPY_ORIGIN ? step->from.index
							  : step->fetches[f->parent].context;

		if (f->parent != COPY_ORIGIN && step->in->copy.unpack <= 0)
			continue;
		*u = (struct added_archive){ .node = n,
			.parent = f->parent,
			.path = xstrdup(f->path),
			.tree = TREE_NEW_INIT };
		n->archive_count++;
		if (start(s, u, s->contexts[context].dir, err) < 0)
			return -1;
	}
	return n->archive_count == 0;
}

void
add_free(struct solve *s, struct node *n)
{
	for (size_t i = 0; i < n->archive_count; i++) {
		struct added_archive *u = &n->archives[i];
		struct err ignored;

		if (u->tree.fs_fd >= 0)
			solve_drop(s, u->tree.id, &ignored);
		auto_tree_new(&u->tree);
		listing_free(&u->listing);
		free(u->path);
	}
	free(n->archives);
	n->archives = NULL;
	n->archive_count = 0;
}
