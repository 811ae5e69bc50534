/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/event.h"
#include "base/path.h"
#include "build/cache.h"
#include "build/material.h"
#include "build/sandbox/rootfs.h"
#include "build/sandbox/user.h"
#include "build/solve.h"

/* step_copy - COPY, ADD and WORKDIR.  What goes where is decided on listings (copy.h); then one
 * worker makes the layer as a tar stream where the files can be read - outside for a context,
 * inside the user namespace for a stage or an image - and that stream feeds the blob and, when a
 * later step needs files, a second worker that applies it as a tree. */

/* --- keys ------------------------------------------------------------------------------------- */

static const struct view *
origin_view(struct solve *s, const struct origin *o)
{
	if (o->kind == ORIGIN_CONTEXT)
		return s->contexts[o->index].view;
	return root_view(solve_root(s, o));
}

/* Nobody may read the origin's listings again: they need not be in memory until then. */
static void
release_origin(struct solve *s, const struct origin *o)
{
	const struct root *r = solve_root(s, o);

	if (r == NULL)
		listing_release(&s->contexts[o->index].listing);
	for (size_t i = 0; r != NULL && i < r->count; i++)
		listing_release(&r->items[i]->listing);
}

static void
request(struct solve *s, struct node *n, struct copy_request *r)
{
	struct plan_step *step = n->step;
	const struct copy_options *c = &step->in->copy;

	*r = (struct copy_request){ .dest = step->dest,
		.make_dir = step->kind == STEP_WORKDIR,
		.has_owner = step->has_owner || step->kind == STEP_WORKDIR,
		.uid = n->uid,
		.gid = n->gid,
		.mode = step->has_mode ? &step->mode : NULL,
		.mtime = s->made_s };
	if (step->kind == STEP_WORKDIR)
		return;
	r->sources = &c->sources;
	r->files = c->files;
	r->file_count = c->file_count;
	r->parents = c->parents;
	r->origin_is_context = step->from.kind == ORIGIN_CONTEXT;
	if (add_has_local(step))
		r->origin = origin_view(s, &step->from);
}

/* What is missing may be there, and left out: then say by whom. */
static void
say_ignored(const struct ignore *ignore, const struct strv *sources, struct err *err)
{
	size_t by;
	int line;

	for (size_t i = 0; ignore != NULL && i < sources->count; i++) {
		AUTO(buf) struct buf clean = BUF_INIT;
		AUTO(free) char *rooted = xasprintf("/%s", sources->items[i]);

		path_clean(rooted, &clean);
		if (!ignore_excludes(ignore, clean.data + 1, &by))
			continue;
		ignore_pattern(ignore, by, NULL, &line);
		err_set(err, ERR_NOTFOUND, "'%s' is not in the build context (ignored by %s:%d)",
			sources->items[i], ignore_file(ignore), line);
		return;
	}
	err_in(err, "build context");
}

static int
plan_with(struct solve *s, struct node *n, const struct view *dest,
	struct copy_candidates *candidates, struct copy_list *out, struct err *err)
{
	struct copy_request r;
	AUTO(ignore) struct ignore *exclude = NULL;
	AUTO(free) struct copy_place *places = NULL;

	request(s, n, &r);
	r.dest_view = dest;
	r.candidates = candidates;
	add_places(s, n, &places, &r.place_count, NULL);
	r.places = places;
	if (n->step->in->copy.exclude.count > 0) {
		if (ignore_new(&n->step->in->copy.exclude, &exclude, err) < 0)
			return err_in(err, "--exclude");
		r.exclude = exclude;
	}
	if (copy_plan(&r, out, err) == 0)
		return 0;
	if (err->kind == ERR_NOTFOUND && r.origin_is_context)
		say_ignored(s->contexts[n->step->from.index].ignore, r.sources, err);
	return -1;
}

static bool
is_link(const struct node *n)
{
	return n->step->in->copy.link && !n->step->has_mode;
}

static void
define(struct solve *s, struct node *n, bool with_origin, const char *content, struct digest *out)
{
	struct plan_step *step = n->step;
	const struct copy_options *c = &step->in->copy;
	struct root *from = solve_root(s, &step->from);

	key_begin(&n->key, step->kind == STEP_WORKDIR ? "workdir" : "copy");
	key_add(&n->key, "what it starts from", is_link(n) ? NULL : n->before->state.text);
	key_add(&n->key, "destination", step->dest);
	if (step->kind == STEP_WORKDIR)
		key_add(&n->key, "USER", step->user);
	key_add(&n->key, "--chown", c->chown);
	key_add(&n->key, "--chmod", c->chmod);
	key_add_number(&n->key, "--parents", c->parents);
	key_add_number(&n->key, "ADD", step->is_add);
	if (step->is_add)
		key_add_number(&n->key, "--unpack", c->unpack);
	key_add_list(&n->key, "--exclude", &c->exclude);
	if (with_origin) {
		key_add_list(&n->key, "sources", &c->sources);
		key_add(&n->key, "files of the stage or image",
			from != NULL ? from->state.text : NULL);
		for (size_t i = 0; i < c->file_count; i++) {
			struct digest text;

			digest_of(c->files[i].content, c->files[i].len, &text);
			key_add(&n->key, "heredoc", c->files[i].name);
			key_add(&n->key, "its text", text.text);
		}
	}
	if (content != NULL)
		key_add(&n->key, "content of what is copied", content);
	key_end(&n->key, out);
}

static int
look_up(struct solve *s, struct node *n, const struct digest *key, struct err *err)
{
	struct cache_hit hit;
	int found = node_may_use_cache(s, n) ? cache_find(s->store, key, &hit, err) : 0;

	if (found <= 0)
		return found;
	node_cached(s, n, &hit);
	return 1;
}

/* 1: found, 0: not, or not yet (the state says which), -1. */
static int
key_copy(struct solve *s, struct node *n, struct err *err)
{
	struct plan_step *step = n->step;
	AUTO(copy_list) struct copy_list list = COPY_LIST_INIT;
	bool from_context = step->from.kind == ORIGIN_CONTEXT && step->in->copy.sources.count > 0;
	struct digest content;
	int found;

	if (!from_context && digest_is_empty(&n->definition)) {
		define(s, n, true, NULL, &n->definition);
		found = look_up(s, n, &n->definition, err);
		if (found != 0)
			return found;
	}
	if (step->kind == STEP_WORKDIR || step->in->copy.sources.count == 0) {
		n->state = NODE_KEYED;
		return 0;
	}
	if (!from_context) {
		found = materials_want(s, solve_root(s, &step->from), MATERIAL_LISTING, err);
		if (found <= 0)
			return found;
	}
	/* what is copied, wherever it goes: the destination's own files are part of `before` */
	if (plan_with(s, n, NULL, NULL, &list, err) < 0)
		return -1;
	copy_content_digest(&list, &content);
	release_origin(s, &step->from);
	n->state = NODE_KEYED;
	if (digest_is_empty(&content))
		return 0;
	define(s, n, false, content.text, &n->content);
	if (from_context)
		n->definition = n->content;
	return look_up(s, n, &n->content, err);
}

/* --- owners ----------------------------------------------------------------------------------- */

struct asking {
	int userns;
	int *lowers;
	size_t count;
	const char *spec;
};

static int
ask_owner(void *arg, json_t **result, struct err *err)
{
	struct asking *a = arg;
	struct rootfs r = ROOTFS_INIT;
	AUTO(user) struct user user = USER_INIT;
	AUTO(fd) int root = -1;

	r.lowers = a->lowers;
	r.lower_count = a->count;
	if (rootfs_view(a->userns, &r, &root, err) < 0 || user_find(root, a->spec, &user, err) < 0)
		return -1;
	*result = json_object();
	json_object_set_new(*result, "uid", json_integer(user.uid));
	json_object_set_new(*result, "gid", json_integer(user.gid));
	return 0;
}

static int
owner_told(struct solve *s, struct job *j, json_t *result, struct err *err)
{
	struct node *n = j->subject;
	uint64_t uid = 0, gid = 0;

	(void)s;
	if (json_get_uint(result, "uid", &uid, err) < 0 ||
		json_get_uint(result, "gid", &gid, err) < 0)
		return -1;
	n->pending--;
	n->uid = (uint32_t)uid;
	n->gid = (uint32_t)gid;
	n->owner_known = true;
	return 0;
}

/* Numbers need nobody to ask.  For --chown a user alone gives the group of the same number; for
 * USER that is for the image's files to say. */
static bool
owner_by_number(struct node *n, char **spec)
{
	const struct owner *o = &n->step->owner;
	AUTO(owner) struct owner user = OWNER_INIT;
	struct err ignored;

	if (n->step->kind == STEP_WORKDIR) {
		if (n->step->user[0] == '\0' || streq(n->step->user, "root"))
			return true;
		*spec = xstrdup(n->step->user);
		if (owner_parse(n->step->user, &user, &ignored) < 0)
			return false;
		o = &user;
		if (o->user.is_number && o->user.id != 0 && o->group.name == NULL)
			return false;
	} else if (!n->step->has_owner) {
		return true;
	} else {
		*spec = xstrdup(n->step->in->copy.chown);
	}
	if (!(o->user.is_number || streq(o->user.name, "root")) ||
		!(o->group.name == NULL || o->group.is_number || streq(o->group.name, "root")))
		return false;
	n->uid = o->user.is_number ? o->user.id : 0;
	n->gid = o->group.name == NULL ? n->uid : o->group.is_number ? o->group.id : 0;
	return true;
}

static int
want_owner(struct solve *s, struct node *n, struct err *err)
{
	struct job j = { .finish = owner_told,
		.subject = n,
		.memory = -1,
		.tree = TREE_NEW_INIT,
		.event = n->event,
		.step = n->step };
	AUTO(free) char *spec = NULL;
	AUTO(free) int *lowers = NULL;
	size_t count = 0;
	struct asking a;
	struct worker_job w = { .name = "owner", .run = ask_owner, .arg = &a };
	int ready;

	if (n->owner_known || owner_by_number(n, &spec)) {
		n->owner_known = true;
		return 1;
	}
	if (is_link(n) || n->before->count == 0)
		return err_set(err, ERR_INPUT,
			"user '%s' cannot be looked up where there is no /etc/passwd: give numbers",
			spec);
	ready = materials_want(s, n->before, MATERIAL_TREE, err);
	if (ready <= 0)
		return ready;
	if (solve_inside(s, err) < 0)
		return -1;
	if (root_open(s, n->before, &lowers, &count, err) < 0)
		return -1;
	a = (struct asking){ s->userns, lowers, count, spec };
	ready = solve_start(s, &j, &w, false, err);
	root_close(lowers, count);
	n->pending++;
	return ready;
}

/* --- the work --------------------------------------------------------------------------------- */

static int
part_done(struct solve *s, struct node *n, struct err *err)
{
	if (--n->pending > 0)
		return 0;
	return node_made(s, n, err);
}

static int
made(struct solve *s, struct job *j, json_t *result, struct err *err)
{
	struct node *n = j->subject;

	if (j->ingest != NULL) {
		struct layer_blob *blob = &n->made.blobs[0];

		if (material_made_from_json(result, &n->made, err) < 0 ||
			ingest_commit(&j->ingest, &blob->digest, blob->size, err) < 0)
			return -1;
	}
	copy_list_free(&n->plan);
	if (material_take_made(j, result, n, err) < 0)
		return -1;
	return part_done(s, n, err);
}

static int
applied(struct solve *s, struct job *j, json_t *result, struct err *err)
{
	struct node *n = j->subject;

	(void)result;
	memcpy(n->made.tree, j->tree.id, sizeof n->made.tree);
	if (store_tree_commit(s->store, j->tree.id, 0, err) < 0)
		return -1;
	return part_done(s, n, err);
}

static int
work(struct solve *s, struct node *n, struct err *err)
{
	AUTO(tree_new) struct tree_new tree = TREE_NEW_INIT;
	AUTO(free) struct copy_place *places = NULL;
	AUTO(free) int *dirs = NULL;
	size_t place_count;
	bool wants_tree = n->wants_tree || !n->wants_blob;
	struct copy_start c = { .list = &n->plan,
		.origin = &n->step->from,
		.blob = n->wants_blob,
		.made = made,
		.applied = applied,
		.subject = n,
		.event = n->event,
		.step = n->step };

	if (wants_tree && solve_inside(s, err) < 0)
		return -1;
	if (wants_tree) {
		if (store_tree_new(s->store, s->ids.root_uid, s->ids.root_gid, &tree, err) < 0)
			return -1;
		c.tree = &tree;
	}
	add_places(s, n, &places, &place_count, &dirs);
	c.places = dirs;
	n->pending = wants_tree ? 2 : 1;
	n->state = NODE_WORKING;
	if (copy_start(s, &c, err) < 0)
		return -1;
	release_origin(s, &n->step->from);
	return 0;
}

/* 1: what is to be unpacked of the sources of ADD is. */
static int
want_archives(struct solve *s, struct node *n, struct err *err)
{
	AUTO(copy_list) struct copy_list list = COPY_LIST_INIT;
	struct copy_candidates files = { .items = NULL };
	int ready;

	if (!add_unpacks(n->step) || n->archives_known)
		return 1;
	if (plan_with(s, n, NULL, &files, &list, err) < 0)
		return -1;
	ready = add_want(s, n, &files, err);
	copy_candidates_free(&files);
	return ready;
}

/* Everything that the layer is made from is there: decide, and start. */
static int
prepare(struct solve *s, struct node *n, struct err *err)
{
	const struct view *dest = NULL;
	int ready = want_owner(s, n, err);

	if (ready <= 0)
		return ready;
	if (!is_link(n)) {
		ready = materials_want(s, n->before, MATERIAL_LISTING, err);
		if (ready <= 0)
			return ready;
		dest = root_view(n->before);
	}
	if (n->step->in->copy.sources.count > 0 && n->step->from.kind != ORIGIN_CONTEXT &&
		n->step->kind == STEP_COPY) {
		ready = materials_want(s, solve_root(s, &n->step->from), MATERIAL_TREE, err);
		if (ready <= 0)
			return ready;
	}
	if (!solve_may_start(s))
		return 0;
	ready = want_archives(s, n, err);
	if (ready <= 0)
		return ready;
	if (plan_with(s, n, dest, NULL, &n->plan, err) < 0)
		return -1;
	node_miss(s, n);
	return work(s, n, err);
}

int
step_copy_advance(struct solve *s, struct node *n, struct err *err)
{
	int ready;

	if (n->state == NODE_WORKING || n->pending > 0)
		return 0;
	if (n->step->fetch_count > 0) {
		ready = add_ready(s, n, err);
		if (ready <= 0)
			return ready;
	}
	if (n->step->kind == STEP_COPY && add_has_local(n->step)) {
		ready = n->step->from.kind == ORIGIN_CONTEXT
				? context_want(s, n->step->from.index, err)
				: origin_ready(s, &n->step->from);
		if (ready <= 0)
			return ready;
	}
	if (n->event == 0)
		n->event = event_start("%s", n->step->name);
	if (n->state == NODE_WAITING) {
		ready = key_copy(s, n, err);
		if (ready != 0)
			return ready < 0 ? -1 : 0;
	}
	return n->state == NODE_KEYED ? prepare(s, n, err) : 0;
}
