/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/path.h"
#include "registry/place_dir.h"
#include "tests/unit/image.h"
#include "tests/unit/memory_place.h"

struct scene {
	char dir[64];
	struct place *from;
};

static void
scene_open(struct scene *s)
{
	snprintf(s->dir, sizeof s->dir, "/tmp/cooper-test-XXXXXX");
	is_true(mkdtemp(s->dir) != NULL);
	s->from = memory_place();
}

static void
scene_close(struct scene *s)
{
	struct err err = { 0 };

	place_free(s->from);
	works(path_remove(AT_FDCWD, s->dir, &err));
}

static void
copy_into(struct scene *s, const struct descriptor *root)
{
	AUTO(place) struct place *to = NULL;
	AUTO(descriptor) struct descriptor copied = { .size = 0 };
	const struct place_copy_options how = { .all_platforms = true };
	struct err err = { 0 };

	works(place_dir_open(s->dir, PLACE_DIR_WRITE, &to, &err));
	works(place_copy(s->from, to, root, &how, &copied, &err));
	works(to->ops->tag(to, NULL, &copied, &err));
}

/* All of it is read again, and verified. */
static void
has_image(struct scene *s, const struct descriptor *root)
{
	AUTO(place) struct place *p = NULL;
	AUTO(place) struct place *to = memory_place();
	AUTO(descriptor) struct descriptor d = { .size = 0 };
	AUTO(descriptor) struct descriptor copied = { .size = 0 };
	const struct place_copy_options how = { .all_platforms = true };
	struct err err = { 0 };

	works(place_dir_open(s->dir, PLACE_DIR_READ, &p, &err));
	works(p->ops->resolve(p, NULL, &d, &err));
	same_str(d.digest.text, root->digest.text);
	works(place_copy(p, to, &d, &how, &copied, &err));
}

static size_t
files_in(struct scene *s)
{
	AUTO(fd) int fd = open(s->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	AUTO(strv) struct strv names = STRV_INIT;
	struct err err = { 0 };

	works(path_names(fd, &names, &err));
	return names.count;
}

TEST(an_image_comes_back_as_it_went)
{
	struct scene s;
	struct descriptor image;

	scene_open(&s);
	image = image_make(s.from, "one", 2, 1000);
	copy_into(&s, &image);
	has_image(&s, &image);
	same_int(files_in(&s), 5); /* version, manifest.json, the config and two layers */
	copy_into(&s, &image);
	has_image(&s, &image);
	same_int(files_in(&s), 5);
	scene_close(&s);
}

TEST(an_index_comes_back_with_all_its_manifests)
{
	struct scene s;
	AUTO(index) struct index x = { .manifest_count = 0 };
	AUTO(buf) struct buf text = BUF_INIT;
	struct descriptor one, two, root;

	scene_open(&s);
	one = image_make(s.from, "one", 1, 1000);
	two = image_make(s.from, "two", 1, 1000);
	index_manifest_add(&x, &one);
	index_manifest_add(&x, &two);
	index_format(&x, &text);
	root = image_blob(s.from, MEDIA_OCI_INDEX, text.data, text.len);
	/* one of its manifests was the directory's image before */
	copy_into(&s, &one);
	copy_into(&s, &root);
	has_image(&s, &root);
	same_int(files_in(&s), 8);
	copy_into(&s, &two);
	has_image(&s, &two);
	same_int(files_in(&s), 4);
	scene_close(&s);
}

TEST(files_of_others_stay)
{
	struct scene s;
	struct err err = { 0 };
	struct descriptor image;
	AUTO(fd) int dir = -1;

	scene_open(&s);
	image = image_make(s.from, "one", 1, 1000);
	copy_into(&s, &image);
	dir = open(s.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	works(file_write(dir, "signature-1", "x", 1, 0644, FILE_NO_SYNC, &err));
	copy_into(&s, &image);
	same_int(faccessat(dir, "signature-1", F_OK, 0), 0);
	scene_close(&s);
}

TEST(what_is_no_such_directory_is_refused)
{
	struct scene s;
	struct err err = { 0 };
	AUTO(place) struct place *p = NULL;
	AUTO(free) char *message = NULL;
	AUTO(fd) int dir = -1;

	scene_open(&s);
	dir = open(s.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	works(file_write(dir, "mine", "x", 1, 0644, FILE_NO_SYNC, &err));
	message = xasprintf("'%s' is not what 'dir:' means: it has no file 'version'; an OCI "
			    "layout is 'oci:%s'",
		s.dir, s.dir);
	fails(place_dir_open(s.dir, PLACE_DIR_WRITE, &p, &err), message);
	fails(place_dir_open(s.dir, PLACE_DIR_READ, &p, &err), message);
	same_int(files_in(&s), 1);
	scene_close(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(an_image_comes_back_as_it_went),
		CASE(an_index_comes_back_with_all_its_manifests),
		CASE(files_of_others_stay),
		CASE(what_is_no_such_directory_is_refused),
	};

	return RUN(tests);
}
