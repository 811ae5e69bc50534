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
#include "build/fetch.h"
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

static int
fetch_context(struct store *store, const struct build_options *o, struct fetch *f,
	struct input *out, struct err *err)
{
	AUTO(tree_new) struct tree_new tree = TREE_NEW_INIT;
	struct fetch_job fetching = { .fetch = f, .session = &o->session };
	struct worker_job job = { .name = "context", .run = fetch_run, .arg = &fetching };
	uint32_t event;

	f->git.keep_git_dir |= keeps_git_dir(o);
	if (store_tree_new(store, geteuid(), getegid(), &tree, err) < 0)
		return -1;
	memcpy(out->tree, tree.id, sizeof out->tree);
	fetching.dir = tree.fs_fd;
	fetching.scratch = tree.work_fd;
	event = event_start("[internal] load remote build context");
	if (worker_call(&job, NULL, err) < 0) {
		event_fail(event, err->msg);
		return err_in(err, "context");
	}
	event_done(event);
	out->is_remote = true;
	out->context = fetch_open(f, tree.fs_fd, err);
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

static int
open_text(const struct build_options *o, struct input *out, struct err *err)
{
	if (o->file == NULL)
		return find_text(out, err);
	out->name = xstrdup(streq(o->file, "-") ? "Dockerfile" : o->file);
	if (streq(o->file, "-"))
		return read_text(STDIN_FILENO, &out->text, err) < 0 ? err_in(err, "stdin") : 0;
	/* the caller's own words: it may be anywhere; in a context that came as a tar, only there
	 */
	if (out->tree[0] != '\0') {
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
	else if (!streq(o->file, "-") &&
		 file_read(AT_FDCWD, name, IGNORE_SIZE_MAX, &text, err) == 0)
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
	if (out->name == NULL && open_text(o, out, err) < 0)
		return -1;
	return open_ignore(o, out, err);
}
