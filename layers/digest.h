/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAYERS_DIGEST_H
#define LAYERS_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"

/* digest - the name of bytes: "sha256:" and 64 lower-case hex digits, or "sha512:" and 128.  A
 * value of this type is either empty (text[0] is 0) or was checked, so it may become part of a path
 * or URL. (image-spec descriptor.md, Digests) */

#define DIGEST_TEXT_SIZE 136

enum digest_algorithm { DIGEST_SHA256, DIGEST_SHA512 };

struct digest {
	char text[DIGEST_TEXT_SIZE];
};

/* ERR_INPUT for anything else: other algorithms, upper-case hex, wrong lengths. */
int digest_parse(const char *text, struct digest *out, struct err *err);
bool digest_same(const struct digest *a, const struct digest *b);
bool digest_is_empty(const struct digest *d);
enum digest_algorithm digest_algorithm(const struct digest *d);
const char *digest_algorithm_name(const struct digest *d); /* "sha256" */
const char *digest_hex(const struct digest *d);            /* the part after ':' */

/* As bytes: how many there are, at most DIGEST_RAW_MAX; 0 of an empty one. */
#define DIGEST_RAW_MAX 64
size_t digest_raw(const struct digest *d, unsigned char *raw);
/* raw has as many as the algorithm gives. */
void digest_from_raw(enum digest_algorithm algorithm, const void *raw, struct digest *out);

/* Of some bytes, SHA-256. */
void digest_of(const void *bytes, size_t len, struct digest *out);
/* ERR_CORRUPT "expected sha256:..., got sha256:..." unless the bytes have this digest. */
int digest_check(const struct digest *wanted, const void *bytes, size_t len, struct err *err);

/* Bytes as they come.  A hasher may be copied (its state so far) and asked for the digest midway.
 */
struct hasher;
struct hasher *hasher_new(enum digest_algorithm algorithm);
void hasher_free(struct hasher *h);
void auto_hasher(struct hasher **h);
void hasher_add(struct hasher *h, const void *bytes, size_t len);
/* All of fd from its position on; how many bytes that were, which may be NULL.  -1 with errno. */
int hasher_add_fd(struct hasher *h, int fd, uint64_t *size);
void hasher_digest(const struct hasher *h, struct digest *out); /* of what came so far; h goes on */
void hasher_reset(struct hasher *h);

#endif
