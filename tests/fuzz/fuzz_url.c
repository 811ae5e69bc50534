/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "registry/policy.h"
#include "registry/proxy.h"
#include "registry/url.h"

/* Locations, and what policy makes of them. */
int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	AUTO(free) char *text = xstrndup((const char *)bytes, len);
	struct proxy_settings proxy = { .https = "http://p", .none = text };
	struct policy_verdict verdict;
	struct url base, url, again;
	enum policy_reason reason;
	struct err err;

	if (url_parse("https://r.io:5000/v2/a/b?c", &base, &err) < 0)
		abort();
	proxy_for(&proxy, &base);
	if (url_resolve(&base, text, &url, &err) < 0)
		return 0;
	AUTO(buf) struct buf formatted = BUF_INIT;
	AUTO(buf) struct buf shown = BUF_INIT;

	url_format(&url, &formatted);
	url_show(&url, &shown);
	if (url_parse(formatted.data, &again, &err) < 0 || !url_same_origin(&url, &again) ||
		strcmp(url.target, again.target) != 0)
		abort();
	for (reason = POLICY_REQUEST; reason <= POLICY_FOREIGN; reason++) {
		again = url;
		if (policy_decide(reason, &base, ADDRESS_PUBLIC, &again, &verdict, &err) < 0)
			continue;
		if (!again.secure || (verdict.credential && reason != POLICY_REALM &&
					     !url_same_origin(&base, &again)))
			abort();
	}
	return 0;
}
