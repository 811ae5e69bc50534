/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/prop/archives.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/utsname.h>

#include "layers/diff.h"
#include "layers/layer.h"
#include "layers/tree.h"
#include "layers/view.h"

/* Laws of layers, checked against the kernel's overlay.  They run in a child with namespaces of its
 * own, which says what is wrong and ends with 3. */

/* What anybody sees of a file: one line.  Names of one file are not told from copies here, because
 * overlay splits them. */
static void
add_line(struct buf *out, const char *path, const struct entry *e)
{
	if (path[0] == '\0')
		return;
	buf_addf(out, "%s %d %o %u:%u %" PRIu64 " %" PRId64 " %s %zu\n", path, (int)e->kind,
		e->kind == ENTRY_SYMLINK ? 0777 : e->mode, e->uid, e->gid, e->size, e->mtime,
		e->link != NULL ? e->link : "", e->xattr_count);
}

static void
lines_of_listing(const struct listing *l, struct buf *out)
{
	AUTO(listed) struct listed at = LISTED_INIT, file = LISTED_INIT;

	for (size_t i = 0; i < l->count; i++) {
		const struct entry *e = listing_at(l, i, &at);

		if (e->kind == ENTRY_HARDLINK)
			e = listing_at(l, listing_find(l, e->link), &file);
		add_line(out, at.path.data, e);
	}
}

static int
line_of_hit(const struct view_hit *hit, void *out, struct err *err)
{
	(void)err;
	add_line(out, hit->path, &hit->file.entry);
	return 0;
}

/* Prints from the first line that differs. */
static void
broken(uint64_t seed, const char *what, const char *a, const char *b)
{
	size_t same = 0;

	for (size_t i = 0; a[i] != '\0' && a[i] == b[i]; i++)
		if (a[i] == '\n')
			same = i + 1;
	print_error("# SEED=%" PRIu64 " RUNS=1: %s\n# one:\n%s# other:\n%s", seed, what, a + same,
		b + same);
	_exit(3);
}

static void
must(uint64_t seed, int result, const struct err *err)
{
	if (result == 0)
		return;
	print_error("# SEED=%" PRIu64 " RUNS=1: %s\n", seed, err->msg);
	_exit(3);
}

/* A made-up layer in directory tree; *out is its listing.  What is refused is left out. */
static void
make_layer(struct random *r, int tree, enum apply_form form, bool whiteouts, unsigned most,
	const struct view *lower, struct listing *out, uint64_t seed)
{
	struct apply_options o = APPLY_OPTIONS_INIT;
	AUTO(apply) struct apply *a = NULL;
	unsigned count = 1 + random_below(r, most);
	struct err err = { 0 };

	o.form = form;
	o.owner = has_many_ids() ? APPLY_OWNER_KEEP : APPLY_OWNER_TRY;
	o.digests = out != NULL;
	o.lower = lower;
	a = apply_new(tree, &o, out);
	while (count-- > 0)
		random_apply(r, a, whiteouts);
	must(seed, apply_finish(a, &err), &err);
}

static void
list_lines(uint64_t seed, int tree, enum tree_kind kind, struct buf *out)
{
	struct tree_options o = { .kind = kind };
	AUTO(listing) struct listing l = LISTING_INIT;
	struct err err = { 0 };

	must(seed, tree_list(tree, &o, &l, &err), &err);
	lines_of_listing(&l, out);
}

static void
pack(uint64_t seed, int tree, struct listing *l, struct buf *out)
{
	AUTO(sink) struct sink *sink = sink_buf(out);
	struct err err = { 0 };

	must(seed, layer_pack(tree, l, LAYER_DIGESTS, sink, &err), &err);
	must(seed, sink_finish(sink, &err), &err);
}

static void
unpack(uint64_t seed, const struct buf *tar, int tree, enum apply_form form, struct listing *out)
{
	AUTO(stream) struct stream *in = stream_bytes(tar->data, tar->len);
	struct apply_options o = APPLY_OPTIONS_INIT;
	struct err err = { 0 };

	o.form = form;
	o.owner = has_many_ids() ? APPLY_OWNER_KEEP : APPLY_OWNER_TRY;
	o.digests = true;
	must(seed, apply_layer(in, tree, &o, out, &err), &err);
}

/* A tree that was packed and unpacked is the same, and packs to the same bytes whatever the umask.
 */
static void
round_trip(uint64_t seed, int top)
{
	AUTO(listing) struct listing first = LISTING_INIT;
	AUTO(listing) struct listing told = LISTING_INIT;
	AUTO(listing) struct listing second = LISTING_INIT;
	AUTO(buf) struct buf tar = BUF_INIT;
	AUTO(buf) struct buf tar_again = BUF_INIT;
	AUTO(buf) struct buf form = BUF_INIT;
	AUTO(buf) struct buf form_told = BUF_INIT;
	AUTO(fd) int a = make_dir(top, "a");
	AUTO(fd) int b = make_dir(top, "b");
	struct tree_options o = { .kind = TREE_OVERLAY };
	struct random r = { seed };
	struct err err = { 0 };

	make_layer(&r, a, APPLY_OVERLAY, true, 40, NULL, NULL, seed);
	must(seed, tree_list(a, &o, &first, &err), &err);
	pack(seed, a, &first, &tar);
	umask((mode_t)random_below(&r, 0100));
	unpack(seed, &tar, b, APPLY_OVERLAY, &told);
	must(seed, tree_list(b, &o, &second, &err), &err);
	pack(seed, b, &second, &tar_again);
	umask(022);
	if (tar.len != tar_again.len || memcmp(tar.data, tar_again.data, tar.len) != 0) {
		buf_clear(&form);
		lines_of_listing(&first, &form);
		lines_of_listing(&second, &form_told);
		broken(seed, "a tree came back as another", form.data, form_told.data);
	}
	listing_format(&second, &form);
	listing_format(&told, &form_told);
	if (form.len != form_told.len || memcmp(form.data, form_told.data, form.len) != 0)
		broken(seed, "the listing of an archive is not that of its tree", "\n", "\n");
}

static int
mount_stack(const char *lowers, bool has_upper)
{
	AUTO(free)
	char *options = xasprintf(
		"userxattr,lowerdir=%s%s", lowers, has_upper ? ",upperdir=upper,workdir=work" : "");

	return mount("overlay", "merged", "overlay", 0, options);
}

/* A view holds what overlay shows of the same layers. */
static void
stack(uint64_t seed, int top)
{
	enum { LAYERS = 4 };
	struct listing listings[LAYERS] = { LISTING_INIT };
	const struct listing *layers[LAYERS] = { NULL };
	AUTO(buf) struct buf lowers = BUF_INIT;
	AUTO(buf) struct buf seen = BUF_INIT;
	AUTO(buf) struct buf shown_by_view = BUF_INIT;
	AUTO(view) struct view *v = NULL;
	struct random r = { seed };
	struct err err = { 0 };

	for (unsigned i = 0; i < LAYERS; i++) {
		char name[2] = { (char)('0' + i), '\0' };
		AUTO(fd) int tree = make_dir(top, name);

		AUTO(view) struct view *below = view_new(layers, i);

		make_layer(&r, tree, APPLY_OVERLAY, i > 0, 12, below, &listings[i], seed);
		layers[i] = &listings[i];
	}
	for (unsigned i = LAYERS; i > 0; i--)
		buf_addf(&lowers, "%s%u", lowers.len > 0 ? ":" : "", i - 1);
	v = view_new(layers, LAYERS);
	if (mount_stack(lowers.data, false) == 0) {
		AUTO(fd) int merged = make_dir(top, "merged");

		list_lines(seed, merged, TREE_PLAIN, &seen);
		auto_fd(&merged);
		umount2("merged", MNT_DETACH);
		must(seed, view_walk(v, "", line_of_hit, &shown_by_view, &err), &err);
		if (strcmp(seen.data, shown_by_view.data) != 0)
			broken(seed, "overlay and view differ", seen.data, shown_by_view.data);
	}
	for (unsigned i = 0; i < LAYERS; i++)
		listing_free(&listings[i]);
}

/* What changed, applied to what was there, is what is there now. */
static void
change(uint64_t seed, int top)
{
	AUTO(listing) struct listing before = LISTING_INIT;
	AUTO(listing) struct listing changes = LISTING_INIT;
	AUTO(buf) struct buf base = BUF_INIT;
	AUTO(buf) struct buf tar = BUF_INIT;
	AUTO(buf) struct buf wanted = BUF_INIT;
	AUTO(buf) struct buf got = BUF_INIT;
	AUTO(buf) struct buf got_by_view = BUF_INIT;
	AUTO(view) struct view *lower = NULL;
	AUTO(view) struct view *both = NULL;
	AUTO(fd) int lower_fd = make_dir(top, "lower");
	AUTO(fd) int upper = make_dir(top, "upper");
	AUTO(fd) int copy = make_dir(top, "copy");
	AUTO(fd) int work = make_dir(top, "work");
	const struct listing *layers[] = { &before, &changes };
	struct tree_options o = TREE_OPTIONS_INIT;
	struct random r = { seed };
	struct err err = { 0 };
	int merged;

	make_layer(&r, lower_fd, APPLY_ROOT, false, 25, NULL, NULL, seed);
	must(seed, tree_list(lower_fd, &o, &before, &err), &err);
	pack(seed, lower_fd, &before, &base);
	lower = view_new(layers, 1);
	if (mount_stack("lower", true) < 0)
		return;
	merged = make_dir(top, "merged");
	make_layer(&r, merged, APPLY_ROOT, true, 20, NULL, NULL, seed);
	list_lines(seed, merged, TREE_PLAIN, &wanted);
	close(merged);
	umount2("merged", MNT_DETACH);
	must(seed, diff_upper(upper, lower, NULL, NULL, &changes, &err), &err);
	pack(seed, upper, &changes, &tar);
	unpack(seed, &base, copy, APPLY_ROOT, NULL);
	unpack(seed, &tar, copy, APPLY_ROOT, NULL);
	list_lines(seed, copy, TREE_PLAIN, &got);
	if (strcmp(wanted.data, got.data) != 0)
		broken(seed, "a change applied is another", wanted.data, got.data);
	both = view_new(layers, 2);
	must(seed, view_walk(both, "", line_of_hit, &got_by_view, &err), &err);
	if (strcmp(wanted.data, got_by_view.data) != 0)
		broken(seed, "a change seen is another", wanted.data, got_by_view.data);
}

struct law {
	void (*law)(uint64_t seed, int top);
	unsigned runs;
};

static void
try_law(void *arg)
{
	const struct law *law = arg;
	uint64_t seed = random_seed();
	unsigned runs = random_runs(law->runs);
	struct err err = { 0 };

	print_message("# SEED=%" PRIu64 " RUNS=%u\n", seed, runs);
	for (unsigned i = 0; i < runs; i++) {
		struct scratch s = scratch();

		if (fchdir(s.dir) < 0)
			_exit(2);
		plant(s.dir, "merged/");
		law->law(seed + i, s.dir);
		/* overlay leaves one there without any rights */
		must(seed + i, path_remove(s.dir, "work", &err), &err);
		if (chdir("/") < 0)
			_exit(2);
		auto_scratch(&s);
	}
	fflush(NULL);
}

static void
holds(struct law law)
{
	int status = inside(try_law, &law);

	if (status == 2)
		skip();
	same_int(status, 0);
}

/* As in a container whose filter forbids devices: whiteouts must be attributes then. */
static void
forbid_devices(void)
{
	struct sock_filter rows[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_mknodat, 0, 4),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[2])),
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, S_IFMT),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, S_IFCHR, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { .len = COUNT_OF(rows), .filter = rows };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
		prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
		_exit(2);
}

static void
stack_without_devices(uint64_t seed, int top)
{
	forbid_devices();
	stack(seed, top);
}

TEST(a_tree_packed_and_unpacked_is_the_same)
{
	holds((struct law){ round_trip, 150 });
}

TEST(a_view_holds_what_overlay_shows)
{
	holds((struct law){ stack, 150 });
}

TEST(so_it_does_where_no_device_can_be_made)
{
	struct utsname u;
	int major = 0, minor = 0;

	uname(&u);
	sscanf(u.release, "%d.%d", &major, &minor);
	if (major < 6 || (major == 6 && minor < 8))
		skip();
	/* a filter for each run, which adds up */
	holds((struct law){ stack_without_devices, 40 });
}

TEST(a_change_applied_to_what_was_is_what_is)
{
	holds((struct law){ change, 150 });
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_tree_packed_and_unpacked_is_the_same),
		CASE(a_view_holds_what_overlay_shows),
		CASE(so_it_does_where_no_device_can_be_made),
		CASE(a_change_applied_to_what_was_is_what_is),
	};

	return RUN(tests);
}
