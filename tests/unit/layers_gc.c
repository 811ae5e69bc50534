/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/stores.h"

TEST(gc_keeps_what_names_pins_and_records_reach)
{
	AUTO(place_dir) struct place p = new_place();
	AUTO(store) struct store *s = NULL;
	struct gc_options none = { 0 };
	struct gc_options all = { .drop_cache = true };
	struct descriptor layer;
	struct descriptor image;
	struct descriptor loose;
	struct layer_record record;
	struct gc_result r;
	struct err err = { 0 };

	works(store_open(p.root, &s, &err));
	image = put_image(s, "one", &layer);
	works(store_name_set(s, "a", &image, &err));
	loose = put_blob(s, "", "loose");
	record = add_layer(s, "cached", true);
	put_record(s, "key", "RUN", record.id);
	add_layer(s, "nobody's", true);
	r = gc(p.root, &none);
	same_int(r.blobs + r.trees + r.layers + r.records, 0); /* all is pinned by s */
	auto_store(&s);
	r = gc(p.root, &(struct gc_options){ .dry_run = true });
	same_int(r.blobs, 1);
	same_int(r.trees, 1);
	r = gc(p.root, &none);
	same_int(r.blobs, 1);
	same_int(r.trees, 1);
	same_int(r.layers, 1);
	same_int(r.records, 0);
	same_int(r.trash_left, 0);
	works(store_open(p.root, &s, &err));
	same_int(store_blob_has(s, &layer.digest, NULL, &err), 1);
	same_int(store_blob_has(s, &loose.digest, NULL, &err), 0);
	same_int(store_layer_get(s, record.id, &record, &err), 1);
	is_true(record.tree[0] != '\0');
	same_int(check(s, false).problems, 0);
	auto_store(&s);
	r = gc(p.root, &all);
	same_int(r.records, 1);
	same_int(r.trees, 1);
	works(store_open(p.root, &s, &err));
	same_int(store_name_get(s, "a", NULL, &err), 1);
	same_int(store_name_remove(s, "a", &err), 1);
	auto_store(&s);
	same_int(gc(p.root, &none).blobs, 3);
}

static void
set_used(const char *root, const char *key, int64_t used)
{
	AUTO(free)
	char *command = xasprintf(
		"sqlite3 %s/db.sqlite \"update records set used=%lld where key='%s'\" 2>/dev/null",
		root, (long long)used, key);

	if (system(command) != 0)
		skip();
}

TEST(a_cap_takes_the_records_that_were_used_least_recently)
{
	AUTO(place_dir) struct place p = new_place();
	AUTO(store) struct store *s = NULL;
	AUTO(cache_record) struct cache_record got = CACHE_RECORD_INIT;
	struct gc_options cap = { .max_size = 250 };
	struct err err = { 0 };
	struct gc_result r;
	char text[101];

	works(store_open(p.root, &s, &err));
	for (int i = 0; i < 4; i++) {
		char key[8];
		struct layer_record layer;

		memset(text, 'a' + i, 100);
		text[100] = '\0';
		layer = add_layer(s, text, true);
		snprintf(key, sizeof key, "key%d", i);
		put_record(s, key, "RUN", layer.id);
	}
	auto_store(&s);
	for (int i = 0; i < 4; i++) {
		char key[8];

		snprintf(key, sizeof key, "key%d", i);
		set_used(p.root, key, 1000 + (i * 7) % 4);
	}
	r = gc(p.root, &cap);
	same_int(r.records, 2);
	same_int(r.trees, 2);
	same_int(r.kept, 200);
	works(store_open(p.root, &s, &err));
	same_int(store_cache_get(s, "key1", &got, &err), 1); /* 1003 */
	cache_record_free(&got);
	same_int(store_cache_get(s, "key2", &got, &err), 1); /* 1002 */
	cache_record_free(&got);
	same_int(store_cache_get(s, "key0", &got, &err), 0);
	same_int(store_cache_get(s, "key3", &got, &err), 0);
	same_int(check(s, false).problems, 0);
}

TEST(gc_leaves_partials_that_somebody_is_at)
{
	AUTO(place_dir) struct place p = new_place();
	AUTO(store) struct store *s = NULL;
	AUTO(ingest) struct ingest *known = NULL;
	AUTO(ingest) struct ingest *unknown = NULL;
	struct gc_options none = { 0 };
	struct gc_options partials = { .drop_partials = true };
	struct err err = { 0 };
	struct digest d;

	digest_of("hello", 5, &d);
	works(store_open(p.root, &s, &err));
	same_int(store_ingest_new(s, &d, INGEST_WAIT, &known, &err), 0);
	same_int(store_ingest_new(s, NULL, INGEST_WAIT, &unknown, &err), 0);
	same_int(gc(p.root, &partials).partials, 0);
	ingest_drop(steal(&known), INGEST_KEEP);
	same_int(gc(p.root, &none).partials, 0);
	same_int(gc(p.root, &partials).partials, 1);
}

TEST(check_finds_a_flipped_bit_and_repair_puts_the_blob_aside)
{
	AUTO(place_dir) struct place p = new_place();
	AUTO(store) struct store *s = NULL;
	AUTO(buf) struct buf name = BUF_INIT;
	struct descriptor layer;
	struct descriptor image;
	struct check_result r;
	struct err err = { 0 };

	works(store_open(p.root, &s, &err));
	image = put_image(s, "one", &layer);
	works(store_name_set(s, "a", &image, &err));
	same_int(check(s, false).problems, 0);
	store_blob_name(&layer.digest, &name);
	works(file_write(store_dir(s), name.data, "onE", 3, 0444, FILE_NO_SYNC, &err));
	same_int(check(s, false).problems, 1);
	r = check(s, true);
	same_int(r.problems, 0);
	same_int(r.repaired, 2); /* the blob, and the name that needs it */
	r = check(s, true);
	same_int(r.problems + r.repaired, 0);
	same_int(store_blob_has(s, &layer.digest, NULL, &err), 0);
}

TEST(a_layer_that_is_elsewhere_is_no_problem)
{
	AUTO(place_dir) struct place p = new_place();
	AUTO(store) struct store *s = NULL;
	AUTO(buf) struct buf name = BUF_INIT;
	struct descriptor layer;
	struct descriptor image;
	struct err err = { 0 };

	works(store_open(p.root, &s, &err));
	image = put_image(s, "one", &layer);
	works(store_source_add(s, &layer.digest, "docker.io/library/a:1", &err));
	works(store_name_set(s, "a", &image, &err));
	store_blob_name(&layer.digest, &name);
	same_int(unlinkat(store_dir(s), name.data, 0), 0);
	same_int(check(s, false).problems, 0);
}

static void
write_garbage(const char *root, const char *name, const char *bytes)
{
	AUTO(free) char *path = xasprintf("%s/%s", root, name);
	struct err err = { 0 };

	works(file_write(AT_FDCWD, path, bytes, strlen(bytes), 0600, FILE_NO_SYNC, &err));
}

TEST(a_damaged_database_is_begun_anew_with_names_and_layers)
{
	AUTO(place_dir) struct place p = new_place();
	AUTO(store) struct store *s = NULL;
	AUTO(descriptor) struct descriptor got = { 0 };
	struct descriptor layer;
	struct descriptor image;
	struct layer_record record;
	struct err err = { 0 };

	works(store_open(p.root, &s, &err));
	image = put_image(s, "one", &layer);
	works(store_name_set(s, "a", &image, &err));
	auto_store(&s);
	write_garbage(
		p.root, "db.sqlite", "this is no database, but it is long enough to be one.....");
	write_garbage(p.root, "db.sqlite-wal", ""); /* else it would put all of it right */
	works(store_open(p.root, &s, &err));
	same_int(store_name_get(s, "a", &got, &err), 1);
	same_str(got.digest.text, image.digest.text);
	is_true(got.annotations == NULL);
	same_int(store_layer_by_blob(s, &layer.digest, &record, &err), 1);
	is_true(record.blobs[0].here);
	same_str(record.diff_id.text, layer.digest.text);
	same_int(check(s, false).problems, 0);
}

/* As after a power loss, or with a WAL whose last part is damaged. */
TEST(a_database_that_lost_its_last_transactions_takes_names_from_the_index)
{
	AUTO(place_dir) struct place p = new_place();
	AUTO(store) struct store *s = NULL;
	AUTO(buf) struct buf database = BUF_INIT;
	AUTO(buf) struct buf wal = BUF_INIT;
	struct gc_options none = { 0 };
	struct descriptor layer;
	struct descriptor image;
	struct err err = { 0 };

	works(store_open(p.root, &s, &err));
	image = put_image(s, "one", &layer);
	works(store_name_set(s, "a", &image, &err));
	works(file_read(store_dir(s), "db.sqlite", 1 << 24, &database, &err));
	works(file_read(store_dir(s), "db.sqlite-wal", 1 << 24, &wal, &err));
	image = put_image(s, "two", &layer);
	works(store_name_set(s, "b", &image, &err));
	same_int(store_name_remove(s, "a", &err), 1);
	works(file_write(
		store_dir(s), "db.sqlite", database.data, database.len, 0600, FILE_NO_SYNC, &err));
	works(file_write(
		store_dir(s), "db.sqlite-wal", wal.data, wal.len, 0600, FILE_NO_SYNC, &err));
	same_int(unlinkat(store_dir(s), "db.sqlite-shm", 0), 0);
	auto_store(&s);
	same_int(gc(p.root, &none).blobs, 3);
	works(store_open(p.root, &s, &err));
	same_int(store_name_get(s, "b", NULL, &err), 1);
	same_int(store_name_get(s, "a", NULL, &err), 0);
	same_int(check(s, false).problems, 0);
}

TEST(names_that_another_program_put_into_the_index_are_taken_over)
{
	AUTO(place_dir) struct place p = new_place();
	AUTO(store) struct store *s = NULL;
	AUTO(buf) struct buf index = BUF_INIT;
	struct descriptor layer;
	struct descriptor image;
	struct err err = { 0 };

	works(store_open(p.root, &s, &err));
	image = put_image(s, "one", &layer);
	works(store_name_set(s, "a", &image, &err));
	buf_addf(&index,
		"{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"%s\",\"digest\":\"%s\","
		"\"size\":%zu,"
		"\"annotations\":{\"org.opencontainers.image.ref.name\":\"b\"}},{\"not\":1}]}",
		MEDIA_OCI_MANIFEST, image.digest.text, (size_t)image.size);
	works(file_write(
		store_dir(s), "index.json", index.data, index.len, 0644, FILE_NO_SYNC, &err));
	works(store_name_set(s, "c", &image, &err));
	same_int(store_name_get(s, "a", NULL, &err), 0);
	same_int(store_name_get(s, "b", NULL, &err), 1);
	same_int(store_name_get(s, "c", NULL, &err), 1);
	same_int(check(s, false).notes, 0);
}

/* The connection is open and its pages are known when the file is overwritten under it. */
TEST(damage_under_an_open_connection_fails_nothing)
{
	AUTO(place_dir) struct place p = new_place();
	AUTO(store) struct store *s = NULL;
	AUTO(store) struct store *other = NULL;
	AUTO(cache_record) struct cache_record got = CACHE_RECORD_INIT;
	AUTO(fd) int fd = -1;
	AUTO(free) char *zeros = xzalloc(1 << 20);
	AUTO(free) char *path = NULL;
	struct descriptor layer;
	struct descriptor image;
	struct err err = { 0 };

	works(store_open(p.root, &s, &err));
	works(store_open(p.root, &other, &err));
	image = put_image(s, "one", &layer);
	works(store_name_set(s, "a", &image, &err));
	put_record(s, "key", "RUN", 0);
	put_record(other, "key2", "RUN", 0);
	write_garbage(p.root, "db.sqlite-wal", "");
	path = xasprintf("%s/db.sqlite", p.root);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	same_int(fd_write(fd, zeros, 1 << 20), 0);
	memset(zeros, 'x', 1 << 20);
	same_int(pwrite(fd, zeros, 1 << 20, 0), 1 << 20);
	write_garbage(p.root, "db.sqlite-shm", "xxxxxxxxxxxxxxxxxxxxx");
	is_true(store_cache_get(s, "key", &got, &err) >= 0);
	put_record(s, "key3", "RUN", 0);
	put_record(other, "key4", "RUN", 0);
	cache_record_free(&got);
	same_int(store_cache_get(s, "key3", &got, &err), 1);
	cache_record_free(&got);
	same_int(store_cache_get(s, "key4", &got, &err), 1);
	same_int(store_name_get(other, "a", NULL, &err), 1);
	same_int(check(s, false).problems, 0);
}

TEST(gc_does_nothing_when_all_names_are_lost)
{
	AUTO(place_dir) struct place p = new_place();
	AUTO(store) struct store *s = NULL;
	struct gc_options none = { 0 };
	struct gc_result r = { 0 };
	struct descriptor layer;
	struct descriptor image;
	struct err err = { 0 };

	works(store_open(p.root, &s, &err));
	image = put_image(s, "one", &layer);
	works(store_name_set(s, "a", &image, &err));
	auto_store(&s);
	write_garbage(
		p.root, "db.sqlite", "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz");
	write_garbage(p.root, "db.sqlite-wal", "");
	write_garbage(p.root, "index.json", "{\"manif");
	works(store_open(p.root, &s, &err));
	same_int(store_gc(s, &none, &r, &err), -1);
	same_int(err.kind, ERR_CORRUPT);
	is_true(check(s, false).problems > 0);
	works(store_name_set(s, "a", &image, &err));
	is_true(check(s, true).repaired > 0);
	same_int(check(s, false).problems, 0);
	auto_store(&s);
	same_int(gc(p.root, &none).blobs, 0);
}

TEST(trees_of_another_boot_that_were_not_synced_are_forgotten)
{
	AUTO(place_dir) struct place p = new_place();
	AUTO(store) struct store *s = NULL;
	AUTO(free) char *command = NULL;
	struct layer_record synced;
	struct layer_record fresh;
	struct layer_record got;
	struct err err = { 0 };

	works(store_open(p.root, &s, &err));
	synced = add_layer(s, "one", true);
	works(store_sync(s, &err));
	fresh = add_layer(s, "two", true);
	auto_store(&s);
	command = xasprintf("sqlite3 %s/db.sqlite \"update trees set boot='old' where boot is not "
			    "null\" 2>/dev/null",
		p.root);
	if (system(command) != 0)
		skip();
	works(store_open(p.root, &s, &err));
	same_int(store_layer_get(s, synced.id, &got, &err), 1);
	same_str(got.tree, synced.tree);
	same_int(store_layer_get(s, fresh.id, &got, &err), 1);
	same_str(got.tree, "");
	same_int(store_tree_open(s, fresh.tree, &err), -1);
	same_int(check(s, false).problems, 0);
}

/* As after a RUN in a user namespace: a directory whose owner is a mapped id. */
static void
collect_what_mapped_ids_own(void)
{
	AUTO(place_dir) struct place p = new_place();
	AUTO(store) struct store *s = NULL;
	AUTO(tree_new) struct tree_new t = TREE_NEW_INIT;
	AUTO(fd) int trash = -1;
	struct gc_options none = { 0 };
	struct gc_result r = { 0 };
	struct err err = { 0 };
	char name[128];

	same_int(chown(p.dir, 1234, 1234), 0);
	same_int(seteuid(1234), 0);
	works(store_open(p.root, &s, &err));
	works(store_tree_new(s, 1234, getegid(), &t, &err));
	works(file_write(t.fs_fd, "ours", "x", 1, 0644, FILE_NO_SYNC, &err));
	same_int(seteuid(0), 0);
	same_int(mkdirat(t.fs_fd, "theirs", 0755), 0);
	works(file_write(t.fs_fd, "theirs/file", "x", 1, 0644, FILE_NO_SYNC, &err));
	same_int(fchownat(t.fs_fd, "theirs", 101234, 101234, 0), 0);
	same_int(seteuid(1234), 0);
	auto_store(&s);
	works(store_open(p.root, &s, &err));
	works(store_gc(s, &none, &r, &err));
	same_int(r.trees, 1);
	same_int(r.trash_left, 1);
	snprintf(name, sizeof name, "%s/trees/%s", p.root, t.id);
	same_int(access(name, F_OK), -1);
	trash = store_trash_open(s, &err);
	is_true(trash >= 0);
	r = (struct gc_result){ 0 };
	works(store_gc(s, &none, &r, &err));
	same_int(r.trash_left, 1);
	same_int(seteuid(0), 0);
	auto_store(&s);
}

/* A skip runs nothing of what AUTO promises: it comes before there is a directory. */
TEST(what_mapped_ids_own_is_left_in_the_trash_for_a_worker_inside)
{
	if (geteuid() != 0) {
		print_message("# needs root, to make files of another user\n");
		skip();
	}
	collect_what_mapped_ids_own();
}

TEST(gc_measures_trees_that_came_without_a_size)
{
	AUTO(place_dir) struct place p = new_place();
	AUTO(store) struct store *s = NULL;
	AUTO(tree_new) struct tree_new t = TREE_NEW_INIT;
	AUTO(free) char *bytes = xzalloc(100000);
	struct gc_options none = { 0 };
	struct gc_result r = { 0 };
	struct err err = { 0 };

	works(store_open(p.root, &s, &err));
	works(store_tree_new(s, getuid(), getgid(), &t, &err));
	works(file_write(t.fs_fd, "file", bytes, 100000, 0644, FILE_SYNC, &err));
	works(store_tree_commit(s, t.id, 0, &err));
	works(store_gc(s, &none, &r, &err));
	is_true(r.kept >= 100000);
}

TEST(usage_counts_what_is_there)
{
	AUTO(place_dir) struct place p = new_place();
	AUTO(store) struct store *s = NULL;
	struct store_usage u = { 0 };
	struct err err = { 0 };

	works(store_open(p.root, &s, &err));
	put_blob(s, "", "12345");
	add_layer(s, "1234567", true);
	works(store_usage(s, &u, &err));
	same_int(u.blobs, 5);
	same_int(u.blob_count, 1);
	same_int(u.trees, 7);
	is_true(u.free > 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(gc_keeps_what_names_pins_and_records_reach),
		CASE(a_cap_takes_the_records_that_were_used_least_recently),
		CASE(gc_leaves_partials_that_somebody_is_at),
		CASE(check_finds_a_flipped_bit_and_repair_puts_the_blob_aside),
		CASE(a_layer_that_is_elsewhere_is_no_problem),
		CASE(a_damaged_database_is_begun_anew_with_names_and_layers),
		CASE(a_database_that_lost_its_last_transactions_takes_names_from_the_index),
		CASE(names_that_another_program_put_into_the_index_are_taken_over),
		CASE(damage_under_an_open_connection_fails_nothing),
		CASE(gc_does_nothing_when_all_names_are_lost),
		CASE(trees_of_another_boot_that_were_not_synced_are_forgotten),
		CASE(what_mapped_ids_own_is_left_in_the_trash_for_a_worker_inside),
		CASE(gc_measures_trees_that_came_without_a_size),
		CASE(usage_counts_what_is_there),
	};

	return RUN(tests);
}
