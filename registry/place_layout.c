/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/place_layout.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/path.h"
#include "registry/place_file.h"

#define LAYOUT_VERSION "1.0.0"

struct layout {
	struct place place;
	char *path; /* for messages */
	int root;
};

static void
blob_path(const struct digest *d, struct buf *out)
{
	buf_addf(out, "blobs/%s/%s", digest_algorithm_name(d), digest_hex(d));
}

static int
layout_has(struct place *p, const struct descriptor *d, struct err *err)
{
	struct layout *l = (struct layout *)p;
	AUTO(buf) struct buf path = BUF_INIT;

	blob_path(&d->digest, &path);
	return place_file_has(l->root, path.data, d, l->path, err);
}

static int
layout_get(struct place *p, const struct descriptor *d, uint64_t offset, struct sink *out,
	struct err *err)
{
	struct layout *l = (struct layout *)p;
	AUTO(buf) struct buf path = BUF_INIT;

	blob_path(&d->digest, &path);
	return place_file_get(l->root, path.data, d, l->path, offset, out, err);
}

static int
layout_put(struct place *p, const struct descriptor *d, struct source *from, struct err *err)
{
	struct layout *l = (struct layout *)p;
	AUTO(free) char *dir_path = xasprintf("blobs/%s", digest_algorithm_name(&d->digest));
	AUTO(fd) int dir = -1;
	int has = layout_has(p, d, err);

	if (has != 0)
		return has < 0 ? -1 : 0;
	if (digest_algorithm(&d->digest) != DIGEST_SHA256)
		return err_set(err, ERR_INPUT, "%s: only sha256 can be written to a layout",
			d->digest.text);
	dir = path_mkdirs(l->root, dir_path, 0755);
	if (dir < 0)
		return err_sys(err, "'%s/%s'", l->path, dir_path);
	return place_file_put(dir, digest_hex(&d->digest), d, l->path, from, err);
}

int
place_layout_catalog(struct place *p, struct catalog *out, struct err *err)
{
	struct layout *l = (struct layout *)p;
	AUTO(buf) struct buf bytes = BUF_INIT;
	AUTO(fd) int fd = path_open(l->root, "index.json", O_RDONLY | O_NONBLOCK, 0);

	if (fd < 0)
		return err_sys(err, "'%s/index.json'", l->path);
	if (buf_read(&bytes, fd, MANIFEST_MAX, err) < 0 ||
		catalog_parse(bytes.data, bytes.len, out, err) < 0)
		return err_in(err, "'%s'", l->path);
	return 0;
}

static int
layout_resolve(struct place *p, const char *name, struct descriptor *out, struct err *err)
{
	struct layout *l = (struct layout *)p;
	AUTO(catalog) struct catalog catalog = CATALOG_INIT;
	const struct descriptor *d = NULL;

	if (place_layout_catalog(p, &catalog, err) < 0)
		return -1;
	if (catalog_find(&catalog, name, &d, err) < 0)
		return err_in(err, "'%s'", l->path);
	descriptor_copy(d, out);
	return 0;
}

/* What the index names must outlive a power loss as the index does. */
static int
sync_dirs(struct layout *l, struct err *err)
{
	static const char *const dirs[] = { "blobs/sha256", "blobs/sha512", "blobs" };

	for (size_t i = 0; i < COUNT_OF(dirs); i++) {
		AUTO(fd) int dir = path_open(l->root, dirs[i], O_RDONLY | O_DIRECTORY, 0);

		if (dir < 0 && errno == ENOENT)
			continue;
		if (dir < 0 || fsync(dir) < 0)
			return err_sys(err, "sync '%s/%s'", l->path, dirs[i]);
	}
	return 0;
}

static int
layout_tag(struct place *p, const char *name, const struct descriptor *d, struct err *err)
{
	struct layout *l = (struct layout *)p;
	AUTO(catalog) struct catalog catalog = CATALOG_INIT;
	AUTO(buf) struct buf bytes = BUF_INIT;
	AUTO(fd) int lock = path_open(l->root, "oci-layout", O_RDONLY | O_NONBLOCK, 0);

	if (lock < 0 || flock(lock, LOCK_EX) < 0)
		return err_sys(err, "'%s/oci-layout'", l->path);
	if (place_layout_catalog(p, &catalog, err) < 0)
		return -1;
	catalog_set(&catalog, name, d);
	catalog_format(&catalog, &bytes);
	if (sync_dirs(l, err) < 0)
		return -1;
	if (file_write(l->root, "index.json", bytes.data, bytes.len, 0644, FILE_SYNC, err) < 0)
		return err_in(err, "'%s'", l->path);
	return 0;
}

static void
layout_free(struct place *p)
{
	struct layout *l = (struct layout *)p;

	auto_fd(&l->root);
	free(l->path);
	free(l);
}

static const struct place_ops ops = {
	.scheme = "oci",
	.resolve = layout_resolve,
	.tag = layout_tag,
	.has = layout_has,
	.get = layout_get,
	.put = layout_put,
	.free = layout_free,
};

/* It says that it is a layout, in the version that we know. */
static int
check_layout(struct layout *l, struct err *err)
{
	AUTO(buf) struct buf bytes = BUF_INIT;
	AUTO(json) json_t *doc = NULL;
	AUTO(fd) int fd = path_open(l->root, "oci-layout", O_RDONLY | O_NONBLOCK, 0);
	const char *version = "";

	if (fd < 0 && errno == ENOENT)
		return err_set(err, ERR_INPUT, "'%s' is no OCI layout: it has no file 'oci-layout'",
			l->path);
	if (fd < 0)
		return err_sys(err, "'%s/oci-layout'", l->path);
	if (buf_read(&bytes, fd, LAYOUT_FILE_MAX, err) < 0 ||
		json_parse(bytes.data, bytes.len, &doc, err) < 0 ||
		json_get_string(doc, "imageLayoutVersion", &version, err) < 0)
		return err_in(err, "'%s/oci-layout'", l->path);
	if (!starts_with(version, "1."))
		return err_set(err, ERR_INPUT, "'%s': layout version '%s' is not known, only 1.x",
			l->path, version);
	return 0;
}

static int
make_layout(struct layout *l, struct err *err)
{
	static const char version[] = "{\"imageLayoutVersion\":\"" LAYOUT_VERSION "\"}";
	const struct catalog empty = CATALOG_INIT;
	AUTO(buf) struct buf index = BUF_INIT;
	AUTO(fd) int blobs = path_mkdirs(l->root, "blobs/sha256", 0755);

	if (blobs < 0)
		return err_sys(err, "'%s/blobs'", l->path);
	catalog_format(&empty, &index);
	if (faccessat(l->root, "index.json", F_OK, 0) < 0 &&
		file_write(l->root, "index.json", index.data, index.len, 0644, FILE_SYNC, err) < 0)
		return err_in(err, "'%s'", l->path);
	/* the last, since it makes a layout of the directory */
	if (file_write(l->root, "oci-layout", version, strlen(version), 0644, FILE_SYNC, err) < 0)
		return err_in(err, "'%s'", l->path);
	return 0;
}

int
place_layout_open(
	const char *path, enum place_layout_access access, struct place **out, struct err *err)
{
	AUTO(place) struct place *p = xzalloc(sizeof(struct layout));
	struct layout *l = (struct layout *)p;

	p->ops = &ops;
	l->path = xstrdup(path);
	l->root = -1;
	if (access == PLACE_LAYOUT_WRITE && mkdir(path, 0777) < 0 && errno != EEXIST)
		return err_sys(err, "'%s'", path);
	l->root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (l->root < 0)
		return err_sys(err, "'%s'", path);
	if (access == PLACE_LAYOUT_WRITE && faccessat(l->root, "oci-layout", F_OK, 0) < 0 &&
		make_layout(l, err) < 0)
		return -1;
	if (check_layout(l, err) < 0)
		return -1;
	*out = steal(&p);
	return 0;
}
