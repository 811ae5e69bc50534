/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/memory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "layers/store.h"

static void
name_of(char kind, const char *host, const char *repository, const char *digest, char out[67])
{
	AUTO(buf) struct buf text = BUF_INIT;
	struct digest d;

	buf_addf(&text, "%s\n%s\n%s", host, repository, digest);
	digest_of(text.data, text.len, &d);
	snprintf(out, 67, "%c-%.64s", kind, digest_hex(&d));
}

static bool
is_fresh(const struct stat *st, int64_t limit)
{
	int64_t age = (int64_t)time(NULL) - (int64_t)st->st_mtime;

	return age >= -60 && age <= limit; /* clocks of shared disks differ a little */
}

/* The document in an open file that is not too old; NULL otherwise. */
static json_t *
read_document(int fd, int64_t limit)
{
	AUTO(buf) struct buf text = BUF_INIT;
	json_t *document = NULL;
	struct stat st;
	struct err ignored;
	ssize_t n;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size <= 0 ||
		st.st_size > MEMORY_FILE_MAX || !is_fresh(&st, limit))
		return NULL;
	n = fd_pread(fd, buf_reserve(&text, MEMORY_FILE_MAX), (size_t)st.st_size, 0);
	if (n < 0 || json_parse(text.data, (size_t)n, &document, &ignored) < 0)
		return NULL;
	return document;
}

void
memory_host_read(struct store *s, const char *host, struct memory_host *out)
{
	AUTO(fd) int dir = -1;
	AUTO(fd) int fd = -1;
	AUTO(json) json_t *document = NULL;
	struct memory_host m = { .chunk_min = 0 };
	const char *whose = NULL;
	char name[67];
	struct err ignored;

	*out = m;
	if (s == NULL)
		return;
	dir = store_hosts_open(s, &ignored);
	if (dir < 0)
		return;
	name_of('h', host, "", "", name);
	fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	document = fd >= 0 ? read_document(fd, MEMORY_HOST_S) : NULL;
	if (document == NULL || json_get_string(document, "host", &whose, &ignored) < 0 ||
		whose == NULL || !streq(whose, host) ||
		json_get_bool(document, "noMonolithic", &m.no_monolithic, &ignored) < 0 ||
		json_get_bool(document, "noChunks", &m.no_chunks, &ignored) < 0 ||
		json_get_bool(document, "smallChunks", &m.small_chunks, &ignored) < 0 ||
		json_get_bool(document, "noMount", &m.no_mount, &ignored) < 0 ||
		json_get_uint(document, "chunkMin", &m.chunk_min, &ignored) < 0)
		return;
	*out = m;
}

void
memory_host_write(struct store *s, const char *host, const struct memory_host *m)
{
	AUTO(fd) int dir = -1;
	AUTO(json) json_t *document = json_object();
	AUTO(buf) struct buf text = BUF_INIT;
	char name[67];
	struct err ignored;

	if (s == NULL)
		return;
	dir = store_hosts_open(s, &ignored);
	if (dir < 0)
		return;
	json_object_set_new(document, "host", json_text(host));
	json_object_set_new(document, "noMonolithic", json_boolean(m->no_monolithic));
	json_object_set_new(document, "noChunks", json_boolean(m->no_chunks));
	json_object_set_new(document, "smallChunks", json_boolean(m->small_chunks));
	json_object_set_new(document, "noMount", json_boolean(m->no_mount));
	json_object_set_new(document, "chunkMin", json_integer((json_int_t)m->chunk_min));
	json_format(document, JSON_STYLE_COMPACT, &text);
	name_of('h', host, "", "", name);
	file_write(dir, name, text.data, text.len, 0600, FILE_NO_SYNC, &ignored);
}

/* One that nobody is at any more, and that is too old to go on with. */
static void
forget_old(int dir)
{
	int copy = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = copy >= 0 ? fdopendir(copy) : NULL;
	struct dirent *entry;

	if (d == NULL) {
		auto_fd(&copy);
		return;
	}
	while ((entry = readdir(d)) != NULL) {
		AUTO(fd) int fd = -1;
		struct stat st;

		if (!starts_with(entry->d_name, "u-"))
			continue;
		fd = openat(dir, entry->d_name, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
		if (fd >= 0 && fstat(fd, &st) == 0 && !is_fresh(&st, MEMORY_UPLOAD_S) &&
			flock(fd, LOCK_EX | LOCK_NB) == 0)
			unlinkat(dir, entry->d_name, 0);
	}
	closedir(d);
}

/* The file under that name, locked; -1 where somebody else has it.  One that was removed between
 * opening and locking is nobody's, and another try makes a new one. */
static int
open_locked(int dir, const char *name)
{
	struct stat st;
	int i;

	for (i = 0; i < 3; i++) {
		AUTO(fd)
		int fd = openat(
			dir, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);

		if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0)
			return -1;
		if (fstat(fd, &st) == 0 && st.st_nlink == 1)
			return fd_steal(&fd);
	}
	return -1;
}

void
memory_upload_begin(struct store *s, const char *host, const char *repository,
	const struct digest *d, struct memory_upload *u)
{
	AUTO(json) json_t *document = NULL;
	const char *location = NULL;
	struct err ignored;

	*u = (struct memory_upload)MEMORY_UPLOAD_INIT;
	if (s == NULL)
		return;
	u->dir = store_hosts_open(s, &ignored);
	if (u->dir < 0)
		return;
	forget_old(u->dir);
	name_of('u', host, repository, d->text, u->name);
	u->fd = open_locked(u->dir, u->name);
	if (u->fd < 0) {
		auto_fd(&u->dir);
		return;
	}
	document = read_document(u->fd, MEMORY_UPLOAD_S);
	if (document != NULL && json_get_string(document, "location", &location, &ignored) == 1)
		u->has_location = url_parse(location, &u->location, &ignored) == 0;
}

void
memory_upload_write(struct memory_upload *u, const struct url *location)
{
	AUTO(json) json_t *document = NULL;
	AUTO(buf) struct buf text = BUF_INIT;
	AUTO(buf) struct buf shown = BUF_INIT;

	if (u->fd < 0)
		return;
	document = json_object();
	url_format(location, &shown);
	json_object_set_new(document, "location", json_text(shown.data));
	json_format(document, JSON_STYLE_COMPACT, &text);
	/* cut short by a crash it is no document any more, and the upload starts anew */
	if (ftruncate(u->fd, 0) < 0 || lseek(u->fd, 0, SEEK_SET) != 0 ||
		fd_write(u->fd, text.data, text.len) < 0)
		(void)!ftruncate(u->fd, 0);
}

void
memory_upload_end(struct memory_upload *u, bool is_done)
{
	struct stat st;

	if (u->fd >= 0 && (is_done || (fstat(u->fd, &st) == 0 && st.st_size == 0)))
		unlinkat(u->dir, u->name, 0);
	auto_fd(&u->fd);
	auto_fd(&u->dir);
}
