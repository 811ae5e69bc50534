/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/bundle.h"

#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "layers/oci.h"
#include "registry/base64.h"
#include "registry/cosign.h"
#include "registry/remote_referrers.h"
#include "registry/signature.h"

#define PAYLOAD_TYPE "application/vnd.in-toto+json"

/* Whether the statement is that this image was signed.  ERR_DENIED otherwise. */
static int
check_statement(const struct buf *payload, const struct digest *digest, struct err *err)
{
	AUTO(json) json_t *statement = NULL;
	json_t *subjects = NULL, *subject;
	const char *kind = NULL, *predicate = NULL, *said;
	size_t i;

	if (json_parse(payload->data, payload->len, &statement, err) < 0 ||
		json_get_string(statement, "_type", &kind, err) < 0 ||
		json_get_string(statement, "predicateType", &predicate, err) < 0 ||
		json_get_array(statement, "subject", &subjects, err) < 0)
		return -1;
	if (kind == NULL || !starts_with(kind, "https://in-toto.io/Statement/v"))
		return err_set(err, ERR_INPUT, "the bundle's payload is no statement");
	if (predicate == NULL || !streq(predicate, BUNDLE_PREDICATE))
		return err_set(err, ERR_DENIED, "a bundle says something else about the image");
	json_array_foreach (subjects, i, subject) {
		said = json_string_value(json_object_get(
			json_object_get(subject, "digest"), digest_algorithm_name(digest)));
		if (said != NULL && streq(said, digest_hex(digest)))
			return 0;
	}
	return err_set(err, ERR_DENIED, "the signature is of another image");
}

/* What a DSSE signature is of. */
static void
encode(const char *type, const struct buf *payload, struct buf *out)
{
	buf_addf(out, "DSSEv1 %zu %s %zu ", strlen(type), type, payload->len);
	buf_add(out, payload->data, payload->len);
}

/* 1: one of the envelope's signatures is by the key, 0, -1. */
static int
check_signatures(
	const json_t *envelope, const struct buf *encoded, const struct buf *key, struct err *err)
{
	json_t *list = NULL, *one;
	size_t i;
	int good = 0;

	if (json_get_array(envelope, "signatures", &list, err) < 0)
		return -1;
	json_array_foreach (list, i, one) {
		const char *text = json_string_value(json_object_get(one, "sig"));
		AUTO(buf) struct buf signature = BUF_INIT;

		if (i >= COSIGN_SIGNATURES_MAX || good != 0)
			break;
		if (text == NULL || base64_decode(text, strlen(text), &signature) < 0)
			return err_set(err, ERR_INPUT, "a bundle with a signature that is none");
		good = signature_check(key, encoded->data, encoded->len, &signature, err);
	}
	return good;
}

int
bundle_check(const char *text, size_t len, const struct digest *digest,
	const struct buf *public_key, struct strv *out, struct err *err)
{
	AUTO(json) json_t *bundle = NULL;
	AUTO(buf) struct buf payload = BUF_INIT;
	AUTO(buf) struct buf encoded = BUF_INIT;
	json_t *envelope = NULL;
	const char *media_type = NULL, *type = NULL, *body = NULL;
	int good;

	if (json_parse(text, len, &bundle, err) < 0 ||
		json_get_string(bundle, "mediaType", &media_type, err) < 0 ||
		json_get_object(bundle, "dsseEnvelope", &envelope, err) < 0)
		return -1;
	if (media_type == NULL || !starts_with(media_type, BUNDLE_TYPE_PREFIX) || envelope == NULL)
		return err_set(err, ERR_INPUT, "it is no bundle with an envelope");
	if (json_get_string(envelope, "payloadType", &type, err) < 0 ||
		json_get_string(envelope, "payload", &body, err) < 0)
		return -1;
	if (type == NULL || !streq(type, PAYLOAD_TYPE) || body == NULL ||
		base64_decode(body, strlen(body), &payload) < 0 || payload.len == 0)
		return err_set(err, ERR_INPUT, "the bundle's payload is no statement");
	encode(type, &payload, &encoded);
	good = check_signatures(envelope, &encoded, public_key, err);
	if (good <= 0)
		return good;
	if (check_statement(&payload, digest, err) < 0)
		return -1;
	strv_addn(out, payload.data, payload.len);
	return 1;
}

/* The manifest's only layer, when it is a bundle. */
static int
read_bundle(struct place *p, const struct descriptor *d, struct buf *out, struct err *err)
{
	AUTO(manifest) struct manifest m = { .layer_count = 0 };
	AUTO(buf) struct buf bytes = BUF_INIT;

	if (place_read(p, d, MANIFEST_MAX, &bytes, err) < 0 ||
		manifest_parse(bytes.data, bytes.len, d->media_type, &m, err) < 0)
		return -1;
	if (m.layer_count != 1 || !starts_with(m.layers[0].media_type, BUNDLE_TYPE_PREFIX))
		return err_set(err, ERR_INPUT, "a bundle's manifest without a bundle");
	return place_read(p, &m.layers[0], BUNDLE_MAX, out, err);
}

int
bundle_verify(struct place *p, const struct digest *digest, const struct buf *public_key,
	struct strv *out, size_t *good, size_t *others, struct buf *why, struct err *err)
{
	AUTO(json) json_t *rows = NULL;
	json_t *row;
	size_t i, seen = 0;

	if (remote_referrers(p, digest, NULL, &rows, err) < 0)
		return -1;
	json_array_foreach (rows, i, row) {
		const char *type = json_string_value(json_object_get(row, "artifactType"));
		AUTO(descriptor) struct descriptor d = { .size = 0 };
		AUTO(buf) struct buf bytes = BUF_INIT;
		int result;

		if (type == NULL || !starts_with(type, BUNDLE_TYPE_PREFIX))
			continue;
		if (++seen > COSIGN_SIGNATURES_MAX)
			break;
		result =
			descriptor_parse(row, &d, err) < 0 || read_bundle(p, &d, &bytes, err) < 0
				? -1
				: bundle_check(bytes.data, bytes.len, digest, public_key, out, err);
		if (result < 0 && err->kind == ERR_REMOTE)
			return -1;
		*good += result == 1;
		*others += result == 0;
		if (result < 0)
			buf_addf(why, "; %s", err->msg);
	}
	return 0;
}
