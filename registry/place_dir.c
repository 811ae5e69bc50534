/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/place_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/strv.h"
#include "layers/texts.h"
#include "registry/place_file.h"

#define DIR_VERSION "Directory Transport Version: "
#define MANIFEST "manifest.json"
#define MANIFEST_SUFFIX ".manifest.json"

struct dir {
	struct place place;
	char *path; /* for messages */
	int root;
	/* What manifest.json is; empty: there is none yet. */
	struct digest image;
	pthread_mutex_t lock;
	struct texts files; /* that the image being written has */
};

static bool
is_document(const struct descriptor *d)
{
	return media_is_manifest(d->media_type) || media_is_index(d->media_type);
}

static void
file_name(const struct dir *dir, const struct descriptor *d, struct buf *out)
{
	if (digest_same(&d->digest, &dir->image))
		buf_adds(out, MANIFEST);
	else
		buf_addf(
			out, "%s%s", digest_hex(&d->digest), is_document(d) ? MANIFEST_SUFFIX : "");
}

static void
note_file(struct dir *dir, const char *name)
{
	pthread_mutex_lock(&dir->lock);
	texts_add(&dir->files, name);
	pthread_mutex_unlock(&dir->lock);
}

static int
dir_has(struct place *p, const struct descriptor *d, struct err *err)
{
	struct dir *dir = (struct dir *)p;
	AUTO(buf) struct buf name = BUF_INIT;
	int has;

	file_name(dir, d, &name);
	has = place_file_has(dir->root, name.data, d, dir->path, err);
	if (has == 1)
		note_file(dir, name.data);
	return has;
}

static int
dir_get(struct place *p, const struct descriptor *d, uint64_t offset, struct sink *out,
	struct err *err)
{
	struct dir *dir = (struct dir *)p;
	AUTO(buf) struct buf name = BUF_INIT;

	file_name(dir, d, &name);
	return place_file_get(dir->root, name.data, d, dir->path, offset, out, err);
}

static int
dir_put(struct place *p, const struct descriptor *d, struct source *from, struct err *err)
{
	struct dir *dir = (struct dir *)p;
	AUTO(buf) struct buf name = BUF_INIT;
	int has = dir_has(p, d, err);

	if (has != 0)
		return has < 0 ? -1 : 0;
	file_name(dir, d, &name);
	if (place_file_put(dir->root, name.data, d, dir->path, from, err) < 0)
		return -1;
	note_file(dir, name.data);
	return 0;
}

static int
read_manifest(struct dir *dir, struct buf *out, struct err *err)
{
	AUTO(fd) int fd = path_open(dir->root, MANIFEST, O_RDONLY | O_NONBLOCK, 0);

	if (fd < 0 && errno == ENOENT)
		return err_set(err, ERR_NOTFOUND,
			"'%s' has no image: there is no " MANIFEST " in it", dir->path);
	if (fd < 0)
		return err_sys(err, "'%s/" MANIFEST "'", dir->path);
	return buf_read(out, fd, MANIFEST_MAX, err) < 0
		       ? err_in(err, "'%s/" MANIFEST "'", dir->path)
		       : 0;
}

static int
dir_resolve(struct place *p, const char *name, struct descriptor *out, struct err *err)
{
	struct dir *dir = (struct dir *)p;
	AUTO(buf) struct buf bytes = BUF_INIT;
	struct descriptor d = { .size = 0 };
	const char *media_type = "";

	(void)name;
	if (read_manifest(dir, &bytes, err) < 0)
		return -1;
	if (manifest_sniff(bytes.data, bytes.len, &media_type, err) < 0)
		return err_in(err, "'%s/" MANIFEST "'", dir->path);
	media_type_clean(media_type, d.media_type);
	digest_of(bytes.data, bytes.len, &d.digest);
	d.size = bytes.len;
	dir->image = d.digest;
	descriptor_copy(&d, out);
	return 0;
}

/* A name that only this kind of directory gives to a file. */
static bool
is_ours(const char *name)
{
	size_t hex = strspn(name, "0123456789abcdef");

	return (hex == 64 || hex == 128) &&
	       (name[hex] == '\0' || streq(name + hex, MANIFEST_SUFFIX));
}

/* What an earlier image left, and the new one's manifest under the name that it had until now. */
static int
remove_others(struct dir *dir, const struct digest *image, struct err *err)
{
	AUTO(free) char *was = xasprintf("%s" MANIFEST_SUFFIX, digest_hex(image));
	AUTO(strv) struct strv names = STRV_INIT;

	if (path_names(dir->root, &names, err) < 0)
		return -1;
	for (size_t i = 0; i < names.count; i++) {
		const char *name = names.items[i];

		if (!is_ours(name) || (texts_has(&dir->files, name) && !streq(name, was)))
			continue;
		if (unlinkat(dir->root, name, 0) < 0 && errno != ENOENT)
			return err_sys(err, "'%s/%s'", dir->path, name);
	}
	return 0;
}

static int
dir_tag(struct place *p, const char *name, const struct descriptor *d, struct err *err)
{
	struct dir *dir = (struct dir *)p;
	AUTO(buf) struct buf bytes = BUF_INIT;

	(void)name;
	if (place_read(p, d, MANIFEST_MAX, &bytes, err) < 0)
		return -1;
	/* what it names must outlive a power loss as it does */
	if (fsync(dir->root) < 0)
		return err_sys(err, "sync '%s'", dir->path);
	if (file_write(dir->root, MANIFEST, bytes.data, bytes.len, 0644, FILE_SYNC, err) < 0)
		return err_in(err, "'%s'", dir->path);
	dir->image = d->digest;
	return remove_others(dir, &d->digest, err);
}

static void
dir_free(struct place *p)
{
	struct dir *dir = (struct dir *)p;

	auto_fd(&dir->root);
	texts_free(&dir->files);
	pthread_mutex_destroy(&dir->lock);
	free(dir->path);
	free(dir);
}

static const struct place_ops ops = {
	.scheme = "dir",
	.resolve = dir_resolve,
	.tag = dir_tag,
	.has = dir_has,
	.get = dir_get,
	.put = dir_put,
	.free = dir_free,
};

/* skopeo writes 1.1, and 1.0 was the same. */
static int
check_version(struct dir *dir, struct err *err)
{
	AUTO(buf) struct buf bytes = BUF_INIT;
	AUTO(fd) int fd = path_open(dir->root, "version", O_RDONLY | O_NONBLOCK, 0);

	if (fd < 0 && errno == ENOENT)
		return err_set(err, ERR_INPUT,
			"'%s' is not what 'dir:' means: it has no file 'version'; an OCI layout is "
			"'oci:%s'",
			dir->path, dir->path);
	if (fd < 0)
		return err_sys(err, "'%s/version'", dir->path);
	if (buf_read(&bytes, fd, PLACE_DIR_VERSION_MAX, err) < 0)
		return err_in(err, "'%s/version'", dir->path);
	if (!starts_with(bytes.data, DIR_VERSION "1."))
		return err_set(err, ERR_INPUT, "'%s': only version 1 of such directories is known",
			dir->path);
	return 0;
}

/* Nobody's files are mixed with an image's, and of two who write at once, one would remove the other's. */
static int
begin(struct dir *dir, struct err *err)
{
	static const char version[] = DIR_VERSION "1.1\n";
	AUTO(strv) struct strv names = STRV_INIT;

	if (flock(dir->root, LOCK_EX | LOCK_NB) < 0)
		return err_sys(err, "'%s': somebody else writes to it", dir->path);
	if (path_names(dir->root, &names, err) < 0)
		return err_in(err, "'%s'", dir->path);
	if (names.count > 0)
		return check_version(dir, err);
	if (file_write(dir->root, "version", version, strlen(version), 0644, FILE_SYNC, err) < 0)
		return err_in(err, "'%s'", dir->path);
	return 0;
}

int
place_dir_open(const char *path, enum place_dir_access access, struct place **out, struct err *err)
{
	AUTO(place) struct place *p = xzalloc(sizeof(struct dir));
	struct dir *dir = (struct dir *)p;

	p->ops = &ops;
	dir->path = xstrdup(path);
	pthread_mutex_init(&dir->lock, NULL);
	if (access == PLACE_DIR_WRITE && mkdirat(AT_FDCWD, path, 0777) < 0 && errno != EEXIST)
		return err_sys(err, "'%s'", path);
	dir->root = openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir->root < 0)
		return err_sys(err, "'%s'", path);
	if ((access == PLACE_DIR_WRITE ? begin(dir, err) : check_version(dir, err)) < 0)
		return -1;
	*out = steal(&p);
	return 0;
}
