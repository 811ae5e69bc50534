/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/registries.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/event.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "registry/toml.h"

static void
rule_clear(struct registries_rule *rule)
{
	size_t i;

	for (i = 0; i < rule->mirror_count; i++)
		free(rule->mirrors[i].location);
	free(rule->mirrors);
	free(rule->prefix);
	free(rule->location);
	free(rule->file);
}

static void
alias_clear(struct registries_alias *a)
{
	free(a->name);
	free(a->target);
	free(a->file);
}

void
registries_free(struct registries *r)
{
	size_t i;

	for (i = 0; i < r->count; i++)
		rule_clear(&r->rules[i]);
	free(r->rules);
	for (i = 0; i < r->alias_count; i++)
		alias_clear(&r->aliases[i]);
	free(r->aliases);
	strv_free(&r->search);
	free(r->search_file);
	*r = (struct registries)REGISTRIES_INIT;
}

void
auto_registries(struct registries *r)
{
	registries_free(r);
}

static void
put_rule(struct registries *r, const struct registries_rule *rule)
{
	size_t i;

	for (i = 0; i < r->count; i++)
		if (streq(r->rules[i].prefix, rule->prefix)) {
			rule_clear(&r->rules[i]);
			r->rules[i] = *rule;
			return;
		}
	r->rules = grow(r->rules, r->count, &r->room, sizeof *r->rules);
	r->rules[r->count++] = *rule;
}

static int
parse_pull(const char *text, bool digest_only, enum registries_pull *out, struct err *err)
{
	static const char *const names[] = { "all", "digest-only", "tag-only" };
	size_t i;

	*out = digest_only ? REGISTRIES_PULL_DIGEST : REGISTRIES_PULL_ALL;
	if (text == NULL || text[0] == '\0')
		return 0;
	for (i = 0; i < COUNT_OF(names); i++)
		if (streq(text, names[i])) {
			*out = (enum registries_pull)i;
			return 0;
		}
	return err_set(err, ERR_INPUT, "pull-from-mirror is 'all', 'digest-only' or 'tag-only'");
}

static int
add_mirror(struct registries_rule *rule, const json_t *table, bool digest_only, struct err *err)
{
	const char *location = NULL, *pull = NULL;
	struct registries_mirror mirror = { .insecure = false };

	if (json_get_string(table, "location", &location, err) < 0 ||
		json_get_bool(table, "insecure", &mirror.insecure, err) < 0 ||
		json_get_string(table, "pull-from-mirror", &pull, err) < 0 ||
		parse_pull(pull, digest_only, &mirror.pull, err) < 0)
		return -1;
	if (location == NULL || location[0] == '\0')
		return err_set(err, ERR_INPUT, "a mirror has no location");
	if (rule->mirror_count == REGISTRIES_MIRRORS_MAX)
		return err_set(err, ERR_INPUT, "more than %d mirrors", REGISTRIES_MIRRORS_MAX);
	mirror.location = xstrdup(location);
	rule->mirrors =
		grow(rule->mirrors, rule->mirror_count, &rule->mirror_room, sizeof *rule->mirrors);
	rule->mirrors[rule->mirror_count++] = mirror;
	return 0;
}

static int
parse_rule(const json_t *table, struct registries_rule *out, struct err *err)
{
	const char *prefix = NULL, *location = NULL;
	bool digest_only = false;
	json_t *mirrors = NULL, *mirror;
	size_t i;

	if (json_get_string(table, "prefix", &prefix, err) < 0 ||
		json_get_string(table, "location", &location, err) < 0 ||
		json_get_bool(table, "insecure", &out->insecure, err) < 0 ||
		json_get_bool(table, "blocked", &out->blocked, err) < 0 ||
		json_get_bool(table, "mirror-by-digest-only", &digest_only, err) < 0 ||
		json_get_array(table, "mirror", &mirrors, err) < 0)
		return -1;
	location = location != NULL ? location : "";
	prefix = prefix != NULL && prefix[0] != '\0' ? prefix : location;
	if (prefix[0] == '\0')
		return err_set(err, ERR_INPUT, "a [[registry]] has neither prefix nor location");
	out->prefix = xstrdup(prefix);
	out->location = xstrdup(location);
	json_array_foreach (mirrors, i, mirror) {
		if (add_mirror(out, mirror, digest_only, err) < 0)
			return err_in(err, "'%s'", prefix);
	}
	return 0;
}

static void
put_alias(struct registries *r, const struct registries_alias *alias)
{
	size_t i;

	for (i = 0; i < r->alias_count; i++)
		if (streq(r->aliases[i].name, alias->name)) {
			alias_clear(&r->aliases[i]);
			r->aliases[i] = *alias;
			return;
		}
	r->aliases = grow(r->aliases, r->alias_count, &r->alias_room, sizeof *r->aliases);
	r->aliases[r->alias_count++] = *alias;
}

/* An empty one is kept: it takes back what an earlier file says. */
static int
parse_aliases(const json_t *document, const char *file, struct registries *out, struct err *err)
{
	json_t *aliases = NULL, *value;
	const char *name, *target;
	struct ref ref;

	if (json_get_object(document, "aliases", &aliases, err) < 0)
		return -1;
	json_object_foreach (aliases, name, value) {
		struct registries_alias alias;

		target = json_string_value(value);
		if (target == NULL)
			return err_set(err, ERR_INPUT, "the alias '%s' is no string", name);
		if (target[0] != '\0' && (ref_parse(target, &ref, err) < 0 || ref.host_implied ||
						 !ref.tag_implied || !digest_is_empty(&ref.digest)))
			return err_set(err, ERR_INPUT,
				"the alias '%s' is '%.100s', not a host and a repository", name,
				target);
		alias = (struct registries_alias){ xstrdup(name), xstrdup(target), xstrdup(file) };
		put_alias(out, &alias);
	}
	return 0;
}

static int
parse_short(const json_t *document, const char *file, struct registries *out, struct err *err)
{
	static const char *const modes[] = { "permissive", "disabled", "enforcing" };
	const char *mode = NULL;
	size_t i;
	int said = json_get_strv(document, "unqualified-search-registries", &out->search, err);

	if (said < 0 || json_get_string(document, "short-name-mode", &mode, err) < 0)
		return -1;
	if (out->search.count > REGISTRIES_SEARCH_MAX)
		return err_set(err, ERR_INPUT, "more than %d unqualified-search-registries",
			REGISTRIES_SEARCH_MAX);
	if (said > 0)
		out->search_file = xstrdup(file);
	if (mode == NULL)
		return 0;
	for (i = 0; i < COUNT_OF(modes); i++)
		if (streq(mode, modes[i])) {
			out->mode = i == 2 ? REGISTRIES_SHORT_NONE : REGISTRIES_SHORT_ANY;
			return 1;
		}
	return err_set(
		err, ERR_INPUT, "short-name-mode is 'enforcing', 'permissive' or 'disabled'");
}

/* What `from` has moves; its aliases and rules are later ones. */
static void
merge(struct registries *r, struct registries *from, bool has_mode)
{
	size_t i;

	for (i = 0; i < from->count; i++)
		put_rule(r, &from->rules[i]);
	for (i = 0; i < from->alias_count; i++)
		put_alias(r, &from->aliases[i]);
	from->count = from->alias_count = 0;
	if (from->search_file != NULL) {
		strv_free(&r->search);
		strv_add_all(&r->search, &from->search);
		free(r->search_file);
		r->search_file = steal(&from->search_file);
	}
	if (has_mode)
		r->mode = from->mode;
}

int
registries_add(
	struct registries *r, const char *text, size_t len, const char *file, struct err *err)
{
	AUTO(json) json_t *document = NULL;
	AUTO(registries) struct registries added = REGISTRIES_INIT;
	json_t *tables = NULL, *table;
	int has_mode;
	size_t i;

	if (toml_parse(text, len, &document, err) < 0 ||
		json_get_array(document, "registry", &tables, err) < 0 ||
		parse_aliases(document, file, &added, err) < 0)
		return err_in(err, "%s", file);
	has_mode = parse_short(document, file, &added, err);
	if (has_mode < 0)
		return err_in(err, "%s", file);
	json_array_foreach (tables, i, table) {
		struct registries_rule rule = { .prefix = NULL };

		if (parse_rule(table, &rule, err) < 0) {
			rule_clear(&rule);
			return err_in(err, "%s", file);
		}
		rule.file = xstrdup(file);
		put_rule(&added, &rule);
	}
	merge(r, &added, has_mode > 0);
	return 0;
}

/* 1: it was there, 0, -1. */
static int
load_file(struct registries *r, const char *path, struct err *err)
{
	AUTO(buf) struct buf text = BUF_INIT;

	if (file_read(AT_FDCWD, path, REGISTRIES_FILE_MAX, &text, err) < 0)
		return err->kind == ERR_NOTFOUND ? 0 : -1;
	return registries_add(r, text.data, text.len, path, err) < 0 ? -1 : 1;
}

static int
is_conf(const struct dirent *d)
{
	return ends_with(d->d_name, ".conf") && d->d_name[0] != '.';
}

static int
load_dir(struct registries *r, const char *dir, struct err *err)
{
	struct dirent **names = NULL;
	int i, count = scandirat(AT_FDCWD, dir, &names, is_conf, alphasort), result = 0;

	for (i = 0; i < count; i++) {
		AUTO(free) char *path = xasprintf("%s/%s", dir, names[i]->d_name);

		if (result >= 0)
			result = load_file(r, path, err);
		free(names[i]);
	}
	free(names);
	return result < 0 ? -1 : 0;
}

/* What podman has learned; a file of others, which nobody should fail for. */
static void
load_learned(struct registries *r)
{
	const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
	AUTO(free) char *path = NULL;
	struct err err;

	if (geteuid() == 0)
		path = xstrdup("/var/cache/containers/short-name-aliases.conf");
	else if (cache != NULL && cache[0] == '/')
		path = xasprintf("%s/containers/short-name-aliases.conf", cache);
	else
		path = xasprintf(
			"%s/.cache/containers/short-name-aliases.conf", home != NULL ? home : "");
	if (load_file(r, path, &err) < 0)
		event_debug("%s", err.msg);
}

int
registries_load(const char *file, struct registries *out, struct err *err)
{
	const char *said = file != NULL ? file : getenv("CONTAINERS_REGISTRIES_CONF");
	const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	AUTO(registries) struct registries r = REGISTRIES_INIT;
	AUTO(free) char *user = NULL;
	AUTO(free) char *user_dir = NULL;
	int found = 1;

	if (said != NULL && (said[0] != '\0' || file != NULL)) {
		if (said[0] != '\0' && load_file(&r, said, err) < 0)
			return -1;
	} else {
		user = config != NULL && config[0] != '\0'
			       ? xasprintf("%s/containers/registries.conf", config)
			       : xasprintf("%s/.config/containers/registries.conf",
					 home != NULL ? home : "");
		user_dir = xasprintf("%s.d", user);
		found = load_file(&r, user, err);
		if (found == 0)
			found = load_file(&r, "/etc/containers/registries.conf", err);
		if (found < 0 || load_dir(&r, "/etc/containers/registries.conf.d", err) < 0 ||
			load_dir(&r, user_dir, err) < 0)
			return -1;
	}
	if (file == NULL)
		load_learned(&r);
	*out = r;
	r = (struct registries)REGISTRIES_INIT;
	return 0;
}

static int
complete(
	const struct ref *ref, const char *text, const char *file, struct ref *out, struct err *err)
{
	if (ref_parse(text, out, err) < 0)
		return err_in(err, "%s makes '%.200s' of a short name", file, text);
	memcpy(out->tag, ref->tag, sizeof out->tag);
	out->tag_implied = ref->tag_implied;
	out->digest = ref->digest;
	return 0;
}

int
registries_names(const struct registries *r, const struct ref *ref,
	struct ref out[REGISTRIES_SEARCH_MAX], struct err *err)
{
	const char *name = ref->repository + (ref->library_implied ? strlen("library/") : 0);
	size_t i;

	out[0] = *ref;
	if (!ref->host_implied)
		return 1;
	for (i = 0; i < r->alias_count; i++)
		if (streq(r->aliases[i].name, name) && r->aliases[i].target[0] != '\0')
			return complete(ref, r->aliases[i].target, r->aliases[i].file, out, err) < 0
				       ? -1
				       : 1;
	for (i = 0; i < r->search.count; i++) {
		AUTO(free) char *text = xasprintf("%s/%s", r->search.items[i], name);

		if (complete(ref, text, r->search_file, &out[i], err) < 0)
			return -1;
	}
	return i > 0 ? (int)i : 1;
}

/* How much of "host/repository" a prefix stands for; 0: it does not match.  A port is a part of the
 * host: "r.io" is not "r.io:5000". */
static size_t
match(const char *prefix, const char *name)
{
	size_t len = strlen(prefix), host = strcspn(name, "/");

	if (starts_with(prefix, "*.")) {
		/* any depth below */
		if (host <= len - 1 ||
			strncasecmp(name + host - (len - 1), prefix + 1, len - 1) != 0)
			return 0;
		return host;
	}
	if (strncmp(name, prefix, len) != 0 || (name[len] != '\0' && name[len] != '/'))
		return 0;
	return len;
}

const struct registries_rule *
registries_rule(const struct registries *r, const struct ref *ref)
{
	AUTO(buf) struct buf name = BUF_INIT;
	const struct registries_rule *best = NULL;
	size_t i;

	ref_format(ref, REF_REPOSITORY, &name);
	for (i = 0; i < r->count; i++)
		if (match(r->rules[i].prefix, name.data) > 0 &&
			(best == NULL || strlen(r->rules[i].prefix) > strlen(best->prefix)))
			best = &r->rules[i];
	return best;
}

static int
rewrite(const struct registries_rule *rule, const char *location, const struct ref *ref,
	struct ref *out, struct err *err)
{
	AUTO(buf) struct buf name = BUF_INIT;
	AUTO(free) char *text = NULL;
	size_t len;

	if (location[0] == '\0') {
		*out = *ref;
		return 0;
	}
	ref_format(ref, REF_REPOSITORY, &name);
	len = match(rule->prefix, name.data);
	text = xasprintf("%s%s", location, name.data + len);
	if (ref_parse(text, out, err) < 0)
		return err_in(err, "%s makes '%s' of '%s'", rule->file, text, name.data);
	return 0;
}

int
registries_endpoints(const struct registries *r, const struct ref *ref, bool mirrors,
	struct endpoint out[REGISTRIES_MIRRORS_MAX + 1], struct err *err)
{
	const struct registries_rule *rule = registries_rule(r, ref);
	size_t i, count = 0;

	if (rule == NULL) {
		out[0] = (struct endpoint){ .ref = *ref };
		return 1;
	}
	if (rule->blocked)
		return err_set(err, ERR_DENIED, "registry '%s' is blocked in %s", rule->prefix,
			rule->file);
	for (i = 0; mirrors && i < rule->mirror_count; i++) {
		const struct registries_mirror *m = &rule->mirrors[i];

		out[count].insecure = m->insecure;
		out[count].pull = m->pull;
		if (rewrite(rule, m->location, ref, &out[count].ref, err) < 0)
			return -1;
		count++;
	}
	out[count].insecure = rule->insecure;
	out[count].pull = REGISTRIES_PULL_ALL;
	if (rewrite(rule, rule->location, ref, &out[count].ref, err) < 0)
		return -1;
	return (int)count + 1;
}
