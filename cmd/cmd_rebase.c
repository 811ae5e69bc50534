/* SPDX-License-Identifier: Apache-2.0 */
/* rebase - an image's own layers on another base, without building it again. */
#include <stdlib.h>

#include "base/event.h"
#include "base/mem.h"
#include "cmd/rework.h"
#include "layers/edit.h"
#include "layers/rebase.h"
#include "registry/draft.h"

#define BASE_NAME "org.opencontainers.image.base.name"
#define BASE_DIGEST "org.opencontainers.image.base.digest"

struct values {
	const char *old, *new;
	struct rework_flags common;
};

static const struct values defaults = { .common = REWORK_FLAGS_DEFAULT };

static const struct opt options[] = {
	OPT_STR(0, "old-base", struct values, old, "place",
		"what it is made on; not needed where its annotations say that"),
	OPT_STR(0, "new-base", struct values, new, "place",
		"what to put it on; else what the old base's name means now"),
	REWORK_IMAGE_OPTIONS(struct values, common), REWORK_OPTIONS(struct values, common), OPT_END
};

/* A base that was opened, by the name that it was asked for. */
struct base {
	char *name;
	struct spot *spot;
	struct descriptor root;
};

struct job {
	const struct values *values;
	struct rework *rework;
	struct base *bases;
	size_t count, room;
};

static int
open_base(struct job *job, const char *name, struct base **out, struct err *err)
{
	struct base base = { .name = NULL };

	for (size_t i = 0; i < job->count; i++)
		if (streq(job->bases[i].name, name)) {
			*out = &job->bases[i];
			return 0;
		}
	if (rework_open(job->rework, name, &base.spot, &base.root, err) < 0)
		return -1;
	base.name = xstrdup(name);
	job->bases = grow(job->bases, job->count, &job->room, sizeof *job->bases);
	job->bases[job->count++] = base;
	*out = &job->bases[job->count - 1];
	return 0;
}

static const char *
annotation(const struct amend_image *image, const char *key)
{
	return json_string_value(
		json_object_get(json_object_get(image->manifest, "annotations"), key));
}

/* By what was said, or the annotations of the image. */
static int
base_names(const struct job *job, const struct amend_image *image, char **old, char **new,
	struct err *err)
{
	const char *name = annotation(image, BASE_NAME), *digest = annotation(image, BASE_DIGEST);

	if (job->values->old != NULL)
		*old = xstrdup(job->values->old);
	else if (name != NULL && digest != NULL)
		*old = xasprintf("%s@%s", name, digest);
	else
		return err_set(err, ERR_USAGE,
			"its annotations do not say what it is made on: say so with '--old-base'");
	if (job->values->new != NULL)
		*new = xstrdup(job->values->new);
	else if (name != NULL)
		*new = xstrdup(name);
	else
		return err_set(err, ERR_USAGE,
			"its annotations do not name its base: name the new one with "
			"'--new-base'");
	return 0;
}

static int
read_base(struct job *job, const char *name, const struct platform *platform,
	struct amend_image *out, struct base **base, struct err *err)
{
	if (open_base(job, name, base, err) < 0 ||
		amend_image_read((*base)->spot->place, &(*base)->root, platform, out, err) < 0)
		return err_in(err, "base '%s'", name);
	if (out->config == NULL)
		return err_set(err, ERR_INPUT, "base '%s' is an artifact, not an image", name);
	return 0;
}

/* A Docker manifest has none; a base that is not at a registry has no name for others. */
static int
annotate(struct amend_image *image, const struct base *base, struct err *err)
{
	AUTO(strv) struct strv edits = STRV_INIT;
	AUTO(buf) struct buf name = BUF_INIT;

	if (edit_is_docker(image->manifest))
		return 0;
	if (base->spot->kind == SPOT_REGISTRY) {
		struct ref ref = base->spot->ref;

		ref.digest = (struct digest){ "" };
		ref_format(&ref, REF_CANONICAL, &name);
		strv_addf(&edits, "%s=%s", BASE_NAME, name.data);
		strv_addf(&edits, "%s=%s", BASE_DIGEST, base->root.digest.text);
	} else {
		strv_add(&edits, BASE_NAME "-");
		strv_add(&edits, BASE_DIGEST "-");
	}
	return edit_annotations(image->manifest, &edits, err);
}

static int
add_layers(struct job *job, const struct amend_image *base, struct place *from, struct err *err)
{
	const json_t *list = json_object_get(base->manifest, "layers");

	for (size_t i = 0; i < json_array_size(list); i++) {
		AUTO(descriptor) struct descriptor d = { .size = 0 };

		if (descriptor_parse(json_array_get(list, i), &d, err) < 0)
			return -1;
		draft_from(job->rework->draft, &d.digest, from);
	}
	return 0;
}

static int
rebase_one(struct amend_image *image, void *arg, struct err *err)
{
	struct job *job = arg;
	AUTO(amend_image) struct amend_image old = { .manifest = NULL };
	AUTO(amend_image) struct amend_image new = { .manifest = NULL };
	AUTO(free) char *old_name = NULL;
	AUTO(free) char *new_name = NULL;
	AUTO(json) json_t *before = json_deep_copy(image->config);
	struct base *base = NULL;
	struct platform platform;

	if (platform_parse_json(image->config, &platform, err) < 0 ||
		base_names(job, image, &old_name, &new_name, err) < 0 ||
		read_base(job, old_name, &platform, &old, &base, err) < 0 ||
		read_base(job, new_name, &platform, &new, &base, err) < 0)
		return -1;
	if (rebase(&(struct rebase_documents){ image->manifest, image->config },
		    &(struct rebase_documents){ old.manifest, old.config },
		    &(struct rebase_documents){ new.manifest, new.config }, err) < 0 ||
		add_layers(job, &new, base->spot->place, err) < 0 || annotate(image, base, err) < 0)
		return -1;
	if (json_equal(before, image->config))
		event_debug("%s has this base already", image->was.digest.text);
	else
		edit_created(image->config, job->rework->created);
	return 0;
}

static int
rebase_body(struct rework *r, const struct descriptor *root, void *arg, struct descriptor *out,
	struct err *err)
{
	struct job *job = arg;
	int done;

	job->rework = r;
	done = rework_images(r, root, true, rebase_one, job, out, err);
	for (size_t i = 0; i < job->count; i++) {
		free(job->bases[i].name);
		descriptor_free(&job->bases[i].root);
	}
	free(steal(&job->bases));
	return done;
}

static int
rebase_run(struct call *call, struct err *err)
{
	struct job job = { .values = call->values };

	return rework_run(
		call, &job.values->common, call->args.items[0], NULL, rebase_body, &job, err);
}

const struct cmd cmd_rebase = {
	.name = "rebase",
	.summary = "put an image on another base, without building it again",
	.args = "<name>",
	.about = "The layers of the old base, which must be those that the image begins with, are "
		 "exchanged for the new base's; those above, and what the config says of running, "
		 "stay. "
		 "Without --old-base and --new-base the annotations "
		 "org.opencontainers.image.base.name "
		 "and .digest say what it is made on, and it goes on what that name means now; "
		 "they are "
		 "set in the result. Whether it still runs there, only running it tells.\n\n"
		 "Of an image for several platforms each goes on the base for its own. Names are "
		 "as for "
		 "'cooper copy'; <name> goes on to mean the result unless --dst names another "
		 "place. "
		 "Prints the digest of the result.",
	.example =
		"  cooper rebase r.example/app:1\n"
		"  cooper rebase --old-base debian:12.1 --new-base debian:12.2 r.example/app:1 \\\n"
		"      --dst r.example/app:2\n",
	.options = options,
	.values_size = sizeof(struct values),
	.defaults = &defaults,
	.args_min = 1,
	.args_max = 1,
	.run = rebase_run,
};
