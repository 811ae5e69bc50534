/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "registry/hosts.h"
#include "registry/registries.h"
#include "registry/toml.h"

/* hosts.toml: what it makes of servers are addresses with a path, and headers of one line. */
static void
try_hosts(const char *bytes, size_t len)
{
	AUTO(hosts) struct hosts h = HOSTS_INIT;
	struct err err;
	size_t i, k;

	if (hosts_parse(bytes, len, "f", "r.io", &h, &err) < 0)
		return;
	for (i = 0; i < h.count; i++) {
		const struct hosts_entry *e = &h.entries[i];

		if (e->base.host[0] == '\0' || e->base.target[0] != '/' ||
			!ends_with(e->base.target, "/") || e->dial_ms > HOSTS_DIAL_MS_MAX)
			abort();
		for (k = 0; k < e->headers.count; k++)
			if (strpbrk(e->headers.items[k], "\r\n") != NULL)
				abort();
	}
	if (h.count == 0)
		abort();
}

/* registries.conf: what it makes of names are names. */
int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	AUTO(registries) struct registries r = REGISTRIES_INIT;
	struct endpoint endpoints[REGISTRIES_MIRRORS_MAX + 1];
	struct ref ref, names[REGISTRIES_SEARCH_MAX];
	struct err err;
	int i, count;

	try_hosts((const char *)bytes, len);
	if (registries_add(&r, (const char *)bytes, len, "f", &err) < 0)
		return 0;
	if (ref_parse("r.io/a/b", &ref, &err) < 0)
		abort();
	count = registries_endpoints(&r, &ref, true, endpoints, &err);
	for (i = 0; i < count; i++)
		if (endpoints[i].ref.host[0] == '\0' || endpoints[i].ref.repository[0] == '\0')
			abort();
	if (ref_parse("b:1", &ref, &err) < 0)
		abort();
	count = registries_names(&r, &ref, names, &err);
	for (i = 0; i < count; i++)
		if (names[i].host[0] == '\0' || names[i].repository[0] == '\0' ||
			!streq(names[i].tag, "1"))
			abort();
	return 0;
}
