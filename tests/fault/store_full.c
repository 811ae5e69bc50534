/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/path.h"
#include "tests/fault/store_work.h"

/* A store on a file system that is full: what fails says why, what was named stays, and gc gives
 * the space back.  Needs a mount of its own, so a user namespace or root. */

#define SIZE "size=3m"
#define SKIPPED 77

static bool
write_map(const char *path, const char *text)
{
	AUTO(fd) int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd >= 0 && fd_write(fd, text, strlen(text)) == 0;
}

/* Without a map, nothing in it has an owner that the kernel would write to a disk. */
static bool
own_users(void)
{
	char uid[64];
	char gid[64];

	snprintf(uid, sizeof uid, "0 %u 1", (unsigned)geteuid());
	snprintf(gid, sizeof gid, "0 %u 1", (unsigned)getegid());
	return unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 &&
	       write_map("/proc/self/setgroups", "deny") && write_map("/proc/self/uid_map", uid) &&
	       write_map("/proc/self/gid_map", gid);
}

static bool
own_tmpfs(const char *dir)
{
	if (geteuid() == 0 ? unshare(CLONE_NEWNS) < 0 : !own_users())
		return false;
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return false;
	return mount("tmpfs", dir, "tmpfs", MS_NODEV | MS_NOSUID, SIZE) == 0;
}

static bool
says_full(const struct err *err)
{
	return strstr(err->msg, strerror(ENOSPC)) != NULL;
}

/* Blobs of 50 KB that nobody names, until one does not fit. */
static void
fill_up(struct work *w, uint32_t salt)
{
	AUTO(free) char *bytes = xmalloc(50000);
	struct digest d;

	for (uint32_t i = 0; i < 1000; i++) {
		memset(bytes, (int)i, 50000);
		memcpy(bytes, &i, sizeof i);
		memcpy(bytes + 4, &salt, sizeof salt);
		if (store_blob_put(w->store, bytes, 50000, &d, &w->err) < 0) {
			if (!says_full(&w->err))
				work_need(-1, w);
			return;
		}
	}
	work_need(err_set(&w->err, ERR_INPUT, "the file system did not fill up"), w);
}

/* The last kilobytes too, so that not even a row fits. */
static void
fill_the_rest(struct work *w)
{
	AUTO(fd)
	int fd = openat(
		store_dir(w->store), "ingest/new-rest", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	char page[4096];

	memset(page, 'x', sizeof page);
	while (fd_write(fd, page, sizeof page) == 0)
		;
}

/* Records that must be refused aloud, or kept; never half. */
static void
write_records(struct work *w)
{
	for (int i = 0; i < 200; i++) {
		char key[32];

		snprintf(key, sizeof key, "host%d.example.org", i);
		if (store_note_put(w->store, "host", key, key, strlen(key), &w->err) < 0 &&
			!says_full(&w->err))
			work_need(-1, w);
	}
}

static void
record_steps(struct work *w)
{
	work_need(store_batch_begin(w->store, &w->err), w);
	for (int i = 0; i < 400; i++) {
		AUTO(json)
		json_t *value = json_pack("{s:s}", "did", "RUN with a rather long command line");
		char key[32];
		struct cache_record record = { .key = key, .group = (char *)"RUN", .value = value };

		snprintf(key, sizeof key, "step-%d", i);
		work_need(store_cache_put(w->store, &record, &w->err), w);
	}
	work_need(store_batch_end(w->store, &w->err), w);
}

static void
collect(struct work *w)
{
	struct gc_options all = { .drop_cache = true, .drop_partials = true };
	struct gc_result r = { 0 };

	work_need(store_gc(w->store, &all, &r, &w->err), w);
	printf("# gc: %ju blobs, %ju partials, %ju bytes\n", (uintmax_t)r.blobs,
		(uintmax_t)r.partials, (uintmax_t)r.freed);
}

static int
one_time(const char *root, uint32_t salt, bool warm)
{
	struct work w = { .random = salt + 1 };
	AUTO(store) struct store *other = NULL;
	AUTO(store_names) struct store_names names = STORE_NAMES_INIT;
	struct descriptor image;
	int bad = 0;

	work_need(store_open(root, &w.store, &w.err), &w);
	work_image(&w, &image);
	work_need(store_name_set(w.store, "example.org/kept", &image, &w.err), &w);
	record_steps(&w); /* rows that gc has to delete, for which there is no room */
	fill_up(&w, salt);
	fill_the_rest(&w);
	write_records(&w);
	if (store_name_set(w.store, "example.org/other", &image, &w.err) < 0 && !says_full(&w.err))
		work_need(-1, &w);
	/* the pins must go; another connection stays open, or gc has to open the database of a full
	 * store */
	if (warm) {
		work_need(store_open(root, &other, &w.err), &w);
		work_need(store_name_list(other, &names, &w.err), &w);
	}
	auto_store(&w.store);
	work_need(store_open(root, &w.store, &w.err), &w);
	collect(&w);
	bad = work_check(&w);
	work_need(store_name_get(w.store, "example.org/kept", NULL, &w.err), &w);
	work_image(&w, &image);
	work_need(store_name_set(w.store, "example.org/after", &image, &w.err), &w);
	auto_store(&w.store);
	return bad;
}

static int
run(const char *dir)
{
	char root[64];
	int bad = 0;

	snprintf(root, sizeof root, "%s/store", dir);
	for (uint32_t i = 0; i < 5; i++)
		bad += one_time(root, i, i % 2 == 0);
	printf("%sok 1 - a full store loses nothing, and gc frees it\n", bad != 0 ? "not " : "");
	return bad != 0;
}

int
main(void)
{
	char dir[] = "/tmp/store-full-XXXXXX";
	int status = 0;
	pid_t pid = 0;

	if (mkdtemp(dir) == NULL)
		return 1;
	printf("1..1\n");
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		int result = SKIPPED;

		if (own_tmpfs(dir))
			result = run(dir);
		else
			printf("ok 1 # SKIP no file system of its own: %s\n", strerror(errno));
		fflush(stdout);
		_exit(result);
	}
	waitpid(pid, &status, 0);
	rmdir(dir);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
