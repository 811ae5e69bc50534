/* SPDX-License-Identifier: Apache-2.0 */
#include "build/input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/event.h"
#include "base/file.h"
#include "base/path.h"
#include "base/worker.h"
#include "build/dockerfile/mount.h"
#include "build/dockerfile/parse.h"
#include "build/source.h"
#include "build/unpack.h"
#include "layers/archive.h"

void
input_free(struct store *store, struct input *in)
{
	struct err ignored;

	buf_free(&in->text);
	free(in->name);
	auto_fd(&in->context);
	ignore_free(in->ignore);
	if (in->tree[0] != '\0')
		store_tree_drop(store, in->tree, &ignored);
	*in = (struct input)INPUT_INIT;
}

static int
read_text(int fd, struct buf *out, struct err *err)
{
	return buf_read(out, fd, DOCKERFILE_SIZE_MAX, err);
}

/* 1, 0 when it is not there. */
static int
read_beneath(int dir, const char *name, size_t limit, struct buf *out, struct err *err)
{
	AUTO(fd) int fd = path_open(dir, name, O_RDONLY | O_NONBLOCK, 0);

	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : err_sys(err, "open '%s'", name);
	return buf_read(out, fd, limit, err) < 0 ? err_in(err, "'%s'", name) : 1;
}

/* --- a context on stdin ----------------------------------------------------------------------- */

struct unpacking {
	struct buf head;
	int tree;
};

static int
unpack(void *arg, json_t **result, struct err *err)
{
	struct unpacking *u = arg;
	struct stream *rest = stream_fd(STDIN_FILENO);

	(void)result;
	return unpack_context(stream_after(u->head.data, u->head.len, rest), u->tree, err);
}

static int
unpack_stdin(struct store *store, struct buf *head, struct input *out, struct err *err)
{
	AUTO(tree_new) struct tree_new tree = TREE_NEW_INIT;
	struct unpacking u = { .head = *head };
	struct worker_job job = { .name = "context", .run = unpack, .arg = &u };

	if (store_tree_new(store, geteuid(), getegid(), &tree, err) < 0)
		return -1;
	memcpy(out->tree, tree.id, sizeof out->tree);
	u.tree = tree.fs_fd;
	if (worker_call(&job, NULL, err) < 0)
		return err_in(err, "context on stdin");
	out->context = fd_steal(&tree.fs_fd);
	return 0;
}

/* A tar is told from a Dockerfile by its first block. */
static int
context_from_stdin(struct store *store, struct input *out, struct err *err)
{
	AUTO(buf) struct buf head = BUF_INIT;
	char *bytes = buf_reserve(&head, ARCHIVE_SNIFF_SIZE);
	ssize_t n = fd_read(STDIN_FILENO, bytes, ARCHIVE_SNIFF_SIZE);

	if (n < 0)
		return err_sys(err, "read stdin");
	head.len = (size_t)n;
	bytes[n] = '\0';
	if (archive_sniff(head.data, head.len))
		return unpack_stdin(store, &head, out, err);
	buf_add(&out->text, head.data, head.len);
	if (read_text(STDIN_FILENO, &out->text, err) < 0)
		return err_in(err, "Dockerfile on stdin");
	out->name = xstrdup("Dockerfile");
	return 0;
}

/* --- a context elsewhere ---------------------------------------------------------------------- */

static bool
keeps_git_dir(const struct build_options *o)
{
	bool keep = false;

	for (size_t i = 0; i < o->build_args.count; i++)
		if (starts_with(o->build_args.items[i], "BUILDKIT_CONTEXT_KEEP_GIT_DIR="))
			bool_parse(strchr(o->build_args.items[i], '=') + 1, &keep);
	return keep;
}

/* tree: an id; the files, as they were before or have just come. */
static int
fetch_tree(struct store *store, const struct build_options *o, const struct fetch *f,
	char tree[STORE_ID_SIZE], struct err *err)
{
	AUTO(tree_new) struct tree_new new = TREE_NEW_INIT;
	AUTO(source_past) struct source_past past = SOURCE_PAST_INIT;
	AUTO(json) json_t *result = NULL;
	struct fetch_job fetching = {
		.fetch = f, .session = &o->session, .secrets = &o->secrets, .ssh = &o->ssh
	};
	struct worker_job job = { .name = "context", .run = fetch_run, .arg = &fetching };
	struct err ignored;
	size_t index;

	if (!o->no_cache && source_find(store, f, &past, err) < 0)
		return -1;
	if (fetch_pinned(f, past.facts, &index)) {
		source_use(store, &past, index);
		snprintf(tree, STORE_ID_SIZE, "%s", past.trees.items[index]);
		return 0;
	}
	if (store_tree_new(store, geteuid(), getegid(), &new, err) < 0)
		return -1;
	memcpy(tree, new.id, sizeof new.id);
	fetching.dir = new.fs_fd;
	fetching.scratch = new.work_fd;
	fetching.known = past.facts;
	if (worker_call(&job, &result, err) < 0) {
		store_tree_drop(store, tree, &ignored);
		return -1;
	}
	return source_settle(store, f, &past, result, tree, err);
}

/* A descriptor of what is meant. */
static int
fetch_open_tree(struct store *store, const struct build_options *o, const struct fetch *f,
	const char *what, struct err *err)
{
	uint32_t event = event_start("[internal] load %s", what);
	char tree[STORE_ID_SIZE];

	if (fetch_tree(store, o, f, tree, err) < 0) {
		event_fail(event, err->msg);
		return -1;
	}
	event_done(event);
	return source_open(store, f, tree, err);
}

static int
fetch_context(struct store *store, const struct build_options *o, struct fetch *f,
	struct input *out, struct err *err)
{
	f->git.keep_git_dir |= keeps_git_dir(o);
	out->is_remote = true;
	out->context = fetch_open_tree(store, o, f, "remote build context", err);
	return out->context < 0 ? err_in(err, "context") : 0;
}

/* --- the Dockerfile --------------------------------------------------------------------------- */

static int
find_text(struct input *out, struct err *err)
{
	static const char *const names[] = { "Dockerfile", "dockerfile", "Containerfile" };

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		int found =
			read_beneath(out->context, names[i], DOCKERFILE_SIZE_MAX, &out->text, err);

		if (found < 0)
			return -1;
		if (found > 0) {
			out->name = xstrdup(names[i]);
			return 0;
		}
	}
	return err_set(err, ERR_NOTFOUND,
		"there is no Dockerfile or Containerfile in the context (name another with -f)");
}

/* A Dockerfile at a URL. */
static int
fetch_text(struct store *store, const struct build_options *o, struct fetch *f, struct input *out,
	struct err *err)
{
	AUTO(fd) int dir = -1;

	if (f->kind != FETCH_FILE)
		return err_set(err, ERR_USAGE,
			"-f '%s': a repository is no Dockerfile: give it as the context", f->shown);
	dir = fetch_open_tree(store, o, f, "remote Dockerfile", err);
	if (dir < 0 || read_beneath(dir, f->name, DOCKERFILE_SIZE_MAX, &out->text, err) < 0)
		return err_in(err, "Dockerfile");
	out->name = xstrdup(f->name);
	return 0;
}

/* In a context that came from elsewhere -f is a path in there; an absolute one is the caller's own, unless
 * the context is an archive on stdin. */
static bool
is_inside(const struct build_options *o, const struct input *in)
{
	return in->tree[0] != '\0' || (in->is_remote && o->file[0] != '/');
}

static int
open_text(struct store *store, const struct build_options *o, struct input *out, struct err *err)
{
	AUTO(fetch) struct fetch *f = NULL;

	if (o->file == NULL)
		return find_text(out, err);
	if (strstr(o->file, "://") != NULL) {
		int remote = fetch_of_source(o->file, &f, err);

		if (remote != 0)
			return remote < 0 ? err_in(err, "-f") : fetch_text(store, o, f, out, err);
	}
	out->name = xstrdup(streq(o->file, "-") ? "Dockerfile" : o->file);
	if (streq(o->file, "-"))
		return read_text(STDIN_FILENO, &out->text, err) < 0 ? err_in(err, "stdin") : 0;
	if (is_inside(o, out)) {
		int found =
			read_beneath(out->context, o->file, DOCKERFILE_SIZE_MAX, &out->text, err);

		if (found < 0)
			return -1;
		return found > 0
			       ? 0
			       : err_set(err, ERR_NOTFOUND, "'%s' is not in the context", o->file);
	}
	if (file_read(AT_FDCWD, o->file, DOCKERFILE_SIZE_MAX, &out->text, err) < 0)
		return err_in(err, "Dockerfile '%s'", o->file);
	out->is_beside = true;
	return 0;
}

/* --- the ignore file -------------------------------------------------------------------------- */

#define IGNORE_FILE ".dockerignore"

int
input_ignore(int dir, struct ignore **out, struct err *err)
{
	static const char *const names[] = { ".containerignore", IGNORE_FILE };

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		AUTO(buf) struct buf text = BUF_INIT;
		int found = read_beneath(dir, names[i], IGNORE_SIZE_MAX, &text, err);

		if (found < 0)
			return -1;
		if (found > 0)
			return ignore_parse(text.data, text.len, names[i], out, err);
	}
	return 0;
}

/* One beside the Dockerfile, named after it, counts more. */
static int
open_ignore(const struct build_options *o, struct input *out, struct err *err)
{
	AUTO(free) char *name = xasprintf("%s" IGNORE_FILE, out->name);
	AUTO(buf) struct buf text = BUF_INIT;
	int found = 0;

	/* as BuildKit: what a repository or an archive has is meant to be there */
	if (out->context < 0 || out->is_remote)
		return 0;
	if (o->file == NULL || out->tree[0] != '\0')
		found = read_beneath(out->context, name, IGNORE_SIZE_MAX, &text, err);
	else if (out->is_beside && file_read(AT_FDCWD, name, IGNORE_SIZE_MAX, &text, err) == 0)
		found = 1;
	if (found < 0)
		return -1;
	if (found > 0)
		return ignore_parse(text.data, text.len, name, &out->ignore, err);
	return input_ignore(out->context, &out->ignore, err);
}

int
input_open(struct store *store, const struct build_options *o, struct input *out, struct err *err)
{
	AUTO(fetch) struct fetch *f = NULL;
	int remote;

	if (streq(o->context, "-") && streq(o->file, "-"))
		return err_set(
			err, ERR_USAGE, "stdin cannot be both the context and the Dockerfile");
	remote = fetch_of_context(o->context, &f, err);
	if (remote < 0)
		return err_in(err, "context");
	if (remote > 0) {
		if (fetch_context(store, o, f, out, err) < 0)
			return -1;
	} else if (streq(o->context, "-")) {
		if (context_from_stdin(store, out, err) < 0)
			return -1;
	} else {
		out->context = openat(AT_FDCWD, o->context, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (out->context < 0)
			return err_sys(err, "context '%s'", o->context);
	}
	if (out->name == NULL && open_text(store, o, out, err) < 0)
		return -1;
	return open_ignore(o, out, err);
}
