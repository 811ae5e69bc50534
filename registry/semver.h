/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REGISTRY_SEMVER_H
#define REGISTRY_SEMVER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* semver - versions in tags, and ranges of them.  (semver.org 2.0.0; ranges as npm and Go's tools write
 * them)
 *
 * A tag may begin with 'v' and leave out its last numbers: v1.2 is 1.2.0.  One with a '-' is a
 * pre-release, and so are variants as 3.20-alpine; a range has them only where it names one itself.
 *
 *	range        alternative { "||" alternative }
 *	alternative  part { "," part }              all must hold
 *	part         [ = != > >= < <= ^ ~ ] version   1.2 and 1.2.x: any 1.2; * is any
 */

#define SEMVER_PARTS_MAX 32
#define SEMVER_TEXT_MAX 128 /* a tag has no more */

struct semver {
	uint64_t numbers[3];
	unsigned count; /* of numbers that were said */
	char pre[SEMVER_TEXT_MAX + 1]; /* behind the '-', or "" */
};
/* False: it is no version. */
bool semver_parse(const char *text, struct semver *out);
int semver_compare(const struct semver *a, const struct semver *b);

/* One part: from low to below high (where there are such), or all but those. */
struct semver_part {
	bool has_low, has_high, is_negated, allows_pre;
	bool begins; /* an alternative */
	struct semver low, high;
};
struct semver_range {
	struct semver_part parts[SEMVER_PARTS_MAX];
	unsigned count;
};
/* ERR_INPUT */
int semver_range_parse(const char *text, struct semver_range *out, struct err *err);
bool semver_range_has(const struct semver_range *range, const char *tag);

#endif
