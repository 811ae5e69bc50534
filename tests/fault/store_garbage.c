/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/path.h"
#include "tests/fault/store_work.h"

/* Every file that the store keeps for itself is damaged in every way.  Whoever uses it then must
 * not crash or hang, and after a repair the store is clean, and works. Usage: store_garbage [seed]
 */

/* What may have happened to a file. */
static void
truncate_it(int dir, const char *path, struct work *w)
{
	AUTO(fd) int fd = openat(dir, path, O_WRONLY | O_CLOEXEC);

	if (fd >= 0 && ftruncate(fd, (off_t)(work_random(w) % 50)) < 0)
		work_need(err_sys(&w->err, "truncate"), w);
}

static void
empty_it(int dir, const char *path, struct work *w)
{
	AUTO(fd) int fd = openat(dir, path, O_WRONLY | O_TRUNC | O_CLOEXEC);

	(void)w;
	(void)fd;
}

static void
overwrite(int dir, const char *path, struct work *w)
{
	AUTO(fd) int fd = openat(dir, path, O_WRONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return;
	for (off_t at = 0; at < st.st_size || at == 0; at += 512) {
		uint32_t noise[128];

		for (size_t i = 0; i < COUNT_OF(noise); i++)
			noise[i] = work_random(w);
		if (pwrite(fd, noise, sizeof noise, at) < 0)
			work_need(err_sys(&w->err, "overwrite"), w);
	}
}

static void
flip_bytes(int dir, const char *path, struct work *w)
{
	AUTO(fd) int fd = openat(dir, path, O_WRONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || st.st_size == 0)
		return;
	for (int i = 0; i < 50; i++) {
		char noise = (char)work_random(w);

		if (pwrite(fd, &noise, 1, (off_t)(work_random(w) % (uint32_t)st.st_size)) < 0)
			work_need(err_sys(&w->err, "flip"), w);
	}
}

static void
remove_it(int dir, const char *path, struct work *w)
{
	work_need(path_remove(dir, path, &w->err), w);
}

static void
make_directory(int dir, const char *path, struct work *w)
{
	remove_it(dir, path, w);
	if (mkdirat(dir, path, 0700) < 0)
		work_need(err_sys(&w->err, "mkdir"), w);
}

static void
make_link(int dir, const char *path, struct work *w)
{
	remove_it(dir, path, w);
	if (symlinkat("/etc/passwd", dir, path) < 0)
		work_need(err_sys(&w->err, "symlink"), w);
}

static void
make_fifo(int dir, const char *path, struct work *w)
{
	remove_it(dir, path, w);
	if (mkfifoat(dir, path, 0600) < 0)
		work_need(err_sys(&w->err, "mkfifo"), w);
}

static const struct {
	const char *what;
	void (*damage)(int dir, const char *path, struct work *w);
} damages[] = {
	{ "truncated", truncate_it },
	{ "emptied", empty_it },
	{ "overwritten", overwrite },
	{ "with flipped bytes", flip_bytes },
	{ "removed", remove_it },
	{ "made a directory", make_directory },
	{ "made a link", make_link },
	{ "made a fifo", make_fifo },
};

/* A file, or any of a directory.  name: what was named before must still be. */
static const struct {
	const char *path;
	bool is_dir;
	bool keeps_names;
} victims[] = {
	{ "version", false, true },
	{ "oci-layout", false, true },
	{ "index.json", false, true },
	{ "db.lock", false, true },
	{ "db.sqlite", false, false },
	{ "db.sqlite-wal", false, false },
	{ "db.sqlite-shm", false, true },
	{ "pins/lock", false, true },
	{ "pins", true, true },
	{ "listings", true, true },
	{ "ingest", true, true },
	{ "blobs/sha256", true, false },
};

static bool
choose(int dir, const char *path, bool is_dir, struct work *w, char out[300])
{
	DIR *d = NULL;
	struct dirent *entry = NULL;
	int fd = -1;

	snprintf(out, 300, "%s", path);
	if (!is_dir)
		return true;
	fd = openat(dir, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	d = fdopendir(fd);
	out[0] = '\0';
	while (d != NULL && (entry = readdir(d)) != NULL)
		if (entry->d_name[0] != '.' && (out[0] == '\0' || work_random(w) % 3 == 0))
			snprintf(out, 300, "%s/%.200s", path, entry->d_name);
	if (d != NULL)
		closedir(d);
	return out[0] != '\0';
}

static void
fill(struct work *w, const char *root)
{
	struct descriptor image;

	work_need(store_open(root, &w->store, &w->err), w);
	work_image(w, &image);
	work_need(store_name_set(w->store, "kept", &image, &w->err), w);
	for (int i = 0; i < 4; i++)
		work_step(w);
	work_partial(w);
	work_partial(w);
	/* left behind, as by a process that was killed */
	work_need(file_write(store_dir(w->store), "pins/dead", "\nb x\n", 5, 0600, FILE_NO_SYNC,
			  &w->err),
		w);
	auto_store(&w->store);
}

/* Everything that may happen to a damaged store; errors are fine, and told. */
static void
use(struct work *w, const char *root)
{
	AUTO(store_names) struct store_names names = STORE_NAMES_INIT;
	struct gc_options o = { .drop_partials = true };
	struct gc_result r = { 0 };
	struct digest d;

	if (store_open(root, &w->store, &w->err) < 0)
		return;
	store_name_list(w->store, &names, &w->err);
	store_name_get(w->store, "kept", NULL, &w->err);
	store_blob_put(w->store, "hello", 5, &d, &w->err);
	store_note_put(w->store, "host", "a", "b", 1, &w->err);
	store_gc(w->store, &o, &r, &w->err);
	auto_store(&w->store);
}

static int
repair(struct work *w, const char *root, bool keeps_names)
{
	struct check_options o = { .repair = true };
	struct check_result r = { 0 };
	int bad = 0;

	if (store_open(root, &w->store, &w->err) < 0 ||
		store_check(w->store, &o, NULL, NULL, &r, &w->err) < 0) {
		printf("# %s\n", w->err.msg);
		auto_store(&w->store);
		return 1;
	}
	bad = work_check(w);
	if (keeps_names && store_name_get(w->store, "kept", NULL, &w->err) != 1) {
		printf("# the name is lost\n");
		bad++;
	}
	auto_store(&w->store);
	return bad;
}

/* Damage may happen to look like the version of a newer store.  That is left alone; what is too long to be a version
 * is none, whatever it begins with. */
#define VERSION_MAX 64

static bool
looks_newer(int dir)
{
	AUTO(buf) struct buf text = BUF_INIT;
	struct err ignored = { 0 };

	return file_read(dir, "version", VERSION_MAX, &text, &ignored) == 0 &&
	       strtol(text.data, NULL, 10) > 1;
}

static int
is_refused(struct work *w, const char *root)
{
	if (store_open(root, &w->store, &w->err) < 0 && strstr(w->err.msg, "newer cooper") != NULL)
		return 0;
	printf("# a newer store was opened: %s\n", w->err.msg);
	auto_store(&w->store);
	return 1;
}

/* In a child of its own, with a time limit, for it must neither crash nor hang. */
static int
one_damage(const char *dir, size_t victim, size_t damage, uint64_t seed)
{
	struct work w = { .random = seed | 1 };
	char root[64];
	char path[300];
	bool chosen = false, is_newer = false;
	int fd = -1;
	int bad = 0;

	alarm(60);
	snprintf(root, sizeof root, "%s/store", dir);
	fill(&w, root);
	fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	chosen = choose(fd, victims[victim].path, victims[victim].is_dir, &w, path);
	if (chosen)
		damages[damage].damage(fd, path, &w);
	is_newer = looks_newer(fd);
	close(fd);
	use(&w, root);
	bad = is_newer ? is_refused(&w, root) : repair(&w, root, victims[victim].keeps_names);
	if (bad == 0 && !is_newer)
		fill(&w, root);
	work_need(path_remove(AT_FDCWD, root, &w.err), &w);
	return bad != 0;
}

int
main(int argc, char **argv)
{
	uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 10) : (uint64_t)time(NULL);
	char dir[32] = "/dev/shm/store-garbage-XXXXXX"; /* where a sync costs nothing */
	struct err err = { 0 };
	int bad = 0;

	if (mkdtemp(dir) == NULL) {
		strcpy(dir, "/tmp/store-garbage-XXXXXX");
		if (mkdtemp(dir) == NULL)
			return 1;
	}
	printf("# seed %ju\n1..%zu\n", (uintmax_t)seed, COUNT_OF(victims));
	for (size_t v = 0; v < COUNT_OF(victims); v++) {
		int failed = 0;

		for (size_t d = 0; d < COUNT_OF(damages); d++) {
			int status = 0;
			pid_t pid = 0;

			fflush(stdout);
			pid = fork();
			if (pid == 0) {
				int result = one_damage(dir, v, d, seed + v * 100 + d);

				fflush(stdout);
				_exit(result);
			}
			waitpid(pid, &status, 0);
			if (status != 0) {
				printf("# %s %s: status %#x\n", victims[v].path, damages[d].what,
					(unsigned)status);
				failed++;
				path_remove(AT_FDCWD, dir, &err);
				mkdir(dir, 0700);
			}
		}
		printf("%sok %zu - %s\n", failed ? "not " : "", v + 1, victims[v].path);
		bad += failed;
	}
	path_remove(AT_FDCWD, dir, &err);
	return bad != 0;
}
