/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/fuzz.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/path.h"
#include "layers/apply.h"
#include "layers/tree.h"

/* top/ holds a canary and the trees that archives are applied to. */
struct place {
	char path[32];
	int top, overlay, root;
};

static void
plant(struct place *p)
{
	static const char *const links[][2] = { { "../canary", "out" }, { "/", "abs" },
		{ "d", "in" } };

	if (mkdirat(p->top, "canary", 0700) < 0 || mkdirat(p->top, "canary/d", 0700) < 0 ||
		mkdirat(p->top, "overlay", 0755) < 0 || mkdirat(p->top, "root", 0755) < 0)
		abort();
	p->overlay = openat(p->top, "overlay", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	p->root = openat(p->top, "root", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (mkdirat(p->root, "d", 0755) < 0 || mkdirat(p->root, "d/a", 0755) < 0 ||
		mknodat(p->root, "a", S_IFREG | 0644, 0) < 0)
		abort();
	for (size_t i = 0; i < COUNT_OF(links); i++)
		if (symlinkat(links[i][0], p->root, links[i][1]) < 0)
			abort();
}

static void
make_place(struct place *p)
{
	const char *base = getenv("TMPDIR");

	snprintf(p->path, sizeof p->path, "%.10s/cooper-fuzz-XXXXXX",
		base != NULL && strlen(base) < 10 ? base : "/tmp");
	if (mkdtemp(p->path) == NULL)
		abort();
	p->top = open(p->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (p->top < 0)
		abort();
	plant(p);
}

static void
remove_place(struct place *p)
{
	const char *slash = strrchr(p->path, '/');
	AUTO(free) char *above = xstrndup(p->path, (size_t)(slash - p->path));
	AUTO(fd) int dir = open(above, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct err err = { .kind = ERR_NONE };

	auto_fd(&p->overlay);
	auto_fd(&p->root);
	auto_fd(&p->top);
	if (path_remove(dir, slash + 1, &err) < 0) {
		fprintf(stderr, "%s\n", err.msg);
		abort();
	}
}

/* What is outside is as it was. */
static void
check_canary(const struct place *p)
{
	struct tree_options o = TREE_OPTIONS_INIT;
	AUTO(fd) int canary = openat(p->top, "canary", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	AUTO(listing) struct listing l = LISTING_INIT;
	AUTO(listed) struct listed at = LISTED_INIT;
	struct err err = { .kind = ERR_NONE };
	struct stat st;

	if (canary < 0 || tree_list(canary, &o, &l, &err) < 0 || l.count != 2)
		abort();
	for (size_t i = 0; i < 2; i++) {
		const struct entry *e = listing_at(&l, i, &at);

		if (e->mode != 0700 || e->xattr_count > 0)
			abort();
	}
	if (fstat(p->top, &st) < 0 || st.st_nlink > 5 || (st.st_mode & 07777) != 0700)
		abort();
}

/* Devices are not made here, and a directory may have been there before. */
static bool
is_told(const struct entry *e)
{
	return e->kind != ENTRY_CHAR && e->kind != ENTRY_BLOCK && e->path[0] != '\0';
}

static void
differ(const char *what, const struct entry *a, const struct entry *b)
{
	fprintf(stderr, "%s: listed '%s' kind %d, on disk '%s' kind %d\n", what,
		a != NULL ? a->path : "(none)", a != NULL ? (int)a->kind : -1,
		b != NULL ? b->path : "(none)", b != NULL ? (int)b->kind : -1);
	abort();
}

/* The listing tells what is in the tree: order, kinds, links and sizes. */
static void
check_listing(const struct listing *l, int tree)
{
	struct tree_options o = { .kind = TREE_OVERLAY };
	AUTO(listing) struct listing disk = LISTING_INIT;
	AUTO(listed) struct listed listed = LISTED_INIT, found = LISTED_INIT;
	struct err err = { .kind = ERR_NONE };
	size_t k = 0;

	if (tree_list(tree, &o, &disk, &err) < 0) {
		fprintf(stderr, "%s\n", err.msg);
		abort();
	}
	for (size_t i = 0; i < l->count; i++) {
		const struct entry *e = listing_at(l, i, &listed), *d;

		if (!is_told(e))
			continue;
		while (k < disk.count && !is_told(listing_at(&disk, k, &found)))
			k++;
		d = k < disk.count ? listing_at(&disk, k++, &found) : NULL;
		if (d == NULL || strcmp(d->path, e->path) != 0 || d->kind != e->kind ||
			!streq(d->link, e->link) || d->size != e->size)
			differ("tree", e, d);
	}
	while (k < disk.count && !is_told(listing_at(&disk, k, &found)))
		k++;
	if (k < disk.count)
		differ("tree", NULL, listing_at(&disk, k, &found));
}

static int
apply(const uint8_t *bytes, size_t len, int tree, enum apply_form form, struct listing *out)
{
	AUTO(stream) struct stream *in = stream_bytes(bytes, len);
	struct apply_options o = APPLY_OPTIONS_INIT;
	struct err err = { .kind = ERR_NONE };

	o.form = form;
	o.owner = APPLY_OWNER_TRY;
	o.no_devices = true;
	o.digests = true;
	o.max_size = 4u << 20;
	o.max_entries = 2000;
	return apply_layer(in, tree, &o, out, &err);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	AUTO(listing) struct listing l = LISTING_INIT;
	AUTO(listing) struct listing onto = LISTING_INIT;
	struct place p;

	make_place(&p);
	if (apply(bytes, len, p.overlay, APPLY_OVERLAY, &l) == 0)
		check_listing(&l, p.overlay);
	apply(bytes, len, p.root, APPLY_ROOT, &onto);
	check_canary(&p);
	remove_place(&p);
	return 0;
}
