/* SPDX-License-Identifier: Apache-2.0 */
/* Archives of images: opened, every name resolved, every manifest and the beginning of what it reaches read. */
#include "tests/fuzz/fuzz.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "registry/place_archive.h"

#define BLOBS_MAX 16

static void
read_blob(struct place *p, const struct descriptor *d)
{
	AUTO(sink) struct sink *out = sink_none();
	struct err err = { .kind = ERR_NONE };

	(void)place_get(p, d, out, &err);
}

static void
read_image(struct place *p, const struct descriptor *d)
{
	AUTO(buf) struct buf bytes = BUF_INIT;
	AUTO(manifest) struct manifest m = { 0 };
	struct err err = { .kind = ERR_NONE };

	if (place_read(p, d, MANIFEST_MAX, &bytes, &err) < 0 ||
		manifest_parse(bytes.data, bytes.len, d->media_type, &m, &err) < 0)
		return;
	read_blob(p, &m.config);
	for (size_t i = 0; i < m.layer_count && i < BLOBS_MAX; i++)
		read_blob(p, &m.layers[i]);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	AUTO(place) struct place *p = NULL;
	AUTO(fd) int spool = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct err err = { .kind = ERR_NONE };
	int fd = fd_memory("archive", &err);
	const struct catalog *catalog;

	if (fd < 0 || fd_write(fd, bytes, len) < 0 || lseek(fd, 0, SEEK_SET) != 0)
		abort();
	if (place_archive_open(fd, spool, &p, &err) < 0) {
		if (err.kind == ERR_NONE || err.msg[0] == '\0')
			abort();
		return 0;
	}
	catalog = place_archive_catalog(p);
	for (size_t i = 0; i < catalog->count && i < BLOBS_MAX; i++)
		read_image(p, &catalog->rows[i].descriptor);
	return 0;
}
