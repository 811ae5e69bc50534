/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/url.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"

#define PORT_HTTP 80
#define PORT_HTTPS 443

static bool
is_clean(const char *text)
{
	const unsigned char *c;

	for (c = (const unsigned char *)text; *c != '\0'; c++)
		if (*c <= ' ' || *c >= 0x7f || *c == '\\')
			return false;
	return true;
}

static int
set_port(struct url *u, const char *s, size_t len, struct err *err)
{
	size_t i;

	u->port = u->secure ? PORT_HTTPS : PORT_HTTP;
	if (len == 0)
		return 0;
	u->port = 0;
	for (i = 0; i < len && i < 6; i++) {
		if (s[i] < '0' || s[i] > '9')
			return err_set(err, ERR_INPUT, "the port is not a number");
		u->port = u->port * 10 + (unsigned)(s[i] - '0');
	}
	if (u->port == 0 || u->port > UINT16_MAX)
		return err_set(err, ERR_INPUT, "the port is not 1 to 65535");
	return 0;
}

static int
set_authority(struct url *u, const char *s, size_t len, struct err *err)
{
	const char *end = s + len, *host_end = end, *colon;
	size_t i;

	if (memchr(s, '@', len) != NULL)
		return err_set(err, ERR_INPUT, "it has a user before '@'");
	if (len > 0 && s[0] == '[') {
		host_end = memchr(s, ']', len);
		if (host_end == NULL)
			return err_set(err, ERR_INPUT, "the host has no ']'");
		host_end++;
		colon = host_end;
	} else {
		colon = memchr(s, ':', len);
		if (colon != NULL)
			host_end = colon;
	}
	len = (size_t)(host_end - s);
	if (len == 0 || len >= sizeof u->host)
		return err_set(err, ERR_INPUT, "the host is missing or too long");
	for (i = 0; i < len; i++) {
		if (strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_[]:",
			    s[i]) == NULL)
			return err_set(err, ERR_INPUT, "the host has a '%c'", s[i]);
		u->host[i] = s[i] >= 'A' && s[i] <= 'Z' ? (char)(s[i] + 'a' - 'A') : s[i];
	}
	u->host[len] = '\0';
	if (host_end < end && *host_end != ':')
		return err_set(err, ERR_INPUT, "the host is followed by '%c'", *host_end);
	return set_port(u, host_end < end ? host_end + 1 : end,
		host_end < end ? (size_t)(end - host_end) - 1 : 0, err);
}

static int
set_target(struct url *u, const char *path, size_t len, struct err *err)
{
	size_t slash = len == 0 || path[0] != '/' ? 1 : 0;

	if (len + slash >= sizeof u->target)
		return err_set(err, ERR_INPUT, "it has more than %d bytes", URL_TARGET_MAX);
	u->target[0] = '/';
	memmove(u->target + slash, path, len);
	u->target[len + slash] = '\0';
	return 0;
}

static int
parse(const char *text, struct url *u, struct err *err)
{
	const char *rest;
	size_t len;

	if (!is_clean(text))
		return err_set(err, ERR_INPUT, "it has characters that no URL may have");
	if (strncasecmp(text, "https://", 8) == 0)
		u->secure = true;
	else if (strncasecmp(text, "http://", 7) == 0)
		u->secure = false;
	else
		return err_set(err, ERR_INPUT, "it is neither http:// nor https://");
	rest = strstr(text, "://") + 3;
	len = strcspn(rest, "/?#");
	if (set_authority(u, rest, len, err) < 0)
		return -1;
	return set_target(u, rest + len, strcspn(rest + len, "#"), err);
}

/* What is shown came from elsewhere: cut, cleaned, without its query, and without what stands
 * before an '@', which may be a password. */
static int
wrong(const char *text, struct err *err)
{
	size_t i, len = strcspn(text, "?");
	const char *user = memrchr(text, '@', len);
	const char *from = user != NULL ? user : text;
	char shown[128];

	len -= (size_t)(from - text);
	if (len >= sizeof shown)
		len = sizeof shown - 1;
	for (i = 0; i < len; i++)
		shown[i] = from[i] > ' ' && from[i] < 0x7f ? from[i] : '?';
	shown[len] = '\0';
	return err_in(err, "the URL '%s%s%s'", user != NULL ? "..." : "", shown,
		from[len] != '\0' ? "..." : "");
}

int
url_parse(const char *text, struct url *out, struct err *err)
{
	struct url u;

	if (parse(text, &u, err) < 0)
		return wrong(text, err);
	*out = u;
	return 0;
}

static bool
has_scheme(const char *s)
{
	size_t len = strcspn(s, ":/?#");

	return s[len] == ':' && len > 0;
}

/* (RFC 3986 5.2.4), on a path that starts with '/' */
static void
remove_dots(const char *path, size_t len, struct buf *out)
{
	const char *end = path + len, *next;
	size_t segment;

	while (path < end) {
		next = memchr(path + 1, '/', (size_t)(end - path) - 1);
		if (next == NULL)
			next = end;
		segment = (size_t)(next - path);
		if ((segment == 2 && path[1] == '.') ||
			(segment == 3 && memcmp(path, "/..", 3) == 0)) {
			while (segment == 3 && out->len > 0 && out->data[out->len - 1] != '/')
				buf_truncate(out, out->len - 1);
			if (segment == 3 && out->len > 0)
				buf_truncate(out, out->len - 1);
			if (next == end)
				buf_addc(out, '/');
		} else {
			buf_add(out, path, segment);
		}
		path = next;
	}
}

static int
resolve_path(struct url *u, const char *reference, struct err *err)
{
	AUTO(buf) struct buf joined = BUF_INIT;
	AUTO(buf) struct buf target = BUF_INIT;
	size_t path_len = strcspn(u->target, "?"), ref_len = strcspn(reference, "#");
	size_t query;

	if (ref_len == 0)
		return 0;
	if (reference[0] == '/')
		return set_target(u, reference, ref_len, err);
	if (reference[0] != '?')
		while (path_len > 0 && u->target[path_len - 1] != '/')
			path_len--;
	buf_add(&joined, u->target, path_len);
	buf_add(&joined, reference, ref_len);
	query = strcspn(joined.data, "?");
	remove_dots(joined.data, query, &target);
	buf_adds(&target, joined.data + query);
	return set_target(u, target.data, target.len, err);
}

int
url_resolve(const struct url *base, const char *reference, struct url *out, struct err *err)
{
	AUTO(buf) struct buf text = BUF_INIT;
	struct url u = *base;

	if (has_scheme(reference))
		return url_parse(reference, out, err);
	if (starts_with(reference, "//")) {
		buf_addf(&text, "%s:%s", base->secure ? "https" : "http", reference);
		return url_parse(text.data, out, err);
	}
	if (!is_clean(reference)) {
		err_set(err, ERR_INPUT, "it has characters that no URL may have");
		return wrong(reference, err);
	}
	if (resolve_path(&u, reference, err) < 0)
		return wrong(reference, err);
	*out = u;
	return 0;
}

bool
url_same_host(const struct url *a, const struct url *b)
{
	return strcmp(a->host, b->host) == 0;
}

bool
url_same_origin(const struct url *a, const struct url *b)
{
	return a->secure == b->secure && a->port == b->port && url_same_host(a, b);
}

void
url_format_origin(const struct url *u, struct buf *out)
{
	buf_addf(out, "%s://%s", u->secure ? "https" : "http", u->host);
	if (u->port != (u->secure ? PORT_HTTPS : PORT_HTTP))
		buf_addf(out, ":%u", u->port);
}

void
url_format(const struct url *u, struct buf *out)
{
	url_format_origin(u, out);
	buf_adds(out, u->target);
}

/* Parameters that a registry client sends itself; all others may be signatures or sessions. */
static bool
is_harmless(const char *name, size_t len)
{
	static const char *const names[] = { "digest", "mount", "from", "n", "last", "ns", "scope",
		"service", "artifactType", "digest-algorithm" };
	size_t i;

	for (i = 0; i < COUNT_OF(names); i++)
		if (strlen(names[i]) == len && memcmp(names[i], name, len) == 0)
			return true;
	return false;
}

void
url_show(const struct url *u, struct buf *out)
{
	const char *at = u->target + strcspn(u->target, "?");
	size_t len, name;

	url_format_origin(u, out);
	buf_add(out, u->target, (size_t)(at - u->target));
	while (*at != '\0') {
		buf_addc(out, *at++);
		len = strcspn(at, "&");
		name = strcspn(at, "=&");
		if (name == len || is_harmless(at, name))
			buf_add(out, at, name == len && len > 32 ? 32 : len);
		else
			buf_addf(out, "%.*s=...", (int)name, at);
		at += len;
	}
}

void
url_encode(const char *text, struct buf *out)
{
	const unsigned char *c;

	for (c = (const unsigned char *)text; *c != '\0'; c++)
		if ((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') ||
			(*c >= '0' && *c <= '9') || strchr("-._~", *c) != NULL)
			buf_addc(out, (char)*c);
		else
			buf_addf(out, "%%%02X", *c);
}

void
url_add_parameter(struct buf *target, const char *name, const char *value)
{
	bool has_query = memchr(target->data, '?', target->len) != NULL;
	char last = target->len > 0 ? target->data[target->len - 1] : '\0';

	if (!has_query)
		buf_addc(target, '?');
	else if (last != '?' && last != '&')
		buf_addc(target, '&');
	buf_addf(target, "%s=", name);
	url_encode(value, target);
}
