/* SPDX-License-Identifier: Apache-2.0 */
#include "build/dockerfile/expose.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"

struct port_range {
	int first, last;
};

static bool
parse_number(const char *text, int *out)
{
	int value = 0;

	if (*text == '+')
		text++;
	if (*text == '\0')
		return false;
	for (; *text != '\0'; text++) {
		if (*text < '0' || *text > '9')
			return false;
		value = value * 10 + (*text - '0');
		if (value > 65535)
			return false;
	}
	*out = value;
	return true;
}

static bool
parse_range(const char *text, struct port_range *out)
{
	AUTO(free) char *first = NULL;
	const char *dash = strchr(text, '-');

	if (dash == NULL) {
		if (!parse_number(text, &out->first))
			return false;
		out->last = out->first;
		return true;
	}
	first = xstrndup(text, (size_t)(dash - text));
	return parse_number(first, &out->first) && parse_number(dash + 1, &out->last) &&
	       out->first <= out->last;
}

static int
check_ip(const char *ip, struct err *err)
{
	AUTO(free) char *bare = NULL;
	unsigned char address[16];
	size_t len = strlen(ip);

	if (len == 0)
		return 0;
	if (ip[0] == '[') {
		if (ip[len - 1] != ']')
			return err_set(err, ERR_INPUT, "invalid IP address %s: missing ']'", ip);
		bare = xstrndup(ip + 1, len - 2);
	} else {
		bare = xstrdup(ip);
	}
	if (inet_pton(AF_INET, bare, address) == 1 || inet_pton(AF_INET6, bare, address) == 1)
		return 0;
	return err_set(err, ERR_INPUT, "invalid IP address: %s", bare);
}

/* [ip:][host:]port, whose ip may hold colons itself */
static void
split(const char *word, char **ip, char **host, char **port)
{
	const char *last = strrchr(word, ':');
	const char *before = NULL;

	if (last == NULL) {
		*ip = xstrdup("");
		*host = xstrdup("");
		*port = xstrdup(word);
		return;
	}
	for (const char *p = last; p > word && before == NULL;)
		if (*--p == ':')
			before = p;
	*port = xstrdup(last + 1);
	*ip = before == NULL ? xstrdup("") : xstrndup(word, (size_t)(before - word));
	before = before == NULL ? word : before + 1;
	*host = xstrndup(before, (size_t)(last - before));
}

static int
take_protocol(
	const char *word, char *port, const char **out, struct expose_notes *notes, struct err *err)
{
	static const char *const known[] = { "tcp", "udp", "sctp" };
	char *slash = strchr(port, '/');
	const char *protocol = slash == NULL ? "" : slash + 1;

	if (slash != NULL)
		*slash = '\0';
	if (*port == '\0')
		return err_set(err, ERR_INPUT, "invalid port: \"%s\": no port specified", word);
	*out = known[0];
	if (*protocol == '\0')
		return 0;
	for (size_t i = 0; i < COUNT_OF(known); i++) {
		if (strcasecmp(protocol, known[i]) != 0)
			continue;
		*out = known[i];
		notes->proto_case = strcmp(protocol, known[i]) != 0;
		return 0;
	}
	return err_set(err, ERR_INPUT, "invalid port: \"%s\": invalid proto: %s", word, protocol);
}

int
expose_parse(const char *word, struct strv *out, struct expose_notes *notes, struct err *err)
{
	AUTO(free) char *ip = NULL;
	AUTO(free) char *host = NULL;
	AUTO(free) char *port = NULL;
	struct expose_notes found = { .proto_case = false };
	struct port_range inside, outside;
	const char *protocol = NULL;

	split(word, &ip, &host, &port);
	if (take_protocol(word, port, &protocol, &found, err) < 0)
		return -1;
	found.host_mapping = *ip != '\0' || *host != '\0';
	if (check_ip(ip, err) < 0)
		return -1;
	if (!parse_range(port, &inside))
		return err_set(err, ERR_INPUT, "invalid containerPort: %s", port);
	if (*host != '\0' && !parse_range(host, &outside))
		return err_set(err, ERR_INPUT, "invalid hostPort: %s", host);
	if (*host != '\0' && inside.first != inside.last &&
		inside.last - inside.first != outside.last - outside.first)
		return err_set(err, ERR_INPUT,
			"invalid ranges specified for container and host Ports: %s and %s", port,
			host);
	for (int i = inside.first; i <= inside.last; i++)
		strv_addf(out, "%d/%s", i, protocol);
	if (notes != NULL)
		*notes = found;
	return 0;
}
