/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REGISTRY_COSIGN_H
#define REGISTRY_COSIGN_H

#include "base/buf.h"
#include "base/err.h"
#include "base/strv.h"
#include "layers/digest.h"
#include "registry/place.h"
#include "registry/ref.h"

/* cosign - signatures of images as cosign keeps them: an image under the tag "sha256-<hex>.sig", each of whose
 * layers is a payload that names the signed digest, with the signature as an annotation.  (cosign's
 * SIGNATURE_SPEC, containers' simple signing) */

#define COSIGN_PAYLOAD_MAX 65536
#define COSIGN_SIGNATURES_MAX 100

/* Adds a signature to those that are there.  password: of the key, or NULL. */
int cosign_sign(struct place *p, const struct ref *repository, const struct digest *digest,
	const struct buf *private_key, const char *password, struct err *err);

/* Payloads with a good signature by that key are added to out; where there is none under the tag,
 * statements of bundles that are attached to the image (bundle.h).  p comes from remote_open().  ERR_DENIED where
 * there is none, with why the others are none. */
int cosign_verify(struct place *p, const struct digest *digest, const struct buf *public_key,
	struct strv *out, struct err *err);

#endif
