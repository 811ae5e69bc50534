/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/cosign.h"

#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "layers/oci.h"
#include "registry/base64.h"
#include "registry/bundle.h"
#include "registry/remote_referrers.h"
#include "registry/signature.h"

#define MEDIA_PAYLOAD "application/vnd.dev.cosign.simplesigning.v1+json"
#define SIGNATURE "dev.cosignproject.cosign/signature"
#define TYPE "cosign container image signature"
#define NO_TIME "0001-01-01T00:00:00Z"

/* What is signed. */
static void
make_payload(const struct ref *repository, const struct digest *digest, struct buf *out)
{
	AUTO(buf) struct buf name = BUF_INIT;
	AUTO(json) json_t *payload = json_object();
	json_t *critical = json_object(), *identity = json_object(), *image = json_object();

	ref_format(repository, REF_REPOSITORY, &name);
	json_object_set_new(payload, "critical", critical);
	json_object_set_new(critical, "identity", identity);
	json_object_set_new(identity, "docker-reference", json_text(name.data));
	json_object_set_new(critical, "image", image);
	json_object_set_new(image, "docker-manifest-digest", json_text(digest->text));
	json_object_set_new(critical, "type", json_string(TYPE));
	json_object_set_new(payload, "optional", json_null());
	json_format(payload, JSON_STYLE_COMPACT, out);
}

/* 0: it is about that digest.  ERR_DENIED otherwise. */
static int
check_payload(const char *bytes, size_t len, const struct digest *digest, struct err *err)
{
	AUTO(json) json_t *payload = NULL;
	json_t *critical = NULL, *image = NULL;
	const char *type = NULL, *signed_digest = NULL;

	if (json_parse(bytes, len, &payload, err) < 0 ||
		json_get_object(payload, "critical", &critical, err) < 0)
		return -1;
	if (critical == NULL || json_get_object(critical, "image", &image, err) < 0 ||
		json_get_string(critical, "type", &type, err) < 0 || image == NULL ||
		json_get_string(image, "docker-manifest-digest", &signed_digest, err) < 0)
		return err_set(err, ERR_INPUT, "the payload is not of a signature");
	if (!streq(type, TYPE))
		return err_set(err, ERR_DENIED, "the payload is of another type");
	if (!streq(signed_digest, digest->text))
		return err_set(err, ERR_DENIED, "the signature is of another image");
	return 0;
}

/* 1: there are signatures, 0: none, -1. */
static int
find_signatures(struct place *p, const struct digest *digest, struct manifest *out, struct err *err)
{
	AUTO(descriptor) struct descriptor d = { .size = 0 };
	AUTO(buf) struct buf tag = BUF_INIT;
	AUTO(buf) struct buf bytes = BUF_INIT;

	remote_referrers_tag(digest, ".sig", &tag);
	if (p->ops->resolve(p, tag.data, &d, err) < 0)
		return err->kind == ERR_NOTFOUND ? 0 : -1;
	if (place_read(p, &d, MANIFEST_MAX, &bytes, err) < 0 ||
		manifest_parse(bytes.data, bytes.len, d.media_type, out, err) < 0)
		return err_in(err, "%s", tag.data);
	return 1;
}

static int
put_json(struct place *p, const json_t *value, const char *media_type, struct descriptor *out,
	struct err *err)
{
	AUTO(buf) struct buf bytes = BUF_INIT;

	json_format(value, JSON_STYLE_COMPACT, &bytes);
	media_type_clean(media_type, out->media_type);
	return place_put_bytes(p, bytes.data, bytes.len, out, err);
}

/* The config that such an image has: a list of its layers and nothing else. */
static json_t *
config_of(const json_t *layers)
{
	json_t *o = json_object(), *history = json_object(), *rootfs = json_object(),
	       *ids = json_array();
	const json_t *layer;
	size_t i;

	json_array_foreach ((json_t *)layers, i, layer) {
		json_array_append(ids, json_object_get(layer, "digest"));
	}
	json_object_set_new(history, "created", json_string(NO_TIME));
	json_object_set_new(rootfs, "type", json_string("layers"));
	json_object_set_new(rootfs, "diff_ids", ids);
	json_object_set_new(o, "architecture", json_string(""));
	json_object_set_new(o, "created", json_string(NO_TIME));
	json_object_set_new(o, "history", json_pack("[o]", history));
	json_object_set_new(o, "os", json_string(""));
	json_object_set_new(o, "rootfs", rootfs);
	json_object_set_new(o, "config", json_object());
	return o;
}

static int
put_signatures(struct place *p, const struct digest *digest, const json_t *layers, struct err *err)
{
	AUTO(json) json_t *config = config_of(layers);
	AUTO(json) json_t *manifest = json_object();
	AUTO(buf) struct buf tag = BUF_INIT;
	struct descriptor d = { .size = 0 };

	if (put_json(p, config, MEDIA_OCI_CONFIG, &d, err) < 0)
		return -1;
	json_object_set_new(manifest, "schemaVersion", json_integer(2));
	json_object_set_new(manifest, "mediaType", json_string(MEDIA_OCI_MANIFEST));
	json_object_set_new(manifest, "config", descriptor_format(&d));
	json_object_set(manifest, "layers", (json_t *)layers);
	remote_referrers_tag(digest, ".sig", &tag);
	if (put_json(p, manifest, MEDIA_OCI_MANIFEST, &d, err) < 0)
		return -1;
	return p->ops->tag(p, tag.data, &d, err);
}

int
cosign_sign(struct place *p, const struct ref *repository, const struct digest *digest,
	const struct buf *private_key, const char *password, struct err *err)
{
	AUTO(manifest) struct manifest m = { .layer_count = 0 };
	AUTO(descriptor) struct descriptor payload = { .size = 0 };
	AUTO(json) json_t *layers = json_array();
	AUTO(buf) struct buf bytes = BUF_INIT;
	AUTO(buf) struct buf signature = BUF_INIT;
	AUTO(buf) struct buf text = BUF_INIT;
	size_t i;

	make_payload(repository, digest, &bytes);
	if (signature_make(private_key, password, bytes.data, bytes.len, &signature, err) < 0)
		return err_in(err, "the key");
	base64_encode(signature.data, signature.len, &text);
	if (find_signatures(p, digest, &m, err) < 0)
		return -1;
	for (i = 0; i < m.layer_count; i++)
		json_array_append_new(layers, descriptor_format(&m.layers[i]));
	if (m.layer_count >= COSIGN_SIGNATURES_MAX)
		return err_set(err, ERR_INPUT, "it has %zu signatures already", m.layer_count);
	memcpy(payload.media_type, MEDIA_PAYLOAD, sizeof MEDIA_PAYLOAD);
	payload.annotations = json_object();
	json_object_set_new(payload.annotations, SIGNATURE, json_text(text.data));
	if (place_put_bytes(p, bytes.data, bytes.len, &payload, err) < 0)
		return -1;
	json_array_append_new(layers, descriptor_format(&payload));
	return put_signatures(p, digest, layers, err);
}

/* 1: good, 0: not by this key, -1: odd. */
static int
verify_one(struct place *p, const struct descriptor *layer, const struct digest *digest,
	const struct buf *key, struct strv *out, struct err *err)
{
	const char *text = json_string_value(json_object_get(layer->annotations, SIGNATURE));
	AUTO(buf) struct buf signature = BUF_INIT;
	AUTO(buf) struct buf payload = BUF_INIT;
	int good;

	if (text == NULL || base64_decode(text, strlen(text), &signature) < 0)
		return err_set(err, ERR_INPUT, "a layer without a signature");
	if (place_read(p, layer, COSIGN_PAYLOAD_MAX, &payload, err) < 0)
		return -1;
	good = signature_check(key, payload.data, payload.len, &signature, err);
	if (good <= 0)
		return good;
	if (check_payload(payload.data, payload.len, digest, err) < 0)
		return -1;
	strv_addn(out, payload.data, payload.len);
	return 1;
}

int
cosign_verify(struct place *p, const struct digest *digest, const struct buf *public_key,
	struct strv *out, struct err *err)
{
	AUTO(manifest) struct manifest m = { .layer_count = 0 };
	AUTO(buf) struct buf why = BUF_INIT;
	AUTO(buf) struct buf nothing = BUF_INIT;
	size_t i, good = 0, others = 0;
	int found;

	/* a key that is of no use is not the signatures' fault */
	if (signature_check(public_key, "", 0, &nothing, err) < 0)
		return err_in(err, "the key");
	found = find_signatures(p, digest, &m, err);
	if (found < 0)
		return -1;
	for (i = 0; i < m.layer_count && i < COSIGN_SIGNATURES_MAX; i++) {
		int result = verify_one(p, &m.layers[i], digest, public_key, out, err);

		good += result == 1;
		others += result == 0;
		if (result < 0)
			buf_addf(&why, "; %s", err->msg);
	}
	if (good > 0)
		return 0;
	if (bundle_verify(p, digest, public_key, out, &good, &others, &why, err) < 0)
		return -1;
	if (good > 0)
		return 0;
	if (found == 0 && others == 0 && why.len == 0)
		return err_set(err, ERR_DENIED, "%s has no signatures", digest->text);
	return err_set(err, ERR_DENIED, "%s has no signature by this key (%zu by others%s)",
		digest->text, others, why.len > 0 ? why.data : "");
}
