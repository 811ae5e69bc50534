/* SPDX-License-Identifier: Apache-2.0 */
/* What is asked of a registry without moving an image: digest, manifest, tags, repos, delete, auth.
 */
#include <string.h>

#include "base/mem.h"
#include "cmd/cmd.h"
#include "cmd/remote_flags.h"
#include "cmd/show.h"
#include "registry/credentials.h"
#include "registry/host.h"
#include "registry/place.h"
#include "registry/remote.h"
#include "registry/remote_referrers.h"
#include "registry/route.h"
#include "registry/shortname.h"

struct values {
	struct remote_flags remote;
};

static const struct values defaults = { .remote = REMOTE_FLAGS_DEFAULT };
static const struct opt options[] = { REMOTE_OPTIONS(struct values, remote), OPT_END };

static const char *
without_scheme(const char *text)
{
	return starts_with(text, "docker://") ? text + strlen("docker://") : text;
}

static int
open_remote(const struct call *call, const char *text, enum remote_access access,
	struct session **session, struct ref *ref, struct place **out, struct err *err)
{
	const struct values *v = call->values;

	if (ref_parse(without_scheme(text), ref, err) < 0 ||
		remote_flags_open(&v->remote, session, err) < 0 ||
		(access == REMOTE_PULL && shortname_find(*session, ref, err) < 0))
		return -1;
	return remote_open(*session, ref, access, out, err);
}

static int
digest_run(struct call *call, struct err *err)
{
	AUTO(session) struct session *session = NULL;
	AUTO(place) struct place *place = NULL;
	AUTO(descriptor) struct descriptor d = { .size = 0 };
	AUTO(buf) struct buf answer = BUF_INIT;
	struct ref ref;

	if (open_remote(call, call->args.items[0], REMOTE_PULL, &session, &ref, &place, err) < 0 ||
		place->ops->resolve(place, ref_name(&ref), &d, err) < 0)
		return -1;
	buf_addf(&answer, "%s\n", d.digest.text);
	return show_answer(&answer, err);
}

static int
manifest_run(struct call *call, struct err *err)
{
	AUTO(session) struct session *session = NULL;
	AUTO(place) struct place *place = NULL;
	AUTO(descriptor) struct descriptor d = { .size = 0 };
	AUTO(buf) struct buf answer = BUF_INIT;
	struct ref ref;

	if (open_remote(call, call->args.items[0], REMOTE_PULL, &session, &ref, &place, err) < 0 ||
		place->ops->resolve(place, ref_name(&ref), &d, err) < 0 ||
		place_read(place, &d, MANIFEST_MAX, &answer, err) < 0)
		return -1;
	return show_answer(&answer, err);
}

struct referrers_values {
	struct values common;
	const char *artifact_type;
};

static const struct referrers_values referrers_defaults = { .common = { REMOTE_FLAGS_DEFAULT } };
static const struct opt referrers_options[] = { OPT_STR(0, "artifact-type", struct referrers_values,
							artifact_type, "type", "of this type only"),
	REMOTE_OPTIONS(struct referrers_values, common.remote), OPT_END };

static int
referrers_run(struct call *call, struct err *err)
{
	const struct referrers_values *v = call->values;
	AUTO(session) struct session *session = NULL;
	AUTO(place) struct place *place = NULL;
	AUTO(descriptor) struct descriptor d = { .size = 0 };
	AUTO(json) json_t *rows = NULL;
	AUTO(buf) struct buf answer = BUF_INIT;
	struct ref ref;

	if (open_remote(call, call->args.items[0], REMOTE_PULL, &session, &ref, &place, err) < 0 ||
		place->ops->resolve(place, ref_name(&ref), &d, err) < 0 ||
		remote_referrers(place, &d.digest, v->artifact_type, &rows, err) < 0)
		return -1;
	json_format(rows, JSON_STYLE_INDENT, &answer);
	buf_addc(&answer, '\n');
	return show_answer(&answer, err);
}

static void
add_lines(const struct strv *lines, struct buf *answer)
{
	for (size_t i = 0; i < lines->count; i++) {
		show_line(lines->items[i], answer);
		buf_addc(answer, '\n');
	}
}

static int
show_names(const struct strv *names, struct err *err)
{
	AUTO(buf) struct buf answer = BUF_INIT;

	add_lines(names, &answer);
	return show_answer(&answer, err);
}

static int
tags_run(struct call *call, struct err *err)
{
	AUTO(session) struct session *session = NULL;
	AUTO(place) struct place *place = NULL;
	AUTO(strv) struct strv tags = STRV_INIT;
	struct ref ref;

	if (open_remote(call, call->args.items[0], REMOTE_PULL, &session, &ref, &place, err) < 0 ||
		remote_tags(place, &tags, err) < 0)
		return -1;
	return show_names(&tags, err);
}

static int
repos_run(struct call *call, struct err *err)
{
	const struct values *v = call->values;
	AUTO(session) struct session *session = NULL;
	AUTO(strv) struct strv names = STRV_INIT;

	if (remote_flags_open(&v->remote, &session, err) < 0 ||
		remote_repositories(session, call->args.items[0], &names, err) < 0)
		return -1;
	return show_names(&names, err);
}

static int
delete_run(struct call *call, struct err *err)
{
	AUTO(session) struct session *session = NULL;
	AUTO(place) struct place *place = NULL;
	struct ref ref;

	if (open_remote(call, call->args.items[0], REMOTE_DELETE, &session, &ref, &place, err) < 0)
		return -1;
	if (ref.tag_implied)
		return err_set(err, ERR_USAGE, "delete wants a tag or a digest, said aloud");
	return remote_delete(place, ref_name(&ref), err);
}

/* Without asking anybody: of several registries the first. */
static int
explain_short(struct session *session, const struct ref *ref, struct ref *out, struct buf *answer,
	struct err *err)
{
	struct ref names[REGISTRIES_SEARCH_MAX];
	const struct registries *registries;
	int i, count;

	if (session_registries(session, &registries, err) < 0)
		return -1;
	count = registries_names(registries, ref, names, err);
	for (i = 0; i < count && ref->host_implied; i++) {
		AUTO(buf) struct buf name = BUF_INIT;

		ref_format(&names[i], REF_REPOSITORY, &name);
		buf_adds(answer,
			i == 0 ? "the short name stands for " : "or, where that has it not, ");
		show_line(name.data, answer);
		buf_addc(answer, '\n');
	}
	if (count > 0)
		*out = names[0];
	return count < 0 ? -1 : 0;
}

/* Where requests go, when a file says so, and whose credentials they have there. */
static int
explain_route(const struct remote_flags *flags, const struct ref *ref, char **host,
	char **repository, struct buf *answer, struct err *err)
{
	AUTO(session) struct session *session = NULL;
	struct route route;
	struct ref at;
	size_t i;

	if (remote_flags_open(flags, &session, err) < 0 ||
		explain_short(session, ref, &at, answer, err) < 0 ||
		route_find(session, &at, ROUTE_READ, &route, err) < 0)
		return -1;
	for (i = 0; i < route.count && route.file != NULL; i++) {
		show_line(route.file, answer);
		buf_addf(answer, ": %s ",
			i + 1 == route.count ? "the registry is reached at" : "a mirror is");
		show_line(route.stops[i].host->name, answer);
		buf_addc(answer, '\n');
	}
	*host = xstrdup(route.stops[route.count - 1].host->name);
	*repository = xstrdup(route.stops[route.count - 1].repository);
	return 0;
}

static int
auth_run(struct call *call, struct err *err)
{
	const struct values *v = call->values;
	AUTO(credential) struct credential c = CREDENTIAL_INIT;
	AUTO(strv) struct strv trail = STRV_INIT;
	AUTO(buf) struct buf answer = BUF_INIT;
	AUTO(free) char *whole = NULL;
	const char *text = without_scheme(call->args.items[1]);
	bool is_host = strchr(text, '/') == NULL && strpbrk(text, ".:") != NULL;
	AUTO(free) char *host = NULL;
	AUTO(free) char *repository = NULL;
	struct ref ref;
	int found;

	if (!streq(call->args.items[0], "explain"))
		return err_set(err, ERR_USAGE, "auth knows 'explain' only");
	whole = xasprintf("%s%s", text, is_host ? "/x" : "");
	if (ref_parse(whole, &ref, err) < 0 ||
		explain_route(&v->remote, &ref, &host, &repository, &answer, err) < 0)
		return -1;
	found = credentials_find(
		v->remote.auth_file, host, is_host ? "" : repository, &trail, &c, err);
	if (found < 0)
		return -1;
	add_lines(&trail, &answer);
	if (!credential_is_anonymous(&c)) {
		buf_adds(&answer, c.registry_token != NULL   ? "a bearer token"
				  : c.identity_token != NULL ? "an identity token"
							     : "a password");
		if (c.username != NULL && c.username[0] != '\0') {
			buf_adds(&answer, " of ");
			show_line(c.username, &answer);
		}
		buf_adds(&answer, ", from ");
		show_line(c.source, &answer);
		buf_addc(&answer, '\n');
	}
	return show_answer(&answer, err);
}

#define REGISTRY_COMMAND                                                                 \
	.options = options, .values_size = sizeof(struct values), .defaults = &defaults, \
	.args_min = 1, .args_max = 1

const struct cmd cmd_digest = {
	.name = "digest",
	.summary = "print the digest that a name has at its registry",
	.args = "<name>",
	.about = "Asks for the name only, which costs nothing of what registries count as pulls.",
	.example = "  cooper digest alpine:3.20\n",
	.run = digest_run,
	REGISTRY_COMMAND,
};

const struct cmd cmd_manifest = {
	.name = "manifest",
	.summary = "print the manifest or index that a name has at its registry",
	.args = "<name>",
	.about = "The bytes are those of the registry, to the bit, and were checked.",
	.example = "  cooper manifest alpine:3.20 | jq .\n",
	.run = manifest_run,
	REGISTRY_COMMAND,
};

const struct cmd cmd_referrers = {
	.name = "referrers",
	.summary = "list what is attached to an image at its registry",
	.args = "<name>",
	.about = "Signatures, SBOMs and other artifacts that name the image as their subject, as a "
		 "JSON array of descriptors. "
		 "Where the registry does not list them, the index under the tag sha256-<hex> is "
		 "read.",
	.example = "  cooper referrers registry.example.com/team/app:1 | jq -r '.[].digest'\n",
	.options = referrers_options,
	.values_size = sizeof(struct referrers_values),
	.defaults = &referrers_defaults,
	.args_min = 1,
	.args_max = 1,
	.run = referrers_run,
};

const struct cmd cmd_tags = {
	.name = "tags",
	.summary = "list the tags of a repository",
	.args = "<repository>",
	.example = "  cooper tags registry.example.com/team/app\n",
	.run = tags_run,
	REGISTRY_COMMAND,
};

const struct cmd cmd_repos = {
	.name = "repos",
	.summary = "list the repositories of a registry",
	.args = "<registry>",
	.about = "Most public registries do not tell.",
	.example = "  cooper repos registry.example.com:5000\n",
	.run = repos_run,
	REGISTRY_COMMAND,
};

const struct cmd cmd_delete = {
	.name = "delete",
	.summary = "delete a tag or a manifest at a registry",
	.args = "<name>",
	.about = "With a digest the manifest is deleted, and every tag that means it. With a tag "
		 "only the tag is, which "
		 "many registries refuse.",
	.example = "  cooper delete registry.example.com/team/app@sha256:...\n",
	.run = delete_run,
	REGISTRY_COMMAND,
};

const struct cmd cmd_auth = {
	.name = "auth",
	.summary = "say where the credentials for a name come from",
	.args = "explain <name>",
	.about = "Prints which file of registries.conf or hosts.toml says where the name is asked "
		 "for, and each file, key and helper that was looked at and what was found there; "
		 "never a secret.",
	.example = "  cooper auth explain registry.example.com/team/app\n",
	.options = options,
	.values_size = sizeof(struct values),
	.defaults = &defaults,
	.args_min = 2,
	.args_max = 2,
	.run = auth_run,
};
