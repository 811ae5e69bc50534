/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/trust.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "layers/oci.h"
#include "registry/base64.h"
#include "registry/cosign.h"
#include "registry/signature.h"

void
trust_free(struct trust *t)
{
	free(t->file);
	json_decref(t->document);
	*t = (struct trust)TRUST_INIT;
}

void
auto_trust(struct trust *t)
{
	trust_free(t);
}

/* --- the document ----------------------------------------------------------------------------- */

/* What is not known may be what makes it strict. */
static int
only_has(const json_t *o, const char *const *names, struct err *err)
{
	const char *name;
	json_t *value;
	size_t i;

	if (!json_is_object(o))
		return err_set(err, ERR_INPUT, "something else where an object is wanted");
	json_object_foreach ((json_t *)o, name, value) {
		for (i = 0; names[i] != NULL; i++)
			if (streq(name, names[i]))
				break;
		if (names[i] == NULL)
			return err_set(err, ERR_INPUT, "'%s' is not known there", name);
	}
	return 0;
}

static int
check_text(const json_t *o, const char *name, struct err *err)
{
	const char *text = NULL;

	if (json_get_string(o, name, &text, err) < 0)
		return -1;
	return text != NULL && text[0] != '\0' ? 0
					       : err_set(err, ERR_INPUT, "'%s' is missing", name);
}

static int
check_identity(const json_t *o, struct err *err)
{
	static const struct {
		const char *type, *first, *second;
	} kinds[] = {
		{ "matchExact", NULL, NULL },
		{ "matchRepoDigestOrExact", NULL, NULL },
		{ "matchRepository", NULL, NULL },
		{ "exactReference", "dockerReference", NULL },
		{ "exactRepository", "dockerRepository", NULL },
		{ "remapIdentity", "prefix", "signedPrefix" },
	};
	const char *type = NULL;
	size_t i;

	if (!json_is_object(o) || json_get_string(o, "type", &type, err) < 0 || type == NULL)
		return err_set(err, ERR_INPUT, "a signedIdentity has no type");
	for (i = 0; i < COUNT_OF(kinds); i++)
		if (streq(type, kinds[i].type)) {
			const char *names[] = { "type", kinds[i].first, kinds[i].second, NULL };

			if (only_has(o, names, err) < 0 ||
				(kinds[i].first != NULL && check_text(o, kinds[i].first, err) < 0))
				return -1;
			return kinds[i].second != NULL ? check_text(o, kinds[i].second, err) : 0;
		}
	return err_set(err, ERR_INPUT, "signedIdentity '%s' is not known", type);
}

static const char *const key_names[] = { "keyPath", "keyPaths", "keyData", "keyDatas" };

/* A string or a list of strings, as the name says; none of them empty. */
static int
check_keys(const json_t *o, const char *name, struct err *err)
{
	AUTO(strv) struct strv list = STRV_INIT;
	size_t i;

	if (!ends_with(name, "s"))
		return check_text(o, name, err);
	if (json_get_strv(o, name, &list, err) < 0)
		return -1;
	for (i = 0; i < list.count; i++)
		if (list.items[i][0] == '\0')
			return err_set(err, ERR_INPUT, "'%s' has an empty one", name);
	return list.count > 0 && list.count <= TRUST_KEYS_MAX
		       ? 0
		       : err_set(err, ERR_INPUT, "'%s' has none or too many", name);
}

static int
check_sigstore(const json_t *o, struct err *err)
{
	static const char *const names[] = { "type", "keyPath", "keyPaths", "keyData", "keyDatas",
		"fulcio", "pki", "rekorPublicKeyPath", "rekorPublicKeyPaths", "rekorPublicKeyData",
		"rekorPublicKeyDatas", "signedIdentity", NULL };
	const json_t *identity = json_object_get(o, "signedIdentity");
	size_t i, sources = 0;

	if (only_has(o, names, err) < 0)
		return -1;
	for (i = 0; i < COUNT_OF(key_names); i++) {
		if (json_object_get(o, key_names[i]) == NULL)
			continue;
		sources++;
		if (check_keys(o, key_names[i], err) < 0)
			return -1;
	}
	sources += json_object_get(o, "fulcio") != NULL;
	sources += json_object_get(o, "pki") != NULL;
	if (sources != 1)
		return err_set(err, ERR_INPUT,
			"sigstoreSigned wants exactly one of keyPath, "
			"keyPaths, keyData, keyDatas, fulcio and pki");
	return identity != NULL ? check_identity(identity, err) : 0;
}

static int
check_requirement(const json_t *o, struct err *err)
{
	static const char *const type_only[] = { "type", NULL };
	static const char *const signed_by[] = { "type", "keyType", "keyPath", "keyPaths",
		"keyData", "signedIdentity", NULL };
	const char *type = NULL;

	if (!json_is_object(o) || json_get_string(o, "type", &type, err) < 0 || type == NULL)
		return err_set(err, ERR_INPUT, "a requirement has no type");
	if (streq(type, "insecureAcceptAnything") || streq(type, "reject"))
		return only_has(o, type_only, err);
	if (streq(type, "signedBy"))
		return only_has(o, signed_by, err);
	if (streq(type, "sigstoreSigned"))
		return check_sigstore(o, err);
	return err_set(err, ERR_INPUT, "requirement '%s' is not known", type);
}

static int
check_list(const json_t *list, const char *scope, struct err *err)
{
	const json_t *one;
	size_t i;

	if (!json_is_array(list) || json_array_size(list) == 0)
		return err_set(err, ERR_INPUT, "'%s' has no list of requirements", scope);
	json_array_foreach ((json_t *)list, i, one) {
		if (check_requirement(one, err) < 0)
			return err_in(err, "'%s'", scope);
	}
	return 0;
}

static int
check_document(const json_t *o, struct err *err)
{
	static const char *const names[] = { "default", "transports", NULL };
	json_t *transports = NULL, *scopes, *list;
	const char *name, *scope;

	if (only_has(o, names, err) < 0 ||
		check_list(json_object_get(o, "default"), "default", err) < 0 ||
		json_get_object(o, "transports", &transports, err) < 0)
		return -1;
	json_object_foreach (transports, name, scopes) {
		if (!json_is_object(scopes))
			return err_set(err, ERR_INPUT, "'%s' has no scopes", name);
		json_object_foreach (scopes, scope, list) {
			if (check_list(list, scope, err) < 0)
				return err_in(err, "'%s'", name);
		}
	}
	return 0;
}

int
trust_parse(const char *text, size_t len, const char *file, struct trust *out, struct err *err)
{
	AUTO(json) json_t *document = NULL;

	if (json_parse(text, len, &document, err) < 0 || check_document(document, err) < 0) {
		err->kind = ERR_DENIED;
		return err_in(
			err, "the policy in %s cannot be used, so nothing may be pulled", file);
	}
	*out = (struct trust){ .file = xstrdup(file), .document = steal(&document) };
	return 0;
}

/* 1, 0: it is not there, -1. */
static int
load_file(const char *file, struct trust *out, struct err *err)
{
	AUTO(buf) struct buf text = BUF_INIT;

	if (file_read(AT_FDCWD, file, TRUST_FILE_MAX, &text, err) < 0) {
		if (err->kind == ERR_NOTFOUND)
			return 0;
		err->kind = ERR_DENIED;
		return err_in(err, "the policy in %s", file);
	}
	return trust_parse(text.data, text.len, file, out, err) < 0 ? -1 : 1;
}

int
trust_load(const char *file, struct trust *out, struct err *err)
{
	const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	AUTO(free) char *user = NULL;
	struct trust t = TRUST_INIT;
	int found;

	if (file != NULL && file[0] != '\0') {
		found = load_file(file, &t, err);
		if (found == 0)
			return err_set(err, ERR_DENIED, "there is no policy in '%s'", file);
	} else if (file != NULL) {
		found = 0;
	} else {
		user = config != NULL && config[0] == '/'
			       ? xasprintf("%s/containers/policy.json", config)
			       : xasprintf("%s/.config/containers/policy.json",
					 home != NULL ? home : "");
		found = load_file(user, &t, err);
		if (found == 0)
			found = load_file("/etc/containers/policy.json", &t, err);
	}
	if (found < 0)
		return -1;
	*out = t;
	return 0;
}

/* --- which requirements ------------------------------------------------------------------------ */

/* Names of hosts know no case, and a policy must not be evaded by it. */
static void
add_lower(const char *host, struct buf *out)
{
	for (; *host != '\0'; host++)
		buf_addc(out, *host >= 'A' && *host <= 'Z' ? (char)(*host + 'a' - 'A') : *host);
}

/* Most specific first. */
static void
list_scopes(const struct ref *ref, struct strv *out)
{
	AUTO(buf) struct buf host = BUF_INIT;
	AUTO(free) char *path = NULL;
	const char *dot;
	char *end;

	add_lower(ref->host, &host);
	strv_addf(out, "%s/%s%c%s", host.data, ref->repository,
		digest_is_empty(&ref->digest) ? ':' : '@', ref_name(ref));
	path = xasprintf("%s/%s", host.data, ref->repository);
	for (end = path; end != NULL; end = strrchr(path, '/')) {
		if (end != path)
			*end = '\0';
		strv_add(out, path);
	}
	if (host.data[0] != '[')
		host.data[strcspn(host.data, ":")] = '\0';
	for (dot = strchr(host.data, '.'); dot != NULL; dot = strchr(dot + 1, '.'))
		strv_addf(out, "*%s", dot);
	strv_add(out, "");
}

const json_t *
trust_requirements(const struct trust *t, const struct ref *ref, const char **scope)
{
	const json_t *scopes =
		json_object_get(json_object_get(t->document, "transports"), "docker");
	AUTO(strv) struct strv names = STRV_INIT;
	const char *key;
	json_t *list;
	size_t i;

	list_scopes(ref, &names);
	for (i = 0; i < names.count; i++) {
		json_object_foreach ((json_t *)scopes, key, list) {
			if (streq(key, names.items[i])) {
				*scope = key;
				return list;
			}
		}
	}
	*scope = "default";
	return json_object_get(t->document, "default");
}

/* --- identities ---------------------------------------------------------------------------------- */

static bool
has_name_only(const struct ref *r)
{
	return r->tag_implied && digest_is_empty(&r->digest);
}

static bool
is_same(const struct ref *a, const struct ref *b)
{
	return ref_same_repository(a, b) && streq(a->tag, b->tag) &&
	       streq(a->digest.text, b->digest.text);
}

static bool
matches_digest_or_exact(const struct ref *ref, const struct ref *as)
{
	if (has_name_only(as))
		return false;
	return ref->tag[0] == '\0' ? ref_same_repository(ref, as) : is_same(ref, as);
}

/* "quay.io/a/b" below the prefix "quay.io/a" becomes "r.io/x/b". */
static bool
remap(const json_t *wanted, const struct ref *ref, struct ref *out)
{
	const char *prefix = json_string_value(json_object_get(wanted, "prefix"));
	const char *to = json_string_value(json_object_get(wanted, "signedPrefix"));
	size_t len = prefix != NULL ? strlen(prefix) : 0;
	AUTO(buf) struct buf name = BUF_INIT;
	AUTO(free) char *text = NULL;
	struct err ignored;

	ref_format(ref, REF_CANONICAL, &name);
	*out = *ref;
	if (len == 0 || to == NULL || !starts_with(name.data, prefix) ||
		strchr("/:@", name.data[len]) == NULL)
		return true;
	text = xasprintf("%s%s", to, name.data + len);
	return ref_parse(text, out, &ignored) == 0;
}

bool
trust_identity_matches(const json_t *wanted, const struct ref *ref, const char *signed_as)
{
	const char *type = json_string_value(json_object_get(wanted, "type"));
	const char *exact = json_string_value(json_object_get(wanted, "dockerReference"));
	const char *repository = json_string_value(json_object_get(wanted, "dockerRepository"));
	struct ref as, other;
	struct err ignored;

	if (ref_parse(signed_as, &as, &ignored) < 0)
		return false;
	if (type == NULL || streq(type, "matchRepoDigestOrExact"))
		return matches_digest_or_exact(ref, &as);
	if (streq(type, "matchExact"))
		return !has_name_only(&as) && is_same(ref, &as);
	if (streq(type, "matchRepository"))
		return ref_same_repository(ref, &as);
	if (streq(type, "exactReference"))
		return exact != NULL && ref_parse(exact, &other, &ignored) == 0 &&
		       !has_name_only(&as) && !has_name_only(&other) && is_same(&other, &as);
	if (streq(type, "exactRepository"))
		return repository != NULL && ref_parse(repository, &other, &ignored) == 0 &&
		       ref_same_repository(&other, &as);
	return streq(type, "remapIdentity") && remap(wanted, ref, &other) &&
	       matches_digest_or_exact(&other, &as);
}

/* --- signatures ----------------------------------------------------------------------------------- */

struct keys {
	struct buf items[TRUST_KEYS_MAX];
	size_t count;
};

static void
auto_keys(struct keys *k)
{
	size_t i;

	for (i = 0; i < k->count; i++)
		buf_free(&k->items[i]);
}

static int
add_key(const char *name, const char *text, struct keys *k, struct err *err)
{
	struct buf *out = &k->items[k->count];

	*out = (struct buf)BUF_INIT;
	k->count++;
	if (starts_with(name, "keyData"))
		return base64_decode(text, strlen(text), out) < 0
			       ? err_set(err, ERR_DENIED, "%s is no base64", name)
			       : 0;
	if (file_read(AT_FDCWD, text, SIGNATURE_KEY_MAX, out, err) < 0) {
		err->kind = ERR_DENIED;
		return err_in(err, "the key '%s'", text);
	}
	return 0;
}

static int
read_keys(const json_t *o, struct keys *k, struct err *err)
{
	AUTO(strv) struct strv list = STRV_INIT;
	size_t i, n;

	for (i = 0; i < COUNT_OF(key_names); i++) {
		json_t *value = json_object_get(o, key_names[i]);

		if (value == NULL)
			continue;
		if (json_is_string(value))
			return add_key(key_names[i], json_string_value(value), k, err);
		if (json_get_strv(o, key_names[i], &list, err) < 0)
			return -1;
		for (n = 0; n < list.count && n < TRUST_KEYS_MAX; n++)
			if (add_key(key_names[i], list.items[n], k, err) < 0)
				return -1;
	}
	return 0;
}

/* Of a payload that has a good signature. */
static bool
payload_matches(const json_t *requirement, const struct ref *ref, const char *payload)
{
	AUTO(json) json_t *o = NULL;
	json_t *critical = NULL, *identity = NULL;
	const char *as = NULL;
	struct err ignored;

	return json_parse(payload, strlen(payload), &o, &ignored) == 0 &&
	       json_get_object(o, "critical", &critical, &ignored) == 1 &&
	       json_get_object(critical, "identity", &identity, &ignored) == 1 &&
	       json_get_string(identity, "docker-reference", &as, &ignored) == 1 &&
	       trust_identity_matches(json_object_get(requirement, "signedIdentity"), ref, as);
}

static int
check_signed(const json_t *requirement, struct place *p, const struct ref *ref,
	const struct digest *digest, struct err *err)
{
	AUTO(keys) struct keys keys = { .count = 0 };
	bool other_identity = false;
	size_t i, n;

	if (read_keys(requirement, &keys, err) < 0)
		return -1;
	for (i = 0; i < keys.count; i++) {
		AUTO(strv) struct strv payloads = STRV_INIT;

		if (cosign_verify(p, digest, &keys.items[i], &payloads, err) < 0) {
			if (err->kind != ERR_DENIED)
				return -1;
			continue;
		}
		for (n = 0; n < payloads.count; n++)
			if (payload_matches(requirement, ref, payloads.items[n]))
				return 0;
		other_identity = true;
	}
	if (other_identity)
		return err_set(err, ERR_DENIED,
			"%s is signed, but not as what it is called here (see signedIdentity)",
			digest->text);
	return -1;
}

/* What an index has for a platform. */
static int
choose(struct place *p, const struct descriptor *root, const struct platform *platform,
	struct descriptor *out, struct err *err)
{
	AUTO(buf) struct buf bytes = BUF_INIT;
	AUTO(index) struct index x = { .manifest_count = 0 };
	const struct descriptor *chosen;
	struct platform host;

	platform_host(&host);
	if (place_read(p, root, MANIFEST_MAX, &bytes, err) < 0 ||
		index_parse(bytes.data, bytes.len, root->media_type, &x, err) < 0 ||
		index_choose(&x, platform != NULL ? platform : &host, &chosen, err) < 0)
		return -1;
	descriptor_copy(chosen, out);
	return 0;
}

struct question {
	struct place *place;
	const struct ref *ref;
	const struct descriptor *root;
	const struct platform *platform;
	bool all_platforms;
};

static int
check_sigstore_signed(const json_t *requirement, const struct question *q, struct err *err)
{
	static const char *const needs_others[] = { "fulcio", "pki", "rekorPublicKeyPath",
		"rekorPublicKeyPaths", "rekorPublicKeyData", "rekorPublicKeyDatas" };
	AUTO(descriptor) struct descriptor chosen = { .size = 0 };
	struct err first;
	size_t i;

	for (i = 0; i < COUNT_OF(needs_others); i++)
		if (json_object_get(requirement, needs_others[i]) != NULL)
			return err_set(err, ERR_DENIED,
				"sigstoreSigned with '%s' is not supported: only keys are",
				needs_others[i]);
	if (check_signed(requirement, q->place, q->ref, &q->root->digest, err) == 0)
		return 0;
	if (err->kind != ERR_DENIED || q->all_platforms || !media_is_index(q->root->media_type))
		return -1;
	first = *err;
	if (choose(q->place, q->root, q->platform, &chosen, err) < 0)
		return -1;
	if (check_signed(requirement, q->place, q->ref, &chosen.digest, err) == 0)
		return 0;
	if (err->kind == ERR_DENIED)
		*err = first;
	return -1;
}

static int
check_one(const json_t *requirement, const struct question *q, struct err *err)
{
	const char *type = json_string_value(json_object_get(requirement, "type"));

	if (type != NULL && streq(type, "insecureAcceptAnything"))
		return 0;
	if (type != NULL && streq(type, "sigstoreSigned"))
		return check_sigstore_signed(requirement, q, err);
	if (type != NULL && streq(type, "signedBy"))
		return err_set(err, ERR_DENIED,
			"a GPG signature is wanted ('signedBy'), which is not supported: sign with "
			"a key of cosign's kind and use 'sigstoreSigned'");
	return err_set(err, ERR_DENIED, "it is rejected");
}

int
trust_check(const struct trust *t, struct place *p, const struct ref *ref,
	const struct descriptor *root, const struct platform *platform, bool all_platforms,
	struct err *err)
{
	const struct question q = { p, ref, root, platform, all_platforms };
	AUTO(buf) struct buf name = BUF_INIT;
	const json_t *list, *one;
	const char *scope = "";
	size_t i;

	if (t->document == NULL)
		return 0;
	list = trust_requirements(t, ref, &scope);
	ref_format(ref, REF_CANONICAL, &name);
	if (json_array_size(list) == 0)
		return err_set(err, ERR_DENIED, "%s: nothing is required of it", t->file);
	json_array_foreach ((json_t *)list, i, one) {
		if (check_one(one, &q, err) < 0)
			return err_in(err, "%s may not be used, says '%s' of %s", name.data, scope,
				t->file);
	}
	return 0;
}

int
trust_check_remote(struct session *s, struct place *p, const struct ref *ref,
	const struct descriptor *root, const struct platform *platform, bool all_platforms,
	struct err *err)
{
	AUTO(trust) struct trust t = TRUST_INIT;

	if (trust_load(session_signature_policy(s), &t, err) < 0)
		return -1;
	return trust_check(&t, p, ref, root, platform, all_platforms, err);
}
