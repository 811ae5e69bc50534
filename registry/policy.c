/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/policy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"

struct range {
	uint32_t address, mask;
	enum address_class class;
};

/* IANA's special-purpose registry, what matters of it */
static const struct range ranges[] = {
	{ 0x00000000, 0xff000000, ADDRESS_LOOPBACK }, /* this host */
	{ 0x7f000000, 0xff000000, ADDRESS_LOOPBACK }, { 0x0a000000, 0xff000000, ADDRESS_PRIVATE },
	{ 0xac100000, 0xfff00000, ADDRESS_PRIVATE }, { 0xc0a80000, 0xffff0000, ADDRESS_PRIVATE },
	{ 0x64400000, 0xffc00000, ADDRESS_PRIVATE }, /* carrier-grade NAT */
	{ 0xa9fe0000, 0xffff0000, ADDRESS_LINK_LOCAL },
	{ 0xe0000000, 0xe0000000, ADDRESS_LINK_LOCAL }, /* multicast, reserved, broadcast */
};

static enum address_class
class_of_ipv4(uint32_t address)
{
	size_t i;

	for (i = 0; i < COUNT_OF(ranges); i++)
		if ((address & ranges[i].mask) == ranges[i].address)
			return ranges[i].class;
	return ADDRESS_PUBLIC;
}

static uint32_t
tail_of(const struct in6_addr *a)
{
	const uint8_t *b = a->s6_addr + 12;

	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static enum address_class
class_of_ipv6(const struct in6_addr *a)
{
	static const uint8_t nat64[12] = { 0x00, 0x64, 0xff, 0x9b };

	if (IN6_IS_ADDR_LOOPBACK(a) || IN6_IS_ADDR_UNSPECIFIED(a))
		return ADDRESS_LOOPBACK;
	if (IN6_IS_ADDR_V4MAPPED(a) || IN6_IS_ADDR_V4COMPAT(a) ||
		memcmp(a->s6_addr, nat64, sizeof nat64) == 0)
		return class_of_ipv4(tail_of(a));
	if (IN6_IS_ADDR_LINKLOCAL(a) || IN6_IS_ADDR_MULTICAST(a))
		return ADDRESS_LINK_LOCAL;
	if ((a->s6_addr[0] & 0xfe) == 0xfc || IN6_IS_ADDR_SITELOCAL(a))
		return ADDRESS_PRIVATE;
	return ADDRESS_PUBLIC;
}

enum address_class
policy_address(const struct sockaddr *address)
{
	if (address->sa_family == AF_INET)
		return class_of_ipv4(ntohl(
			((const struct sockaddr_in *)(const void *)address)->sin_addr.s_addr));
	if (address->sa_family == AF_INET6)
		return class_of_ipv6(
			&((const struct sockaddr_in6 *)(const void *)address)->sin6_addr);
	return ADDRESS_LINK_LOCAL;
}

enum address_class
policy_host(const char *host)
{
	char text[INET6_ADDRSTRLEN];
	struct in6_addr six;
	struct in_addr four;
	size_t len = strlen(host);

	if (streq(host, "localhost") || ends_with(host, ".localhost"))
		return ADDRESS_LOOPBACK;
	/* inet_aton also knows 127.1, 0x7f000001 and 2130706433, as resolvers do */
	if (inet_aton(host, &four) == 1)
		return class_of_ipv4(ntohl(four.s_addr));
	if (host[0] == '[' && len > 2)
		host++, len -= 2;
	if (memchr(host, '%', len) != NULL)
		return ADDRESS_LINK_LOCAL; /* only such addresses have a zone */
	if (len >= sizeof text)
		return ADDRESS_PUBLIC;
	memcpy(text, host, len);
	text[len] = '\0';
	if (inet_pton(AF_INET6, text, &six) == 1)
		return class_of_ipv6(&six);
	return ADDRESS_PUBLIC;
}

const char *
policy_address_name(enum address_class c)
{
	static const char *const names[] = { "a public", "a private", "a loopback",
		"a link-local" };

	return names[c];
}

/* All names of loopback are one host: whoever answers there is of this machine. */
static bool
is_same_host(const struct url *a, const struct url *b)
{
	return url_same_host(a, b) || (policy_host(a->host) == ADDRESS_LOOPBACK &&
					      policy_host(b->host) == ADDRESS_LOOPBACK);
}

static int
refuse(const char *what, const struct url *registry, const struct url *target, const char *why,
	struct err *err)
{
	AUTO(buf) struct buf from = BUF_INIT;
	AUTO(buf) struct buf to = BUF_INIT;

	url_format_origin(registry, &from);
	url_format_origin(target, &to);
	return err_set(err, ERR_DENIED, "%s of %s names %s: %s", what, from.data, to.data, why);
}

struct rule {
	const char *what;
	bool same_origin_only;
	bool credential_on_same_host; /* whatever its port */
	bool credential_elsewhere;    /* over TLS */
	bool public_only;
};

static const struct rule rules[] = {
	[POLICY_REQUEST] = { .what = "a request", .same_origin_only = true },
	[POLICY_REDIRECT] = { .what = "a redirect" },
	[POLICY_UPLOAD] = { .what = "the upload location" },
	[POLICY_REALM] = { .what = "the realm",
		.credential_on_same_host = true,
		.credential_elsewhere = true },
	[POLICY_LINK] = { .what = "the next page", .same_origin_only = true },
	[POLICY_FOREIGN] = { .what = "a foreign layer", .public_only = true },
};

int
policy_decide(enum policy_reason reason, const struct url *registry, enum address_class at,
	struct url *target, struct policy_verdict *out, struct err *err)
{
	const struct rule *rule = &rules[reason];
	struct url to = *target;
	bool same_host = is_same_host(registry, &to);

	if (registry->secure && !to.secure && url_same_host(registry, &to) &&
		(to.port == 80 || to.port == registry->port)) {
		to.secure = true;
		to.port = registry->port;
	}
	if (registry->secure && !to.secure)
		return refuse(rule->what, registry, &to, "that would leave TLS", err);
	if (rule->same_origin_only && !url_same_origin(registry, &to))
		return refuse(rule->what, registry, &to, "it must stay where it is", err);
	if (rule->public_only && !to.secure)
		return refuse(rule->what, registry, &to, "it must use TLS", err);
	out->reach = same_host ? ADDRESS_LINK_LOCAL : at;
	if (rule->public_only)
		out->reach = ADDRESS_PUBLIC;
	if (policy_host(to.host) > out->reach)
		return refuse(rule->what, registry, &to,
			"that address is more private than the registry's", err);
	out->credential = url_same_origin(registry, &to) ||
			  (same_host && rule->credential_on_same_host) ||
			  (rule->credential_elsewhere && to.secure);
	*target = to;
	return 0;
}
