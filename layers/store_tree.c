/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "layers/store_local.h"

void
auto_tree_new(struct tree_new *t)
{
	auto_fd(&t->fs_fd);
	auto_fd(&t->work_fd);
}

/* Whatever the umask says, and given away where the owner is not us. */
static int
make_dir(struct store *s, const char *name, mode_t mode, uid_t owner, gid_t group, struct err *err)
{
	AUTO(fd) int fd = -1;

	if (mkdirat(s->root, name, 0700) < 0)
		return err_sys(err, "create '%s/%s'", s->path, name);
	fd = openat(s->root, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return err_sys(err, "open '%s/%s'", s->path, name);
	/* the group may be one the caller is in but not the one that directories here get */
	if ((owner != geteuid() || group != getegid()) && fchown(fd, owner, group) < 0)
		return err_sys(err, "chown '%s/%s'", s->path, name);
	if (fchmod(fd, mode) < 0)
		return err_sys(err, "chmod '%s/%s'", s->path, name);
	return fd_steal(&fd);
}

int
store_tree_new(struct store *s, uid_t owner, gid_t group, struct tree_new *out, struct err *err)
{
	AUTO(tree_new) struct tree_new tree = TREE_NEW_INIT;
	char name[64];

	store_id_new(tree.id);
	/* pinned before it is there: an uncommitted tree without a pin is garbage */
	if (store_pin(s, STORE_PIN_TREE, tree.id, err) < 0)
		return -1;
	snprintf(name, sizeof name, "trees/%s", tree.id);
	/* the store is 0700; a box of root's, whose ids are others, starts from here */
	if (mkdirat(s->root, name, 0711) < 0 || fchmodat(s->root, name, 0711, 0) < 0)
		return err_sys(err, "create '%s/%s'", s->path, name);
	snprintf(name, sizeof name, "trees/%s/fs", tree.id);
	tree.fs_fd = make_dir(s, name, 0755, owner, group, err);
	if (tree.fs_fd < 0)
		return -1;
	snprintf(name, sizeof name, "trees/%s/work", tree.id);
	tree.work_fd = make_dir(s, name, 0755, owner, group, err);
	if (tree.work_fd < 0)
		return -1;
	*out = tree;
	tree = (struct tree_new)TREE_NEW_INIT;
	return 0;
}

static int
check_id(const char *id, struct err *err)
{
	return store_id_is_valid(id)
		       ? 0
		       : err_set(err, ERR_INPUT, "'%.40s' is not the id of a tree", id);
}

static int
commit(struct store *s, const char *id, uint64_t size, struct err *err)
{
	if (store_write_begin(s, false, err) < 0)
		return -1;
	return store_write_end(s,
		db_run(s->db, "INSERT OR REPLACE INTO trees(id, boot, size) VALUES(?, ?, ?)",
			DB_ARGS(DB_TEXT(id), DB_TEXT(s->boot), DB_INT(size)), err),
		err);
}

int
store_tree_commit(struct store *s, const char *id, uint64_t size, struct err *err)
{
	int result = 0;

	if (check_id(id, err) < 0 || store_pin(s, STORE_PIN_TREE, id, err) < 0)
		return -1;
	/* where the kernel does not say which boot this is, there is no later to put it off to */
	if (s->boot[0] == '\0' && syncfs(s->root) < 0)
		return err_sys(err, "sync '%s'", s->path);
	result = commit(s, id, size, err);
	return store_mended(s, result, err) ? commit(s, id, size, err) : result;
}

/* 1 when the record would outlive a power loss that the files do not: not one of this boot. */
static int
is_lasting(struct store *s, const char *id, struct err *err)
{
	return db_has(s->db, "SELECT 1 FROM trees WHERE id = ? AND boot IS NULL",
		DB_ARGS(DB_TEXT(id)), err);
}

static int
forget(struct store *s, const char *id, struct err *err)
{
	int lasting = 0;
	int result = 0;

	if (store_write_begin(s, false, err) < 0)
		return -1;
	lasting = is_lasting(s, id, err);
	result = lasting < 0 ? -1 : 0;
	if (result == 0)
		result = db_run(s->db, "DELETE FROM trees WHERE id = ?", DB_ARGS(DB_TEXT(id)), err);
	if (result == 0)
		result = db_run(s->db, "UPDATE layers SET tree = NULL WHERE tree = ?",
			DB_ARGS(DB_TEXT(id)), err);
	if (store_write_end(s, result, err) < 0)
		return -1;
	return lasting == 1 ? db_sync(s->db, err) : 0;
}

/* Inside a batch the record is still there when the files go; then only a power loss before the end
 * of the batch would show it. */
int
store_tree_drop(struct store *s, const char *id, struct err *err)
{
	char name[64];
	int result = 0;

	if (check_id(id, err) < 0)
		return -1;
	result = forget(s, id, err);
	if (result < 0 && (!store_mended(s, result, err) || forget(s, id, err) < 0))
		return -1;
	snprintf(name, sizeof name, "trees/%s", id);
	return store_condemn(s, name, err);
}

int
store_tree_fd(struct store *s, const char *id, struct err *err)
{
	char name[64];
	int fd = -1;

	if (check_id(id, err) < 0 || store_pin(s, STORE_PIN_TREE, id, err) < 0)
		return -1;
	snprintf(name, sizeof name, "trees/%s/fs", id);
	fd = openat(s->root, name, O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 && errno == ENOENT)
		return err_set(err, ERR_NOTFOUND, "tree %s is not in the store", id);
	return fd < 0 ? err_sys(err, "open '%s/%s'", s->path, name) : fd;
}

static int
is_complete(struct store *s, const char *id, struct err *err)
{
	struct db *db = NULL;

	if (store_db(s, &db, err) < 0)
		return -1;
	return db_has(db, "SELECT 1 FROM trees WHERE id = ?", DB_ARGS(DB_TEXT(id)), err);
}

int
store_tree_open(struct store *s, const char *id, struct err *err)
{
	int complete = 0;

	if (check_id(id, err) < 0 || store_pin(s, STORE_PIN_TREE, id, err) < 0)
		return -1;
	complete = is_complete(s, id, err);
	if (store_mended(s, complete, err))
		complete = 0;
	if (complete < 0)
		return -1;
	if (complete == 0)
		return err_set(err, ERR_NOTFOUND, "tree %s is not in the store", id);
	return store_tree_fd(s, id, err);
}

int
store_trash_open(struct store *s, struct err *err)
{
	int fd = openat(s->root, "trash", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? err_sys(err, "open '%s/trash'", s->path) : fd;
}

int
store_hosts_open(struct store *s, struct err *err)
{
	int fd = openat(s->root, "hosts", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? err_sys(err, "open '%s/hosts'", s->path) : fd;
}

/* The lock file stays when the directory goes, so that the two never disagree.  1 when LOCK_NB was in how and
 * somebody has it. */
static int
lock_mount(struct store *s, const char *name, int how, int *out, struct err *err)
{
	AUTO(fd) int fd = openat(s->root, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return err_sys(err, "open '%s/%s'", s->path, name);
	while (flock(fd, how) < 0) {
		if (errno == EWOULDBLOCK)
			return 1;
		if (errno != EINTR)
			return err_sys(err, "lock '%s/%s'", s->path, name);
	}
	*out = fd_steal(&fd);
	return 0;
}

/* Several that share may come at once: each makes one under another name, and the first to rename wins. */
static int
open_or_make(
	struct store *s, const char *name, mode_t mode, uid_t owner, gid_t group, struct err *err)
{
	char part[sizeof "mounts-cache/" + STORE_ID_SIZE] = "mounts-cache/";
	AUTO(fd) int made = -1;
	int fd = openat(s->root, name, O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

	if (fd >= 0)
		return fd;
	if (errno != ENOENT)
		return err_sys(err, "open '%s/%s'", s->path, name);
	store_id_new(part + strlen(part));
	made = make_dir(s, part, mode, owner, group, err);
	if (made < 0)
		return -1;
	if (renameat2(s->root, part, s->root, name, RENAME_NOREPLACE) == 0)
		return fd_steal(&made);
	if (errno != EEXIST)
		return err_sys(err, "rename '%s/%s'", s->path, part);
	unlinkat(s->root, part, AT_REMOVEDIR);
	fd = openat(s->root, name, O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	return fd < 0 ? err_sys(err, "open '%s/%s'", s->path, name) : fd;
}

/* 1 when LOCK_NB was in how and somebody has it. */
static int
open_mount(struct store *s, const char *id, int how, uid_t owner, gid_t group, mode_t mode,
	int *out_fd, int *out_lock, struct err *err)
{
	int busy;
	AUTO(fd) int lock = -1;
	AUTO(fd) int fd = -1;
	struct digest digest;
	char name[160];

	digest_of(id, strlen(id), &digest);
	snprintf(name, sizeof name, "mounts-cache/%s.lock", digest_hex(&digest));
	busy = lock_mount(s, name, how, &lock, err);
	if (busy != 0)
		return busy;
	snprintf(name, sizeof name, "mounts-cache/%s", digest_hex(&digest));
	fd = open_or_make(s, name, mode, owner, group, err);
	if (fd < 0)
		return -1;
	*out_fd = fd_steal(&fd);
	*out_lock = fd_steal(&lock);
	return 0;
}

int
store_mount_open(struct store *s, const char *id, bool shared, uid_t owner, gid_t group,
	mode_t mode, int *out_fd, int *out_lock, struct err *err)
{
	return open_mount(
		s, id, shared ? LOCK_SH : LOCK_EX, owner, group, mode, out_fd, out_lock, err);
}

int
store_mount_open_private(struct store *s, const char *id, uid_t owner, gid_t group, mode_t mode,
	int *out_fd, int *out_lock, struct err *err)
{
	for (unsigned i = 0;; i++) {
		AUTO(free) char *one = i == 0 ? xstrdup(id) : xasprintf("%s\n%u", id, i);
		int busy = open_mount(
			s, one, LOCK_EX | LOCK_NB, owner, group, mode, out_fd, out_lock, err);

		if (busy <= 0)
			return busy;
	}
}
