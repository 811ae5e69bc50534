/* SPDX-License-Identifier: Apache-2.0 */
/* index - which images a name for several platforms has. */
#include <stdlib.h>

#include "base/mem.h"
#include "cmd/rework.h"
#include "layers/edit.h"
#include "layers/index_edit.h"
#include "registry/remote_referrers.h"

struct values {
	struct strv platforms;
	bool beside, referrers;
	struct index_edit edit;
	struct rework_flags common;
};

static const struct values defaults = { .common = REWORK_FLAGS_DEFAULT };

static const struct opt options[] = {
	OPT_STRV(0, "platform", struct values, platforms, "os/arch",
		"create, add: of each source only the images for these"),
	OPT_BOOL(0, "beside", struct values, beside,
		"add: keep what is there for the same platform"),
	OPT_BOOL(0, "referrers", struct values, referrers,
		"create, add: what is attached to the images as well"),
	OPT_STRV('a', "annotation", struct values, edit.annotations, "key=value",
		"create, annotate: set an annotation; key- removes it"),
	OPT_STR(0, "os", struct values, edit.os, "os", "annotate: the platform's system"),
	OPT_STR(0, "arch", struct values, edit.arch, "arch", "annotate: its processor"),
	OPT_STR(0, "variant", struct values, edit.variant, "variant",
		"annotate: the processor's variant; '' for none"),
	OPT_STR(0, "os-version", struct values, edit.os_version, "version",
		"annotate: the system's version"),
	OPT_STRV(0, "os-feature", struct values, edit.os_features, "feature",
		"annotate: a feature of the system; once for each"),
	REWORK_OPTIONS(struct values, common), OPT_END
};

struct job {
	const struct values *values;
	struct strv words; /* sources, or which images */
	struct rework *rework;
	json_t *index; /* NULL: none yet */
	/* of the source that is added now */
	struct spot *from;
	struct strv gone;  /* images that have another digest now, or are not wanted */
	struct strv taken; /* what was copied, for what is attached to it */
	struct spot **taken_from;
	size_t taken_room;
};

static void
job_free(struct job *job)
{
	strv_free(&job->words);
	json_decref(job->index);
	strv_free(&job->gone);
	strv_free(&job->taken);
	free(job->taken_from);
}

/* The config says what an image runs on. */
static int
set_platform(struct job *job, const struct descriptor *d, json_t *row, struct err *err)
{
	AUTO(buf) struct buf bytes = BUF_INIT;
	AUTO(manifest) struct manifest m = { .layer_count = 0 };
	AUTO(json) json_t *config = NULL;
	json_t *platform = NULL;

	if (json_object_get(row, "platform") != NULL || !media_is_manifest(d->media_type))
		return 0;
	if (place_read(job->from->place, d, MANIFEST_MAX, &bytes, err) < 0 ||
		manifest_parse(bytes.data, bytes.len, d->media_type, &m, err) < 0)
		return -1;
	if (!streq(m.config.media_type, MEDIA_OCI_CONFIG) &&
		!streq(m.config.media_type, MEDIA_DOCKER_CONFIG))
		return 0;
	if (amend_read(job->from->place, &m.config, CONFIG_MAX, &config, err) < 0)
		return -1;
	if (amend_platform(config, &platform))
		json_object_set_new(row, "platform", platform);
	return 0;
}

static int
nothing(struct amend_image *image, void *arg, struct err *err)
{
	(void)image;
	(void)arg;
	(void)err;
	return 0;
}

/* As it is, or with --oci. */
static int
take_over(struct job *job, const struct descriptor *d, json_t *row, struct err *err)
{
	struct rework *r = job->rework;
	const struct amend_options how = { .to_oci = r->flags->to_oci };
	AUTO(descriptor) struct descriptor now = { .size = 0 };
	bool is_document = media_is_manifest(d->media_type) || media_is_index(d->media_type);

	if (rework_from(r, d, job->from->place, err) < 0)
		return -1;
	if (!is_document)
		return 0;
	if (amend_images(job->from->place, r->draft, d, &how, nothing, NULL, &now, err) < 0)
		return -1;
	if (!digest_same(&now.digest, &d->digest))
		strv_add(&job->gone, d->digest.text);
	json_object_set_new(row, "digest", json_text(now.digest.text));
	json_object_set_new(row, "size", json_integer((json_int_t)now.size));
	json_object_set_new(row, "mediaType", json_text(now.media_type));
	job->taken_from =
		grow(job->taken_from, job->taken.count, &job->taken_room, sizeof(struct spot *));
	job->taken_from[job->taken.count] = job->from;
	strv_add(&job->taken, d->digest.text);
	return 0;
}

static int
add_row(struct job *job, const json_t *source, struct err *err)
{
	enum index_edit_add how = job->values->beside ? INDEX_EDIT_BESIDE : INDEX_EDIT_REPLACE;
	AUTO(descriptor) struct descriptor d = { .size = 0 };
	AUTO(json) json_t *row = json_deep_copy(source);

	if (descriptor_parse(row, &d, err) < 0)
		return -1;
	if (take_over(job, &d, row, err) < 0 || set_platform(job, &d, row, err) < 0)
		return err_in(err, "%s", d.digest.text);
	if (job->index == NULL)
		job->index = index_edit_new(edit_is_docker(row));
	return index_edit_add(job->index, row, how, err);
}

static int
is_wanted(const struct job *job, const struct descriptor *d, struct err *err)
{
	const struct strv *names = &job->values->platforms;

	for (size_t i = 0; i < names->count; i++) {
		struct platform want;

		if (platform_parse(names->items[i], &want, err) < 0)
			return -1;
		if (d->has_platform && platform_match(&want, &d->platform) > 0 &&
			streq(want.arch, d->platform.arch))
			return 1;
	}
	return names->count == 0;
}

/* The images of an index, and what is attested of those that stay what they are. */
static int
add_rows(struct job *job, json_t *list, bool attestations, size_t *count, struct err *err)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *row = json_array_get(list, i);
		AUTO(descriptor) struct descriptor d = { .size = 0 };
		const char *of;
		int wanted;

		if (descriptor_parse(row, &d, err) < 0)
			return -1;
		if (index_is_attestation(&d) != attestations)
			continue;
		of = annotation_get(&d, "vnd.docker.reference.digest");
		if (attestations && (of == NULL || strv_has(&job->gone, of)))
			continue;
		wanted = attestations ? 1 : is_wanted(job, &d, err);
		if (wanted < 0)
			return -1;
		if (wanted == 0) {
			strv_add(&job->gone, d.digest.text);
			continue;
		}
		*count += 1;
		if (add_row(job, row, err) < 0)
			return -1;
	}
	return 0;
}

static int
add_source(struct job *job, const char *text, struct err *err)
{
	AUTO(descriptor) struct descriptor found = { .size = 0 };
	AUTO(json) json_t *doc = NULL;
	size_t count = 0;

	if (rework_open(job->rework, text, &job->from, &found, err) < 0)
		return -1;
	if (!media_is_index(found.media_type)) {
		doc = descriptor_format(&found);
		json_object_del(doc, "annotations");
		return add_row(job, doc, err);
	}
	if (amend_read(job->from->place, &found, MANIFEST_MAX, &doc, err) < 0 ||
		add_rows(job, json_object_get(doc, "manifests"), false, &count, err) < 0 ||
		add_rows(job, json_object_get(doc, "manifests"), true, &count, err) < 0)
		return err_in(err, "'%s'", text);
	if (count == 0)
		return err_set(err, ERR_NOTFOUND, "'%s' has none of these platforms", text);
	return 0;
}

static int
copy_referrers(struct rework *r, const struct descriptor *copied, void *arg, struct err *err)
{
	const struct job *job = arg;

	(void)copied;
	for (size_t i = 0; i < job->taken.count; i++) {
		struct digest d;
		unsigned count;

		if (job->taken_from[i]->kind != SPOT_REGISTRY)
			continue;
		if (digest_parse(job->taken.items[i], &d, err) < 0 ||
			remote_referrers_copy(
				job->taken_from[i]->place, r->to->place, &d, &count, err) < 0)
			return err_in(err, "what is attached");
	}
	return 0;
}

static int
read_index(struct job *job, struct rework *r, const struct descriptor *root, struct err *err)
{
	if (!media_is_index(root->media_type))
		return err_set(err, ERR_INPUT,
			"this is one image, not an index: 'cooper index create' makes one of it");
	if (amend_read(r->from->place, root, MANIFEST_MAX, &job->index, err) < 0)
		return -1;
	return r->flags->to_oci ? edit_to_oci(job->index, err) : 0;
}

static int
check_annotations(const struct job *job, struct err *err)
{
	if (job->values->edit.annotations.count == 0 || !edit_is_docker(job->index))
		return 0;
	return err_set(
		err, ERR_INPUT, "a Docker list has no annotations; '--oci' makes it an OCI index");
}

static int
add_body(struct rework *r, const struct descriptor *root, void *arg, struct descriptor *out,
	struct err *err)
{
	struct job *job = arg;

	job->rework = r;
	if (root != NULL && read_index(job, r, root, err) < 0)
		return -1;
	for (size_t i = 0; i < job->words.count; i++)
		if (add_source(job, job->words.items[i], err) < 0)
			return -1;
	if (check_annotations(job, err) < 0 ||
		edit_annotations(job->index, &job->values->edit.annotations, err) < 0)
		return -1;
	if (job->values->referrers)
		r->after = copy_referrers;
	return amend_put(r->draft, job->index, out, err);
}

static int
remove_body(struct rework *r, const struct descriptor *root, void *arg, struct descriptor *out,
	struct err *err)
{
	struct job *job = arg;

	if (read_index(job, r, root, err) < 0)
		return -1;
	for (size_t i = 0; i < job->words.count; i++)
		if (index_edit_remove(job->index, job->words.items[i], err) < 0)
			return -1;
	return amend_put(r->draft, job->index, out, err);
}

static int
annotate_body(struct rework *r, const struct descriptor *root, void *arg, struct descriptor *out,
	struct err *err)
{
	struct job *job = arg;
	const struct index_edit *e = &job->values->edit;

	if (read_index(job, r, root, err) < 0)
		return -1;
	if (check_annotations(job, err) < 0)
		return -1;
	if (job->words.count == 0 && edit_annotations(job->index, &e->annotations, err) < 0)
		return -1;
	for (size_t i = 0; i < job->words.count; i++)
		if (index_edit_annotate(job->index, job->words.items[i], e, err) < 0)
			return -1;
	return amend_put(r->draft, job->index, out, err);
}

static const struct {
	const char *name;
	rework_body *body;
	bool makes;   /* the name is where it goes to */
	size_t words; /* at least */
	const char *wants;
} verbs[] = {
	{ "create", add_body, true, 1, "the images that it names" },
	{ "add", add_body, false, 1, "the images to add" },
	{ "remove", remove_body, false, 1, "platforms or digests" },
	{ "annotate", annotate_body, false, 0, "" },
};

static int
index_run(struct call *call, struct err *err)
{
	const struct values *v = call->values;
	const struct strv *args = &call->args;
	struct job job = { .values = v };
	const char *name = args->items[1];
	int done = -1;
	size_t i = 0;

	while (i < COUNT_OF(verbs) && !streq(args->items[0], verbs[i].name))
		i++;
	if (i == COUNT_OF(verbs))
		return err_set(
			err, ERR_USAGE, "index knows 'create', 'add', 'remove' and 'annotate'");
	if (args->count - 2 < verbs[i].words)
		return err_set(err, ERR_USAGE, "index %s wants %s", verbs[i].name, verbs[i].wants);
	for (size_t a = 2; a < args->count; a++)
		strv_add(&job.words, args->items[a]);
	if (verbs[i].makes && v->common.target != NULL)
		err_set(err, ERR_USAGE, "index create makes what is named first, without '--dst'");
	else
		done = rework_run(call, &v->common, verbs[i].makes ? NULL : name,
			verbs[i].makes ? name : NULL, verbs[i].body, &job, err);
	job_free(&job);
	return done;
}

const struct cmd cmd_index = {
	.name = "index",
	.summary = "make and change images for several platforms",
	.args = "create|add|remove|annotate <name> [<what>...]",
	.about = "'create' makes <name> of images, whose platforms their configs say, and of the "
		 "images "
		 "of other indexes. 'add' adds such to an index that is there, in place of what it "
		 "has for "
		 "the same platform unless --beside. 'remove' takes out what is for a platform or "
		 "has "
		 "a digest. 'annotate' changes the annotations of the index, or those and the "
		 "platform "
		 "of what it has for a platform or under a digest. Attestations stay with their "
		 "images.\n\n"
		 "All names are as for 'cooper copy', which see: at registries, in layouts and "
		 "archives. "
		 "Docker's and OCI's documents are not mixed in one index; --oci makes all of them "
		 "OCI's. "
		 "Prints the digest of the index.",
	.example = "  cooper index create r.example/app:1 r.example/app:amd64 "
		   "r.example/app:arm64\n"
		   "  cooper index add --platform linux/s390x r.example/app:1 alpine:3.20\n"
		   "  cooper index annotate --variant v8 -a x=y r.example/app:1 linux/arm64\n"
		   "  cooper index remove r.example/app:1 linux/386\n",
	.options = options,
	.values_size = sizeof(struct values),
	.defaults = &defaults,
	.args_min = 2,
	.args_max = CMD_ARGS_ANY,
	.run = index_run,
};
