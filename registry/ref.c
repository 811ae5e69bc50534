/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/ref.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"

#define HUB_LIBRARY "library/"
#define HUB_OLD_HOST "index.docker.io"
#define TAG_DEFAULT "latest"
#define REPOSITORY_MAX 255
#define PORT_MAX 65535

static bool
is_lower_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool
is_alnum(char c)
{
	return is_lower_alnum(c) || (c >= 'A' && c <= 'Z');
}

/* What is quoted in messages came from elsewhere and may be anything. */
static void
show(const char *text, size_t len, char out[80])
{
	size_t i, n = len < 79 ? len : 79;

	for (i = 0; i < n; i++)
		out[i] = text[i] >= ' ' && text[i] < 0x7f ? text[i] : '?';
	out[n] = '\0';
}

static bool
is_label(const char *s, size_t len)
{
	size_t i;

	if (len == 0 || s[0] == '-' || s[len - 1] == '-')
		return false;
	for (i = 0; i < len; i++)
		if (!is_alnum(s[i]) && s[i] != '-')
			return false;
	return true;
}

static bool
is_domain(const char *s, size_t len)
{
	const char *dot;

	for (;;) {
		dot = memchr(s, '.', len);
		if (dot == NULL)
			return is_label(s, len);
		if (!is_label(s, (size_t)(dot - s)))
			return false;
		len -= (size_t)(dot - s) + 1;
		s = dot + 1;
	}
}

static bool
is_port(const char *s, size_t len)
{
	unsigned long port = 0;
	size_t i;

	if (len == 0 || len > 5)
		return false;
	for (i = 0; i < len; i++) {
		if (s[i] < '0' || s[i] > '9')
			return false;
		port = port * 10 + (unsigned long)(s[i] - '0');
	}
	return port > 0 && port <= PORT_MAX;
}

static bool
is_ipv6(const char *s, size_t len)
{
	struct in6_addr address;
	char text[INET6_ADDRSTRLEN];

	if (len >= sizeof text)
		return false;
	memcpy(text, s, len);
	text[len] = '\0';
	return inet_pton(AF_INET6, text, &address) == 1;
}

static bool
is_host(const char *s, size_t len)
{
	const char *end = s + len, *colon;

	if (len == 0 || len >= sizeof((struct ref *)0)->host)
		return false;
	if (s[0] == '[') {
		colon = memchr(s, ']', len);
		if (colon == NULL || !is_ipv6(s + 1, (size_t)(colon - s) - 1))
			return false;
		colon++;
		return colon == end ||
		       (*colon == ':' && is_port(colon + 1, (size_t)(end - colon) - 1));
	}
	colon = memchr(s, ':', len);
	if (colon == NULL)
		return is_domain(s, len);
	return is_domain(s, (size_t)(colon - s)) && is_port(colon + 1, (size_t)(end - colon) - 1);
}

/* One '.', one or two '_', or any number of '-'. */
static bool
is_separator(const char *s, size_t len)
{
	size_t i;

	if ((len == 1 && (s[0] == '.' || s[0] == '_')) || (len == 2 && s[0] == '_' && s[1] == '_'))
		return true;
	for (i = 0; i < len; i++)
		if (s[i] != '-')
			return false;
	return true;
}

static bool
is_component(const char *s, size_t len)
{
	size_t i = 0, start;

	if (len == 0 || !is_lower_alnum(s[0]) || !is_lower_alnum(s[len - 1]))
		return false;
	while (i < len) {
		start = i;
		while (!is_lower_alnum(s[i]))
			i++;
		if (i > start && !is_separator(s + start, i - start))
			return false;
		while (i < len && is_lower_alnum(s[i]))
			i++;
	}
	return true;
}

static int
check_repository(const char *s, size_t len, struct err *err)
{
	char shown[80];
	const char *slash, *at = s, *end = s + len;
	size_t i;

	show(s, len, shown);
	if (len == 0)
		return err_set(err, ERR_INPUT, "the repository is missing");
	for (i = 0; i < len; i++)
		if (s[i] >= 'A' && s[i] <= 'Z')
			return err_set(
				err, ERR_INPUT, "the repository '%s' must be lower-case", shown);
	if (len > REPOSITORY_MAX)
		return err_set(err, ERR_INPUT, "the repository '%s...' has more than %d characters",
			shown, REPOSITORY_MAX);
	do {
		slash = memchr(at, '/', (size_t)(end - at));
		if (slash == NULL)
			slash = end;
		if (!is_component(at, (size_t)(slash - at)))
			return err_set(err, ERR_INPUT,
				"the repository '%s' may have a-z, 0-9 and single separators "
				"between them only",
				shown);
		at = slash + 1;
	} while (slash != end);
	return 0;
}

bool
ref_is_tag(const char *text)
{
	size_t i, len = strlen(text);

	if (len == 0 || len > 128)
		return false;
	for (i = 0; i < len; i++)
		if (!is_alnum(text[i]) && text[i] != '_' &&
			(i == 0 || (text[i] != '.' && text[i] != '-')))
			return false;
	return true;
}

/* An upper-case letter makes a host because no repository may have one. */
static bool
looks_like_host(const char *s, size_t len)
{
	size_t i;

	if (len == strlen("localhost") && memcmp(s, "localhost", len) == 0)
		return true;
	for (i = 0; i < len; i++)
		if (s[i] == '.' || s[i] == ':' || s[i] == '[' || (s[i] >= 'A' && s[i] <= 'Z'))
			return true;
	return false;
}

/* 64 hex digits are an image id, and would be taken for a name by accident only. */
static bool
is_image_id(const char *s, size_t len)
{
	size_t i;

	if (len != 64)
		return false;
	for (i = 0; i < len; i++)
		if (strchr("0123456789abcdef", s[i]) == NULL)
			return false;
	return true;
}

static int
set_name(struct ref *r, const char *name, size_t len, struct err *err)
{
	const char *slash = memchr(name, '/', len);
	const char *repository = name;
	const char *host = REF_HOST_DOCKER_HUB;
	size_t host_len = strlen(host);
	bool library;
	char shown[80];

	if (slash != NULL && looks_like_host(name, (size_t)(slash - name))) {
		host = name;
		host_len = (size_t)(slash - name);
		repository = slash + 1;
		if (!is_host(host, host_len)) {
			show(host, host_len, shown);
			return err_set(err, ERR_INPUT, "'%s' is not a host", shown);
		}
		if (host_len == strlen(HUB_OLD_HOST) &&
			strncasecmp(host, HUB_OLD_HOST, host_len) == 0) {
			host = REF_HOST_DOCKER_HUB;
			host_len = strlen(host);
		}
	}
	len -= (size_t)(repository - name);
	if (check_repository(repository, len, err) < 0)
		return -1;
	memcpy(r->host, host, host_len);
	r->host[host_len] = '\0';
	r->host_implied = repository == name;
	library = strcasecmp(r->host, REF_HOST_DOCKER_HUB) == 0 &&
		  memchr(repository, '/', len) == NULL;
	if (library && len + strlen(HUB_LIBRARY) > REPOSITORY_MAX)
		return err_set(err, ERR_INPUT, "the repository has more than %d characters",
			REPOSITORY_MAX);
	r->library_implied = library && r->host_implied;
	if (library)
		memcpy(r->repository, HUB_LIBRARY, strlen(HUB_LIBRARY));
	memcpy(r->repository + (library ? strlen(HUB_LIBRARY) : 0), repository, len);
	return 0;
}

static int
parse(const char *text, struct ref *r, struct err *err)
{
	const char *at = strchr(text, '@');
	const char *end = at != NULL ? at : text + strlen(text);
	const char *slash = memrchr(text, '/', (size_t)(end - text));
	const char *last = slash != NULL ? slash : text;
	const char *colon = memchr(last, ':', (size_t)(end - last));
	char tag[sizeof r->tag + 1];
	size_t len;

	if (text[0] == '\0')
		return err_set(err, ERR_INPUT, "it is empty");
	if (strstr(text, "://") != NULL)
		return err_set(err, ERR_INPUT, "leave out what ends in '://'");
	if (at != NULL && digest_parse(at + 1, &r->digest, err) < 0)
		return -1;
	if (colon != NULL) {
		len = (size_t)(end - colon) - 1;
		if (len >= sizeof tag)
			len = sizeof tag - 1;
		memcpy(tag, colon + 1, len);
		tag[len] = '\0';
		if (!ref_is_tag(tag))
			return err_set(err, ERR_INPUT,
				"a tag is 1 to 128 of A-Z, a-z, 0-9, '_', '.' and '-', not first "
				"'.' or '-'");
		memcpy(r->tag, tag, len + 1);
		end = colon;
	}
	if (is_image_id(text, (size_t)(end - text)))
		return err_set(err, ERR_INPUT, "64 hexadecimal digits are an image id, not a name");
	if (colon == NULL && at == NULL) {
		memcpy(r->tag, TAG_DEFAULT, sizeof TAG_DEFAULT);
		r->tag_implied = true;
	}
	return set_name(r, text, (size_t)(end - text), err);
}

int
ref_parse(const char *text, struct ref *out, struct err *err)
{
	struct ref r = { .tag_implied = false };
	char shown[80];

	if (parse(text, &r, err) < 0) {
		show(text, strlen(text), shown);
		return err_in(err, "reference '%s%s'", shown, strlen(text) > 79 ? "..." : "");
	}
	*out = r;
	return 0;
}

const char *
ref_name(const struct ref *r)
{
	return digest_is_empty(&r->digest) ? r->tag : r->digest.text;
}

static void
format_name(const struct ref *r, bool familiar, struct buf *out)
{
	const char *name = r->repository, *slash;

	if (!familiar || strcasecmp(r->host, REF_HOST_DOCKER_HUB) != 0) {
		buf_addf(out, "%s/%s", r->host, name);
		return;
	}
	/* what is left must not read as something else */
	if (starts_with(name, HUB_LIBRARY) && strchr(name + strlen(HUB_LIBRARY), '/') == NULL &&
		!is_image_id(name + strlen(HUB_LIBRARY), strlen(name + strlen(HUB_LIBRARY)))) {
		buf_adds(out, name + strlen(HUB_LIBRARY));
		return;
	}
	slash = strchr(name, '/');
	if (slash == NULL || looks_like_host(name, (size_t)(slash - name)))
		buf_addf(out, "%s/", r->host);
	buf_adds(out, name);
}

void
ref_format(const struct ref *r, enum ref_style style, struct buf *out)
{
	format_name(r, style == REF_FAMILIAR || style == REF_FAMILIAR_REPOSITORY, out);
	if (style == REF_REPOSITORY || style == REF_FAMILIAR_REPOSITORY)
		return;
	if (r->tag[0] != '\0')
		buf_addf(out, ":%s", r->tag);
	if (!digest_is_empty(&r->digest))
		buf_addf(out, "@%s", r->digest.text);
}

bool
ref_same_repository(const struct ref *a, const struct ref *b)
{
	return strcasecmp(a->host, b->host) == 0 && streq(a->repository, b->repository);
}
