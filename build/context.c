/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/event.h"
#include "base/file.h"
#include "build/scan.h"
#include "build/solve.h"

/* context - the directories that COPY reads from, scanned once, by a worker, when the first step
 * asks.  The stat cache of each is kept in the store's notes, by the directory's path. */

#define NOTE_KIND "context"
#define SCAN_MEMORY_MAX ((size_t)LISTING_MAX + STORE_NOTE_MAX)

struct scanning {
	struct context_run *context;
	struct buf cache;
	int memory;
	unsigned threads;
};

static int
scan(void *arg, json_t **result, struct err *err)
{
	struct scanning *sc = arg;
	AUTO(scan_result) struct scan_result found = SCAN_RESULT_INIT;
	AUTO(buf) struct buf listing = BUF_INIT;
	struct scan_request r = { .dir = sc->context->dir,
		.ignore = sc->context->ignore,
		.sources = &sc->context->sources,
		.cache = sc->cache.data,
		.cache_len = sc->cache.len,
		.threads = sc->threads };

	if (scan_context(&r, &found, err) < 0)
		return -1;
	listing_format(&found.listing, &listing);
	if (fd_write(sc->memory, listing.data, listing.len) < 0 ||
		fd_write(sc->memory, found.cache.data, found.cache.len) < 0)
		return err_sys(err, "listing of the context");
	*result = json_object();
	json_object_set_new(*result, "listing", json_integer((json_int_t)listing.len));
	json_object_set_new(*result, "bytes", json_integer((json_int_t)found.bytes));
	return 0;
}

/* What was fetched lies elsewhere each time. */
static char *
note_key(const struct context_run *c)
{
	char path[4096], link[48];
	ssize_t len;

	if (c->fetch != NULL)
		return xstrdup("");
	snprintf(link, sizeof link, "/proc/self/fd/%d", c->dir);
	len = readlinkat(AT_FDCWD, link, path, sizeof path - 1);
	return len > 0 ? xstrndup(path, (size_t)len) : xstrdup("");
}

static int
scanned(struct solve *s, struct job *j, json_t *result, struct err *err)
{
	struct context_run *c = j->subject;
	AUTO(buf) struct buf bytes = BUF_INIT;
	AUTO(free) char *key = note_key(c);
	const struct listing *layers[] = { &c->listing };
	uint64_t len = 0, total = 0;

	if (json_get_uint(result, "listing", &len, err) < 0 ||
		json_get_uint(result, "bytes", &total, err) < 0)
		return -1;
	if (lseek(j->memory, 0, SEEK_SET) < 0)
		return err_sys(err, "listing of the context");
	if (buf_read(&bytes, j->memory, SCAN_MEMORY_MAX, err) < 0)
		return -1;
	if (len > bytes.len)
		return err_set(err, ERR_SYSTEM, "the listing of the context is cut short");
	if (listing_parse(bytes.data, len, &c->listing, err) < 0)
		return -1;
	if (bytes.len > len && *key != '\0' &&
		store_note_put(s->store, NOTE_KIND, key, bytes.data + len, bytes.len - len, err) <
			0)
		return -1;
	c->view = view_new(layers, 1);
	c->busy = false;
	c->done = true;
	event_bytes(c->event, total, total);
	event_done(c->event);
	return 0;
}

static int
fetched(struct solve *s, struct job *j, json_t *result, struct err *err)
{
	struct context_run *c = j->subject;
	char tree[STORE_ID_SIZE];

	memcpy(tree, j->tree.id, sizeof tree);
	s->has_trash = s->has_trash || json_object_get(result, "same") != NULL;
	if (source_settle(s->store, c->fetch, &c->past, result, tree, err) < 0)
		return -1;
	c->dir = source_open(s->store, c->fetch, tree, err);
	if (c->dir < 0)
		return -1;
	c->busy = false;
	return 0;
}

/* What was fetched before and needs nobody asked. */
static int
take_pinned(struct solve *s, struct context_run *c, size_t index, struct err *err)
{
	c->event = event_start("%s", c->fetch->shown);
	source_use(s->store, &c->past, index);
	c->dir = source_open(s->store, c->fetch, c->past.trees.items[index], err);
	return c->dir < 0 ? -1 : 0;
}

/* Who reads from it first, for the place in errors; NULL: a mount. */
static const struct plan_step *
first_reader(const struct plan *p, size_t context)
{
	for (size_t i = 0; i < p->stage_count; i++)
		for (size_t k = 0; k < p->stages[i].step_count; k++) {
			const struct plan_step *step = p->stages[i].steps[k];

			if (step->from.kind == ORIGIN_CONTEXT && step->from.index == context)
				return step;
			for (size_t f = 0; f < step->fetch_count; f++)
				if (step->fetches[f].context == context)
					return step;
		}
	return NULL;
}

static int
start_fetching(struct solve *s, struct context_run *c, struct err *err)
{
	struct job j = { .finish = fetched,
		.subject = c,
		.memory = -1,
		.tree = TREE_NEW_INIT,
		.step = first_reader(s->plan, (size_t)(c - s->contexts)) };
	struct fetch_job f = { .fetch = c->fetch,
		.session = &s->o->session,
		.secrets = &s->o->secrets,
		.ssh = &s->o->ssh };
	struct worker_job w = { .name = "fetch", .run = fetch_run, .arg = &f };

	f.known = c->past.facts;
	if (store_tree_new(s->store, geteuid(), getegid(), &j.tree, err) < 0)
		return -1;
	f.dir = j.tree.fs_fd;
	f.scratch = j.tree.work_fd;
	c->busy = true;
	c->event = j.event = event_start("%s", c->fetch->shown);
	return solve_start(s, &j, &w, false, err);
}

/* Without a directory (a Dockerfile on stdin) there are no files, which is what a COPY then says.
 */
static void
be_empty(struct context_run *c)
{
	const struct listing *layers[] = { &c->listing };

	c->view = view_new(layers, 1);
	c->done = true;
}

int
context_want(struct solve *s, size_t index, struct err *err)
{
	struct context_run *c = &s->contexts[index];
	struct job j = { .finish = scanned, .subject = c, .tree = TREE_NEW_INIT };
	struct scanning sc = { .context = c, .cache = BUF_INIT, .threads = s->max_steps };
	struct worker_job w = { .name = "context", .run = scan, .arg = &sc };
	AUTO(free) char *key = NULL;
	int result;

	if (c->done || c->busy)
		return c->done;
	if (c->dir < 0 && c->fetch != NULL) {
		size_t pinned;

		if (!s->o->no_cache && source_find(s->store, c->fetch, &c->past, err) < 0)
			return -1;
		if (!fetch_pinned(c->fetch, c->past.facts, &pinned))
			return start_fetching(s, c, err);
		if (take_pinned(s, c, pinned, err) < 0)
			return -1;
	}
	if (c->dir < 0) {
		be_empty(c);
		return 1;
	}
	key = note_key(c);
	if (*key != '\0' && store_note_get(s->store, NOTE_KIND, key, &sc.cache, err) < 0)
		return -1;
	j.memory = sc.memory = fd_memory("context", err);
	if (j.memory < 0)
		return -1;
	c->busy = true;
	if (c->fetch == NULL)
		c->event = event_start("[internal] load build context");
	j.event = c->event;
	result = solve_start(s, &j, &w, false, err);
	buf_free(&sc.cache);
	return result;
}

void
context_runs_free(struct solve *s)
{
	for (size_t i = 0; i < s->context_count; i++) {
		struct context_run *c = &s->contexts[i];

		view_free(c->view);
		listing_free(&c->listing);
		strv_free(&c->sources);
		if (i > 0)
			ignore_free(c->ignore);
		auto_fd(&c->dir);
		source_past_free(&c->past);
	}
	free(s->contexts);
	s->contexts = NULL;
	s->context_count = 0;
}
