/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_STORES_H
#define TESTS_UNIT_STORES_H

/* Stores for unit tests, and things to put into them. */

#include "tests/unit/test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/path.h"
#include "layers/check.h"
#include "layers/gc.h"
#include "layers/store.h"

struct place {
	char dir[64];
	char root[96];
};

static inline __attribute__((unused)) void
auto_place_dir(struct place *p)
{
	struct err err = { 0 };

	path_remove(AT_FDCWD, p->dir, &err);
}

static inline __attribute__((unused)) struct place
new_place(void)
{
	struct place p;

	strcpy(p.dir, "/tmp/store-test-XXXXXX");
	if (mkdtemp(p.dir) == NULL)
		fail_msg("mkdtemp");
	snprintf(p.root, sizeof p.root, "%s/store", p.dir);
	return p;
}

static inline __attribute__((unused)) struct descriptor
put_blob(struct store *s, const char *media_type, const char *bytes)
{
	struct descriptor d = { .size = strlen(bytes) };
	struct err err = { 0 };

	snprintf(d.media_type, sizeof d.media_type, "%s", media_type);
	works(store_blob_put(s, bytes, strlen(bytes), &d.digest, &err));
	return d;
}

/* An image of one layer; text makes it unique. */
static inline __attribute__((unused)) struct descriptor
put_image(struct store *s, const char *text, struct descriptor *layer)
{
	AUTO(buf) struct buf config = BUF_INIT;
	AUTO(buf) struct buf manifest = BUF_INIT;
	struct digest diff_id;
	struct descriptor c;

	*layer = put_blob(s, MEDIA_OCI_LAYER, text);
	digest_of(text, strlen(text), &diff_id);
	buf_addf(&config,
		"{\"architecture\":\"amd64\",\"os\":\"linux\",\"config\":{},\"rootfs\":{\"type\":"
		"\"layers\","
		"\"diff_ids\":[\"%s\"]}}",
		diff_id.text);
	c = put_blob(s, MEDIA_OCI_CONFIG, config.data);
	buf_addf(&manifest,
		"{\"schemaVersion\":2,\"mediaType\":\"%s\",\"config\":{\"mediaType\":\"%s\","
		"\"digest\":\"%s\","
		"\"size\":%zu},\"layers\":[{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":%zu}]}",
		MEDIA_OCI_MANIFEST, MEDIA_OCI_CONFIG, c.digest.text, (size_t)c.size,
		MEDIA_OCI_LAYER, layer->digest.text, (size_t)layer->size);
	return put_blob(s, MEDIA_OCI_MANIFEST, manifest.data);
}

static inline __attribute__((unused)) void
print_finding(const struct check_finding *f, void *arg)
{
	(void)arg;
	if (f->grade != CHECK_NOTE)
		print_message("# %d %s %s: %s\n", (int)f->grade, f->what, f->which, f->text);
}

static inline __attribute__((unused)) struct check_result
check(struct store *s, bool repair)
{
	struct check_options o = { .repair = repair };
	struct check_result r = { 0 };
	struct err err = { 0 };

	works(store_check(s, &o, print_finding, NULL, &r, &err));
	return r;
}

static inline __attribute__((unused)) struct gc_result
gc(const char *root, const struct gc_options *o)
{
	AUTO(store) struct store *s = NULL;
	struct gc_result r = { 0 };
	struct err err = { 0 };

	works(store_open(root, &s, &err));
	works(store_gc(s, o, &r, &err));
	return r;
}

static inline __attribute__((unused)) struct layer_record
add_layer(struct store *s, const char *diff_text, bool with_tree)
{
	AUTO(tree_new) struct tree_new tree = TREE_NEW_INIT;
	struct layer_record r = { .diff_size = strlen(diff_text) };
	struct err err = { 0 };

	digest_of(diff_text, strlen(diff_text), &r.diff_id);
	if (with_tree) {
		works(store_tree_new(s, getuid(), getgid(), &tree, &err));
		works(file_write(tree.fs_fd, "file", diff_text, strlen(diff_text), 0644,
			FILE_NO_SYNC, &err));
		works(store_tree_commit(s, tree.id, strlen(diff_text), &err));
		memcpy(r.tree, tree.id, sizeof r.tree);
	}
	works(store_layer_add(s, &r, &err));
	return r;
}

static inline __attribute__((unused)) void
put_record(struct store *s, const char *key, const char *group, int64_t layer)
{
	struct err err = { 0 };
	struct cache_record r = {
		.key = (char *)key,
		.group = (char *)group,
		.layers = &layer,
		.layer_count = layer == 0 ? 0 : 1,
	};
	AUTO(json) json_t *value = json_pack("{s:s}", "made", key);

	r.value = value;
	works(store_cache_put(s, &r, &err));
}

#endif
