/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REGISTRY_SIGNATURE_H
#define REGISTRY_SIGNATURE_H

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

/* signature - of bytes, by a key in PEM: ECDSA with SHA-256 (DER), Ed25519, or RSA (PKCS #1 v1.5 with
 * SHA-256), as the key is. */

#define SIGNATURE_KEY_MAX 65536

/* A private key, PKCS #8 or traditional; password for one that is encrypted, or NULL.  The signature is added
 * to out. */
int signature_make(const struct buf *key, const char *password, const void *bytes, size_t len,
	struct buf *out, struct err *err);

/* A public key (SubjectPublicKeyInfo).  1: it is by that key, 0: it is not, -1: the key cannot be used. */
int signature_check(const struct buf *key, const void *bytes, size_t len,
	const struct buf *signature, struct err *err);

#endif
