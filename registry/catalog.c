/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/catalog.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "registry/ref.h"

#define NAMES_SHOWN_MAX 8 /* in a message */

static void
row_free(struct catalog_row *r)
{
	free(r->name);
	free(r->tag);
	descriptor_free(&r->descriptor);
}

void
catalog_free(struct catalog *c)
{
	for (size_t i = 0; i < c->count; i++)
		row_free(&c->rows[i]);
	free(c->rows);
	*c = (struct catalog)CATALOG_INIT;
}

void
auto_catalog(struct catalog *c)
{
	catalog_free(c);
}

static struct catalog_row *
add(struct catalog *c, const struct descriptor *d)
{
	struct catalog_row *r;

	c->rows = grow(c->rows, c->count, &c->room, sizeof *c->rows);
	r = &c->rows[c->count++];
	*r = (struct catalog_row){ .name = NULL };
	descriptor_copy(d, &r->descriptor);
	return r;
}

static void
annotation_drop(struct descriptor *d, const char *key)
{
	if (d->annotations == NULL)
		return;
	json_object_del(d->annotations, key);
	if (json_object_size(d->annotations) > 0)
		return;
	json_decref(d->annotations);
	d->annotations = NULL;
}

int
catalog_parse(const char *bytes, size_t len, struct catalog *out, struct err *err)
{
	AUTO(index) struct index index = { 0 };

	/* some writers leave the media type of the outermost index out */
	if (index_parse(bytes, len, "", &index, err) < 0)
		return err_in(err, "index.json");
	for (size_t i = 0; i < index.manifest_count; i++) {
		const struct descriptor *d = &index.manifests[i];
		const char *tag = annotation_get(d, CATALOG_REF_NAME);
		const char *name = annotation_get(d, CATALOG_IMAGE_NAME);
		struct catalog_row *r;

		if (!media_is_index(d->media_type) && !media_is_manifest(d->media_type))
			continue; /* image-spec: what is unknown must not be an error */
		r = add(out, d);
		if (name == NULL)
			name = tag;
		r->name = name == NULL ? NULL : xstrdup(name);
		r->tag = tag == NULL ? NULL : xstrdup(tag);
		annotation_drop(&r->descriptor, CATALOG_REF_NAME);
		annotation_drop(&r->descriptor, CATALOG_IMAGE_NAME);
	}
	return 0;
}

static void
annotate(struct descriptor *d, const char *key, const char *value)
{
	if (d->annotations == NULL)
		d->annotations = json_object();
	json_object_set_new(d->annotations, key, json_text(value));
}

void
catalog_format(const struct catalog *c, struct buf *out)
{
	AUTO(index) struct index index = { 0 };

	for (size_t i = 0; i < c->count; i++) {
		const struct catalog_row *r = &c->rows[i];
		AUTO(descriptor) struct descriptor d = { 0 };

		descriptor_copy(&r->descriptor, &d);
		if (r->name != NULL && !streq(r->name, r->tag))
			annotate(&d, CATALOG_IMAGE_NAME, r->name);
		if (r->tag != NULL)
			annotate(&d, CATALOG_REF_NAME, r->tag);
		index_manifest_add(&index, &d);
	}
	index_format(&index, out);
}

void
catalog_set(struct catalog *c, const char *name, const struct descriptor *d)
{
	AUTO(buf) struct buf full = BUF_INIT;
	struct catalog_row *r;
	struct err ignored = { 0 };
	struct ref ref;

	for (size_t i = 0; i < c->count; i++) {
		r = &c->rows[i];
		if (!streq(r->name, name) &&
			!(r->name == NULL && digest_same(&r->descriptor.digest, &d->digest)))
			continue;
		row_free(r);
		memmove(r, r + 1, (c->count - i - 1) * sizeof *r);
		c->count--;
		i--;
	}
	r = add(c, d);
	annotation_drop(&r->descriptor, CATALOG_REF_NAME);
	annotation_drop(&r->descriptor, CATALOG_IMAGE_NAME);
	if (name == NULL)
		return;
	r->name = xstrdup(name);
	/* "1.2" is a tag by itself; "alpine" is one as well, but as a name it says more */
	if (strpbrk(name, "/:") == NULL || ref_parse(name, &ref, &ignored) < 0) {
		r->tag = xstrdup(name);
		return;
	}
	ref.digest = (struct digest){ "" };
	ref_format(&ref, REF_CANONICAL, &full);
	free(r->name);
	r->name = buf_steal(&full);
	r->tag = xstrdup(ref.tag[0] == '\0' ? "latest" : ref.tag);
}

/* Whether a and b are spellings of one name. */
static bool
same_name(const char *a, const char *b)
{
	struct err ignored = { 0 };
	struct ref ra, rb;

	if (streq(a, b))
		return true;
	return ref_parse(a, &ra, &ignored) == 0 && ref_parse(b, &rb, &ignored) == 0 &&
	       ref_same_repository(&ra, &rb) && streq(ra.tag, rb.tag);
}

static int
none(const struct catalog *c, const char *name, enum err_kind kind, struct err *err)
{
	AUTO(buf) struct buf names = BUF_INIT;

	for (size_t i = 0; i < c->count && i < NAMES_SHOWN_MAX; i++)
		buf_addf(&names, "%s'%s'", i == 0 ? "" : ", ",
			c->rows[i].name == NULL ? c->rows[i].descriptor.digest.text
						: c->rows[i].name);
	if (c->count > NAMES_SHOWN_MAX)
		buf_addf(&names, " and %zu more", c->count - NAMES_SHOWN_MAX);
	if (c->count == 0)
		return err_set(err, ERR_NOTFOUND, "there is no image");
	if (name == NULL)
		return err_set(err, kind, "there are several images: choose from %s", names.data);
	return err_set(err, kind, "'%s' is not there, but %s", name, names.data);
}

int
catalog_find(
	const struct catalog *c, const char *name, const struct descriptor **out, struct err *err)
{
	const struct descriptor *by_tag = NULL;
	size_t tags = 0;

	if (name == NULL && c->count == 1) {
		*out = &c->rows[0].descriptor;
		return 0;
	}
	if (name == NULL)
		return none(c, name, ERR_INPUT, err);
	for (size_t i = 0; i < c->count; i++) {
		const struct catalog_row *r = &c->rows[i];

		if (streq(r->descriptor.digest.text, name) ||
			(r->name != NULL && same_name(r->name, name))) {
			*out = &r->descriptor;
			return 0;
		}
		if (!streq(r->tag, name))
			continue;
		by_tag = &r->descriptor;
		tags++;
	}
	if (tags != 1)
		return none(c, name, tags == 0 ? ERR_NOTFOUND : ERR_INPUT, err);
	*out = by_tag;
	return 0;
}
