/* SPDX-License-Identifier: Apache-2.0 */
#include "layers/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/event.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "layers/store_local.h"

#define STORE_VERSION 1
#define VERSION_FILE_MAX 64

static const char *const directories[] = {
	"blobs",
	"blobs/sha256",
	"blobs/sha512",
	"hosts",
	"ingest",
	"listings",
	"mounts-cache",
	"pins",
	"quarantine",
	"trash",
	"trees",
};

static const char *const files[] = {
	"db.lock",
	"db.sqlite",
	"db.sqlite-shm",
	"db.sqlite-wal",
	"index.json",
	"oci-layout",
	"pins/lock",
	"version",
};

void
store_id_new(char id[STORE_ID_SIZE])
{
	unsigned char random[16];

	if (getrandom(random, sizeof random, 0) != sizeof random)
		abort(); /* cannot happen for so few bytes once the system has started */
	for (size_t i = 0; i < sizeof random; i++)
		snprintf(id + 2 * i, 3, "%02x", random[i]);
}

bool
store_id_is_valid(const char *id)
{
	return strlen(id) == STORE_ID_SIZE - 1 &&
	       strspn(id, "0123456789abcdef") == STORE_ID_SIZE - 1;
}

int64_t
store_now(void)
{
	return (int64_t)time(NULL);
}

static int
default_root(struct buf *out, struct err *err)
{
	const char *root = getenv("COOPER_ROOT");
	const char *data = getenv("XDG_DATA_HOME");
	const char *home = getenv("HOME");

	if (root != NULL && *root != '\0')
		buf_adds(out, root);
	else if (geteuid() == 0)
		buf_adds(out, "/var/lib/cooper");
	else if (data != NULL && *data == '/')
		buf_addf(out, "%s/cooper", data);
	else if (home != NULL && *home == '/')
		buf_addf(out, "%s/.local/share/cooper", home);
	else
		return err_set(err, ERR_USAGE, "no home directory for the store: set COOPER_ROOT");
	return 0;
}

/* Absolute and clean, so that a trailing slash cannot hide a link and a later chdir changes
 * nothing. */
static int
absolute(const char *root, struct buf *out, struct err *err)
{
	AUTO(free) char *here = NULL;

	if (*root == '/') {
		path_clean(root, out);
		return 0;
	}
	here = getcwd(NULL, 0);
	if (here == NULL)
		return err_sys(err, "current directory");
	path_join(here, root, out);
	return 0;
}

static int
make_parents(const char *path, struct err *err)
{
	AUTO(free) char *text = xstrdup(path);

	for (char *at = strchr(text + 1, '/'); at != NULL; at = strchr(at + 1, '/')) {
		*at = '\0';
		if (mkdir(text, 0700) < 0 && errno != EEXIST)
			return err_sys(err, "create '%s'", text);
		*at = '/';
	}
	if (mkdir(text, 0700) < 0 && errno != EEXIST)
		return err_sys(err, "create '%s'", text);
	return 0;
}

static int
open_root(const char *path, int *out, struct err *err)
{
	AUTO(fd) int fd = -1;
	int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	struct stat st;

	fd = open(path, flags);
	if (fd < 0 && errno == ENOENT) {
		if (make_parents(path, err) < 0)
			return -1;
		fd = open(path, flags);
	}
	if (fd < 0 && lstat(path, &st) == 0 && S_ISLNK(st.st_mode))
		return err_set(err, ERR_DENIED,
			"'%s' is a symbolic link: set COOPER_ROOT to the directory itself", path);
	if (fd < 0)
		return err_sys(err, "open '%s'", path);
	if (fstat(fd, &st) < 0)
		return err_sys(err, "open '%s'", path);
	if (st.st_uid != geteuid())
		return err_set(err, ERR_DENIED,
			"'%s' belongs to user %u, not to you: set COOPER_ROOT", path,
			(unsigned)st.st_uid);
	if ((st.st_mode & 022) != 0)
		return err_set(err, ERR_DENIED,
			"'%s' can be written by others: make sure of what is in it, then chmod 700 "
			"it",
			path);
	if ((st.st_mode & 07777) != 0700 && fchmod(fd, 0700) < 0)
		return err_sys(err, "chmod '%s'", path);
	*out = fd_steal(&fd);
	return 0;
}

static bool
is_ours(const char *name)
{
	for (size_t i = 0; i < COUNT_OF(directories); i++)
		if (streq(name, directories[i]))
			return true;
	for (size_t i = 0; i < COUNT_OF(files); i++)
		if (streq(name, files[i]))
			return true;
	return streq(name, "lost+found") || name[0] == '.'; /* what file_write leaves behind */
}

/* COOPER_ROOT=$HOME must not turn a home into a store. */
static int
refuse_foreign(const struct store *s, struct err *err)
{
	AUTO(strv) struct strv names = STRV_INIT;

	if (path_names(s->root, &names, err) < 0)
		return err_in(err, "'%s'", s->path);
	for (size_t i = 0; i < names.count; i++)
		if (!is_ours(names.items[i]))
			return err_set(err, ERR_INPUT,
				"'%s' is no store: it holds '%.80s'; set COOPER_ROOT to an empty "
				"directory",
				s->path, names.items[i]);
	return 0;
}

static int
write_if_missing(const struct store *s, const char *name, const char *text, struct err *err)
{
	struct stat st;

	if (fstatat(s->root, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	return file_write(s->root, name, text, strlen(text), 0644, FILE_SYNC, err);
}

static int
make_layout(const struct store *s, struct err *err)
{
	char version[16];

	snprintf(version, sizeof version, "%d\n", STORE_VERSION);
	if (write_if_missing(s, "oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}", err) < 0 ||
		write_if_missing(s, "index.json",
			"{\"schemaVersion\":2,"
			"\"mediaType\":\"application/"
			"vnd.oci.image.index.v1+json\",\"manifests\":[]}",
			err) < 0)
		return -1;
	/* last: where it is, all the rest is */
	return file_write(s->root, "version", version, strlen(version), 0644, FILE_SYNC, err);
}

/* A link, directory or pipe where we keep a file, or the other way round: nothing of ours, and
 * nothing to be opened. */
static int
set_aside_odd(const struct store *s, const char *name, mode_t wanted, struct err *err)
{
	char to[64];
	char mark[STORE_ID_SIZE];
	struct stat st;

	if (fstatat(s->root, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || (st.st_mode & S_IFMT) == wanted)
		return 0;
	store_id_new(mark);
	snprintf(to, sizeof to, streq(name, "quarantine") ? ".%.8s" : "quarantine/odd.%.8s", mark);
	if (renameat(s->root, name, s->root, to) < 0)
		return err_sys(err, "move '%s/%s' aside", s->path, name);
	event_warn(
		"'%s/%s' was not what a store has there, and was moved to '%s'", s->path, name, to);
	return 0;
}

static int
make_directories(const struct store *s, struct err *err)
{
	for (size_t i = 0; i < COUNT_OF(directories); i++) {
		if (mkdirat(s->root, directories[i], 0700) == 0)
			continue;
		if (errno != EEXIST)
			return err_sys(err, "create '%s/%s'", s->path, directories[i]);
		if (set_aside_odd(s, directories[i], S_IFDIR, err) < 0)
			return -1;
		if (mkdirat(s->root, directories[i], 0700) < 0 && errno != EEXIST)
			return err_sys(err, "create '%s/%s'", s->path, directories[i]);
	}
	for (size_t i = 0; i < COUNT_OF(files); i++)
		if (set_aside_odd(s, files[i], S_IFREG, err) < 0)
			return -1;
	return 0;
}

static int
check_version(const struct store *s, struct err *err)
{
	AUTO(buf) struct buf text = BUF_INIT;
	char *end = NULL;
	long version = 0;
	struct err missing = { 0 };

	if (file_read(s->root, "version", VERSION_FILE_MAX, &text, &missing) < 0) {
		if (missing.kind != ERR_NOTFOUND && missing.kind != ERR_INPUT)
			return err_set(err, missing.kind, "%s", missing.msg);
		if (refuse_foreign(s, err) < 0 || make_directories(s, err) < 0)
			return -1;
		return make_layout(s, err);
	}
	version = strtol(text.data, &end, 10);
	if (end == text.data || version < 1) { /* damaged; there has been no version 0 */
		event_warn("'%s/version' was damaged and is written anew", s->path);
		return make_directories(s, err) < 0 ? -1 : make_layout(s, err);
	}
	if (version > STORE_VERSION)
		return err_set(err, ERR_INPUT,
			"'%s' was made by a newer cooper (version %ld, this one knows %d)", s->path,
			version, STORE_VERSION);
	return make_directories(s, err);
}

static void
read_boot(struct store *s)
{
	AUTO(fd) int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, s->boot, sizeof s->boot - 1);

	s->boot[n < 0 ? 0 : n] = '\0';
	s->boot[strcspn(s->boot, "\n")] = '\0';
}

int
store_open(const char *root, struct store **out, struct err *err)
{
	AUTO(store) struct store *s = xzalloc(sizeof *s);
	AUTO(buf) struct buf wanted = BUF_INIT;
	AUTO(buf) struct buf path = BUF_INIT;

	s->root = -1;
	s->owner = getpid();
	if (root != NULL)
		buf_adds(&wanted, root);
	else if (default_root(&wanted, err) < 0)
		return -1;
	if (absolute(wanted.data, &path, err) < 0)
		return err_in(err, "store");
	s->path = buf_steal(&path);
	if (open_root(s->path, &s->root, err) < 0 || check_version(s, err) < 0 ||
		pins_open(s->root, &s->pins, err) < 0)
		return err_in(err, "store");
	read_boot(s);
	*out = steal(&s);
	return 0;
}

int
store_reopen(struct store *s, struct err *err)
{
	struct stat before, now;
	AUTO(fd) int root = -1;

	if (open_root(s->path, &root, err) < 0)
		return err_in(err, "store");
	if (fstat(s->root, &before) < 0 || fstat(root, &now) < 0)
		return err_sys(err, "store '%s'", s->path);
	if (before.st_dev != now.st_dev || before.st_ino != now.st_ino)
		return err_set(err, ERR_DENIED, "store '%s' is another directory now", s->path);
	/* over the old one, which others may have been lent */
	if (dup3(root, s->root, O_CLOEXEC) < 0)
		return err_sys(err, "store '%s'", s->path);
	return 0;
}

void
store_free(struct store *s)
{
	struct err ignored = { 0 };

	if (s == NULL)
		return;
	if (s->owner == getpid()) {
		store_batch_cancel(s);
		if (s->used.count > 0)
			store_used_flush(s, &ignored); /* only the order of eviction */
		db_free(s->db);
		pins_free(s->pins);
	} else {
		/* the database connection is the parent's, and SQLite's must not be closed after a
		 * fork */
		pins_leave(s->pins);
	}
	strv_free(&s->used);
	auto_fd(&s->root);
	free(s->path);
	free(s);
}

void
auto_store(struct store **s)
{
	store_free(*s);
	*s = NULL;
}

int
store_dir(const struct store *s)
{
	return s->root;
}

const char *
store_path(const struct store *s)
{
	return s->path;
}

int
store_pin(struct store *s, enum store_pin_kind kind, const char *text, struct err *err)
{
	return pins_add(s->pins, (char)kind, text, err) < 0 ? -1 : 0;
}

int
store_dir_sync(struct store *s, const char *name, struct err *err)
{
	AUTO(fd) int fd = openat(s->root, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || fsync(fd) < 0)
		return err_sys(err, "sync '%s/%s'", s->path, name);
	return 0;
}

int
store_condemn(struct store *s, const char *name, struct err *err)
{
	char to[64] = "trash/";

	store_id_new(to + strlen(to));
	if (renameat(s->root, name, s->root, to) < 0 && errno != ENOENT)
		return err_sys(err, "move '%s' to trash", name);
	return 0;
}

/* Trees committed by others during the syncfs are not meant: hence the highest row first. */
static int
sync_trees(struct store *s, struct db *db, struct err *err)
{
	AUTO(db_rows) struct db_rows *rows = NULL;
	int64_t last = 0;
	int result = 0;

	if (db_query(db, "SELECT max(rowid) FROM trees WHERE boot = ?", DB_ARGS(DB_TEXT(s->boot)),
		    &rows, err) < 0 ||
		db_next(rows, err) < 0)
		return -1;
	last = db_int(rows, 0);
	auto_db_rows(&rows);
	if (last == 0)
		return 0;
	if (syncfs(s->root) < 0)
		return err_sys(err, "sync '%s'", s->path);
	if (store_write_begin(s, false, err) < 0)
		return -1;
	result = db_run(db, "UPDATE trees SET boot = NULL WHERE boot = ? AND rowid <= ?",
		DB_ARGS(DB_TEXT(s->boot), DB_INT(last)), err);
	return store_write_end(s, result, err);
}

int
store_sync(struct store *s, struct err *err)
{
	int result = 0;

	if (store_dir_sync(s, "blobs/sha256", err) < 0 ||
		store_dir_sync(s, "blobs/sha512", err) < 0)
		return -1;
	if (s->db == NULL) /* then no tree was committed here */
		return 0;
	result = sync_trees(s, s->db, err);
	if (store_mended(s, result, err))
		result = 0; /* no trees any more */
	return result;
}
