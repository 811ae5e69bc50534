/* SPDX-License-Identifier: Apache-2.0 */
#include "layers/apply_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

#define DIR_FLAGS (O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
#define LINKS_MAX 40

void
cursor_init(struct cursor *c, int tree)
{
	struct stat st;

	*c = (struct cursor){ .path = BUF_INIT, .asked = BUF_INIT };
	c->frames = grow(c->frames, 0, &c->room, sizeof *c->frames);
	c->frames[c->count++] = (struct cursor_frame){
		.fd = tree,
		.has_setgid = fstat(tree, &st) == 0 && (st.st_mode & S_ISGID) != 0,
	};
}

static void
pop_to(struct cursor *c, size_t count)
{
	while (c->count > count)
		auto_fd(&c->frames[--c->count].fd);
	buf_truncate(&c->path, c->frames[c->count - 1].len);
}

void
cursor_free(struct cursor *c)
{
	if (c->count > 0)
		pop_to(c, 1);
	free(c->frames);
	buf_free(&c->path);
	buf_free(&c->asked);
}

int
cursor_fd(const struct cursor *c)
{
	return c->frames[c->count - 1].fd;
}

bool
cursor_has_setgid(const struct cursor *c)
{
	return c->frames[c->count - 1].has_setgid;
}

void
cursor_join(const struct cursor *c, const char *name, struct buf *out)
{
	if (c->path.len > 0) {
		buf_add(out, c->path.data, c->path.len);
		buf_addc(out, '/');
	}
	buf_adds(out, name);
}

void
cursor_forget(struct cursor *c, const char *path)
{
	size_t len = strlen(path), keep = c->count;

	c->is_asked = false;
	if (strncmp(c->path.data, path, len) != 0 ||
		(c->path.data[len] != '\0' && c->path.data[len] != '/'))
		return;
	while (keep > 1 && c->frames[keep - 1].len >= len)
		keep--;
	pop_to(c, keep);
}

/* Takes fd. */
static void
push(struct cursor *c, int fd, const char *name)
{
	struct stat st;

	if (c->path.len > 0)
		buf_addc(&c->path, '/');
	buf_adds(&c->path, name);
	c->frames = grow(c->frames, c->count, &c->room, sizeof *c->frames);
	c->frames[c->count++] = (struct cursor_frame){
		.fd = fd,
		.len = c->path.len,
		.has_setgid = fstat(fd, &st) == 0 && (st.st_mode & S_ISGID) != 0,
	};
	/* the last one stays open as well, whatever its depth */
	if (c->count > CURSOR_OPEN + 1)
		auto_fd(&c->frames[c->count - 2].fd);
}

/* Opens the last frame again, by the names that led there. */
static int
reopen(struct cursor *c, struct err *err)
{
	size_t last = c->count - 1, at = last;

	while (c->frames[at].fd < 0)
		at--;
	for (; at < last; at++) {
		size_t start = c->frames[at].len + (c->frames[at].len > 0);
		AUTO(free)
		char *name = xstrndup(c->path.data + start, c->frames[at + 1].len - start);
		int fd = openat(c->frames[at].fd, name, DIR_FLAGS);

		if (at >= CURSOR_OPEN)
			auto_fd(&c->frames[at].fd);
		if (fd < 0)
			return err_sys(err, "open directory '%s'", c->path.data);
		c->frames[at + 1].fd = fd;
	}
	return 0;
}

/* What is still to go.  Links put their target before it, which needs memory of its own. */
struct route {
	const char *rest;
	struct buf own;
	const char *whole; /* for messages */
	unsigned links;
};

static void
auto_route(struct route *r)
{
	buf_free(&r->own);
}

static int
route_link(struct cursor *c, struct route *r, const char *target, struct err *err)
{
	struct buf next = BUF_INIT;

	if (++r->links > LINKS_MAX)
		return err_set(err, ERR_INPUT, "'%s' leads through more than %d links", r->whole,
			LINKS_MAX);
	if (strlen(target) + strlen(r->rest) > ENTRY_PATH_MAX)
		return err_set(err, ERR_INPUT, "'%s' leads to a path that is too long", r->whole);
	if (target[0] == '/')
		pop_to(c, 1);
	buf_adds(&next, target);
	buf_addc(&next, '/');
	buf_adds(&next, r->rest);
	buf_free(&r->own);
	r->own = next;
	r->rest = r->own.data;
	return 0;
}

/* A parent that the archive does not name: as it is below, or plain. */
static int
make_parent(struct apply *a, struct cursor *c, const char *name, const struct entry *below,
	const struct entry *cause, struct err *err)
{
	struct buf path = BUF_INIT;
	AUTO(entry) struct entry e = { .path = NULL };

	if (below != NULL && below->kind == ENTRY_DIR) {
		entry_copy(below, &e);
		free(e.path);
	} else {
		e = (struct entry){
			.mode = 0755, .mtime = cause->mtime, .mtime_ns = cause->mtime_ns
		};
	}
	e.kind = ENTRY_DIR;
	cursor_join(c, name, &path);
	e.path = buf_steal(&path);
	if (apply_make_dir(a, c, name, &e, err) < 0)
		return -1;
	apply_record(a, &e);
	return 0;
}

static const struct entry *
below_at(const struct apply *a, const struct cursor *c, const char *name, struct listed *out)
{
	AUTO(buf) struct buf path = BUF_INIT;

	if (a->o.lower == NULL || a->o.form != APPLY_OVERLAY)
		return NULL;
	cursor_join(c, name, &path);
	return view_entry(a->o.lower, path.data, out);
}

static int
go_new(struct apply *a, struct cursor *c, const struct route *r, const char *name,
	const struct entry *below, const struct entry *cause, struct err *err)
{
	int fd;

	if (make_parent(a, c, name, below, cause, err) < 0)
		return -1;
	fd = openat(cursor_fd(c), name, DIR_FLAGS);
	if (fd < 0)
		return err_sys(err, "open directory '%s' of '%s'", name, r->whole);
	push(c, fd, name);
	return 1;
}

/* Nothing of this name is here.  A link below leads on as it would in the merged root. */
static int
go_missing(struct apply *a, struct cursor *c, struct route *r, const char *name,
	enum cursor_make make, const struct entry *cause, struct err *err)
{
	AUTO(listed) struct listed listed = LISTED_INIT;
	const struct entry *below = below_at(a, c, name, &listed);

	if (below != NULL && below->kind == ENTRY_SYMLINK)
		return route_link(c, r, below->link, err) < 0 ? -1 : 1;
	return make == CURSOR_MAKE ? go_new(a, c, r, name, below, cause, err) : 0;
}

/* Something that is no directory is in the way: a link is followed, a whiteout gives way. */
static int
go_through(struct apply *a, struct cursor *c, struct route *r, const char *name,
	enum cursor_make make, const struct entry *cause, struct err *err)
{
	AUTO(buf) struct buf path = BUF_INIT;
	char target[PATH_MAX + 1];
	struct stat st;
	ssize_t len;

	if (fstatat(cursor_fd(c), name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(err, "look at '%s' of '%s'", name, r->whole);
	if (S_ISLNK(st.st_mode)) {
		len = readlinkat(cursor_fd(c), name, target, sizeof target - 1);
		if (len < 0)
			return err_sys(err, "read link '%s' of '%s'", name, r->whole);
		target[len] = '\0';
		return route_link(c, r, target, err) < 0 ? -1 : 1;
	}
	if (make != CURSOR_MAKE)
		return 0;
	cursor_join(c, name, &path);
	if (!apply_is_whiteout(a, cursor_fd(c), name, &st))
		return err_set(err, ERR_INPUT, "'%s' lies in '%s', which is not a directory",
			r->whole, path.data);
	if (apply_remove(a, cursor_fd(c), name, path.data, err) < 0)
		return -1;
	/* what is below was removed, so it says nothing about the new one */
	return go_new(a, c, r, name, NULL, cause, err);
}

static int
go_component(struct apply *a, struct cursor *c, struct route *r, const char *name,
	enum cursor_make make, const struct entry *cause, struct err *err)
{
	int fd = openat(cursor_fd(c), name, DIR_FLAGS);

	if (fd >= 0) {
		push(c, fd, name);
		return 1;
	}
	if (make == CURSOR_EXACT && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP))
		return 0;
	if (errno == ENOENT)
		return go_missing(a, c, r, name, make, cause, err);
	if (errno == ENOTDIR || errno == ELOOP)
		return go_through(a, c, r, name, make, cause, err);
	return err_sys(err, "open directory '%s' of '%s'", name, r->whole);
}

static int
go_rest(struct apply *a, struct cursor *c, struct route *r, enum cursor_make make,
	const struct entry *cause, struct err *err)
{
	char name[NAME_MAX + 1];

	while (*r->rest != '\0') {
		size_t len = strcspn(r->rest, "/");
		int said;

		if (len > NAME_MAX)
			return err_set(err, ERR_INPUT, "'%.200s' has a name of more than %d bytes",
				r->whole, NAME_MAX);
		memcpy(name, r->rest, len);
		name[len] = '\0';
		r->rest += len + strspn(r->rest + len, "/");
		if (len == 0 || strcmp(name, ".") == 0)
			continue;
		if (strcmp(name, "..") == 0) {
			pop_to(c, c->count > 1 ? c->count - 1 : 1);
			if (reopen(c, err) < 0)
				return -1;
			continue;
		}
		said = go_component(a, c, r, name, make, cause, err);
		if (said <= 0)
			return said;
	}
	return 1;
}

/* How many frames are also on the way to path[0..len): real directories, so as good as resolved. */
static size_t
shared_frames(const struct cursor *c, const char *path, size_t len)
{
	size_t common = 0, keep = c->count;

	while (common < len && common < c->path.len && path[common] == c->path.data[common])
		common++;
	while (keep > 1) {
		size_t end = c->frames[keep - 1].len;

		if (end <= common && (end == len || path[end] == '/'))
			break;
		keep--;
	}
	return keep;
}

int
cursor_go(struct apply *a, struct cursor *c, const char *path, size_t len, enum cursor_make make,
	const struct entry *cause, struct err *err)
{
	AUTO(route) struct route r = { .own = BUF_INIT };
	AUTO(free) char *whole = NULL;
	size_t done;
	int said;

	if (c->is_asked && c->asked.len == len && memcmp(c->asked.data, path, len) == 0)
		return 1;
	c->is_asked = false;
	whole = xstrndup(path, len);
	pop_to(c, shared_frames(c, path, len));
	if (reopen(c, err) < 0)
		return -1;
	done = c->path.len;
	r.whole = whole;
	r.rest = whole + done + (done > 0 && done < len);
	said = go_rest(a, c, &r, make, cause, err);
	if (said <= 0)
		return said;
	buf_clear(&c->asked);
	buf_add(&c->asked, path, len);
	c->is_asked = true;
	return 1;
}
