/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "build/plan_inside.h"

/* plan_context - named contexts, and images. */

#define TARGET "target:"
#define IMAGE "docker-image://"

/* `docker.io/library/alpine:latest` and `alpine` are the same name here. */
static bool
is_name(const char *key, const char *name)
{
	struct ref wanted, have;
	struct err ignored;

	if (strcasecmp(key, name) == 0)
		return true;
	return ref_parse(name, &wanted, &ignored) == 0 && ref_parse(key, &have, &ignored) == 0 &&
	       ref_same_repository(&wanted, &have) && streq(wanted.tag, have.tag) &&
	       digest_same(&wanted.digest, &have.digest);
}

static bool
is_platform(const char *text, const struct platform *platform)
{
	struct platform own;
	struct err ignored;

	return platform_parse(text, &own, &ignored) == 0 && platform_same(&own, platform);
}

const char *
plan_context_value(const struct plan *p, const char *name, const struct platform *platform)
{
	const char *any = NULL;

	for (size_t i = 0; p->contexts != NULL && i < p->contexts->count; i++) {
		const char *row = p->contexts->items[i], *equals = strchr(row, '=');
		AUTO(free)
		char *key = equals != NULL ? xstrndup(row, (size_t)(equals - row)) : NULL;
		char *mark = key != NULL ? strstr(key, "::") : NULL;

		if (mark != NULL)
			*mark = '\0';
		if (key == NULL || !is_name(key, name))
			continue;
		if (mark != NULL && is_platform(mark + 2, platform))
			return equals + 1;
		if (mark == NULL && any == NULL)
			any = equals + 1;
	}
	return any;
}

size_t
plan_context_add(struct plan *p, const char *text, struct fetch *f)
{
	p->fetches = grow(p->fetches, p->context_dirs.count, &p->fetch_room, sizeof *p->fetches);
	p->fetches[p->context_dirs.count] = f;
	strv_add(&p->context_dirs, text);
	return p->context_dirs.count - 1;
}

size_t
plan_fetch(struct plan *p, struct fetch *f)
{
	for (size_t i = 1; i < p->context_dirs.count; i++)
		if (p->fetches[i] != NULL && fetch_same(p->fetches[i], f)) {
			fetch_free(f);
			return i;
		}
	return plan_context_add(p, f->shown, f);
}

static int
files_origin(struct plan *p, const char *value, struct origin *out, struct err *err)
{
	AUTO(fetch) struct fetch *f = NULL;
	int remote = fetch_of_context(value, &f, err);

	if (remote < 0)
		return err_in(err, "--build-context");
	*out = (struct origin){ .kind = ORIGIN_CONTEXT };
	if (remote > 0) {
		out->index = plan_fetch(p, steal(&f));
		return 0;
	}
	for (size_t i = 1; i < p->context_dirs.count; i++)
		if (p->fetches[i] == NULL && streq(p->context_dirs.items[i], value)) {
			out->index = i;
			return 0;
		}
	out->index = plan_context_add(p, value, NULL);
	return 0;
}

static int
target_origin(const struct plan *p, const char *value, struct origin *out, struct err *err)
{
	int stage = dockerfile_stage(p->file, value + strlen(TARGET));

	if (stage < 0)
		return err_set(
			err, ERR_USAGE, "--build-context '%s': there is no such stage", value);
	*out = (struct origin){ .kind = ORIGIN_STAGE, .index = (size_t)stage };
	return 0;
}

static int
image_find(struct plan *p, const char *text, const char *context, const struct platform *platform,
	size_t *out, struct err *err)
{
	struct plan_image *image;
	struct ref ref;
	const char *name = text;

	if (context != NULL && starts_with(context, IMAGE))
		name = context + strlen(IMAGE);
	if (ref_parse(name, &ref, err) < 0)
		return -1;
	for (size_t i = 0; i < p->image_count; i++) {
		image = p->images[i];
		if (streq(image->text, text) && platform_same(&image->platform, platform)) {
			*out = i;
			return 0;
		}
	}
	image = xzalloc(sizeof *image);
	image->text = xstrdup(text);
	image->ref = ref;
	image->platform = *platform;
	image->context = context;
	p->images = grow(p->images, p->image_count, &p->image_room, sizeof *p->images);
	*out = p->image_count;
	p->images[p->image_count++] = image;
	return 0;
}

int
plan_name_origin(struct plan *p, const char *text, const struct platform *platform,
	struct origin *out, struct err *err)
{
	const char *context = plan_context_value(p, text, platform);
	size_t index;

	if (context != NULL && starts_with(context, TARGET))
		return target_origin(p, context, out, err);
	if (streq(context, IMAGE "scratch")) {
		*out = (struct origin){ .kind = ORIGIN_SCRATCH };
		return 0;
	}
	if (context != NULL && !starts_with(context, IMAGE) &&
		!starts_with(context, "oci-layout://"))
		return files_origin(p, context, out, err);
	if (image_find(p, text, context, platform, &index, err) < 0)
		return -1;
	*out = (struct origin){ .kind = ORIGIN_IMAGE, .index = index };
	return 0;
}
