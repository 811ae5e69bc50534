/* SPDX-License-Identifier: Apache-2.0 */
#include "layers/digest.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"

struct algorithm {
	const char *name;
	size_t hex_len;
	const EVP_MD *(*md)(void);
};

static const struct algorithm algorithms[] = {
	[DIGEST_SHA256] = { "sha256", 64, EVP_sha256 },
	[DIGEST_SHA512] = { "sha512", 128, EVP_sha512 },
};

static bool
is_lower_hex(const char *s, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (!((s[i] >= '0' && s[i] <= '9') || (s[i] >= 'a' && s[i] <= 'f')))
			return false;
	return true;
}

int
digest_parse(const char *text, struct digest *out, struct err *err)
{
	const char *colon = strchr(text, ':');
	const struct algorithm *a;
	size_t i, len;

	if (colon == NULL)
		return err_set(err, ERR_INPUT, "'%.160s' is not a digest: no ':'", text);
	len = (size_t)(colon - text);
	for (i = 0; i < COUNT_OF(algorithms); i++) {
		a = &algorithms[i];
		if (strlen(a->name) != len || memcmp(a->name, text, len) != 0)
			continue;
		if (strlen(colon + 1) != a->hex_len)
			return err_set(err, ERR_INPUT,
				"digest '%.160s' does not have %zu hex digits", text, a->hex_len);
		if (!is_lower_hex(colon + 1, a->hex_len))
			return err_set(
				err, ERR_INPUT, "digest '%.160s' is not lower-case hex", text);
		memset(out, 0, sizeof *out);
		memcpy(out->text, text, len + 1 + a->hex_len);
		return 0;
	}
	return err_set(err, ERR_INPUT, "digest '%.160s' is neither sha256 nor sha512", text);
}

bool
digest_same(const struct digest *a, const struct digest *b)
{
	return strcmp(a->text, b->text) == 0;
}

bool
digest_is_empty(const struct digest *d)
{
	return d->text[0] == '\0';
}

enum digest_algorithm
digest_algorithm(const struct digest *d)
{
	return starts_with(d->text, "sha512:") ? DIGEST_SHA512 : DIGEST_SHA256;
}

const char *
digest_algorithm_name(const struct digest *d)
{
	return algorithms[digest_algorithm(d)].name;
}

const char *
digest_hex(const struct digest *d)
{
	const char *colon = strchr(d->text, ':');

	return colon != NULL ? colon + 1 : d->text;
}

/* Of a digest's digits, which were checked. */
static unsigned
nibble(char c)
{
	return (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
}

size_t
digest_raw(const struct digest *d, unsigned char *raw)
{
	size_t len = 0;

	for (const char *hex = digest_hex(d); *hex != '\0'; hex += 2)
		raw[len++] = (unsigned char)(nibble(hex[0]) << 4 | nibble(hex[1]));
	return len;
}

/* Of all bytes. */
#define PAIRS(h)                                                                              \
	h "0" h "1" h "2" h "3" h "4" h "5" h "6" h "7" h "8" h "9" h "a" h "b" h "c" h "d" h \
	  "e" h "f"
static const char pairs[] = PAIRS("0") PAIRS("1") PAIRS("2") PAIRS("3") PAIRS("4") PAIRS("5")
	PAIRS("6") PAIRS("7") PAIRS("8") PAIRS("9") PAIRS("a") PAIRS("b") PAIRS("c") PAIRS("d")
		PAIRS("e") PAIRS("f");

void
digest_from_raw(enum digest_algorithm algorithm, const void *raw, struct digest *out)
{
	const struct algorithm *a = &algorithms[algorithm];
	const unsigned char *byte = raw;
	size_t name_len = strlen(a->name);
	char *p = out->text;

	/* for each file of a layer, so without printf, and two digits at a time */
	memcpy(p, a->name, name_len);
	p += name_len;
	*p++ = ':';
	for (size_t i = 0; i < a->hex_len / 2; i++)
		memcpy(p + 2 * i, pairs + (size_t)2 * byte[i], 2);
	p += a->hex_len;
	memset(p, 0, (size_t)(out->text + sizeof out->text - p));
}

void
digest_of(const void *bytes, size_t len, struct digest *out)
{
	AUTO(hasher) struct hasher *h = hasher_new(DIGEST_SHA256);

	hasher_add(h, bytes, len);
	hasher_digest(h, out);
}

int
digest_check(const struct digest *wanted, const void *bytes, size_t len, struct err *err)
{
	AUTO(hasher) struct hasher *h = hasher_new(digest_algorithm(wanted));
	struct digest got;

	hasher_add(h, bytes, len);
	hasher_digest(h, &got);
	if (digest_same(&got, wanted))
		return 0;
	return err_set(err, ERR_CORRUPT, "expected %s, got %s", wanted->text, got.text);
}

struct hasher {
	enum digest_algorithm algorithm;
	EVP_MD_CTX *state;
	EVP_MD_CTX *midway; /* a copy to be ended while state goes on */
};

/* OpenSSL's digests fail only for want of memory or of the algorithm itself, as in a library that
 * was built without it; neither can be answered by a caller. */
static void
must(int ok)
{
	if (ok != 1)
		abort();
}

struct hasher *
hasher_new(enum digest_algorithm algorithm)
{
	struct hasher *h = xzalloc(sizeof *h);

	h->algorithm = algorithm;
	h->state = EVP_MD_CTX_new();
	h->midway = EVP_MD_CTX_new();
	must(h->state != NULL && h->midway != NULL);
	hasher_reset(h);
	return h;
}

void
hasher_free(struct hasher *h)
{
	if (h == NULL)
		return;
	EVP_MD_CTX_free(h->state);
	EVP_MD_CTX_free(h->midway);
	free(h);
}

void
auto_hasher(struct hasher **h)
{
	hasher_free(*h);
	*h = NULL;
}

void
hasher_add(struct hasher *h, const void *bytes, size_t len)
{
	must(EVP_DigestUpdate(h->state, bytes, len));
}

int
hasher_add_fd(struct hasher *h, int fd, uint64_t *size)
{
	char bytes[65536];
	uint64_t done = 0;
	ssize_t n;

	while ((n = fd_read(fd, bytes, sizeof bytes)) > 0) {
		hasher_add(h, bytes, (size_t)n);
		done += (uint64_t)n;
	}
	if (n < 0)
		return -1;
	if (size != NULL)
		*size = done;
	return 0;
}

void
hasher_digest(const struct hasher *h, struct digest *out)
{
	unsigned char raw[EVP_MAX_MD_SIZE];

	must(EVP_MD_CTX_copy_ex(h->midway, h->state));
	must(EVP_DigestFinal_ex(h->midway, raw, NULL));
	digest_from_raw(h->algorithm, raw, out);
}

void
hasher_reset(struct hasher *h)
{
	must(EVP_DigestInit_ex(h->state, algorithms[h->algorithm].md(), NULL));
}
