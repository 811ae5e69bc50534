/* SPDX-License-Identifier: Apache-2.0 */
#include "layers/pin.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/path.h"
#include "layers/store_local.h"
#include "layers/texts.h"

#define LOCK_NAME "pins/lock"
#define PIN_FILE_MAX (256u << 20)

struct pins {
	int root; /* lent */
	int fd;
	char name[48];
	pthread_mutex_t mutex;
	struct texts lines; /* what is in the file already */
};

/* A description of its own each time: one that a worker shared would be unlocked by either. */
static int
take_lock(int root, int how, struct err *err)
{
	AUTO(fd) int fd = openat(root, LOCK_NAME, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return err_sys(err, "open '" LOCK_NAME "'");
	while (flock(fd, how) < 0)
		if (errno != EINTR)
			return err_sys(err, "lock '" LOCK_NAME "'");
	return fd_steal(&fd);
}

int
pins_lock(int root, struct err *err)
{
	return take_lock(root, LOCK_EX, err);
}

int
pins_open(int root, struct pins **out, struct err *err)
{
	AUTO(fd) int guard = take_lock(root, LOCK_SH, err);
	AUTO(fd) int fd = -1;
	struct pins *p = NULL;
	char name[48] = "pins/";

	if (guard < 0)
		return -1;
	store_id_new(name + strlen(name));
	fd = openat(root, name, O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_sys(err, "create '%s'", name);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return err_sys(err, "lock '%s'", name);
	p = xzalloc(sizeof *p);
	p->root = root;
	p->fd = fd_steal(&fd);
	memcpy(p->name, name, sizeof name);
	pthread_mutex_init(&p->mutex, NULL);
	*out = p;
	return 0;
}

void
pins_leave(struct pins *p)
{
	if (p == NULL)
		return;
	texts_free(&p->lines);
	auto_fd(&p->fd);
	pthread_mutex_destroy(&p->mutex);
	free(p);
}

void
pins_free(struct pins *p)
{
	char name[sizeof p->name];
	int root = -1;
	AUTO(fd) int fd = -1;

	if (p == NULL)
		return;
	memcpy(name, p->name, sizeof name);
	root = p->root;
	pins_leave(p);
	/* A worker that was left behind still holds it: then gc finds it later. */
	fd = openat(root, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
		unlinkat(root, name, 0);
}

static int
append(struct pins *p, const char *line, struct err *err)
{
	AUTO(fd) int guard = take_lock(p->root, LOCK_SH, err);
	size_t len = strlen(line);
	ssize_t written = 0;

	if (guard < 0)
		return -1;
	/* Each line begins with its own newline, so that one cut short by a full disk spoils no
	 * other. */
	do {
		written = write(p->fd, line, len);
	} while (written < 0 && errno == EINTR);
	if (written >= 0 && (size_t)written < len) {
		errno = ENOSPC;
		written = -1;
	}
	return written < 0 ? err_sys(err, "write '%s'", p->name) : 0;
}

static int
add_line(struct pins *p, const char *line, struct err *err)
{
	if (texts_has(&p->lines, line))
		return 0;
	if (append(p, line, err) < 0)
		return -1;
	texts_add(&p->lines, line);
	return 1;
}

int
pins_add(struct pins *p, char kind, const char *text, struct err *err)
{
	char line[256];
	int len = snprintf(line, sizeof line, "\n%c %s\n", kind, text);
	int result = 0;

	if (len < 0 || (size_t)len >= sizeof line || strchr(text, '\n') != NULL)
		return err_set(err, ERR_INPUT, "pin '%.80s': not a name", text);
	pthread_mutex_lock(&p->mutex);
	result = add_line(p, line, err);
	pthread_mutex_unlock(&p->mutex);
	return result;
}

struct each {
	bool is_locked;
	int (*line)(char kind, const char *text, void *arg, struct err *err);
	void *arg;
};

static int
read_lines(int fd, const struct each *e, struct err *err)
{
	AUTO(buf) struct buf text = BUF_INIT;
	char *rest = NULL;
	char *line = NULL;

	if (buf_read(&text, fd, PIN_FILE_MAX, err) < 0)
		return err_in(err, "read pins");
	rest = text.data;
	while ((line = strsep(&rest, "\n")) != NULL) {
		/* the last one has no newline when it was cut short */
		if (rest == NULL || strlen(line) < 3 || line[1] != ' ')
			continue;
		if (e->line(line[0], line + 2, e->arg, err) < 0)
			return -1;
	}
	return 0;
}

/* Whoever makes a pin file locks it before pins/lock is free again: so one that can be locked while
 * that is held is a dead process's, and at other times perhaps one that is just being made. */
static int
read_file(int root, const char *name, const struct each *e, struct err *err)
{
	AUTO(fd) int fd = -1;
	char path[300];
	struct stat st;

	snprintf(path, sizeof path, "pins/%s", name);
	fd = openat(root, path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0 && errno != ENOENT && errno != ELOOP && errno != EISDIR)
		return err_sys(err, "open '%s'", path);
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) /* gone, or nobody's */
		return e->is_locked ? path_remove(root, path, err) : 0;
	if (!e->is_locked)
		return read_lines(fd, e, err);
	if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
		unlinkat(root, path, 0);
		return 0;
	}
	if (errno != EWOULDBLOCK)
		return err_sys(err, "lock '%s'", path);
	return read_lines(fd, e, err);
}

int
pins_each(int root, bool is_locked,
	int (*each)(char kind, const char *text, void *arg, struct err *err), void *arg,
	struct err *err)
{
	AUTO(fd) int fd = openat(root, "pins", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	AUTO(strv) struct strv names = STRV_INIT;
	const struct each e = { .is_locked = is_locked, .line = each, .arg = arg };

	if (fd < 0)
		return err_sys(err, "open 'pins'");
	if (path_names(fd, &names, err) < 0)
		return err_in(err, "'pins'");
	for (size_t i = 0; i < names.count; i++) {
		if (names.items[i][0] == '.' || strcmp(names.items[i], "lock") == 0)
			continue;
		if (read_file(root, names.items[i], &e, err) < 0)
			return -1;
	}
	return 0;
}
