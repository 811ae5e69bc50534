/* SPDX-License-Identifier: Apache-2.0 */
/* Files at a registry, as an artifact: an OCI manifest whose layers are the files as they are. (image-spec manifest.md,
 * "Guidelines for Artifact Usage") */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/event.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "cmd/cmd.h"
#include "cmd/remote_flags.h"
#include "cmd/show.h"
#include "cmd/ui.h"
#include "registry/place.h"
#include "registry/remote.h"
#include "registry/remote_referrers.h"
#include "registry/shortname.h"

#define TITLE "org.opencontainers.image.title"
#define FILE_TYPE "application/octet-stream"
#define ARTIFACT_TYPE "application/vnd.unknown.artifact.v1"

struct values {
	const char *artifact_type, *subject, *dir;
	struct strv annotations;
	struct remote_flags remote;
	struct ui_options ui;
};

static const struct values defaults = { .remote = REMOTE_FLAGS_DEFAULT };

static const struct opt options[] = { OPT_STR(0, "artifact-type", struct values, artifact_type,
					      "type", "push: what the artifact is"),
	OPT_STR(0, "subject", struct values, subject, "name",
		"push: attach it to this image of the same repository"),
	OPT_STRV(0, "annotation", struct values, annotations, "key=value", "push: of the manifest"),
	OPT_STR('o', "output", struct values, dir, "dir", "pull: write the files there, not here"),
	REMOTE_OPTIONS(struct values, remote), UI_OPTIONS(struct values, ui), OPT_END };

static int
describe_file(struct source_file *f, struct descriptor *out, struct err *err)
{
	AUTO(sink) struct sink *sink = sink_digest(sink_none(), &out->digest, &out->size);

	if (source_send(&f->source, 0, sink, err) < 0)
		return -1;
	return sink_finish(sink, err);
}

/* "path" or "path:media/type"; its descriptor is added to layers. */
static int
push_file(struct place *to, const char *text, json_t *layers, struct err *err)
{
	const char *colon = strrchr(text, ':');
	bool has_type = colon != NULL && strchr(colon, '/') != NULL && colon[1] != '/';
	AUTO(free) char *path = has_type ? xstrndup(text, (size_t)(colon - text)) : xstrdup(text);
	AUTO(fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct source_file file;
	AUTO(descriptor) struct descriptor d = { .size = 0 };
	struct stat st;
	int has;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(err, "'%s'", path);
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_INPUT, "'%s' is not a file", path);
	source_file(&file, fd, (uint64_t)st.st_size);
	if (snprintf(d.media_type, sizeof d.media_type, "%s", has_type ? colon + 1 : FILE_TYPE) >=
		(int)sizeof d.media_type)
		return err_set(err, ERR_USAGE, "'%s': the type is too long", text);
	d.annotations = json_object();
	json_object_set_new(d.annotations, TITLE, json_text(path_base(path)));
	if (describe_file(&file, &d, err) < 0)
		return err_in(err, "'%s'", path);
	has = to->ops->has(to, &d, err);
	if (has < 0 || (has == 0 && to->ops->put(to, &d, &file.source, err) < 0))
		return err_in(err, "'%s'", path);
	json_array_append_new(layers, descriptor_format(&d));
	return 0;
}

static json_t *
annotations_of(const struct strv *list)
{
	json_t *o = json_object();

	for (size_t i = 0; i < list->count; i++) {
		const char *equals = strchr(list->items[i], '=');
		AUTO(free)
		char *key =
			xstrndup(list->items[i], equals != NULL ? (size_t)(equals - list->items[i])
								: strlen(list->items[i]));

		json_object_set_new(o, key, json_text(equals != NULL ? equals + 1 : ""));
	}
	return o;
}

static int
find_subject(struct place *to, const char *text, const struct ref *at, struct descriptor *out,
	struct err *err)
{
	struct ref ref;

	if (ref_parse(text, &ref, err) < 0)
		return -1;
	if (!ref_same_repository(&ref, at))
		return err_set(err, ERR_USAGE, "'--subject' must be of the same repository");
	return to->ops->resolve(to, ref_name(&ref), out, err);
}

/* The manifest; subject has no digest where there is none. */
static json_t *
manifest_of(const struct values *v, const struct descriptor *config, json_t *layers,
	const struct descriptor *subject)
{
	json_t *o = json_object();

	json_object_set_new(o, "schemaVersion", json_integer(2));
	json_object_set_new(o, "mediaType", json_string(MEDIA_OCI_MANIFEST));
	json_object_set_new(o, "artifactType",
		json_text(v->artifact_type != NULL ? v->artifact_type : ARTIFACT_TYPE));
	json_object_set_new(o, "config", descriptor_format(config));
	json_object_set(o, "layers", layers);
	if (!digest_is_empty(&subject->digest))
		json_object_set_new(o, "subject", descriptor_format(subject));
	if (v->annotations.count > 0)
		json_object_set_new(o, "annotations", annotations_of(&v->annotations));
	return o;
}

static int
put_manifest(const struct values *v, struct place *to, const struct ref *ref, json_t *manifest,
	const struct descriptor *subject, struct descriptor *out, struct err *err)
{
	AUTO(buf) struct buf bytes = BUF_INIT;
	AUTO(json) json_t *row = NULL;

	json_format(manifest, JSON_STYLE_COMPACT, &bytes);
	media_type_clean(MEDIA_OCI_MANIFEST, out->media_type);
	if (place_put_bytes(to, bytes.data, bytes.len, out, err) < 0)
		return -1;
	/* what is attached needs no name */
	if ((!ref->tag_implied || v->subject == NULL) && ref->tag[0] != '\0' &&
		to->ops->tag(to, ref->tag, out, err) < 0)
		return -1;
	if (v->subject == NULL)
		return 0;
	row = descriptor_format(out);
	json_object_set(row, "artifactType", json_object_get(manifest, "artifactType"));
	if (json_object_get(manifest, "annotations") != NULL)
		json_object_set(row, "annotations", json_object_get(manifest, "annotations"));
	return remote_referrers_add(to, &subject->digest, row, err);
}

static int
push(const struct values *v, struct place *to, const struct ref *ref, const struct strv *files,
	struct descriptor *out, struct err *err)
{
	AUTO(json) json_t *layers = json_array();
	AUTO(json) json_t *manifest = NULL;
	AUTO(descriptor) struct descriptor subject = { .size = 0 };
	AUTO(descriptor) struct descriptor config = { .size = 0 };

	if (v->subject != NULL && find_subject(to, v->subject, ref, &subject, err) < 0)
		return -1;
	media_type_clean(MEDIA_OCI_EMPTY, config.media_type);
	if (place_put_bytes(to, "{}", 2, &config, err) < 0)
		return -1;
	for (size_t i = 2; i < files->count; i++)
		if (push_file(to, files->items[i], layers, err) < 0)
			return -1;
	/* a manifest without layers is refused by some: the empty blob stands in */
	if (json_array_size(layers) == 0)
		json_array_append_new(layers, descriptor_format(&config));
	manifest = manifest_of(v, &config, layers, &subject);
	return put_manifest(v, to, ref, manifest, &subject, out, err);
}

/* A stranger chose it: one component, and nothing that a terminal or shell would mind. */
static bool
is_file_name(const char *name)
{
	AUTO(buf) struct buf shown = BUF_INIT;

	if (name[0] == '\0' || name[0] == '.' || strlen(name) > 200 || strchr(name, '/') != NULL)
		return false;
	show_line(name, &shown);
	return streq(name, shown.data);
}

static int
pull_file(
	struct place *from, const struct descriptor *d, const char *name, int dir, struct err *err)
{
	AUTO(free) char *part = xasprintf(".%s.part", name);
	AUTO(fd)
	int fd = openat(dir, part, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0666);
	AUTO(sink) struct sink *sink = NULL;

	if (fd < 0)
		return err_sys(err, "'%s'", part);
	sink = sink_fd(fd);
	if (place_get(from, d, sink, err) < 0 || sink_finish(sink, err) < 0) {
		unlinkat(dir, part, 0);
		return err_in(err, "'%s'", name);
	}
	return renameat(dir, part, dir, name) < 0 ? err_sys(err, "'%s'", name) : 0;
}

static int
pull(const struct values *v, struct place *from, const struct ref *ref, struct buf *answer,
	struct err *err)
{
	AUTO(fd) int dir = open(v->dir != NULL ? v->dir : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	AUTO(descriptor) struct descriptor d = { .size = 0 };
	AUTO(manifest) struct manifest m = { .layer_count = 0 };
	AUTO(buf) struct buf bytes = BUF_INIT;

	if (dir < 0)
		return err_sys(err, "'%s'", v->dir != NULL ? v->dir : ".");
	if (from->ops->resolve(from, ref_name(ref), &d, err) < 0 ||
		place_read(from, &d, MANIFEST_MAX, &bytes, err) < 0 ||
		manifest_parse(bytes.data, bytes.len, d.media_type, &m, err) < 0)
		return -1;
	for (size_t i = 0; i < m.layer_count; i++) {
		const char *name =
			json_string_value(json_object_get(m.layers[i].annotations, TITLE));

		if (name == NULL)
			continue;
		if (!is_file_name(name))
			return err_set(err, ERR_INPUT,
				"the artifact names a file '%s', which is refused", name);
		if (pull_file(from, &m.layers[i], name, dir, err) < 0)
			return -1;
		buf_addf(answer, "%s\n", name);
	}
	return answer->len > 0 ? 0 : err_set(err, ERR_NOTFOUND, "it has no files with names");
}

static int
artifact_run(struct call *call, struct err *err)
{
	const struct values *v = call->values;
	bool is_push = streq(call->args.items[0], "push");
	AUTO(session) struct session *session = NULL;
	AUTO(place) struct place *place = NULL;
	AUTO(descriptor) struct descriptor d = { .size = 0 };
	AUTO(buf) struct buf answer = BUF_INIT;
	struct ref ref;

	if (!is_push && !streq(call->args.items[0], "pull"))
		return err_set(err, ERR_USAGE, "artifact knows 'push' and 'pull'");
	if (!is_push && call->args.count > 2)
		return err_set(err, ERR_USAGE, "artifact pull takes one name");
	ui_begin(&v->ui, call->globals->debug);
	if (ref_parse(call->args.items[1], &ref, err) < 0 ||
		remote_flags_open(&v->remote, &session, err) < 0 ||
		(!is_push && shortname_find(session, &ref, err) < 0) ||
		remote_open(session, &ref, is_push ? REMOTE_PUSH : REMOTE_PULL, &place, err) < 0)
		return -1;
	if (is_push ? push(v, place, &ref, &call->args, &d, err) < 0
		    : pull(v, place, &ref, &answer, err) < 0)
		return -1;
	ui_end();
	if (is_push) {
		ref.digest = d.digest;
		if (ref.tag_implied && v->subject != NULL)
			ref.tag[0] = '\0';
		ref_format(&ref, REF_CANONICAL, &answer);
		buf_addc(&answer, '\n');
	}
	return show_answer(&answer, err);
}

const struct cmd cmd_artifact = {
	.name = "artifact",
	.summary = "keep files at a registry, or attach them to an image",
	.args = "push|pull <name> [<file>[:<type>]...]",
	.about = "'push' sends files as they are under a name, or with --subject attaches them to "
		 "an image, where "
		 "'cooper referrers' lists them; it prints the digest. 'pull' writes the files, "
		 "verified, and "
		 "prints their names.",
	.example = "  cooper artifact push r.example/team/data:1 report.pdf:application/pdf\n"
		   "  cooper artifact push --subject r.example/app:1 r.example/app sbom.json\n"
		   "  cooper artifact pull -o out r.example/team/data:1\n",
	.options = options,
	.values_size = sizeof(struct values),
	.defaults = &defaults,
	.args_min = 2,
	.args_max = CMD_ARGS_ANY,
	.run = artifact_run,
};
