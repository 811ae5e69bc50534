/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_TREES_H
#define TESTS_UNIT_TREES_H

#include "tests/unit/test.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/path.h"
#include "base/strv.h"
#include "layers/listing.h"
#include "tests/unit/scratch.h"

/* trees - directories to test on: made from one line of text, and shown as one. */

static inline int
make_dir(int dir, const char *name)
{
	int fd;

	if (mkdirat(dir, name, 0755) < 0)
		assert_int_equal(errno, EEXIST);
	fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

/* "d/ f f=bytes l->target h==f p|": directory, file, symlink, hard link, fifo. */
static inline void
plant(int dir, const char *text)
{
	AUTO(strv) struct strv words = STRV_INIT;

	strv_split(&words, text, " ");
	for (size_t i = 0; i < words.count; i++) {
		char *word = words.items[i], *mark;
		size_t len = strlen(word);

		mark = strstr(word, "->");
		if (mark != NULL) {
			*mark = '\0';
			assert_int_equal(symlinkat(mark + 2, dir, word), 0);
			continue;
		}
		mark = strstr(word, "==");
		if (mark != NULL) {
			*mark = '\0';
			assert_int_equal(linkat(dir, mark + 2, dir, word, 0), 0);
			continue;
		}
		mark = strchr(word, '=');
		if (mark != NULL)
			*mark = '\0';
		if (len > 0 && word[len - 1] == '/')
			assert_int_equal(mkdirat(dir, word, 0755), 0);
		else if (len > 0 && word[len - 1] == '|') {
			word[len - 1] = '\0';
			assert_int_equal(mkfifoat(dir, word, 0600), 0);
		} else if (len > 0)
			make_file(dir, word, mark != NULL ? mark + 1 : "");
	}
}

/* "d/ f=3 l->target h==f p| -gone d* c:1,3": as above, sizes for bytes, whiteout, opaque, device; the root
 * is left out. */
static inline char *
shown(const struct listing *l)
{
	AUTO(listed) struct listed at = LISTED_INIT;
	struct buf b = BUF_INIT;

	for (size_t i = 0; i < l->count; i++) {
		const struct entry *e = listing_at(l, i, &at);

		if (e->path[0] == '\0' && e->kind == ENTRY_DIR)
			continue;
		buf_addf(&b, "%s%s%s", b.len > 0 ? " " : "", e->kind == ENTRY_WHITEOUT ? "-" : "",
			e->path);
		if (e->kind == ENTRY_DIR)
			buf_adds(&b, "/");
		else if (e->kind == ENTRY_OPAQUE)
			buf_adds(&b, "*");
		else if (e->kind == ENTRY_FIFO)
			buf_adds(&b, "|");
		else if (e->kind == ENTRY_FILE)
			buf_addf(&b, "=%ju", (uintmax_t)e->size);
		else if (e->kind == ENTRY_SYMLINK)
			buf_addf(&b, "->%s", e->link);
		else if (e->kind == ENTRY_HARDLINK)
			buf_addf(&b, "==%s", e->link);
		else if (e->kind == ENTRY_CHAR || e->kind == ENTRY_BLOCK)
			buf_addf(&b, ":%c%u,%u", e->kind == ENTRY_CHAR ? 'c' : 'b', e->major, e->minor);
	}
	return buf_steal(&b);
}

static inline bool
write_text(const char *path, const char *text)
{
	AUTO(fd) int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
}

/* Whether files can be given to ids other than our own. */
static inline bool
has_many_ids(void)
{
	unsigned inside = 1, outside = 0, count = 0;
	FILE *map = fopen("/proc/self/uid_map", "re");

	if (map == NULL || fscanf(map, "%u %u %u", &inside, &outside, &count) != 3)
		count = 0;
	if (map != NULL)
		fclose(map);
	return getuid() == 0 && inside == 0 && count > 1000;
}

/* A plain user becomes 0:0 of a user namespace of one id, where there can be one: modes then forbid it
 * nothing. */
static inline void
become_root(void)
{
	AUTO(free) char *uids = xasprintf("0 %u 1", getuid());
	AUTO(free) char *gids = xasprintf("0 %u 1", getgid());

	if (getuid() == 0 || unshare(CLONE_NEWUSER) < 0)
		return;
	if (!write_text("/proc/self/setgroups", "deny") || !write_text("/proc/self/uid_map", uids) ||
		!write_text("/proc/self/gid_map", gids))
		abort();
}

/* The ids of a child's user namespace: all of them for root, else the one we have. */
static inline bool
map_ids(pid_t pid)
{
	uid_t uid = getuid();
	AUTO(free) char *groups = xasprintf("/proc/%d/setgroups", pid);
	AUTO(free) char *uid_map = xasprintf("/proc/%d/uid_map", pid);
	AUTO(free) char *gid_map = xasprintf("/proc/%d/gid_map", pid);
	AUTO(free) char *uids = uid == 0 ? xstrdup("0 0 65536") : xasprintf("0 %u 1", uid);
	AUTO(free) char *gids = uid == 0 ? xstrdup("0 0 65536") : xasprintf("0 %u 1", getgid());

	return write_text(groups, "deny") && write_text(uid_map, uids) &&
		write_text(gid_map, gids);
}

static inline void
inside_child(int ready, int go, void (*body)(void *arg), void *arg)
{
	char byte = 1;

	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
		_exit(2);
	if (write(ready, &byte, 1) != 1 || read(go, &byte, 1) != 1)
		_exit(2);
	body(arg);
	_exit(0);
}

/* Runs body(arg) in a child that is 0:0 of its own user and mount namespace.  2: there can be none here. */
static inline int
inside(void (*body)(void *arg), void *arg)
{
	int status = 0, ready[2], go[2];
	char byte = 0;
	bool mapped;
	pid_t pid;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	assert_int_equal(pipe2(go, O_CLOEXEC), 0);
	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		close(go[1]);
		inside_child(ready[1], go[0], body, arg);
	}
	close(ready[1]);
	mapped = read(ready[0], &byte, 1) == 1 && map_ids(pid);
	if (mapped)
		assert_int_equal(write(go[1], &byte, 1), 1);
	close(go[1]);
	close(go[0]);
	close(ready[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

#endif
