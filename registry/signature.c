/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/signature.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <string.h>

#include "base/mem.h"

#define RSA_BITS_MIN 2048

static void
auto_key(EVP_PKEY **key)
{
	EVP_PKEY_free(*key);
}

static void
auto_bio(BIO **bio)
{
	BIO_free(*bio);
}

static void
auto_context(EVP_MD_CTX **context)
{
	EVP_MD_CTX_free(*context);
}

/* Never asks on the terminal. */
static int
give_password(char *out, int room, int writing, void *arg)
{
	const char *password = arg;
	size_t len = password != NULL ? strlen(password) : 0;

	(void)writing;
	if (password == NULL || len > (size_t)room)
		return -1;
	memcpy(out, password, len);
	return (int)len;
}

static int
check_kind(EVP_PKEY *key, struct err *err)
{
	int kind = EVP_PKEY_get_base_id(key);

	if (kind == EVP_PKEY_ED25519)
		return 0;
	if (kind == EVP_PKEY_EC)
		return EVP_PKEY_get_bits(key) == 256
			       ? 0
			       : err_set(err, ERR_INPUT, "of elliptic curves only P-256 is taken");
	if (kind == EVP_PKEY_RSA)
		return EVP_PKEY_get_bits(key) >= RSA_BITS_MIN
			       ? 0
			       : err_set(err, ERR_INPUT, "an RSA key has at least %d bits",
					 RSA_BITS_MIN);
	return err_set(err, ERR_INPUT, "the key is neither ECDSA, Ed25519 nor RSA");
}

static int
unusable(const struct buf *key, const char *what, struct err *err)
{
	ERR_clear_error();
	if (strstr(key->data, "SIGSTORE") != NULL || strstr(key->data, "COSIGN") != NULL)
		return err_set(err, ERR_INPUT,
			"a key in cosign's own format: make one with 'openssl genpkey -algorithm "
			"EC "
			"-pkeyopt ec_paramgen_curve:P-256', or convert it");
	return err_set(err, ERR_INPUT, "it is no %s key in PEM, or its password is wrong", what);
}

/* Ed25519 hashes by itself. */
static const EVP_MD *
hash_for(EVP_PKEY *key)
{
	return EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519 ? NULL : EVP_sha256();
}

int
signature_make(const struct buf *key, const char *password, const void *bytes, size_t len,
	struct buf *out, struct err *err)
{
	AUTO(bio) BIO *bio = BIO_new_mem_buf(key->data, (int)key->len);
	AUTO(key)
	EVP_PKEY *private = PEM_read_bio_PrivateKey(bio, NULL, give_password, (void *)password);
	AUTO(context) EVP_MD_CTX *context = EVP_MD_CTX_new();
	size_t size = 0;

	if (private == NULL)
		return unusable(key, "private", err);
	if (check_kind(private, err) < 0)
		return -1;
	if (EVP_DigestSignInit(context, NULL, hash_for(private), NULL, private) != 1 ||
		EVP_DigestSign(context, NULL, &size, bytes, len) != 1 ||
		EVP_DigestSign(
			context, (unsigned char *)buf_reserve(out, size), &size, bytes, len) != 1) {
		ERR_clear_error();
		return err_set(err, ERR_SYSTEM, "the key does not sign");
	}
	out->len += size;
	out->data[out->len] = '\0';
	return 0;
}

int
signature_check(const struct buf *key, const void *bytes, size_t len, const struct buf *signature,
	struct err *err)
{
	AUTO(bio) BIO *bio = BIO_new_mem_buf(key->data, (int)key->len);
	AUTO(key) EVP_PKEY *public = PEM_read_bio_PUBKEY(bio, NULL, give_password, NULL);
	AUTO(context) EVP_MD_CTX *context = EVP_MD_CTX_new();
	int good;

	if (public == NULL)
		return unusable(key, "public", err);
	if (check_kind(public, err) < 0)
		return -1;
	good = EVP_DigestVerifyInit(context, NULL, hash_for(public), NULL, public) == 1 &&
	       EVP_DigestVerify(context, (const unsigned char *)signature->data, signature->len,
		       bytes, len) == 1;
	ERR_clear_error();
	return good;
}
