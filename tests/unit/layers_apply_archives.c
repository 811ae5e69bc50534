/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/trees.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "layers/apply.h"
#include "layers/tree.h"

/* Archives of testdata/apply: each tries what its name says on a tree beside a canary. */

#define CANARY "canary/ canary/secret=5 tree/"

static struct stream *
open_archive(const char *name)
{
	AUTO(free) char *path = xasprintf("%s/apply/%s.tar", TESTDATA, name);
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	return stream_fd(fd);
}

static void
check_outside(int dir, const char *name)
{
	AUTO(listing) struct listing l = LISTING_INIT;
	AUTO(free) char *text = NULL;
	struct tree_options o = TREE_OPTIONS_INIT;
	struct stat st;
	struct err err = { 0 };

	works(tree_list(dir, &o, &l, &err));
	text = shown(&l);
	if (!starts_with(text, CANARY))
		print_error("# %s\n", name);
	is_true(starts_with(text, CANARY));
	same_int(fstatat(dir, "canary", &st, 0), 0);
	same_int(st.st_mode & 07777, 0755);
	same_int(fstatat(dir, "canary/secret", &st, 0), 0);
	same_int(st.st_nlink, 1);
	same_int(fstatat(dir, "tree/Makefile", &st, 0), -1);
}

static char *
apply_archive(const char *name, enum apply_form form)
{
	AUTO(scratch) struct scratch s = scratch();
	AUTO(fd) int tree = make_dir(s.dir, "tree");
	AUTO(stream) struct stream *in = open_archive(name);
	AUTO(listing) struct listing l = LISTING_INIT;
	struct apply_options o = APPLY_OPTIONS_INIT;
	struct err err = { 0 };
	char *answer;

	plant(s.dir, "canary/ canary/secret=12345");
	o.form = form;
	o.owner = APPLY_OWNER_TRY;
	o.no_devices = true;
	if (apply_layer(in, tree, &o, &l, &err) < 0)
		answer = xstrdup(err.msg);
	else
		answer = shown(&l);
	check_outside(s.dir, name);
	return answer;
}

TEST(no_archive_gets_out)
{
	AUTO(buf) struct buf table = BUF_INIT;
	AUTO(strv) struct strv lines = STRV_INIT;
	AUTO(fd) int fd = open(TESTDATA "/apply/apply.tsv", O_RDONLY | O_CLOEXEC);
	struct err err = { 0 };

	works(buf_read(&table, fd, 1 << 20, &err));
	strv_split(&lines, table.data, "\n");
	for (size_t i = 0; i < lines.count; i++) {
		AUTO(free) char *overlay = NULL;
		AUTO(free) char *root = NULL;
		char *name = lines.items[i], *tab = strchr(name, '\t');

		if (name[0] == '#' || tab == NULL)
			continue;
		*tab = '\0';
		overlay = apply_archive(name, APPLY_OVERLAY);
		if (strcmp(overlay, tab + 1) != 0)
			print_error("# %s\n", name);
		same_str(overlay, tab + 1);
		root = apply_archive(name, APPLY_ROOT);
	}
}

/* Somebody exchanges a directory for a link to the outside, again and again, while an archive puts
 * files into it. */
struct race {
	int tree;
	atomic_bool is_over;
};

static void *
exchange(void *arg)
{
	struct race *race = arg;

	while (!atomic_load(&race->is_over)) {
		renameat2(race->tree, "d", race->tree, "link", RENAME_EXCHANGE);
		sched_yield();
	}
	return NULL;
}

static void
put_file(struct apply *a, unsigned number)
{
	char path[32];
	struct entry e = {
		.path = path, .kind = ENTRY_FILE, .mode = 0644, .uid = getuid(), .gid = getgid()
	};
	struct entry other = { .path = (char *)"x",
		.kind = ENTRY_FILE,
		.mode = 0644,
		.uid = getuid(),
		.gid = getgid() };
	struct err err = { 0 };

	/* a file elsewhere in between, so that the directory is looked for each time */
	snprintf(path, sizeof path, "d/f%u", number % 50);
	if (apply_entry(a, &e, &err) == 0)
		apply_entry(a, &other, &err);
}

TEST(a_directory_that_turns_into_a_link_leads_nowhere)
{
	AUTO(scratch) struct scratch s = scratch();
	struct race race = { .tree = make_dir(s.dir, "tree") };
	struct apply_options o = APPLY_OPTIONS_INIT;
	pthread_t thread;
	int canary;

	plant(s.dir, "canary/ canary/secret=12345");
	plant(race.tree, "d/ link->../canary");
	o.owner = APPLY_OWNER_TRY;
	same_int(pthread_create(&thread, NULL, exchange, &race), 0);
	for (unsigned i = 0; i < 3000; i++) {
		/* what is refused once may work the next time: a new one begins afresh */
		AUTO(apply) struct apply *a = apply_new(race.tree, &o, NULL);

		put_file(a, i);
	}
	atomic_store(&race.is_over, true);
	pthread_join(thread, NULL);
	canary = make_dir(s.dir, "canary");
	check_outside(s.dir, "exchange");
	close(canary);
	close(race.tree);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(no_archive_gets_out),
		CASE(a_directory_that_turns_into_a_link_leads_nowhere),
	};

	return RUN(tests);
}
