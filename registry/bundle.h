/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REGISTRY_BUNDLE_H
#define REGISTRY_BUNDLE_H

#include "base/buf.h"
#include "base/err.h"
#include "base/strv.h"
#include "layers/digest.h"
#include "registry/place.h"

/* bundle - signatures as later versions of cosign keep them: a sigstore bundle that is attached to
 * the image, with a DSSE envelope around an in-toto statement whose subject is the image.  Checked
 * by a key; certificates and transparency logs are not looked at.  (sigstore's protobuf-specs, DSSE
 * protocol, in-toto attestation framework; the bundle as cosign's BUNDLE_SPEC attaches it) */

#define BUNDLE_TYPE_PREFIX "application/vnd.dev.sigstore.bundle" /* "...v0.3+json" */
#define BUNDLE_MAX (1u << 20)
#define BUNDLE_PREDICATE "https://sigstore.dev/cosign/sign/v1" /* "this was signed", no claim about it */

/* One bundle.  1: signed by that key as an image with that digest, and the statement is added to
 * out; 0: by another key; -1: ERR_INPUT for what is no such bundle, ERR_DENIED for one of another
 * image, or that says something else about it. */
int bundle_check(const char *text, size_t len, const struct digest *digest,
	const struct buf *public_key, struct strv *out, struct err *err);

/* Those that are attached to the image; p comes from remote_open().  *good of them are by the key,
 * *others are not; why gets "; <reason>" for each that is odd. */
int bundle_verify(struct place *p, const struct digest *digest, const struct buf *public_key,
	struct strv *out, size_t *good, size_t *others, struct buf *why, struct err *err);

#endif
