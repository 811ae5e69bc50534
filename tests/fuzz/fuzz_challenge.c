/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

#include "base/mem.h"
#include "registry/challenge.h"
#include "registry/scope.h"

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	AUTO(free) char *text = xstrndup((const char *)bytes, len);
	AUTO(challenges) struct challenges c = CHALLENGES_INIT;
	AUTO(scopes) struct scopes s = SCOPES_INIT;
	AUTO(buf) struct buf once = BUF_INIT;
	AUTO(buf) struct buf twice = BUF_INIT;
	const struct challenge *bearer;

	challenges_add(&c, text);
	if (c.count > CHALLENGE_COUNT_MAX)
		abort();
	bearer = challenges_find(&c, "bearer");
	if (bearer != NULL && challenge_parameter(bearer, "scope") != NULL)
		scopes_add(&s, challenge_parameter(bearer, "scope"));
	scopes_add(&s, text);
	scopes_format(&s, &once);
	scopes_add(&s, once.data); /* a set does not change by itself */
	scopes_format(&s, &twice);
	if (!streq(once.data, twice.data))
		abort();
	return 0;
}
