/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/stat.h>
#include <time.h>

#include "layers/store.h"
#include "registry/memory.h"
#include "tests/unit/fake.h"

/* Uploads that go wrong. */

TEST(a_put_whose_answer_got_lost_is_looked_for)
{
	AUTO(fake) struct fake f;
	struct err err = { 0 };

	START(&f, "--rule", "PUT /blobs/ late");
	works(push(&f, &err));
	works(pull(&f, &err));
	same_int(asked(&f, "PUT", "/blobs/"), 2);
}

TEST(what_is_too_large_goes_in_chunks_from_then_on)
{
	AUTO(fake) struct fake f;
	struct err err = { 0 };

	START(&f, "--rule", "PUT /blobs/uploads/u1 status=413");
	works(push_layer(&f, &err));
	same_int(asked(&f, "PUT", ""), 2); /* the first one, and the closing one */
	same_int(asked(&f, "PATCH", ""), 1);
	works(push(&f, &err));
	same_int(asked(&f, "PATCH", ""), 2);
	works(pull(&f, &err));
	is_true(has_layer(&f));
}

TEST(a_chunk_that_broke_goes_on_where_the_registry_stands)
{
	AUTO(fake) struct fake f;
	struct err err = { 0 };

	START(&f, "--rule", "PUT /blobs/uploads/u1 status=413", "--rule",
		"PATCH . times=1 keep=1000 late");
	works(push_layer(&f, &err));
	same_int(asked(&f, "PATCH", ""), 2);
	same_int(asked(&f, "GET", "/uploads/u2"), 1);
	works(push(&f, &err));
	works(pull(&f, &err));
	is_true(has_layer(&f));
}

TEST(a_chunk_that_was_taken_in_part_is_completed)
{
	AUTO(fake) struct fake f;
	struct err err = { 0 };

	START(&f, "--rule", "PUT /blobs/uploads/u1 status=413", "--rule", "PATCH . keep=100000");
	works(push_layer(&f, &err));
	same_int(asked(&f, "PATCH", ""), 3);
}

TEST(a_lost_chunk_is_noticed)
{
	AUTO(fake) struct fake f;
	struct err err = { 0 };

	START(&f, "--rule", "PUT /blobs/ above=1000 status=413", "--rule", "PATCH . keep=0");
	same_int(push_layer(&f, &err), -1);
	same_int(err.kind, ERR_REMOTE);
	same_str(err.msg, "the registry has 0 bytes of this upload, not 300000");
}

TEST(a_large_blob_goes_in_several_chunks)
{
	AUTO(fake) struct fake f;
	struct descriptor d;
	struct err err = { 0 };

	START(&f, "--rule", "PUT /blobs/ above=1000 status=413", "--rule",
		"PATCH . skip=1 times=1 late");
	works(push_large(&f, 40u << 20, &d, &err));
	same_int(asked(&f, "PATCH", ""), 5);
}

TEST(pieces_get_smaller_where_chunks_are_too_large)
{
	AUTO(fake) struct fake f;
	struct descriptor d;
	struct err err = { 0 };

	START(&f, "--rule", "PUT /blobs/ above=1000 status=413", "--rule",
		"PATCH . above=4194304 status=416");
	works(push_large(&f, 20u << 20, &d, &err));
	same_int(asked(&f, "PATCH", ""), 6);
}

TEST(what_is_cut_without_a_word_goes_in_chunks)
{
	AUTO(fake) struct fake f;
	struct descriptor d;
	struct err err = { 0 };

	START(&f, "--rule", "* /blobs/uploads/ above=17000000 cut=1000000");
	works(push_large(&f, 20u << 20, &d, &err));
	same_int(asked(&f, "PUT", ""), 3);
	same_int(asked(&f, "PATCH", ""), 3);
}

TEST(an_answer_with_another_digest_is_a_failure)
{
	AUTO(fake) struct fake f;
	struct err err = { 0 };

	START(&f, "--rule",
		"PUT /blobs/ header=Docker-Content-Digest:sha256:"
		"0000000000000000000000000000000000000000000000000000000000000000");
	same_int(push(&f, &err), -1);
	same_int(err.kind, ERR_CORRUPT);
}

TEST(an_upload_location_elsewhere_gets_no_credential)
{
	AUTO(fake) struct fake f;
	struct err err = { 0 };

	start_with(&f, (struct session_options)USER,
		(const char *const[]){ "--auth", "basic", "--other", "--rule",
			"POST . header=Location:http://127.0.0.1:{other}/v2/a/b/blobs/uploads/u1",
			NULL });
	push(&f, &err);
	is_true(asked(&f, "other PUT", "") > 0);
	same_int(asked(&f, "other", "basic"), 0);
}

TEST(mounts_move_nothing)
{
	AUTO(fake) struct fake f;
	AUTO(place) struct place *other = NULL;
	struct descriptor copied;
	struct err err = { 0 };

	START(&f, "--auth", "bearer", "--anonymous");
	session_free(f.session);
	place_free(f.push);
	place_free(f.pull);
	f.session = NULL;
	open_session((struct session_options)USER, &f.session);
	f.push = open_at(f.session, &f.server, "a/b", REMOTE_PUSH);
	f.pull = open_at(f.session, &f.server, "a/b", REMOTE_PULL);
	works(push(&f, &err));
	other = open_at(f.session, &f.server, "c/d", REMOTE_PUSH);
	works(place_copy(f.pull, other, &f.root, NULL, &copied, &err));
	same_int(asked(&f, "PUT /v2/c/d/blobs", ""), 0);
	same_int(asked(&f, "GET /v2/a/b/blobs", ""), 0);
}

TEST(a_refused_mount_leaves_a_session_that_is_used)
{
	AUTO(fake) struct fake f;
	AUTO(place) struct place *other = NULL;
	struct descriptor copied;
	struct err err = { 0 };

	START(&f, "--rule", "POST mount= nomount");
	works(push(&f, &err));
	other = open_at(f.session, &f.server, "c/d", REMOTE_PUSH);
	works(place_copy(f.pull, other, &f.root, NULL, &copied, &err));
	same_int(asked(&f, "POST /v2/c/d", ""), 2);
	same_int(asked(&f, "PUT /v2/c/d/blobs", ""), 2);
}

TEST(what_another_repository_has_is_mounted_instead_of_sent)
{
	AUTO(fake) struct fake f;
	AUTO(place) struct place *other = NULL;
	struct descriptor copied;
	struct err err = { 0 };

	start_with(&f, (struct session_options)USER,
		(const char *const[]){ "--auth", "bearer", NULL });
	works(push(&f, &err));
	other = open_at(f.session, &f.server, "c/d", REMOTE_PUSH);
	remote_mount_from(other, "no/such");
	remote_mount_from(other, "a/b");
	works(place_copy(f.memory, other, &f.root, NULL, &copied, &err));
	same_int(asked(&f, "PUT /v2/c/d/blobs/", digest_hex(&f.layer.digest)), 0);
	works(push(&f, &err));
}

TEST(mounts_that_are_refused_cost_nothing)
{
	AUTO(fake) struct fake f;
	AUTO(place) struct place *other = NULL;
	struct descriptor copied;
	struct err err = { 0 };

	START(&f, "--rule", "POST mount= nomount");
	works(push(&f, &err));
	other = open_at(f.session, &f.server, "c/d", REMOTE_PUSH);
	remote_mount_from(other, "a/b");
	works(place_copy(f.memory, other, &f.root, NULL, &copied, &err));
	same_int(asked(&f, "PUT /v2/c/d/blobs", ""), 2);
	same_int(asked(&f, "POST /v2/c/d/blobs", ""), 2);
}

TEST(a_registry_that_only_says_it_has_a_blob_is_sent_it_after_all)
{
	AUTO(fake) struct fake f;
	struct err err = { 0 };

	START(&f, "--rule", "HEAD /blobs/ status=200 noheader=Content-Length");
	works(push(&f, &err));
	works(pull(&f, &err));
	is_true(has_layer(&f));
}

TEST(an_upload_that_says_not_where_is_a_failure)
{
	AUTO(fake) struct fake f;
	struct err err = { 0 };

	START(&f, "--rule", "POST . noheader=Location");
	fails(push_layer(&f, &err), "the registry opens an upload but says not where");
}

TEST(an_upload_location_more_private_than_the_registry_is_refused)
{
	AUTO(fake) struct fake f;
	struct err err = { 0 };

	START(&f, "--rule", "POST . header=Location://169.254.169.254/x");
	same_int(push_layer(&f, &err), -1);
	same_int(err.kind, ERR_DENIED);
	is_true(strstr(err.msg, "more private than the registry's") != NULL);
}

TEST(a_mount_of_something_else_is_no_mount)
{
	AUTO(fake) struct fake f;
	AUTO(place) struct place *other = NULL;
	struct descriptor copied;
	struct err err = { 0 };

	START(&f, "--rule",
		"POST mount= status=201 header=Docker-Content-Digest:sha256:"
		"0000000000000000000000000000000000000000000000000000000000000000");
	works(push(&f, &err));
	other = open_at(f.session, &f.server, "c/d", REMOTE_PUSH);
	works(place_copy(f.pull, other, &f.root, NULL, &copied, &err));
	same_int(asked(&f, "PUT /v2/c/d/blobs", ""), 2);
}

TEST(a_mount_that_is_only_claimed_is_no_mount)
{
	AUTO(fake) struct fake f;
	AUTO(place) struct place *other = NULL;
	struct descriptor copied;
	struct err err = { 0 };

	START(&f, "--rule", "POST mount= status=201");
	works(push(&f, &err));
	other = open_at(f.session, &f.server, "c/d", REMOTE_PUSH);
	works(place_copy(f.pull, other, &f.root, NULL, &copied, &err));
	same_int(asked(&f, "PUT /v2/c/d/blobs", ""), 2);
}

TEST(where_chunks_get_lost_blobs_go_in_one_piece)
{
	AUTO(fake) struct fake f;
	struct descriptor d;
	struct err err = { 0 };

	START(&f, "--rule", "PUT /blobs/ times=2 cut=1000", "--rule", "PATCH . keep=0");
	works(push_large(&f, 20u << 20, &d, &err));
	same_int(asked(&f, "PATCH", ""), 1);
	works(push(&f, &err));
	same_int(asked(&f, "PATCH", ""), 1);
	works(pull(&f, &err));
	is_true(has_layer(&f));
}

TEST(a_session_that_got_lost_between_chunks_begins_anew)
{
	AUTO(fake) struct fake f;
	struct descriptor d;
	struct err err = { 0 };

	START(&f, "--rule", "PUT /blobs/ above=1000 status=413", "--rule",
		"PATCH . skip=1 times=1 status=404");
	works(push_large(&f, 20u << 20, &d, &err));
	same_int(asked(&f, "POST", ""), 3);
	same_int(asked(&f, "PATCH", ""), 5);
}

TEST(chunks_are_as_long_as_the_registry_wants_them)
{
	AUTO(fake) struct fake f;
	struct descriptor d;
	struct err err = { 0 };

	START(&f, "--rule", "PUT /blobs/ above=1000 status=413", "--rule",
		"POST . header=OCI-Chunk-Min-Length:16777216");
	works(push_large(&f, 20u << 20, &d, &err));
	same_int(asked(&f, "PATCH", ""), 2);
}

TEST(a_put_that_broke_goes_on_where_the_registry_stands)
{
	AUTO(fake) struct fake f;
	struct descriptor d;
	struct err err = { 0 };

	START(&f, "--rule", "PUT /blobs/ above=1000 times=1 cut=2000000 hold");
	works(push_large(&f, 5u << 20, &d, &err));
	same_int(asked(&f, "POST", ""), 1);
	same_int(asked(&f, "PATCH", ""), 1);
	same_int(asked(&f, "GET", "/uploads/u1"), 1);
}

TEST(what_goes_on_and_is_wrong_in_the_end_begins_anew)
{
	AUTO(fake) struct fake f;
	struct descriptor d;
	struct err err = { 0 };

	START(&f, "--rule", "PUT /blobs/ above=1000 times=1 cut=2000000 hold", "--rule",
		"PUT /blobs/ skip=1 times=1 status=400 code=DIGEST_INVALID message=no");
	works(push_large(&f, 5u << 20, &d, &err));
	same_int(asked(&f, "POST", ""), 2);
}

/* Another run: a new session with the same store. */
static void
run_again(struct fake *f, struct store *store, unsigned tries)
{
	session_free(f->session);
	place_free(f->push);
	place_free(f->pull);
	f->session = NULL;
	open_anonymous(&f->server,
		(struct session_options){ .store = store, .tries = tries, .stall_ms = 5000 },
		&f->session);
	f->push = open_at(f->session, &f->server, "a/b", REMOTE_PUSH);
	f->pull = open_at(f->session, &f->server, "a/b", REMOTE_PULL);
}

static void
open_store(struct fake *f, struct store **out)
{
	AUTO(free) char *root = xasprintf("%s/store", f->server.dir);
	struct err err = { 0 };

	works(store_open(root, out, &err));
}

static int
remembered(const struct fake *f, char kind)
{
	AUTO(free)
	char *line =
		xasprintf("test $(ls %s/store/hosts | grep -c '^%c-') = 1", f->server.dir, kind);

	return system(line) == 0;
}

TEST(an_upload_that_broke_off_goes_on_in_the_next_run)
{
	AUTO(fake) struct fake f;
	AUTO(store) struct store *store = NULL;
	struct descriptor d;
	struct err err = { 0 };

	START(&f, "--rule", "PUT /blobs/ above=1000 times=1 cut=2000000 hold", "--rule",
		"GET /uploads/ times=1 status=500");
	open_store(&f, &store);
	run_again(&f, store, 1);
	same_int(push_large(&f, 5u << 20, &d, &err), -1);
	same_int(err.kind, ERR_REMOTE);
	is_true(remembered(&f, 'u'));
	run_again(&f, store, 1);
	works(push_large(&f, 5u << 20, &d, &err));
	same_int(asked(&f, "POST", ""), 1);
	same_int(asked(&f, "PUT", ""), 2);
	same_int(asked(&f, "PATCH", ""), 1);
	is_true(!remembered(&f, 'u'));
}

TEST(an_upload_that_arrived_after_all_is_not_repeated_in_the_next_run)
{
	AUTO(fake) struct fake f;
	AUTO(store) struct store *store = NULL;
	struct descriptor d;
	struct err err = { 0 };

	START(&f, "--rule", "PUT /blobs/ times=1 late", "--rule", "HEAD . times=1 status=500",
		"--rule", "GET /uploads/ status=404");
	open_store(&f, &store);
	run_again(&f, store, 1);
	same_int(push_large(&f, 5u << 20, &d, &err), -1);
	run_again(&f, store, 1);
	works(push_large(&f, 5u << 20, &d, &err));
	same_int(asked(&f, "PUT", ""), 1);
	is_true(!remembered(&f, 'u'));
}

TEST(an_upload_that_the_registry_forgot_begins_anew_in_the_next_run)
{
	AUTO(fake) struct fake f;
	AUTO(store) struct store *store = NULL;
	struct descriptor d;
	struct err err = { 0 };

	START(&f, "--rule", "PUT /blobs/ above=1000 times=1 cut=2000000 hold", "--rule",
		"GET /uploads/ times=1 status=500", "--rule", "GET /uploads/ status=404");
	open_store(&f, &store);
	run_again(&f, store, 1);
	same_int(push_large(&f, 5u << 20, &d, &err), -1);
	run_again(&f, store, 1);
	works(push_large(&f, 5u << 20, &d, &err));
	same_int(asked(&f, "POST", ""), 2);
	same_int(asked(&f, "PATCH", ""), 0);
	is_true(!remembered(&f, 'u'));
}

TEST(what_a_host_does_not_take_is_known_in_the_next_run)
{
	AUTO(fake) struct fake f;
	AUTO(store) struct store *store = NULL;
	struct err err = { 0 };

	START(&f, "--rule", "PUT /blobs/uploads/u1 status=413");
	open_store(&f, &store);
	run_again(&f, store, 1);
	works(push_layer(&f, &err));
	same_int(asked(&f, "PUT", ""), 2);
	same_int(asked(&f, "PATCH", ""), 1);
	is_true(remembered(&f, 'h'));
	run_again(&f, store, 1);
	works(push_layer(&f, &err));
	same_int(asked(&f, "PUT", ""), 3);
	same_int(asked(&f, "PATCH", ""), 2);
}

TEST(a_registry_that_refuses_mounts_is_asked_once)
{
	AUTO(fake) struct fake f;
	AUTO(place) struct place *other = NULL;
	struct descriptor copied;
	struct err err = { 0 };

	START(&f, "--rule", "POST mount= status=405");
	works(push(&f, &err));
	other = open_at(f.session, &f.server, "c/d", REMOTE_PUSH);
	works(place_copy(f.pull, other, &f.root, &(struct place_copy_options){ .parallel = 1 },
		&copied, &err));
	same_int(asked(&f, "POST", "mount="), 1);
}

TEST(two_do_not_go_on_with_one_upload)
{
	AUTO(fake) struct fake f;
	AUTO(store) struct store *store = NULL;
	struct memory_upload a, b;
	struct url url;
	struct err err = { 0 };

	START(&f, "--page", "0");
	open_store(&f, &store);
	works(url_parse("https://r.io/v2/a/blobs/uploads/u1?s=1", &url, &err));
	memory_upload_begin(store, "r.io", "a", &f.layer.digest, &a);
	is_true(a.fd >= 0 && !a.has_location);
	memory_upload_write(&a, &url);
	memory_upload_begin(store, "r.io", "a", &f.layer.digest, &b);
	is_true(b.fd < 0 && !b.has_location);
	memory_upload_write(&b, &url);
	memory_upload_end(&b, true);
	memory_upload_end(&a, false);
	memory_upload_begin(store, "r.io", "a", &f.layer.digest, &a);
	is_true(a.has_location);
	same_str(a.location.target, url.target);
	/* of the day before yesterday */
	works(futimens(a.fd, (const struct timespec[]){
				     { time(NULL) - 172800, 0 }, { time(NULL) - 172800, 0 } }));
	memory_upload_end(&a, false);
	memory_upload_begin(store, "r.io", "a", &f.layer.digest, &a);
	is_true(a.fd >= 0 && !a.has_location);
	memory_upload_end(&a, false);
	is_true(!remembered(&f, 'u'));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_put_whose_answer_got_lost_is_looked_for),
		CASE(what_is_too_large_goes_in_chunks_from_then_on),
		CASE(a_chunk_that_broke_goes_on_where_the_registry_stands),
		CASE(a_chunk_that_was_taken_in_part_is_completed),
		CASE(a_lost_chunk_is_noticed),
		CASE(a_large_blob_goes_in_several_chunks),
		CASE(pieces_get_smaller_where_chunks_are_too_large),
		CASE(what_is_cut_without_a_word_goes_in_chunks),
		CASE(an_answer_with_another_digest_is_a_failure),
		CASE(an_upload_location_elsewhere_gets_no_credential),
		CASE(mounts_move_nothing),
		CASE(a_refused_mount_leaves_a_session_that_is_used),
		CASE(what_another_repository_has_is_mounted_instead_of_sent),
		CASE(mounts_that_are_refused_cost_nothing),
		CASE(a_registry_that_only_says_it_has_a_blob_is_sent_it_after_all),
		CASE(an_upload_that_says_not_where_is_a_failure),
		CASE(an_upload_location_more_private_than_the_registry_is_refused),
		CASE(a_mount_of_something_else_is_no_mount),
		CASE(a_mount_that_is_only_claimed_is_no_mount),
		CASE(where_chunks_get_lost_blobs_go_in_one_piece),
		CASE(a_session_that_got_lost_between_chunks_begins_anew),
		CASE(chunks_are_as_long_as_the_registry_wants_them),
		CASE(a_put_that_broke_goes_on_where_the_registry_stands),
		CASE(what_goes_on_and_is_wrong_in_the_end_begins_anew),
		CASE(an_upload_that_broke_off_goes_on_in_the_next_run),
		CASE(an_upload_that_arrived_after_all_is_not_repeated_in_the_next_run),
		CASE(an_upload_that_the_registry_forgot_begins_anew_in_the_next_run),
		CASE(what_a_host_does_not_take_is_known_in_the_next_run),
		CASE(a_registry_that_refuses_mounts_is_asked_once),
		CASE(two_do_not_go_on_with_one_upload),
	};

	return RUN(tests);
}
