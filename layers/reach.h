/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAYERS_REACH_H
#define LAYERS_REACH_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "layers/digest.h"

/* reach - what a document names.  More tolerant than the parsers of manifest.h: gc keeps what
 * any index or manifest names, also of kinds that are not known here. */

enum reach_kind {
	REACH_MANIFEST, /* may name more */
	REACH_SUBJECT,  /* likewise; it need not be there */
	REACH_CONFIG,
	REACH_LAYER, /* or any other blob */
};
struct reach_item {
	enum reach_kind kind;
	struct digest digest;
	uint64_t size;
};
struct reach {
	struct reach_item *items;
	size_t count;
	size_t room;
};
#define REACH_INIT { .items = NULL }
void reach_free(struct reach *r);
void auto_reach(struct reach *r);

/* Documents up to this size are looked into. */
#define REACH_MAX (8u << 20)
/* ERR_INPUT for what is not a JSON object; one that names nothing is fine. */
int reach_parse(const char *bytes, size_t len, struct reach *out, struct err *err);

#endif
