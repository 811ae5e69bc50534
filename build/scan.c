/* SPDX-License-Identifier: Apache-2.0 */
#include "build/scan.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "base/path.h"
#include "build/dockerfile/match.h"
#include "build/stat_cache.h"
#include "layers/inodes.h"

#define READ_SIZE 262144
#define SCAN_DEPTH_MAX 4096
/* Younger changes are not remembered: clocks of file systems tick in milliseconds. */
#define SETTLED_NS 1000000000

struct scan {
	const struct scan_request *r;
	struct strv wanted; /* sources, clean; "" is everything */
	bool is_wide;       /* everything is a source, or a link was met that leads to one */
	bool met_link;
	struct listing *listing;
	struct stat_reader old;
	struct file {
		uint64_t dev, ino;
		int64_t ctime_ns;
		uint32_t entry; /* in the listing */
		bool is_known;  /* from the cache; else it is to be hashed */
	} * files;
	size_t file_count, file_room, known_count;
	struct strv ignored;  /* directories that are there if something below them is */
	struct inodes inodes; /* of files with several names */
	int64_t now_ns;
	uint64_t bytes;
};

void
auto_scan_result(struct scan_result *r)
{
	listing_free(&r->listing);
}

/* --- what is wanted --------------------------------------------------------------------------- */

enum reach {
	REACH_NOT,
	REACH_TOWARDS, /* something below may be wanted */
	REACH_BELOW,   /* wanted, with a directory that is a source */
	REACH_NAMED,   /* wanted, as a source itself */
};

/* One source against a path, component by component. */
static enum reach
reach_one(const char *source, const char *path)
{
	while (*source != '\0' && *path != '\0') {
		size_t a = strcspn(source, "/"), b = strcspn(path, "/");
		bool same = a == b && memcmp(source, path, a) == 0;

		if (!same) {
			AUTO(free) char *pattern = xstrndup(source, a);
			AUTO(free) char *name = xstrndup(path, b);

			/* "**" of --parents goes through any number of directories */
			if (strstr(pattern, "**") != NULL)
				return REACH_NAMED;
			if (match_path(pattern, name) != 1)
				return REACH_NOT;
		}
		source += a + (source[a] == '/');
		path += b + (path[b] == '/');
	}
	if (*source != '\0')
		return REACH_TOWARDS;
	return *path != '\0' ? REACH_BELOW : REACH_NAMED;
}

static enum reach
reach(const struct scan *s, const char *path)
{
	enum reach best = REACH_NOT;

	if (s->is_wide)
		return REACH_BELOW;
	for (size_t i = 0; i < s->wanted.count && best < REACH_BELOW; i++) {
		enum reach one = reach_one(s->wanted.items[i], path);

		if (one > best)
			best = one;
	}
	return best;
}

/* Links are followed on the way to a source and when they are one; below it they are copied. */
static bool
is_followed(const struct scan *s, const char *path)
{
	for (size_t i = 0; i < s->wanted.count; i++) {
		enum reach one = reach_one(s->wanted.items[i], path);

		if (one == REACH_TOWARDS || one == REACH_NAMED)
			return true;
	}
	return false;
}

/* --- walking ---------------------------------------------------------------------------------- */

static void
describe(const struct stat *st, const char *path, struct entry *e)
{
	static const struct {
		mode_t format;
		enum entry_kind kind;
	} kinds[] = {
		{ S_IFREG, ENTRY_FILE }, { S_IFDIR, ENTRY_DIR }, { S_IFLNK, ENTRY_SYMLINK },
		{ S_IFIFO, ENTRY_FIFO }, { S_IFCHR, ENTRY_CHAR }, { S_IFBLK, ENTRY_BLOCK },
		{ S_IFSOCK, ENTRY_FILE }, /* as BuildKit: an empty file */
	};

	*e = (struct entry){ .path = (char *)(uintptr_t)path,
		.mode = st->st_mode & 07777,
		.mtime = st->st_mtim.tv_sec,
		.mtime_ns = (uint32_t)st->st_mtim.tv_nsec };
	for (size_t i = 0; i < COUNT_OF(kinds); i++)
		if ((st->st_mode & S_IFMT) == kinds[i].format)
			e->kind = kinds[i].kind;
	if (S_ISREG(st->st_mode))
		e->size = (uint64_t)st->st_size;
	if (e->kind == ENTRY_CHAR || e->kind == ENTRY_BLOCK) {
		e->major = major(st->st_rdev);
		e->minor = minor(st->st_rdev);
	}
}

/* Of several names of a file the first in the order of the listing has the bytes. */
static bool
is_other_name(struct scan *s, const struct stat *st, struct entry *e)
{
	const char *first;

	if (!S_ISREG(st->st_mode) || st->st_nlink < 2)
		return false;
	first = inodes_add(&s->inodes, st->st_dev, st->st_ino, e->path);
	if (first == NULL)
		return false;
	e->kind = ENTRY_HARDLINK;
	e->size = 0;
	e->link = xstrdup(first);
	return true;
}

static int64_t
ns_of(const struct timespec *t)
{
	return (int64_t)t->tv_sec * 1000000000 + t->tv_nsec;
}

static struct stat_key
key_of(const struct file *f, const struct entry *e)
{
	struct timespec mtime = { .tv_sec = e->mtime, .tv_nsec = e->mtime_ns };

	return (struct stat_key){ .dev = f->dev,
		.ino = f->ino,
		.size = e->size,
		.mtime_ns = ns_of(&mtime),
		.ctime_ns = f->ctime_ns };
}

/* One that is to be hashed gets a digest that is none, so that its place is there. */
static void
know_file(struct scan *s, const struct stat *st, struct entry *e)
{
	static const unsigned char zeros[32];
	struct file f = { .dev = st->st_dev,
		.ino = st->st_ino,
		.ctime_ns = ns_of(&st->st_ctim),
		.entry = (uint32_t)s->listing->count };
	struct stat_key key = key_of(&f, e);

	s->bytes += e->size;
	if (S_ISSOCK(st->st_mode) || e->size == 0) {
		digest_of("", 0, &e->digest);
		return;
	}
	f.is_known = stat_reader_find(&s->old, e->path, &key, &e->digest);
	if (!f.is_known)
		digest_from_raw(DIGEST_SHA256, zeros, &e->digest);
	s->known_count += f.is_known;
	s->files = grow(s->files, s->file_count, &s->file_room, sizeof *s->files);
	s->files[s->file_count++] = f;
}

static int walk(struct scan *s, int dir, const char *path, const unsigned char *parent,
	unsigned depth, struct err *err);

static int
read_link(int dir, const char *name, struct entry *e, struct err *err)
{
	char target[4096];
	ssize_t len = readlinkat(dir, name, target, sizeof target);

	if (len < 0 || (size_t)len == sizeof target)
		return err_sys(err, "read link '%s'", e->path);
	e->link = xstrndup(target, (size_t)len);
	return 0;
}

static int
walk_into(struct scan *s, int dir, const char *name, const char *path, const unsigned char *state,
	unsigned depth, struct err *err)
{
	AUTO(fd) int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return err_sys(err, "open directory '%s' of the context", path);
	return walk(s, fd, path, state, depth + 1, err);
}

static int
visit(struct scan *s, int dir, const char *name, const char *path, const unsigned char *parent,
	unsigned depth, struct err *err)
{
	enum reach wanted = reach(s, path);
	AUTO(free) unsigned char *state = NULL;
	AUTO(free) char *link = NULL;
	struct entry e; /* its path is lent */
	bool ignored;
	struct stat st;

	if (wanted == REACH_NOT)
		return 0;
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : err_sys(err, "look at '%s' of the context", path);
	if (s->r->ignore != NULL && S_ISDIR(st.st_mode))
		state = xmalloc(ignore_count(s->r->ignore) + 1);
	ignored = s->r->ignore != NULL && ignore_step(s->r->ignore, path, parent, state, NULL);
	if (ignored && !(S_ISDIR(st.st_mode) && ignore_may_enter(s->r->ignore, path)))
		return 0;
	if (S_ISLNK(st.st_mode) && !s->is_wide && is_followed(s, path))
		s->met_link = true;
	if (wanted == REACH_TOWARDS && !S_ISDIR(st.st_mode) && !S_ISLNK(st.st_mode))
		return 0;
	describe(&st, path, &e);
	if (e.kind == ENTRY_SYMLINK && read_link(dir, name, &e, err) < 0)
		return -1;
	if (e.kind == ENTRY_FILE && !is_other_name(s, &st, &e))
		know_file(s, &st, &e);
	link = e.link;
	if (ignored)
		strv_add(&s->ignored, path);
	listing_add(s->listing, &e);
	return S_ISDIR(st.st_mode) ? walk_into(s, dir, name, path, state, depth, err) : 0;
}

static int
walk(struct scan *s, int dir, const char *path, const unsigned char *parent, unsigned depth,
	struct err *err)
{
	AUTO(strv) struct strv names = STRV_INIT;
	AUTO(buf) struct buf below = BUF_INIT;
	size_t len;

	if (depth > SCAN_DEPTH_MAX)
		return err_set(err, ERR_INPUT, "directories of the context are nested too deep");
	if (path_names(dir, &names, err) < 0)
		return err_in(err, "context '%s'", path);
	buf_adds(&below, path);
	if (*path != '\0')
		buf_addc(&below, '/');
	len = below.len;
	for (size_t i = 0; i < names.count; i++) {
		buf_truncate(&below, len);
		buf_adds(&below, names.items[i]);
		if (visit(s, dir, names.items[i], below.data, parent, depth, err) < 0)
			return -1;
	}
	return 0;
}

/* Ignored directories that were entered for an exception and hold nothing are not there.  From the end, so
 * that what one holds is known. */
static void
drop_empty(struct scan *s)
{
	struct listing *l = s->listing;
	AUTO(free) bool *stays = NULL;
	AUTO(listed) struct listed below = LISTED_INIT;
	size_t next = LISTING_NONE;

	if (s->ignored.count == 0)
		return;
	stays = xcalloc(l->count + 1, sizeof *stays);
	for (size_t i = l->count, left = s->ignored.count; i-- > 0;) {
		AUTO(listed) struct listed e = LISTED_INIT;
		const char *path = listing_at(l, i, &e)->path;
		bool is_ignored = left > 0 && streq(s->ignored.items[left - 1], path);

		left -= is_ignored;
		stays[i] = !is_ignored ||
			   (next != LISTING_NONE &&
				   path_is_inside(listing_at(l, next, &below)->path, path));
		if (stays[i])
			next = i;
	}
	listing_filter(l, stays);
}

/* --- hashing ---------------------------------------------------------------------------------- */

struct crew {
	struct scan *s;
	_Atomic size_t next;
	_Atomic uint64_t hashed;
	pthread_mutex_t lock; /* of err, and failed */
	bool failed;
	struct err *err;
};

static int
hash_file(struct scan *s, const struct file *f, char *bytes, uint64_t *size, struct err *err)
{
	AUTO(listed) struct listed listed = LISTED_INIT;
	const struct entry *e = listing_at(s->listing, f->entry, &listed);
	struct digest digest;
	AUTO(hasher) struct hasher *h = NULL;
	AUTO(fd) int fd = path_open(s->r->dir, e->path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
	ssize_t n;

	if (fd < 0)
		return err_sys(err, "open '%s' of the context", e->path);
	h = hasher_new(DIGEST_SHA256);
	*size = 0;
	while ((n = read(fd, bytes, READ_SIZE)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(err, "read '%s' of the context", e->path);
		hasher_add(h, bytes, (size_t)n);
		*size += (uint64_t)n;
		if (*size > e->size)
			break;
	}
	if (*size != e->size)
		return err_set(
			err, ERR_INPUT, "'%s' of the context changed while it was read", e->path);
	hasher_digest(h, &digest);
	listing_set_digest(s->listing, f->entry, &digest);
	return 0;
}

static void *
hash_files(void *arg)
{
	struct crew *crew = arg;
	AUTO(free) char *bytes = xmalloc(READ_SIZE);
	struct err err = { .kind = ERR_NONE };
	size_t i;

	while ((i = atomic_fetch_add(&crew->next, 1)) < crew->s->file_count) {
		uint64_t size = 0;

		if (crew->s->files[i].is_known)
			continue;
		if (hash_file(crew->s, &crew->s->files[i], bytes, &size, &err) < 0) {
			pthread_mutex_lock(&crew->lock);
			if (!crew->failed)
				*crew->err = err;
			crew->failed = true;
			pthread_mutex_unlock(&crew->lock);
			atomic_store(&crew->next, crew->s->file_count);
		}
		atomic_fetch_add(&crew->hashed, size);
	}
	return NULL;
}

static int
hash_all(struct scan *s, uint64_t *hashed, struct err *err)
{
	struct crew crew = { .s = s, .lock = PTHREAD_MUTEX_INITIALIZER, .err = err };
	size_t unknown = s->file_count - s->known_count;
	unsigned wanted = s->r->threads > 1 && unknown > 8 ? s->r->threads : 1;
	AUTO(free) pthread_t *threads = xcalloc(wanted, sizeof *threads);
	unsigned started = 0;

	/* this thread is one of them, so that a refused thread only costs time */
	while (started + 1 < wanted &&
		pthread_create(&threads[started], NULL, hash_files, &crew) == 0)
		started++;
	hash_files(&crew);
	for (unsigned i = 0; i < started; i++)
		pthread_join(threads[i], NULL);
	*hashed = crew.hashed;
	return crew.failed ? -1 : 0;
}

static bool
is_settled(const struct scan *s, const struct stat_key *key)
{
	return key->ctime_ns < s->now_ns - SETTLED_NS && key->mtime_ns < s->now_ns - SETTLED_NS;
}

/* Whether the cache has just what it would have now. */
static bool
is_as_before(struct scan *s)
{
	AUTO(listed) struct listed listed = LISTED_INIT;

	for (size_t i = 0; s->known_count < s->file_count && i < s->file_count; i++) {
		const struct file *f = &s->files[i];
		struct stat_key key;

		if (f->is_known)
			continue;
		key = key_of(f, listing_at(s->listing, f->entry, &listed));
		if (is_settled(s, &key))
			return false;
	}
	return stat_reader_count(&s->old) == s->known_count;
}

/* Of files that were known or are old enough. */
static int
write_cache(struct scan *s, struct err *err)
{
	AUTO(stat_writer) struct stat_writer w = STAT_WRITER_INIT;
	AUTO(listed) struct listed listed = LISTED_INIT;

	stat_writer_open(&w, s->r->new_cache);
	for (size_t i = 0; i < s->file_count; i++) {
		const struct file *f = &s->files[i];
		const struct entry *e = listing_at(s->listing, f->entry, &listed);
		struct stat_key key = key_of(f, e);

		if ((f->is_known || is_settled(s, &key)) &&
			stat_writer_add(&w, e->path, &key, &e->digest, err) < 0)
			return -1;
	}
	return stat_writer_end(&w, err);
}

/* --- all of it -------------------------------------------------------------------------------- */

static void
clean_sources(const struct strv *sources, struct strv *out)
{
	for (size_t i = 0; i < sources->count; i++) {
		AUTO(buf) struct buf clean = BUF_INIT;
		AUTO(free) char *rooted = xasprintf("/%s", sources->items[i]);

		path_clean(rooted, &clean);
		strv_add(out, clean.data + 1);
	}
}

static void
forget(struct scan *s)
{
	listing_free(s->listing);
	stat_reader_open(&s->old, s->r->cache);
	inodes_free(&s->inodes);
	strv_free(&s->ignored);
	s->file_count = s->known_count = 0;
	s->bytes = 0;
}

static int
scan_all(struct scan *s, struct scan_result *out, struct err *err)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	s->now_ns = ns_of(&now);
	if (walk(s, s->r->dir, "", NULL, 0, err) < 0)
		return -1;
	/* it may lead anywhere in the context */
	if (s->met_link) {
		s->is_wide = true;
		forget(s);
		if (walk(s, s->r->dir, "", NULL, 0, err) < 0)
			return -1;
	}
	if (hash_all(s, &out->hashed, err) < 0)
		return -1;
	out->bytes = s->bytes;
	out->is_as_before = is_as_before(s);
	if (!out->is_as_before && s->r->new_cache >= 0 && write_cache(s, err) < 0)
		return -1;
	drop_empty(s);
	listing_sort(s->listing);
	return 0;
}

int
scan_context(const struct scan_request *r, struct scan_result *out, struct err *err)
{
	struct scan s = { .r = r, .listing = &out->listing };
	int result;

	clean_sources(r->sources, &s.wanted);
	s.is_wide = strv_has(&s.wanted, "");
	s.old = (struct stat_reader)STAT_READER_INIT;
	stat_reader_open(&s.old, r->cache);
	result = scan_all(&s, out, err);
	strv_free(&s.wanted);
	strv_free(&s.ignored);
	auto_stat_reader(&s.old);
	free(s.files);
	inodes_free(&s.inodes);
	return result;
}
