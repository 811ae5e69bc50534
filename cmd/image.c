/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/image.h"

#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "build/base.h"
#include "registry/place_store.h"
#include "registry/registries.h"

#define DIGEST_HEX 64 /* digits of SHA-256 */
#define ID_LEN_MIN 4  /* shorter beginnings are names */

void
auto_image(struct image *i)
{
	descriptor_free(&i->root);
	descriptor_free(&i->descriptor);
	buf_free(&i->manifest_bytes);
	buf_free(&i->config_bytes);
	manifest_free(&i->manifest);
	config_free(&i->config);
}

static int
choose(struct place *p, const struct descriptor *d, const struct platform *platform,
	struct descriptor *out, struct err *err)
{
	AUTO(buf) struct buf bytes = BUF_INIT;
	AUTO(index) struct index index = { .is_docker = false };
	const struct descriptor *chosen = NULL;
	struct platform host;

	platform_host(&host);
	if (place_read(p, d, MANIFEST_MAX, &bytes, err) < 0 ||
		index_parse(bytes.data, bytes.len, d->media_type, &index, err) < 0)
		return -1;
	if (index_choose(&index, platform != NULL ? platform : &host, &chosen, err) < 0) {
		if (platform != NULL || index.manifest_count == 0)
			return -1;
		chosen = &index.manifests[0];
	}
	descriptor_copy(chosen, out);
	return 0;
}

int
image_manifest(struct place *p, const struct descriptor *root, const struct platform *platform,
	struct descriptor *out, struct buf *bytes, struct err *err)
{
	AUTO(descriptor) struct descriptor d = { .size = 0 };

	descriptor_copy(root, &d);
	for (int depth = 0; media_is_index(d.media_type); depth++) {
		AUTO(descriptor) struct descriptor next = { .size = 0 };

		if (depth == INDEX_DEPTH_MAX)
			return err_set(err, ERR_INPUT, "%s: indexes in indexes, more than %d deep",
				root->digest.text, INDEX_DEPTH_MAX);
		if (choose(p, &d, platform, &next, err) < 0)
			return -1;
		descriptor_free(&d);
		descriptor_copy(&next, &d);
	}
	if (place_read(p, &d, MANIFEST_MAX, bytes, err) < 0)
		return -1;
	descriptor_copy(&d, out);
	return 0;
}

int
image_read(struct store *s, const struct descriptor *root, const struct platform *platform,
	struct image *out, struct err *err)
{
	AUTO(image) struct image i = IMAGE_INIT;
	AUTO(place) struct place *p = place_store_new(s);

	descriptor_copy(root, &i.root);
	if (image_manifest(p, root, platform, &i.descriptor, &i.manifest_bytes, err) < 0 ||
		manifest_parse(i.manifest_bytes.data, i.manifest_bytes.len, i.descriptor.media_type,
			&i.manifest, err) < 0 ||
		place_read(p, &i.manifest.config, CONFIG_MAX, &i.config_bytes, err) < 0)
		return -1;
	/* an artifact's config is anything */
	if (streq(i.manifest.config.media_type, MEDIA_OCI_CONFIG) ||
		streq(i.manifest.config.media_type, MEDIA_DOCKER_CONFIG)) {
		if (config_parse(i.config_bytes.data, i.config_bytes.len, &i.config, err) < 0)
			return -1;
	}
	*out = i;
	i = (struct image)IMAGE_INIT;
	return 0;
}

int
image_name_parse(const char *text, struct buf *out, struct err *err)
{
	struct ref r;

	if (ref_parse(text, &r, err) < 0)
		return -1;
	base_name(&r, out);
	return 0;
}

int
image_keep_nameless(struct store *s, const struct descriptor *d, struct err *err)
{
	AUTO(buf) struct buf name = BUF_INIT;

	if (image_name_parse(d->digest.text, &name, err) < 0)
		return -1;
	return store_name_set(s, name.data, d, err);
}

bool
image_is_nameless(const struct ref *r)
{
	return streq(r->host, REF_HOST_DOCKER_HUB) && streq(r->repository, "library/sha256") &&
	       strlen(r->tag) == DIGEST_HEX;
}

static bool
is_hex(const char *text)
{
	return strlen(text) >= ID_LEN_MIN && text[strspn(text, "0123456789abcdef")] == '\0';
}

/* Among all names, by the digests of manifest and config. */
static int
find_by_id(struct store *s, const char *hex, struct descriptor *out, struct err *err)
{
	AUTO(store_names) struct store_names names = STORE_NAMES_INIT;
	struct digest found = { "" };

	if (store_name_list(s, &names, err) < 0)
		return -1;
	for (size_t n = 0; n < names.count; n++) {
		const struct descriptor *d = &names.items[n].descriptor;
		AUTO(image) struct image i = IMAGE_INIT;
		struct err ignored = { 0 };

		if (!starts_with(digest_hex(&d->digest), hex) &&
			(image_read(s, d, NULL, &i, &ignored) < 0 ||
				(!starts_with(digest_hex(&i.manifest.config.digest), hex) &&
					!starts_with(digest_hex(&i.descriptor.digest), hex))))
			continue;
		if (!digest_is_empty(&found) && !digest_same(&found, &d->digest))
			return err_set(err, ERR_INPUT,
				"several images begin with '%s': say more of it", hex);
		if (digest_is_empty(&found))
			descriptor_copy(d, out);
		found = d->digest;
	}
	return !digest_is_empty(&found);
}

/* One that has no name: what a build without tags printed. */
static int
find_by_digest(struct store *s, const char *hex, struct descriptor *out, struct err *err)
{
	AUTO(place) struct place *p = place_store_new(s);
	AUTO(free) char *text = xasprintf("sha256:%s", hex);
	struct err failed = { .kind = ERR_NONE };

	if (p->ops->resolve(p, text, out, &failed) == 0)
		return 1;
	if (failed.kind == ERR_NOTFOUND || failed.kind == ERR_INPUT)
		return 0;
	*err = failed;
	return -1;
}

/* What a short name stands for, where nothing is called so itself. */
static int
find_by_short(struct store *s, const char *text, struct strv *name, struct descriptor *out,
	struct err *err)
{
	AUTO(registries) struct registries registries = REGISTRIES_INIT;
	struct ref ref, names[REGISTRIES_SEARCH_MAX];
	struct err ignored;
	int i, count = 0, has = 0;

	if (ref_parse(text, &ref, &ignored) < 0 || !ref.host_implied)
		return 0;
	if (registries_load(NULL, &registries, err) < 0)
		return -1;
	count = registries_names(&registries, &ref, names, err);
	for (i = 0; i < count && has == 0; i++) {
		AUTO(buf) struct buf full = BUF_INIT;

		base_name(&names[i], &full);
		has = store_name_get(s, full.data, out, err);
		if (has == 1 && name != NULL)
			strv_add(name, full.data);
	}
	return count < 0 ? -1 : has;
}

int
image_find(struct store *s, const char *text, struct strv *name, struct descriptor *out,
	struct err *err)
{
	AUTO(buf) struct buf full = BUF_INIT;
	AUTO(descriptor) struct descriptor d = { .size = 0 };
	struct err unparsed = { 0 };
	const char *hex = starts_with(text, "sha256:") ? text + strlen("sha256:") : text;
	int has = 0;

	if (image_name_parse(text, &full, &unparsed) == 0) {
		has = store_name_get(s, full.data, &d, err);
		if (has == 1 && name != NULL && hex == text)
			strv_add(name, full.data);
	}
	if (has == 0 && is_hex(hex))
		has = find_by_id(s, hex, &d, err);
	if (has == 0 && is_hex(hex) && strlen(hex) == DIGEST_HEX)
		has = find_by_digest(s, hex, &d, err);
	if (has == 0)
		has = find_by_short(s, text, name, &d, err);
	if (has < 0)
		return -1;
	if (has == 0 && full.len == 0 && !is_hex(hex))
		return err_set(err, ERR_INPUT, "'%s': %s", text, unparsed.msg);
	if (has == 0)
		return err_set(err, ERR_NOTFOUND,
			"'%s' is not in the store; 'cooper images' lists what is", text);
	descriptor_copy(&d, out);
	return 0;
}

uint64_t
image_size(const struct image *i)
{
	uint64_t size = i->manifest.config.size;

	for (size_t l = 0; l < i->manifest.layer_count; l++)
		size += i->manifest.layers[l].size;
	return size;
}

long long
image_time(const char *text)
{
	struct tm tm = { 0 };
	const char *rest;
	long long seconds;
	int hours = 0, minutes = 0;
	char sign = 0;

	if (text == NULL)
		return 0;
	rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	if (rest == NULL)
		return 0;
	seconds = (long long)timegm(&tm);
	rest += strcspn(rest, "Z+-");
	if (sscanf(rest, "%c%2d:%2d", &sign, &hours, &minutes) == 3)
		seconds -= (sign == '-' ? -1 : 1) * (hours * 3600LL + minutes * 60LL);
	return seconds;
}
