/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/event.h"
#include "base/file.h"
#include "build/scan.h"
#include "build/solve.h"

/* context - the directories that COPY reads from, scanned once, by a worker, when the first step
 * asks.  The stat cache of each is kept in the store's notes, by the directory's path. */

struct scanning {
	struct context_run *context;
	int old_cache, new_cache;
	int memory;
	unsigned threads;
};

static int
scan(void *arg, json_t **result, struct err *err)
{
	struct scanning *sc = arg;
	AUTO(scan_result) struct scan_result found = SCAN_RESULT_INIT;
	struct scan_request r = { .dir = sc->context->dir,
		.ignore = sc->context->ignore,
		.sources = &sc->context->sources,
		.cache = sc->old_cache,
		.new_cache = sc->new_cache,
		.threads = sc->threads };

	if (scan_context(&r, &found, err) < 0 || listing_write(&found.listing, sc->memory, err) < 0)
		return -1;
	*result = json_object();
	json_object_set_new(*result, "bytes", json_integer((json_int_t)found.bytes));
	return 0;
}

/* --- the stat cache --------------------------------------------------------------------------- */

/* A note of many megabytes would be in memory at once, so there are several.  Each begins with the number of
 * the scan that wrote it: one of another scan is not the next part. */
#define NOTE_KIND "context"
#define NOTE_PART ((size_t)4 << 20)
#define NOTE_PARTS 256

static char *
part_key(const char *key, size_t part)
{
	return part > 0 ? xasprintf("%zu:%s", part, key) : xstrdup(key);
}

static int
get_part(struct store *s, const char *key, size_t part, struct buf *out, struct err *err)
{
	AUTO(free) char *name = part_key(key, part);

	buf_clear(out);
	return store_note_get(s, NOTE_KIND, name, out, err);
}

/* Into a file, from all its parts; an old or damaged one is for the scan to see. */
static int
read_cache(struct store *s, const char *key, int to, struct err *err)
{
	AUTO(buf) struct buf part = BUF_INIT;
	unsigned char scan_id[8];

	for (size_t i = 0; i < NOTE_PARTS; i++) {
		int found = get_part(s, key, i, &part, err);

		if (found < 0)
			return -1;
		if (found == 0 || part.len <= sizeof scan_id)
			break;
		if (i == 0)
			memcpy(scan_id, part.data, sizeof scan_id);
		if (memcmp(part.data, scan_id, sizeof scan_id) != 0)
			break;
		if (fd_write(to, part.data + sizeof scan_id, part.len - sizeof scan_id) < 0)
			return err_sys(err, "what is known of the context");
	}
	return 0;
}

static int
write_parts(struct store *s, const char *key, int from, struct err *err)
{
	AUTO(buf) struct buf part = BUF_INIT;
	unsigned char scan_id[8];
	uint64_t at = 0;
	size_t i = 0;

	if (getrandom(scan_id, sizeof scan_id, 0) != sizeof scan_id)
		return err_sys(err, "random bytes");
	for (; i < NOTE_PARTS; i++) {
		AUTO(free) char *name = part_key(key, i);
		ssize_t n;

		buf_clear(&part);
		buf_add(&part, scan_id, sizeof scan_id);
		n = fd_pread(from, buf_reserve(&part, NOTE_PART), NOTE_PART, at);
		if (n < 0)
			return err_sys(err, "what is known of the context");
		part.len += (size_t)n;
		at += (uint64_t)n;
		if (n == 0)
			break;
		if (store_note_put(s, NOTE_KIND, name, part.data, part.len, err) < 0)
			return -1;
	}
	/* those of a longer one */
	for (int found = 1; i > 0 && i < NOTE_PARTS && found > 0; i++) {
		AUTO(free) char *name = part_key(key, i);

		found = get_part(s, key, i, &part, err);
		if (found < 0 || (found > 0 && store_note_remove(s, NOTE_KIND, name, err) < 0))
			return -1;
	}
	return 0;
}

static int
write_cache(struct store *s, const char *key, int from, struct err *err)
{
	if (store_batch_begin(s, err) < 0)
		return -1;
	if (write_parts(s, key, from, err) < 0) {
		store_batch_cancel(s);
		return -1;
	}
	return store_batch_end(s, err);
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
	AUTO(free) char *key = note_key(c);
	AUTO(fd) int new_cache = fd_steal(&c->new_cache);
	const struct listing *layers[] = { &c->listing };
	uint64_t total = 0;
	struct stat st;

	if (json_get_uint(result, "bytes", &total, err) < 0 ||
		listing_open(j->memory, &c->listing, err) < 0)
		return -1;
	if (fstat(new_cache, &st) < 0)
		return err_sys(err, "what is known of the context");
	if (st.st_size > 0 && *key != '\0' && write_cache(s->store, key, new_cache, err) < 0)
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

static int
start_scanning(struct solve *s, struct context_run *c, struct err *err)
{
	struct job j = { .finish = scanned, .subject = c, .tree = TREE_NEW_INIT };
	AUTO(free) char *key = note_key(c);
	AUTO(fd) int old_cache = fd_memory("known", err);
	struct scanning sc = { .context = c, .threads = s->max_steps };
	struct worker_job w = { .name = "context", .run = scan, .arg = &sc };

	if (old_cache < 0 || (*key != '\0' && read_cache(s->store, key, old_cache, err) < 0))
		return -1;
	c->new_cache = fd_memory("known", err);
	if (c->new_cache < 0)
		return -1;
	j.memory = fd_memory("context", err);
	if (j.memory < 0)
		return -1;
	sc.old_cache = old_cache;
	sc.new_cache = c->new_cache;
	sc.memory = j.memory;
	c->busy = true;
	if (c->fetch == NULL)
		c->event = event_start("[internal] load build context");
	j.event = c->event;
	return solve_start(s, &j, &w, false, err);
}

int
context_want(struct solve *s, size_t index, struct err *err)
{
	struct context_run *c = &s->contexts[index];

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
	return start_scanning(s, c, err);
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
		auto_fd(&c->new_cache);
		source_past_free(&c->past);
	}
	free(s->contexts);
	s->contexts = NULL;
	s->context_count = 0;
}
