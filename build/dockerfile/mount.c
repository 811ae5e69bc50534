/* SPDX-License-Identifier: Apache-2.0 */
#include "build/dockerfile/mount.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "build/dockerfile/csv.h"
#include "build/dockerfile/quote.h"
#include "build/dockerfile/suggest.h"

static const char *const kind_names[] = { "bind", "cache", "tmpfs", "secret", "ssh" };
static const char *const sharing_names[] = { "shared", "private", "locked" };

/* Several words for one thing; a key without '=' is allowed for the last three. */
enum key {
	KEY_TYPE,
	KEY_FROM,
	KEY_SOURCE,
	KEY_TARGET,
	KEY_SIZE,
	KEY_ID,
	KEY_SHARING,
	KEY_MODE,
	KEY_UID,
	KEY_GID,
	KEY_ENV,
	KEY_REQUIRED,
	KEY_READ_ONLY,
	KEY_READ_WRITE,
	KEY_NONE
};

static const struct {
	const char *name;
	enum key key;
} keys[] = {
	{ "type", KEY_TYPE },
	{ "from", KEY_FROM },
	{ "source", KEY_SOURCE },
	{ "target", KEY_TARGET },
	{ "readonly", KEY_READ_ONLY },
	{ "id", KEY_ID },
	{ "sharing", KEY_SHARING },
	{ "required", KEY_REQUIRED },
	{ "size", KEY_SIZE },
	{ "mode", KEY_MODE },
	{ "uid", KEY_UID },
	{ "gid", KEY_GID },
	{ "src", KEY_SOURCE },
	{ "dst", KEY_TARGET },
	{ "destination", KEY_TARGET },
	{ "ro", KEY_READ_ONLY },
	{ "rw", KEY_READ_WRITE },
	{ "readwrite", KEY_READ_WRITE },
	{ "env", KEY_ENV },
};

/* What is known so far of the mount that is being read. */
struct reader {
	struct mount *m;
	bool access_given;
};

const char *
mount_kind_name(enum mount_kind kind)
{
	return kind_names[kind];
}

void
mount_free(struct mount *m)
{
	free(m->from);
	free(m->source);
	free(m->target);
	free(m->id);
	free(m->env);
	*m = (struct mount){ .kind = MOUNT_BIND };
}

static void
auto_mount(struct mount *m)
{
	mount_free(m);
}

int
bool_parse(const char *text, bool *out)
{
	static const char *const words[] = { "1", "t", "T", "TRUE", "true", "True", "0", "f", "F",
		"FALSE", "false", "False" };

	for (size_t i = 0; i < COUNT_OF(words); i++) {
		if (!streq(text, words[i]))
			continue;
		*out = i < COUNT_OF(words) / 2;
		return 0;
	}
	return -1;
}

static int
bad_size(const char *text, struct err *err)
{
	return err_set(err, ERR_INPUT, "invalid size: '%s'", text);
}

/* "", "b", "k", "kb", "kib" and so on: how many times 1024; -1: none of them. */
static int
size_power(const char *suffix)
{
	static const char units[] = "kmgtp";
	const char *unit;

	if (*suffix == '\0' || strcasecmp(suffix, "b") == 0)
		return 0;
	unit = strchr(units, tolower((unsigned char)*suffix));
	if (unit == NULL)
		return -1;
	suffix++;
	if (*suffix != '\0' && strcasecmp(suffix, "b") != 0 && strcasecmp(suffix, "ib") != 0)
		return -1;
	return (int)(unit - units) + 1;
}

int
size_parse(const char *text, int64_t *out, struct err *err)
{
	AUTO(free) char *number = NULL;
	size_t len = strspn(text, "0123456789.");
	const char *suffix = text + len;
	char *end = NULL;
	double size;
	int power;

	if (len == 0 || len > 32)
		return bad_size(text, err);
	if (*suffix == ' ' && suffix[1] != '\0')
		suffix++;
	power = size_power(suffix);
	if (power < 0)
		return bad_size(text, err);
	number = xstrndup(text, len);
	size = strtod(number, &end);
	if (*end != '\0')
		return bad_size(text, err);
	while (power-- > 0)
		size *= 1024;
	if (size >= 9.2e18)
		return bad_size(text, err);
	*out = (int64_t)size;
	return 0;
}

static enum key
find_key(const char *name)
{
	for (size_t i = 0; i < COUNT_OF(keys); i++)
		if (strcasecmp(name, keys[i].name) == 0)
			return keys[i].key;
	return KEY_NONE;
}

/* "key" as it is called in messages: in lower case. */
static char *
lower(const char *text, size_t len)
{
	char *out = xstrndup(text, len);

	for (char *p = out; *p != '\0'; p++)
		*p = (char)tolower((unsigned char)*p);
	return out;
}

static int
with_suggestion(const char *word, const char *const *options, size_t count, struct err *err)
{
	const char *nearest = suggest(word, options, count, false);
	size_t len = strlen(err->msg);

	if (nearest != NULL)
		snprintf(err->msg + len, sizeof err->msg - len, " (did you mean %s?)", nearest);
	return -1;
}

static int
unexpected_key(const char *key, const char *field, struct err *err)
{
	const char *names[COUNT_OF(keys)];

	for (size_t i = 0; i < COUNT_OF(keys); i++)
		names[i] = keys[i].name;
	err_set(err, ERR_INPUT, "unexpected key '%s' in '%s'", key, field);
	return with_suggestion(key, names, COUNT_OF(keys), err);
}

/* One of some words, in any case. */
static int
read_choice(const char *what, const char *value, const char *const *names, size_t count, int *out,
	struct err *err)
{
	AUTO(free) char *quoted = NULL;

	for (size_t i = 0; i < count; i++) {
		if (strcasecmp(value, names[i]) != 0)
			continue;
		*out = (int)i;
		return 0;
	}
	quoted = quote(value);
	err_set(err, ERR_INPUT, "unsupported %s %s", what, quoted);
	return with_suggestion(value, names, count, err);
}

static int
read_number(const char *key, const char *value, unsigned base, bool *given, uint32_t *out,
	struct err *err)
{
	uint64_t number = 0;
	const char *p;

	for (p = value; *p >= '0' && *p < (char)('0' + base) && number <= UINT32_MAX; p++)
		number = number * base + (uint64_t)(*p - '0');
	if (p == value || *p != '\0' || number > UINT32_MAX)
		return err_set(err, ERR_INPUT, "invalid value %s for %s", value, key);
	*given = true;
	*out = (uint32_t)number;
	return 0;
}

static int
read_bool(const char *key, const char *value, bool *out, struct err *err)
{
	if (bool_parse(value, out) < 0)
		return err_set(err, ERR_INPUT, "invalid value for %s: %s", key, value);
	return 0;
}

static int
not_for(const char *key, const struct mount *m, struct err *err)
{
	return err_set(err, ERR_INPUT, "unexpected key '%s' for mount type '%s'", key,
		kind_names[m->kind]);
}

static void
set(char **field, const char *value)
{
	free(*field);
	*field = *value != '\0' ? xstrdup(value) : NULL;
}

static int
read_required(const char *key, const char *value, struct mount *m, struct err *err)
{
	if (m->kind != MOUNT_SECRET && m->kind != MOUNT_SSH)
		return not_for(key, m, err);
	if (value == NULL) {
		m->required = true;
		return 0;
	}
	return read_bool(key, value, &m->required, err);
}

static int
read_access(enum key which, const char *key, const char *value, struct reader *r, struct err *err)
{
	bool yes = true;

	if (value != NULL && read_bool(key, value, &yes, err) < 0)
		return -1;
	r->m->read_only = which == KEY_READ_ONLY ? yes : !yes;
	r->access_given = true;
	return 0;
}

static int
read_size(const char *key, const char *value, struct mount *m, struct err *err)
{
	if (m->kind != MOUNT_TMPFS)
		return not_for(key, m, err);
	if (size_parse(value, &m->size, err) < 0)
		return err_set(err, ERR_INPUT, "invalid value for %s: %s", key, value);
	return 0;
}

static int
read_value(const char *key, const char *value, const char *field, struct reader *r, struct err *err)
{
	struct mount *m = r->m;
	enum key which = find_key(key);
	int choice = 0;

	switch (which) {
	case KEY_TYPE:
		if (read_choice("mount type", value, kind_names, COUNT_OF(kind_names), &choice,
			    err) < 0)
			return -1;
		m->kind = (enum mount_kind)choice;
		return 0;
	case KEY_FROM:
		set(&m->from, value);
		return 0;
	case KEY_SOURCE:
		set(&m->source, value);
		return 0;
	case KEY_TARGET:
		set(&m->target, value);
		return 0;
	case KEY_ID:
		set(&m->id, value);
		return 0;
	case KEY_ENV:
		free(m->env);
		m->env = xstrdup(value);
		return 0;
	case KEY_SIZE:
		return read_size(key, value, m, err);
	case KEY_SHARING:
		if (read_choice("sharing value", value, sharing_names, COUNT_OF(sharing_names),
			    &choice, err) < 0)
			return -1;
		m->sharing = (enum mount_sharing)choice;
		m->sharing_given = true;
		return 0;
	case KEY_MODE:
		return read_number(key, value, 8, &m->mode_given, &m->mode, err);
	case KEY_UID:
		return read_number(key, value, 10, &m->uid_given, &m->uid, err);
	case KEY_GID:
		return read_number(key, value, 10, &m->gid_given, &m->gid, err);
	case KEY_REQUIRED:
		return read_required(key, value, m, err);
	case KEY_READ_ONLY:
	case KEY_READ_WRITE:
		return read_access(which, key, value, r, err);
	case KEY_NONE:
		break;
	}
	return unexpected_key(key, field, err);
}

static int
read_word(const char *key, const char *field, struct reader *r, struct err *err)
{
	enum key which = find_key(key);

	switch (which) {
	case KEY_READ_ONLY:
	case KEY_READ_WRITE:
		return read_access(which, key, NULL, r, err);
	case KEY_REQUIRED:
		return read_required(key, NULL, r->m, err);
	default:
		return err_set(
			err, ERR_INPUT, "invalid field '%s' must be a key=value pair", field);
	}
}

static int
check_ids(const struct mount *m, struct err *err)
{
	const char *what = m->mode_given  ? "mode"
			   : m->uid_given ? "uid"
			   : m->gid_given ? "gid"
					  : NULL;

	if (what == NULL || (m->kind != MOUNT_BIND && m->kind != MOUNT_TMPFS))
		return 0;
	return err_set(
		err, ERR_INPUT, "%s not allowed for \"%s\" type mounts", what, kind_names[m->kind]);
}

static int
check_secret(const struct mount *m, struct err *err)
{
	if (m->from != NULL)
		return err_set(err, ERR_INPUT, "secret mount should not have a from");
	if (m->sharing_given)
		return err_set(err, ERR_INPUT, "secret mount should not define sharing");
	if (m->source == NULL && m->target == NULL && m->id == NULL)
		return err_set(
			err, ERR_INPUT, "invalid secret mount. one of source, target required");
	if (m->source != NULL && m->id != NULL)
		return err_set(err, ERR_INPUT, "both source and id can't be set");
	return 0;
}

static int
read_fields(const char *text, struct strv *fields, struct err *err)
{
	if (csv_parse(text, fields, err) < 0)
		return err_in(err, "failed to parse csv mounts");
	return 0;
}

static int
check_from(const struct strv *fields, struct err *err)
{
	for (size_t i = 0; i < fields->count; i++) {
		const char *field = fields->items[i];
		const char *dollar;

		if (strncasecmp(field, "from=", 5) != 0)
			continue;
		dollar = strchr(field, '$');
		if (dollar != NULL && dollar[1] != '\0')
			return err_set(err, ERR_INPUT,
				"'from' doesn't support variable expansion, define alias stage "
				"instead");
	}
	return 0;
}

int
mount_check(const char *text, struct err *err)
{
	AUTO(strv) struct strv fields = STRV_INIT;

	return read_fields(text, &fields, err) < 0 ? -1 : check_from(&fields, err);
}

int
mount_parse(const char *text, char escape, const struct expand_vars *vars, struct mount *out,
	struct strv *undefined, struct err *err)
{
	AUTO(strv) struct strv fields = STRV_INIT;
	AUTO(mount) struct mount m = { .kind = MOUNT_BIND };
	struct reader r = { .m = &m };

	if (read_fields(text, &fields, err) < 0 || check_from(&fields, err) < 0)
		return -1;
	for (size_t i = 0; i < fields.count; i++) {
		const char *field = fields.items[i];
		const char *equals = strchr(field, '=');
		AUTO(free)
		char *key = lower(field, equals != NULL ? (size_t)(equals - field) : strlen(field));
		AUTO(free) char *value = NULL;

		if (equals == NULL) {
			if (read_word(key, field, &r, err) < 0)
				return -1;
			continue;
		}
		if (expand_word(equals + 1, escape, vars, &value, undefined, err) < 0 ||
			read_value(key, value, field, &r, err) < 0)
			return -1;
	}
	if (!r.access_given)
		m.read_only = m.kind != MOUNT_CACHE && m.kind != MOUNT_TMPFS;
	if (check_ids(&m, err) < 0 || (m.kind == MOUNT_SECRET && check_secret(&m, err) < 0))
		return -1;
	if (m.sharing_given && m.kind != MOUNT_CACHE)
		return err_set(err, ERR_INPUT, "invalid cache sharing set for %s mount",
			kind_names[m.kind]);
	*out = m;
	m = (struct mount){ .kind = MOUNT_BIND };
	return 0;
}
