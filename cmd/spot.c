/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/spot.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/spool.h"
#include "cmd/image.h"
#include "registry/place_archive.h"
#include "registry/place_dir.h"
#include "registry/place_layout.h"
#include "registry/place_store.h"
#include "registry/remote.h"
#include "registry/shortname.h"
#include "registry/trust.h"

void
auto_spot(struct spot *s)
{
	place_free(s->place);
	auto_store(&s->store);
	descriptor_free(&s->found);
	auto_absent(&s->absent);
	sink_free(s->sink);
	auto_archive_file(&s->file);
	free(s->path);
	free(s->name);
}

static const struct {
	const char *prefix;
	enum spot_kind kind;
} kinds[] = {
	{ "docker://", SPOT_REGISTRY },
	{ "oci:", SPOT_LAYOUT },
	{ "dir:", SPOT_DIR },
	{ "oci-archive:", SPOT_OCI_ARCHIVE },
	{ "docker-archive:", SPOT_DOCKER_ARCHIVE },
	{ "store:", SPOT_STORE },
};

/* A ':' within a directory's name is the directory's, and a dir: has no names; an archive's name may be a whole reference.
 */
static void
parse_path(const char *text, struct spot *s)
{
	const char *slash = s->kind == SPOT_LAYOUT ? strrchr(text, '/') : NULL;
	const char *colon = s->kind != SPOT_DIR ? strchr(slash != NULL ? slash : text, ':') : NULL;

	s->path = xstrndup(text, colon != NULL ? (size_t)(colon - text) : strlen(text));
	s->name = colon != NULL && colon[1] != '\0' ? xstrdup(colon + 1) : NULL;
}

/* docker load wants whole names. */
static int
complete_name(struct spot *s, struct err *err)
{
	AUTO(buf) struct buf whole = BUF_INIT;
	struct ref ref;

	if (s->name == NULL)
		return 0;
	if (ref_parse(s->name, &ref, err) < 0)
		return -1;
	ref_format(&ref, REF_CANONICAL, &whole);
	free(s->name);
	s->name = buf_steal(&whole);
	return 0;
}

bool
spot_has_scheme(const char *text)
{
	for (size_t i = 0; i < COUNT_OF(kinds); i++)
		if (starts_with(text, kinds[i].prefix))
			return true;
	return false;
}

bool
spot_is_archive(const struct spot *s)
{
	return s->kind == SPOT_OCI_ARCHIVE || s->kind == SPOT_DOCKER_ARCHIVE;
}

int
spot_parse(const char *text, struct spot *out, struct err *err)
{
	const char *rest = text;

	out->kind = SPOT_REGISTRY;
	for (size_t i = 0; i < COUNT_OF(kinds); i++)
		if (starts_with(text, kinds[i].prefix)) {
			out->kind = kinds[i].kind;
			rest = text + strlen(kinds[i].prefix);
		}
	if (out->kind == SPOT_REGISTRY)
		return ref_parse(rest, &out->ref, err);
	if (out->kind == SPOT_STORE) {
		if (rest[0] == '\0')
			return err_set(err, ERR_USAGE, "'%s' names no image", text);
		out->name = xstrdup(rest);
		return 0;
	}
	parse_path(rest, out);
	if (out->path[0] == '\0')
		return err_set(err, ERR_USAGE, "'%s' names no file", text);
	return out->kind == SPOT_DOCKER_ARCHIVE ? complete_name(out, err) : 0;
}

static int
open_archive(struct spot *s, struct err *err)
{
	AUTO(fd) int spool = spool_dir(err);
	int fd = spool >= 0 ? archive_file_open(s->path, err) : -1;

	if (fd < 0)
		return -1;
	return place_archive_open(fd, spool, &s->place, err);
}

/* Its database is for the process that opened it. */
static int
open_store(struct spot *s, struct err *err)
{
	if (s->store == NULL)
		return err_set(err, ERR_USAGE,
			"'store:%s' cannot stand here: copy it to a layout or a registry first",
			s->name);
	s->place = place_store_new(s->store);
	return 0;
}

int
spot_prepare(struct spot *s, const char *root, const struct platform *platform, struct err *err)
{
	const struct place_copy_options how = { .all_platforms = platform == NULL,
		.platform = platform };
	AUTO(strv) struct strv name = STRV_INIT;

	if (s->kind != SPOT_STORE)
		return 0;
	if (store_open(root, &s->store, err) < 0 ||
		image_find(s->store, s->name, &name, &s->found, err) < 0 ||
		absent_find(s->store, &s->found, &how, &s->absent, err) < 0)
		return -1;
	free(s->name);
	s->name = name.count == 1 ? xstrdup(name.items[0]) : NULL;
	return 0;
}

int
spot_resolve(struct spot *s, struct descriptor *out, struct err *err)
{
	if (s->kind != SPOT_STORE)
		return s->place->ops->resolve(s->place, spot_name(s), out, err);
	descriptor_copy(&s->found, out);
	return 0;
}

int
spot_trust(const struct spot *s, struct session *session, const struct descriptor *root,
	const struct platform *platform, struct err *err)
{
	if (s->kind != SPOT_REGISTRY)
		return 0;
	return trust_check_remote(
		session, s->place, &s->ref, root, platform, platform == NULL, err);
}

int
spot_complete(struct spot *s, struct session *session, struct err *err)
{
	return s->absent.count > 0 ? absent_move(&s->absent, session, s->place, err) : 0;
}

int
spot_open_source(struct spot *s, struct session *session, struct err *err)
{
	switch (s->kind) {
	case SPOT_REGISTRY:
		if (shortname_find(session, &s->ref, err) < 0)
			return -1;
		return remote_open(session, &s->ref, REMOTE_PULL, &s->place, err);
	case SPOT_LAYOUT:
		return place_layout_open(s->path, PLACE_LAYOUT_READ, &s->place, err);
	case SPOT_DIR:
		return place_dir_open(s->path, PLACE_DIR_READ, &s->place, err);
	case SPOT_STORE:
		return open_store(s, err);
	default:
		return open_archive(s, err);
	}
}

int
spot_begin(struct spot *s, const char *root, struct err *err)
{
	AUTO(buf) struct buf name = BUF_INIT;

	if (s->kind == SPOT_STORE) {
		if (image_name_parse(s->name, &name, err) < 0)
			return -1;
		free(s->name);
		s->name = buf_steal(&name);
		return store_open(root, &s->store, err);
	}
	return spot_is_archive(s) ? archive_file_new(s->path, &s->file, err) : 0;
}

int
spot_open_target(struct spot *s, struct session *session, struct err *err)
{
	if (s->kind == SPOT_REGISTRY)
		return remote_open(session, &s->ref, REMOTE_PUSH, &s->place, err);
	if (s->kind == SPOT_LAYOUT)
		return place_layout_open(s->path, PLACE_LAYOUT_WRITE, &s->place, err);
	if (s->kind == SPOT_DIR)
		return place_dir_open(s->path, PLACE_DIR_WRITE, &s->place, err);
	if (s->kind == SPOT_STORE)
		return open_store(s, err);
	s->sink = sink_fd(s->file.fd);
	s->place = place_archive_new(
		s->sink, s->kind == SPOT_DOCKER_ARCHIVE ? PLACE_ARCHIVE_DOCKER : PLACE_ARCHIVE_OCI);
	return 0;
}

const char *
spot_name(const struct spot *s)
{
	return s->kind == SPOT_REGISTRY ? ref_name(&s->ref) : s->name;
}

int
spot_tag(const struct spot *s, const struct descriptor *copied, struct err *err)
{
	const char *name = s->kind == SPOT_REGISTRY ? s->ref.tag : s->name;

	if (s->kind == SPOT_REGISTRY && !digest_is_empty(&s->ref.digest) &&
		!digest_same(&s->ref.digest, &copied->digest))
		return err_set(err, ERR_INPUT, "what came out is %s, not %s", copied->digest.text,
			s->ref.digest.text);
	/* the store is named by the process that has opened it */
	if ((s->kind == SPOT_REGISTRY && name[0] == '\0') || s->kind == SPOT_STORE)
		return 0;
	return s->place->ops->tag(s->place, name, copied, err);
}

void
spot_format(const struct spot *s, const struct digest *copied, struct buf *out)
{
	struct ref ref = s->ref;

	if (s->kind == SPOT_REGISTRY) {
		ref.digest = *copied;
		ref_format(&ref, REF_CANONICAL, out);
	} else {
		buf_adds(out, copied->text);
	}
}

int
spot_written(struct spot *s, struct err *err)
{
	return s->place->ops->finish != NULL ? s->place->ops->finish(s->place, err) : 0;
}

int
spot_finish(struct spot *s, const struct descriptor *copied, struct err *err)
{
	if (s->kind == SPOT_STORE)
		return store_name_set(s->store, s->name, copied, err);
	return s->file.fd >= 0 ? archive_file_finish(&s->file, err) : 0;
}
