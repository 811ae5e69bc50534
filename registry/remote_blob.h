/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REGISTRY_REMOTE_BLOB_H
#define REGISTRY_REMOTE_BLOB_H

#include "base/err.h"
#include "registry/place.h"

/* remote_blob - a blob of which only the digest is known.
 *
 * Asks with HEAD how large it is, and with GET for one byte where HEAD is refused.  *out gets digest and size.
 * p must come from remote_open(); ERR_NOTFOUND when the registry has it not. */
int remote_blob(struct place *p, const struct digest *digest, struct descriptor *out, struct err *err);

#endif
