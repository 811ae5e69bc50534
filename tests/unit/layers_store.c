/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/stores.h"

TEST(a_new_store_is_a_valid_layout_of_mode_0700)
{
	AUTO(place_dir) struct place p = new_place();
	AUTO(store) struct store *s = NULL;
	AUTO(buf) struct buf text = BUF_INIT;
	struct err err = { 0 };
	struct stat st;

	works(store_open(p.root, &s, &err));
	same_int(stat(p.root, &st), 0);
	same_int(st.st_mode & 07777, 0700);
	works(file_read(store_dir(s), "oci-layout", 100, &text, &err));
	same_str(text.data, "{\"imageLayoutVersion\":\"1.0.0\"}");
	same_int(check(s, false).problems, 0);
	same_int(check(s, false).notes, 0);
}

TEST(roots_that_others_could_write_are_refused)
{
	AUTO(place_dir) struct place p = new_place();
	AUTO(store) struct store *s = NULL;
	struct err err = { 0 };
	char link[128];

	same_int(mkdir(p.root, 0700), 0);
	same_int(chmod(p.root, 0770), 0);
	same_int(store_open(p.root, &s, &err), -1);
	same_int(err.kind, ERR_DENIED);
	is_true(strstr(err.msg, "can be written by others") != NULL);
	same_int(chmod(p.root, 0755), 0);
	snprintf(link, sizeof link, "%s/link", p.dir);
	same_int(symlink(p.root, link), 0);
	same_int(store_open(link, &s, &err), -1);
	same_int(err.kind, ERR_DENIED);
	strcat(link, "/");
	same_int(store_open(link, &s, &err), -1);
	is_true(strstr(err.msg, "is a symbolic link") != NULL);
	works(store_open(p.root, &s, &err));
}

TEST(a_directory_with_other_things_is_no_store)
{
	AUTO(place_dir) struct place p = new_place();
	AUTO(store) struct store *s = NULL;
	struct err err = { 0 };

	works(store_open(p.root, &s, &err)); /* p.dir now holds "store" */
	auto_store(&s);
	same_int(store_open(p.dir, &s, &err), -1);
	same_int(err.kind, ERR_INPUT);
}

TEST(a_newer_store_is_refused_and_a_damaged_version_is_not)
{
	AUTO(place_dir) struct place p = new_place();
	AUTO(store) struct store *s = NULL;
	struct err err = { 0 };
	char path[128];

	works(store_open(p.root, &s, &err));
	auto_store(&s);
	snprintf(path, sizeof path, "%s/version", p.root);
	works(file_write(AT_FDCWD, path, "2\n", 2, 0644, FILE_NO_SYNC, &err));
	same_int(store_open(p.root, &s, &err), -1);
	same_int(err.kind, ERR_INPUT);
	is_true(strstr(err.msg, "newer cooper (version 2, this one knows 1)") != NULL);
	works(file_write(AT_FDCWD, path, "\xff\x00zz", 4, 0644, FILE_NO_SYNC, &err));
	works(store_open(p.root, &s, &err));
}

TEST(blobs_are_put_once_and_read_back)
{
	AUTO(place_dir) struct place p = new_place();
	AUTO(store) struct store *s = NULL;
	AUTO(buf) struct buf got = BUF_INIT;
	AUTO(fd) int fd = -1;
	struct err err = { 0 };
	struct digest d;
	struct digest none;
	uint64_t size = 0;
	struct stat st;

	works(store_open(p.root, &s, &err));
	works(store_blob_put(s, "hello", 5, &d, &err));
	works(store_blob_put(s, "hello", 5, &d, &err));
	same_int(store_blob_has(s, &d, &size, &err), 1);
	same_int(size, 5);
	works(store_blob_read(s, &d, 100, &got, &err));
	same_str(got.data, "hello");
	same_int(store_blob_read(s, &d, 4, &got, &err), -1);
	same_int(err.kind, ERR_INPUT);
	fd = store_blob_open(s, &d, &size, &err);
	is_true(fd >= 0);
	same_int(fstat(fd, &st), 0);
	same_int(st.st_mode & 07777, 0444);
	digest_of("other", 5, &none);
	same_int(store_blob_has(s, &none, &size, &err), 0);
	same_int(store_blob_open(s, &none, &size, &err), -1);
	same_int(err.kind, ERR_NOTFOUND);
}

TEST(a_partial_is_kept_for_the_next_try)
{
	AUTO(place_dir) struct place p = new_place();
	AUTO(store) struct store *s = NULL;
	AUTO(ingest) struct ingest *i = NULL;
	struct err err = { 0 };
	struct digest d;
	struct digest other;

	digest_of("hello world", 11, &d);
	digest_of("x", 1, &other);
	works(store_open(p.root, &s, &err));
	same_int(store_ingest_new(s, &d, INGEST_WAIT, &i, &err), 0);
	same_int(ingest_offset(i), 0);
	same_int(fd_write(ingest_fd(i), "hello", 5), 0);
	ingest_drop(steal(&i), INGEST_KEEP);
	same_int(store_ingest_new(s, &d, INGEST_WAIT, &i, &err), 0);
	same_int(ingest_offset(i), 5);
	same_int(fd_write(ingest_fd(i), " world", 6), 0);
	works(ingest_sync(i, &err));
	same_int(ingest_commit(&i, &d, 12, &err), -1);
	same_int(err.kind, ERR_CORRUPT);
	same_int(ingest_commit(&i, &other, 11, &err), -1);
	same_int(err.kind, ERR_CORRUPT);
	works(ingest_commit(&i, &d, 11, &err));
	is_true(i == NULL);
	same_int(store_ingest_new(s, &d, INGEST_WAIT, &i, &err), 1);
	same_int(check(s, false).problems, 0);
}

TEST(a_discarded_partial_begins_at_zero)
{
	AUTO(place_dir) struct place p = new_place();
	AUTO(store) struct store *s = NULL;
	AUTO(ingest) struct ingest *i = NULL;
	struct err err = { 0 };
	struct digest d;

	digest_of("hello", 5, &d);
	works(store_open(p.root, &s, &err));
	same_int(store_ingest_new(s, &d, INGEST_WAIT, &i, &err), 0);
	same_int(fd_write(ingest_fd(i), "jello", 5), 0);
	ingest_drop(steal(&i), INGEST_DISCARD);
	same_int(store_ingest_new(s, &d, INGEST_WAIT, &i, &err), 0);
	same_int(ingest_offset(i), 0);
	same_int(fd_write(ingest_fd(i), "yello", 5), 0);
	works(ingest_restart(i, &err));
	same_int(lseek(ingest_fd(i), 0, SEEK_END), 0);
}

/* The child holds the ingest until it is told to commit; the parent waits for it meanwhile. */
TEST(who_waits_for_another_writer_finds_the_blob)
{
	AUTO(place_dir) struct place p = new_place();
	AUTO(store) struct store *s = NULL;
	AUTO(ingest) struct ingest *i = NULL;
	struct err err = { 0 };
	struct digest d;
	int ready[2];
	char c = 0;
	int status = 0;
	pid_t pid = 0;

	digest_of("hello", 5, &d);
	works(store_open(p.root, &s, &err));
	same_int(pipe2(ready, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		struct store *other = NULL;
		struct ingest *in = NULL;

		if (store_open(p.root, &other, &err) < 0 ||
			store_ingest_new(other, &d, INGEST_WAIT, &in, &err) != 0 ||
			fd_write(ingest_fd(in), "hello", 5) < 0 || write(ready[1], "x", 1) != 1)
			_exit(1);
		if (ingest_sync(in, &err) < 0 || ingest_commit(&in, &d, 5, &err) < 0)
			_exit(2);
		store_free(other);
		_exit(0);
	}
	same_int(read(ready[0], &c, 1), 1);
	same_int(store_ingest_new(s, &d, INGEST_WAIT, &i, &err), 1);
	same_int(waitpid(pid, &status, 0), pid);
	same_int(status, 0);
	close(ready[0]);
	close(ready[1]);
}

TEST(who_may_not_wait_is_told_that_it_is_held)
{
	AUTO(place_dir) struct place p = new_place();
	AUTO(store) struct store *s = NULL;
	AUTO(ingest) struct ingest *i = NULL;
	AUTO(ingest) struct ingest *j = NULL;
	struct err err = { 0 };
	struct digest d;

	digest_of("hello", 5, &d);
	works(store_open(p.root, &s, &err));
	same_int(store_ingest_new(s, &d, INGEST_TRY, &i, &err), 0);
	same_int(store_ingest_new(s, &d, INGEST_TRY, &j, &err), 2);
	is_true(j == NULL);
}

TEST(a_worker_can_ingest_but_not_ask_the_database)
{
	AUTO(place_dir) struct place p = new_place();
	AUTO(store) struct store *s = NULL;
	struct gc_options all = { .drop_cache = true };
	struct err err = { 0 };
	struct digest d;
	int status = 0;
	pid_t pid = 0;

	digest_of("from a worker", 13, &d);
	works(store_open(p.root, &s, &err));
	same_int(
		store_name_get(s, "x", NULL, &err), 0); /* the connection is open before the fork */
	pid = fork();
	if (pid == 0) {
		struct digest made;

		if (store_blob_put(s, "from a worker", 13, &made, &err) < 0)
			_exit(1);
		if (store_name_get(s, "x", NULL, &err) != -1)
			_exit(2);
		_exit(0);
	}
	same_int(waitpid(pid, &status, 0), pid);
	same_int(status, 0);
	same_int(gc(p.root, &all).blobs, 0); /* the worker's pin is ours */
	same_int(store_blob_has(s, &d, NULL, &err), 1);
	auto_store(&s);
	same_int(gc(p.root, &all).blobs, 1);
}

TEST(names_are_set_listed_and_removed)
{
	AUTO(place_dir) struct place p = new_place();
	AUTO(store) struct store *s = NULL;
	AUTO(store_names) struct store_names names = STORE_NAMES_INIT;
	AUTO(descriptor) struct descriptor got = { 0 };
	AUTO(buf) struct buf index = BUF_INIT;
	struct descriptor layer;
	struct descriptor image;
	struct descriptor missing = { .size = 3 };
	struct err err = { 0 };

	works(store_open(p.root, &s, &err));
	image = put_image(s, "one", &layer);
	digest_of("abc", 3, &missing.digest);
	same_int(store_name_set(s, "docker.io/library/a:1", &missing, &err), -1);
	same_int(err.kind, ERR_NOTFOUND);
	works(store_name_set(s, "docker.io/library/b:1", &image, &err));
	works(store_name_set(s, "docker.io/library/a:1", &image, &err));
	works(store_name_list(s, &names, &err));
	same_int(names.count, 2);
	same_str(names.items[0].name, "docker.io/library/a:1");
	same_int(store_name_get(s, "docker.io/library/b:1", &got, &err), 1);
	same_str(got.digest.text, image.digest.text);
	same_str(got.media_type, MEDIA_OCI_MANIFEST);
	works(file_read(store_dir(s), "index.json", 10000, &index, &err));
	is_true(strstr(index.data,
			"\"org.opencontainers.image.ref.name\":\"docker.io/library/b:1\"") != NULL);
	same_int(check(s, false).notes, 0);
	same_int(store_name_remove(s, "docker.io/library/b:1", &err), 1);
	same_int(store_name_remove(s, "docker.io/library/b:1", &err), 0);
	same_int(store_name_get(s, "docker.io/library/b:1", NULL, &err), 0);
	buf_clear(&index);
	works(file_read(store_dir(s), "index.json", 10000, &index, &err));
	is_true(strstr(index.data, "library/b:1") == NULL);
}

TEST(layers_of_one_diff_id_are_one_layer)
{
	AUTO(place_dir) struct place p = new_place();
	AUTO(store) struct store *s = NULL;
	struct descriptor blob;
	struct layer_record a;
	struct layer_record b;
	struct layer_record c;
	struct err err = { 0 };

	works(store_open(p.root, &s, &err));
	a = add_layer(s, "one", true);
	b = add_layer(s, "one", true);
	same_int(a.id, b.id);
	same_str(a.tree, b.tree);
	blob = put_blob(s, MEDIA_OCI_LAYER, "one");
	b.blob_count = 1;
	strcpy(b.blobs[0].media_type, MEDIA_OCI_LAYER);
	b.blobs[0].digest = blob.digest;
	b.blobs[0].size = blob.size;
	works(store_layer_update(s, &b, &err));
	same_int(store_layer_by_diff_id(s, &a.diff_id, &c, &err), 1);
	same_int(c.id, a.id);
	same_int(c.blob_count, 1);
	is_true(c.blobs[0].here);
	same_int(store_layer_by_blob(s, &blob.digest, &c, &err), 1);
	same_str(c.tree, a.tree);
	same_int(store_layer_get(s, 12345, &c, &err), 0);
}

TEST(a_tree_opens_only_once_it_is_committed)
{
	AUTO(place_dir) struct place p = new_place();
	AUTO(store) struct store *s = NULL;
	AUTO(tree_new) struct tree_new t = TREE_NEW_INIT;
	AUTO(fd) int fd = -1;
	AUTO(fd) int work = -1;
	struct err err = { 0 };
	struct stat st;

	works(store_open(p.root, &s, &err));
	works(store_tree_new(s, getuid(), getgid(), &t, &err));
	same_int(fstat(t.fs_fd, &st), 0);
	same_int(st.st_mode & 07777, 0755);
	same_int(store_tree_open(s, t.id, &err), -1);
	same_int(err.kind, ERR_NOTFOUND);
	work = store_tree_fd(s, t.id, &err);
	is_true(work >= 0);
	works(store_tree_commit(s, t.id, 10, &err));
	fd = store_tree_open(s, t.id, &err);
	is_true(fd >= 0);
	works(store_sync(s, &err));
	works(store_tree_drop(s, t.id, &err));
	auto_fd(&fd);
	same_int(store_tree_open(s, t.id, &err), -1);
	same_int(store_tree_open(s, "../../etc", &err), -1);
	same_int(err.kind, ERR_INPUT);
	same_int(check(s, false).problems, 0);
}

TEST(listings_and_sources_and_notes_come_back)
{
	AUTO(place_dir) struct place p = new_place();
	AUTO(store) struct store *s = NULL;
	AUTO(listing) struct listing l = LISTING_INIT;
	AUTO(listing) struct listing got = LISTING_INIT;
	AUTO(strv) struct strv refs = STRV_INIT;
	AUTO(buf) struct buf note = BUF_INIT;
	AUTO(listed) struct listed at = LISTED_INIT;
	struct layer_record layer;
	struct entry e = { .path = (char *)"etc/passwd", .kind = ENTRY_FILE, .mode = 0644 };
	struct err err = { 0 };

	works(store_open(p.root, &s, &err));
	layer = add_layer(s, "one", true);
	same_int(store_listing_get(s, layer.id, &got, &err), 0);
	listing_add(&l, &e);
	listing_sort(&l);
	works(store_listing_put(s, layer.id, &l, &err));
	same_int(store_listing_get(s, layer.id, &got, &err), 1);
	same_int(got.count, 1);
	same_str(listing_at(&got, 0, &at)->path, "etc/passwd");
	works(store_source_add(s, &layer.diff_id, "docker.io/library/a", &err));
	works(store_source_list(s, &layer.diff_id, &refs, &err));
	same_int(refs.count, 1);
	same_int(store_note_get(s, "host", "ghcr.io", &note, &err), 0);
	works(store_note_put(s, "host", "ghcr.io", "{\"x\":1}", 7, &err));
	same_int(store_note_get(s, "host", "ghcr.io", &note, &err), 1);
	same_str(note.data, "{\"x\":1}");
	works(store_note_remove(s, "host", "ghcr.io", &err));
	same_int(store_note_get(s, "host", "ghcr.io", &note, &err), 0);
}

static int
count_record(const struct cache_record *r, void *arg, struct err *err)
{
	int *count = arg;

	(void)r;
	(void)err;
	(*count)++;
	return 0;
}

TEST(records_come_back_while_their_layers_are_there)
{
	AUTO(place_dir) struct place p = new_place();
	AUTO(store) struct store *s = NULL;
	AUTO(cache_record) struct cache_record got = CACHE_RECORD_INIT;
	struct layer_record layer;
	struct err err = { 0 };
	int count = 0;

	works(store_open(p.root, &s, &err));
	layer = add_layer(s, "one", true);
	works(store_batch_begin(s, &err));
	put_record(s, "key1", "RUN", layer.id);
	put_record(s, "key2", "COPY", 0);
	works(store_batch_end(s, &err));
	put_record(s, "key3", "COPY", 77);
	put_record(s, "key4", "COPY", 0);
	same_int(store_cache_get(s, "key1", &got, &err), 1);
	same_int(got.layer_count, 1);
	same_int(got.layers[0], layer.id);
	same_str(got.group, "RUN");
	same_str(json_string_value(json_object_get(got.value, "made")), "key1");
	cache_record_free(&got);
	same_int(store_cache_get(s, "key3", &got, &err), 0);
	same_int(store_cache_get(s, "nothing", &got, &err), 0);
	works(store_cache_each(s, "COPY", count_record, &count, &err));
	same_int(count, 2);
	works(store_cache_remove(s, "key4", &err));
	works(store_cache_each(s, NULL, count_record, &count, &err));
	same_int(count, 4); /* key1 and key2 */
}

TEST(a_cancelled_batch_leaves_nothing)
{
	AUTO(place_dir) struct place p = new_place();
	AUTO(store) struct store *s = NULL;
	AUTO(cache_record) struct cache_record got = CACHE_RECORD_INIT;
	struct descriptor layer;
	struct descriptor image;
	struct err err = { 0 };

	works(store_open(p.root, &s, &err));
	image = put_image(s, "one", &layer);
	works(store_batch_begin(s, &err));
	put_record(s, "key1", "RUN", 0);
	same_int(store_name_set(s, "a", &image, &err), -1);
	store_batch_cancel(s);
	same_int(store_cache_get(s, "key1", &got, &err), 0);
	same_int(store_batch_end(s, &err), -1);
}

TEST(cache_mounts_are_made_once_and_locked)
{
	AUTO(place_dir) struct place p = new_place();
	AUTO(store) struct store *s = NULL;
	AUTO(fd) int dir = -1;
	AUTO(fd) int lock = -1;
	AUTO(fd) int dir2 = -1;
	AUTO(fd) int lock2 = -1;
	struct gc_options mounts = { .drop_mounts = true };
	struct err err = { 0 };
	struct stat st;

	works(store_open(p.root, &s, &err));
	works(store_mount_open(
		s, "/root/.cache", true, getuid(), getgid(), 0750, &dir, &lock, &err));
	same_int(fstat(dir, &st), 0);
	same_int(st.st_mode & 07777, 0750);
	works(store_mount_open(
		s, "/root/.cache", true, getuid(), getgid(), 0755, &dir2, &lock2, &err));
	same_int(gc(p.root, &mounts).mounts, 0);
	auto_fd(&lock);
	auto_fd(&lock2);
	same_int(gc(p.root, &mounts).mounts, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_new_store_is_a_valid_layout_of_mode_0700),
		CASE(roots_that_others_could_write_are_refused),
		CASE(a_directory_with_other_things_is_no_store),
		CASE(a_newer_store_is_refused_and_a_damaged_version_is_not),
		CASE(blobs_are_put_once_and_read_back),
		CASE(a_partial_is_kept_for_the_next_try),
		CASE(a_discarded_partial_begins_at_zero),
		CASE(who_waits_for_another_writer_finds_the_blob),
		CASE(who_may_not_wait_is_told_that_it_is_held),
		CASE(a_worker_can_ingest_but_not_ask_the_database),
		CASE(names_are_set_listed_and_removed),
		CASE(layers_of_one_diff_id_are_one_layer),
		CASE(a_tree_opens_only_once_it_is_committed),
		CASE(listings_and_sources_and_notes_come_back),
		CASE(records_come_back_while_their_layers_are_there),
		CASE(a_cancelled_batch_leaves_nothing),
		CASE(cache_mounts_are_made_once_and_locked),
	};

	return RUN(tests);
}
