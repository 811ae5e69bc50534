/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/fake.h"

#include "base/file.h"
#include "registry/base64.h"
#include "registry/bundle.h"
#include "registry/cosign.h"
#include "registry/signature.h"
#include "registry/trust.h"
#include "tests/unit/table.h"

/* policy.json: what it says, and what it keeps out. */

static void
trust_row(char **fields, size_t count)
{
	AUTO(trust) struct trust t = TRUST_INIT;
	AUTO(buf) struct buf got = BUF_INIT;
	const char *scope = NULL;
	const json_t *list;
	struct ref ref;
	struct err err = { 0 };
	static const char before[] = "the policy in f cannot be used, so nothing may be pulled: ";

	same_int(count, 3);
	works(ref_parse(fields[1], &ref, &err));
	if (trust_parse(fields[0], strlen(fields[0]), "f", &t, &err) < 0) {
		same_int(err.kind, ERR_DENIED);
		is_true(starts_with(err.msg, before));
		buf_addf(&got, "error: %.*s", (int)strlen(fields[2]) - 7, err.msg + strlen(before));
	} else {
		list = trust_requirements(&t, &ref, &scope);
		buf_addf(&got, "%s %s", scope,
			json_string_value(json_object_get(json_array_get(list, 0), "type")));
	}
	same_str(got.data, fields[2]);
}

TEST(policies)
{
	is_true(table_each(TESTDATA "/registry/trust.tsv", trust_row) > 30);
}

static void
identity_row(char **fields, size_t count)
{
	AUTO(json) json_t *wanted = NULL;
	struct ref ref;
	struct err err = { 0 };

	same_int(count, 4);
	works(json_parse(fields[0], strlen(fields[0]), &wanted, &err));
	works(ref_parse(fields[1], &ref, &err));
	if (trust_identity_matches(wanted, &ref, fields[2]) != streq(fields[3], "yes"))
		print_error("# %s %s %s\n", fields[0], fields[1], fields[2]);
	same_int(trust_identity_matches(wanted, &ref, fields[2]), streq(fields[3], "yes"));
}

TEST(identities)
{
	is_true(table_each(TESTDATA "/registry/identities.tsv", identity_row) > 20);
}

static void
make_keys(struct fake *f, struct buf *private_key)
{
	AUTO(free)
	char *command = xasprintf(
		"cd %s && for k in a b; do openssl genpkey -algorithm EC -pkeyopt "
		"ec_paramgen_curve:P-256 -out $k.key 2>/dev/null && openssl pkey -in $k.key "
		"-pubout -out $k.pub || exit 1; done",
		f->server.dir);
	AUTO(free) char *path = xasprintf("%s/a.key", f->server.dir);
	struct err err = { 0 };

	same_int(system(command), 0);
	works(file_read(AT_FDCWD, path, 65536, private_key, &err));
}

static void
name_of(const struct fake *f, const char *rest, struct ref *out)
{
	AUTO(free) char *text = xasprintf("127.0.0.1:%u/a/b%s", f->server.port, rest);
	struct err err = { 0 };

	works(ref_parse(text, out, &err));
}

/* One requirement for all of that registry. */
static int
check(struct fake *f, const char *requirement, struct err *why)
{
	AUTO(trust) struct trust t = TRUST_INIT;
	AUTO(free)
	char *text = xasprintf("{\"default\":[{\"type\":\"reject\"}],\"transports\":{"
			       "\"docker\":{\"127.0.0.1:%u\":[%s]}}}",
		f->server.port, requirement);
	struct ref ref;
	struct err err = { 0 };

	name_of(f, ":1", &ref);
	works(trust_parse(text, strlen(text), "f", &t, &err));
	return trust_check(&t, f->pull, &ref, &f->root, NULL, true, why);
}

TEST(what_is_signed_by_the_key_is_let_in)
{
	AUTO(fake) struct fake f;
	AUTO(buf) struct buf key = BUF_INIT;
	AUTO(buf) struct buf public_key = BUF_INIT;
	AUTO(buf) struct buf data = BUF_INIT;
	AUTO(free) char *mine = NULL;
	AUTO(free) char *exact = NULL;
	AUTO(free) char *other = NULL;
	AUTO(free) char *either = NULL;
	AUTO(free) char *inlined = NULL;
	AUTO(free) char *path = NULL;
	struct ref ref;
	struct err err = { 0 };

	START(&f, "--page", "0");
	works(push(&f, &err));
	make_keys(&f, &key);
	path = xasprintf("%s/a.pub", f.server.dir);
	works(file_read(AT_FDCWD, path, 65536, &public_key, &err));
	base64_encode(public_key.data, public_key.len, &data);
	mine = xasprintf("{\"type\":\"sigstoreSigned\",\"keyPath\":\"%s/a.pub\","
			 "\"signedIdentity\":{\"type\":\"matchRepository\"}}",
		f.server.dir);
	exact = xasprintf("{\"type\":\"sigstoreSigned\",\"keyPath\":\"%s/a.pub\"}", f.server.dir);
	other = xasprintf("{\"type\":\"sigstoreSigned\",\"keyPath\":\"%s/b.pub\","
			  "\"signedIdentity\":{\"type\":\"matchRepository\"}}",
		f.server.dir);
	either = xasprintf("{\"type\":\"sigstoreSigned\",\"keyPaths\":[\"%s/b.pub\",\"%s/a.pub\"],"
			   "\"signedIdentity\":{\"type\":\"matchRepository\"}}",
		f.server.dir, f.server.dir);
	inlined = xasprintf("{\"type\":\"sigstoreSigned\",\"keyData\":\"%s\","
			    "\"signedIdentity\":{\"type\":\"matchRepository\"}}",
		data.data);
	same_int(check(&f, mine, &err), -1);
	is_true(strstr(err.msg, "has no signatures") != NULL);
	name_of(&f, "", &ref);
	works(cosign_sign(f.push, &ref, &f.root.digest, &key, NULL, &err));
	works(check(&f, mine, &err));
	works(check(&f, either, &err));
	works(check(&f, inlined, &err));
	same_int(check(&f, other, &err), -1);
	same_int(err.kind, ERR_DENIED);
	is_true(strstr(err.msg, "no signature by this key") != NULL);
	same_int(check(&f, exact, &err), -1);
	is_true(strstr(err.msg, "not as what it is called here") != NULL);
}

#define BUNDLE_TYPE "application/vnd.dev.sigstore.bundle.v0.3+json"

/* The bundle of a statement about digest, by that key. */
static void
make_bundle(const char *predicate, const char *hex, const struct buf *key, struct buf *out)
{
	AUTO(free)
	char *statement = xasprintf(
		"{\"_type\":\"https://in-toto.io/Statement/v1\",\"subject\":[{\"digest\":{"
		"\"sha256\":\"%s\"}}],\"predicateType\":\"%s\",\"predicate\":{}}",
		hex, predicate);
	AUTO(free)
	char *encoded = xasprintf(
		"DSSEv1 28 application/vnd.in-toto+json %zu %s", strlen(statement), statement);
	AUTO(buf) struct buf signature = BUF_INIT;
	AUTO(buf) struct buf payload = BUF_INIT;
	AUTO(buf) struct buf text = BUF_INIT;
	struct err err = { 0 };

	works(signature_make(key, NULL, encoded, strlen(encoded), &signature, &err));
	base64_encode(statement, strlen(statement), &payload);
	base64_encode(signature.data, signature.len, &text);
	buf_addf(out,
		"{\"mediaType\":\"" BUNDLE_TYPE "\",\"verificationMaterial\":{\"publicKey\":{"
		"\"hint\":\"x\"}},\"dsseEnvelope\":{\"payload\":\"%s\",\"payloadType\":"
		"\"application/vnd.in-toto+json\",\"signatures\":[{\"sig\":\"%s\"}]}}",
		payload.data, text.data);
}

static void
attach_bundle(struct fake *f, const struct buf *bundle)
{
	AUTO(buf) struct buf manifest = BUF_INIT;
	struct descriptor config = { .size = 0 }, layer = { .size = 0 }, d = { .size = 0 };
	struct err err = { 0 };

	works(place_put_bytes(f->push, "{}", 2, &config, &err));
	works(place_put_bytes(f->push, bundle->data, bundle->len, &layer, &err));
	buf_addf(&manifest,
		"{\"schemaVersion\":2,\"mediaType\":\"" MEDIA_OCI_MANIFEST
		"\",\"artifactType\":\"" BUNDLE_TYPE "\",\"config\":{\"mediaType\":"
		"\"" MEDIA_OCI_EMPTY "\",\"digest\":\"%s\",\"size\":2},\"layers\":[{"
		"\"mediaType\":\"" BUNDLE_TYPE "\",\"digest\":\"%s\",\"size\":%zu}],"
		"\"subject\":{\"mediaType\":\"" MEDIA_OCI_MANIFEST
		"\",\"digest\":\"%s\",\"size\":%zu}}",
		config.digest.text, layer.digest.text, bundle->len, f->root.digest.text,
		(size_t)f->root.size);
	media_type_clean(MEDIA_OCI_MANIFEST, d.media_type);
	works(place_put_bytes(f->push, manifest.data, manifest.len, &d, &err));
}

TEST(a_bundle_that_is_attached_is_a_signature)
{
	AUTO(fake) struct fake f;
	AUTO(buf) struct buf key = BUF_INIT;
	AUTO(buf) struct buf mine = BUF_INIT;
	AUTO(buf) struct buf other = BUF_INIT;
	AUTO(buf) struct buf bundle = BUF_INIT;
	AUTO(strv) struct strv payloads = STRV_INIT;
	AUTO(free) char *mine_path = NULL;
	AUTO(free) char *other_path = NULL;
	struct err err = { 0 };

	START(&f, "--referrers");
	works(push(&f, &err));
	make_keys(&f, &key);
	mine_path = xasprintf("%s/a.pub", f.server.dir);
	other_path = xasprintf("%s/b.pub", f.server.dir);
	works(file_read(AT_FDCWD, mine_path, 65536, &mine, &err));
	works(file_read(AT_FDCWD, other_path, 65536, &other, &err));
	make_bundle(BUNDLE_PREDICATE, digest_hex(&f.root.digest), &key, &bundle);
	same_int(cosign_verify(f.pull, &f.root.digest, &mine, &payloads, &err), -1);
	is_true(strstr(err.msg, "has no signatures") != NULL);
	attach_bundle(&f, &bundle);
	works(cosign_verify(f.pull, &f.root.digest, &mine, &payloads, &err));
	same_int(payloads.count, 1);
	same_int(cosign_verify(f.pull, &f.root.digest, &other, &payloads, &err), -1);
	same_int(err.kind, ERR_DENIED);
	is_true(strstr(err.msg, "no signature by this key (1 by others)") != NULL);
}

TEST(a_bundle_about_something_else_is_none)
{
	AUTO(fake) struct fake f;
	AUTO(buf) struct buf key = BUF_INIT;
	AUTO(buf) struct buf mine = BUF_INIT;
	AUTO(strv) struct strv payloads = STRV_INIT;
	AUTO(free) char *path = NULL;
	struct err err = { 0 };
	const char *hex;
	const char *const rows[][3] = {
		{ BUNDLE_PREDICATE, NULL, NULL },
		{ BUNDLE_PREDICATE, "00", "the signature is of another image" },
		{ "https://slsa.dev/provenance/v1", NULL, "says something else about the image" },
	};
	size_t i;

	START(&f, "--page", "0");
	make_keys(&f, &key);
	hex = digest_hex(&f.root.digest);
	path = xasprintf("%s/a.pub", f.server.dir);
	works(file_read(AT_FDCWD, path, 65536, &mine, &err));
	for (i = 0; i < COUNT_OF(rows); i++) {
		AUTO(buf) struct buf bundle = BUF_INIT;
		char *at;

		make_bundle(rows[i][0], rows[i][1] != NULL ? rows[i][1] : hex, &key, &bundle);
		same_int(bundle_check(
				 bundle.data, bundle.len, &f.root.digest, &mine, &payloads, &err),
			rows[i][2] == NULL ? 1 : -1);
		if (rows[i][2] != NULL)
			is_true(strstr(err.msg, rows[i][2]) != NULL);
		/* other bytes are not what was signed */
		at = strstr(bundle.data, "\"payload\":\"") + strlen("\"payload\":\"") + 40;
		*at = *at == 'A' ? 'B' : 'A';
		same_int(bundle_check(
				 bundle.data, bundle.len, &f.root.digest, &mine, &payloads, &err),
			0);
	}
	same_int(payloads.count, 1);
	same_int(bundle_check("{}", 2, &f.root.digest, &mine, &payloads, &err), -1);
	same_int(err.kind, ERR_INPUT);
}

TEST(what_cannot_be_checked_is_refused)
{
	AUTO(fake) struct fake f;
	struct err err = { 0 };
	static const char *const rows[][2] = {
		{ "{\"type\":\"reject\"}", "it is rejected" },
		{ "{\"type\":\"signedBy\",\"keyType\":\"GPGKeys\",\"keyPath\":\"/k\"}",
			"which is not supported" },
		{ "{\"type\":\"sigstoreSigned\",\"keyPath\":\"/k\",\"rekorPublicKeyPath\":\"/"
		  "r\"}",
			"'rekorPublicKeyPath' is not supported" },
		{ "{\"type\":\"sigstoreSigned\",\"keyPath\":\"/nonexistent\"}",
			"the key '/nonexistent'" },
		{ "{\"type\":\"sigstoreSigned\",\"keyData\":\"AA==\"}", "the key" },
		{ "{\"type\":\"insecureAcceptAnything\"},{\"type\":\"reject\"}", "it is rejected" },
	};
	size_t i;

	START(&f, "--page", "0");
	works(push(&f, &err));
	works(check(&f, "{\"type\":\"insecureAcceptAnything\"}", &err));
	for (i = 0; i < COUNT_OF(rows); i++) {
		same_int(check(&f, rows[i][0], &err), -1);
		if (strstr(err.msg, rows[i][1]) == NULL)
			same_str(err.msg, rows[i][1]);
	}
}

TEST(a_policy_that_cannot_be_read_refuses)
{
	struct trust t = TRUST_INIT;
	struct err err = { 0 };

	same_int(trust_load("/nonexistent/policy.json", &t, &err), -1);
	same_int(err.kind, ERR_DENIED);
	same_int(trust_load("/", &t, &err), -1);
	same_int(err.kind, ERR_DENIED);
	works(trust_load("", &t, &err));
	is_true(t.document == NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(policies),
		CASE(identities),
		CASE(what_is_signed_by_the_key_is_let_in),
		CASE(a_bundle_that_is_attached_is_a_signature),
		CASE(a_bundle_about_something_else_is_none),
		CASE(what_cannot_be_checked_is_refused),
		CASE(a_policy_that_cannot_be_read_refuses),
	};

	return RUN(tests);
}
