/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BUILD_KEY_H
#define BUILD_KEY_H

#include "base/json.h"
#include "base/strv.h"
#include "layers/digest.h"

/* key - the digest of all that can change what a step makes, built from named inputs.  The names
 * and values are kept beside it, so that --explain can say which one differs from an earlier
 * record.  Secrets never come here; their ids do. */

struct key {
	struct hasher *hasher;
	json_t *inputs; /* object: name -> value, values longer than KEY_SHOWN_MAX as their digest
			 */
};
#define KEY_SHOWN_MAX 512

void key_begin(
	struct key *k, const char *kind); /* "run", "copy", ...: also fixes the format's version */
void key_add(struct key *k, const char *name, const char *value); /* value NULL: not given */
void key_add_list(struct key *k, const char *name, const struct strv *values);
void key_add_number(struct key *k, const char *name, int64_t value);
void key_end(struct key *k, struct digest *out);
void key_free(struct key *k);
void auto_key(struct key *k);

#endif
