/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAYERS_ROLL_COMPARE_H
#define LAYERS_ROLL_COMPARE_H

#include <stdbool.h>

#include "base/err.h"
#include "layers/roll.h"

/* roll_compare - in which files two stacks of one roll differ.
 *
 * Both stacks begin at the same position; what is below is the same in both, and not known.  Of a file that only one of them
 * writes above it, it is then not known whether the other has it. */

enum roll_change {
	ROLL_ADDED,   /* only the second has it */
	ROLL_REMOVED, /* only the first has it */
	ROLL_CHANGED, /* both have it, and differ in some aspect */
	ROLL_WRITTEN, /* one of the three */
};

/* Times do not count. */
enum roll_aspect {
	ROLL_TYPE,
	ROLL_MODE,
	ROLL_OWNER,
	ROLL_SIZE,
	ROLL_DIGEST,
	ROLL_LINK,
	ROLL_DEVICE,
	ROLL_XATTR,
	ROLL_ASPECTS
};
bool roll_differ_in(enum roll_aspect aspect, const struct roll_item *a, const struct roll_item *b);

/* A file on one side, all lent. */
struct roll_found {
	const struct roll_item *item; /* a hard link is its file, where that is known */
	const char *hard_link;        /* what it is a hard link to, or NULL */
};
/* In the order of layers.  NULL: that side does not have it, or says nothing about it; never both. */
typedef int roll_teller(enum roll_change change, const struct roll_found *from,
	const struct roll_found *to, void *arg, struct err *err);
/* Ends with -1 when tell does. */
int roll_compare(const struct roll *r, const struct roll_stack *from, const struct roll_stack *to,
	roll_teller *tell, void *arg, struct err *err);

#endif
