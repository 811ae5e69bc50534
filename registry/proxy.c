/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/proxy.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "registry/policy.h"

static const char *
either(const char *upper, const char *lower)
{
	const char *value = getenv(upper);

	if (value == NULL || value[0] == '\0')
		value = getenv(lower);
	return value != NULL && value[0] != '\0' ? value : NULL;
}

void
proxy_environment(struct proxy_settings *out)
{
	/* in a CGI script HTTP_PROXY is the client's "Proxy:" header */
	const char *http = getenv("REQUEST_METHOD") != NULL ? getenv("http_proxy")
							    : either("HTTP_PROXY", "http_proxy");

	out->http = http;
	out->https = either("HTTPS_PROXY", "https_proxy");
	out->all = either("ALL_PROXY", "all_proxy");
	out->none = either("NO_PROXY", "no_proxy");
}

struct address {
	int family;
	uint8_t bytes[16];
};

/* Brackets are allowed around IPv6. */
static bool
address_parse(const char *s, size_t len, struct address *out)
{
	char text[INET6_ADDRSTRLEN];

	if (len > 1 && s[0] == '[' && s[len - 1] == ']')
		s++, len -= 2;
	if (len >= sizeof text)
		return false;
	memcpy(text, s, len);
	text[len] = '\0';
	out->family = strchr(text, ':') != NULL ? AF_INET6 : AF_INET;
	return inet_pton(out->family, text, out->bytes) == 1;
}

static bool
is_in_range(const struct address *a, const struct address *range, unsigned bits)
{
	unsigned whole = bits / 8, rest = bits % 8;

	if (a->family != range->family || bits > (a->family == AF_INET ? 32u : 128u))
		return false;
	if (memcmp(a->bytes, range->bytes, whole) != 0)
		return false;
	return rest == 0 || (a->bytes[whole] ^ range->bytes[whole]) >> (8 - rest) == 0;
}

static bool
matches_range(const char *item, const char *slash, size_t len, const struct url *u)
{
	struct address range, host;
	unsigned bits = 0;
	const char *c;

	for (c = slash + 1; c < item + len; c++) {
		if (*c < '0' || *c > '9' || bits > 128)
			return false;
		bits = bits * 10 + (unsigned)(*c - '0');
	}
	return address_parse(item, (size_t)(slash - item), &range) &&
	       address_parse(u->host, strlen(u->host), &host) && is_in_range(&host, &range, bits);
}

static bool
matches_name(const char *item, size_t len, const char *host)
{
	size_t host_len = strlen(host);
	bool below_only = len > 0 && item[0] == '.';

	if (len == 0 || len > host_len)
		return false;
	if (strncasecmp(host + host_len - len, item, len) != 0)
		return false;
	return below_only || host_len == len || host[host_len - len - 1] == '.';
}

static bool
matches(const char *item, size_t len, const struct url *u)
{
	const char *slash = memchr(item, '/', len), *colon = memrchr(item, ':', len);
	struct address address, host;
	unsigned long port;

	if (len == 1 && item[0] == '*')
		return true;
	if (slash != NULL)
		return matches_range(item, slash, len, u);
	if (len > 1 && item[0] == '*' && item[1] == '.')
		item++, len--;
	if (address_parse(item, len, &address))
		return address_parse(u->host, strlen(u->host), &host) &&
		       is_in_range(&host, &address, host.family == AF_INET ? 32 : 128);
	if (colon != NULL) {
		port = strtoul(colon + 1, NULL, 10);
		return port == u->port && matches(item, (size_t)(colon - item), u);
	}
	return matches_name(item, len, u->host);
}

static bool
is_excepted(const char *list, const struct url *u)
{
	size_t len;

	while (list != NULL && *list != '\0') {
		list += strspn(list, ", \t");
		len = strcspn(list, ", \t");
		if (len > 0 && matches(list, len, u))
			return true;
		list += len;
	}
	return false;
}

const char *
proxy_for(const struct proxy_settings *p, const struct url *u)
{
	const char *proxy = u->secure ? p->https : p->http;

	if (proxy == NULL)
		proxy = p->all;
	if (proxy == NULL || policy_host(u->host) == ADDRESS_LOOPBACK || is_excepted(p->none, u))
		return NULL;
	return proxy;
}
