/* SPDX-License-Identifier: Apache-2.0 */
/* Signatures of images at a registry, in cosign's form: sign, verify. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "cmd/cmd.h"
#include "cmd/remote_flags.h"
#include "cmd/show.h"
#include "registry/cosign.h"
#include "registry/remote.h"
#include "registry/shortname.h"
#include "registry/signature.h"

struct values {
	const char *key;
	struct remote_flags remote;
};

static const struct values defaults = { .remote = REMOTE_FLAGS_DEFAULT };

static const struct opt sign_options[] = {
	OPT_STR(0, "key", struct values, key, "path",
		"the private key, in PEM; COSIGN_PASSWORD is its password"),
	REMOTE_OPTIONS(struct values, remote), OPT_END
};

static const struct opt verify_options[] = { OPT_STR(0, "key", struct values, key, "path",
						     "the public key, in PEM"),
	REMOTE_OPTIONS(struct values, remote), OPT_END };

struct subject {
	struct session *session;
	struct place *place;
	struct ref ref;
	struct descriptor descriptor;
	struct buf key;
};
#define SUBJECT_INIT            \
	{                       \
		.key = BUF_INIT \
	}

static void
auto_subject(struct subject *s)
{
	place_free(s->place);
	session_free(s->session);
	descriptor_free(&s->descriptor);
	explicit_bzero(s->key.data, s->key.room > 0 ? s->key.len : 0);
	buf_free(&s->key);
}

static int
find_subject(const struct call *call, enum remote_access access, struct subject *s, struct err *err)
{
	const struct values *v = call->values;

	if (v->key == NULL)
		return err_set(err, ERR_USAGE, "%s wants '--key <path>'", call->cmd->name);
	if (file_read(AT_FDCWD, v->key, SIGNATURE_KEY_MAX, &s->key, err) < 0)
		return err_in(err, "the key");
	if (ref_parse(call->args.items[0], &s->ref, err) < 0 ||
		remote_flags_open(&v->remote, &s->session, err) < 0 ||
		(access == REMOTE_PULL && shortname_find(s->session, &s->ref, err) < 0) ||
		remote_open(s->session, &s->ref, access, &s->place, err) < 0)
		return -1;
	return s->place->ops->resolve(s->place, ref_name(&s->ref), &s->descriptor, err);
}

static int
sign_run(struct call *call, struct err *err)
{
	AUTO(subject) struct subject s = SUBJECT_INIT;
	AUTO(buf) struct buf answer = BUF_INIT;

	if (find_subject(call, REMOTE_PUSH, &s, err) < 0 ||
		cosign_sign(s.place, &s.ref, &s.descriptor.digest, &s.key,
			getenv("COSIGN_PASSWORD"), err) < 0)
		return -1;
	s.ref.digest = s.descriptor.digest;
	ref_format(&s.ref, REF_CANONICAL, &answer);
	buf_addc(&answer, '\n');
	return show_answer(&answer, err);
}

static int
verify_run(struct call *call, struct err *err)
{
	AUTO(subject) struct subject s = SUBJECT_INIT;
	AUTO(strv) struct strv payloads = STRV_INIT;
	AUTO(buf) struct buf answer = BUF_INIT;

	if (find_subject(call, REMOTE_PULL, &s, err) < 0 ||
		cosign_verify(s.place, &s.descriptor.digest, &s.key, &payloads, err) < 0)
		return -1;
	for (size_t i = 0; i < payloads.count; i++) {
		show_line(payloads.items[i], &answer);
		buf_addc(&answer, '\n');
	}
	return show_answer(&answer, err);
}

const struct cmd cmd_sign = {
	.name = "sign",
	.summary = "sign an image at a registry",
	.args = "<name>",
	.about = "Signs the digest that the name has with a key of ECDSA P-256, Ed25519 or RSA, "
		 "and keeps the signature "
		 "where cosign does: under the tag sha256-<hex>.sig. Signatures that are there "
		 "stay. Prints the name "
		 "with the digest that was signed.",
	.example = "  openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out key.pem\n"
		   "  cooper sign --key key.pem registry.example.com/team/app:1\n",
	.options = sign_options,
	.values_size = sizeof(struct values),
	.defaults = &defaults,
	.args_min = 1,
	.args_max = 1,
	.run = sign_run,
};

const struct cmd cmd_verify = {
	.name = "verify",
	.summary = "check that an image at a registry is signed by a key",
	.args = "<name>",
	.about = "Fails unless a signature by that key names the digest that the name has now: one "
		 "under the tag sha256-<hex>.sig, or a sigstore bundle that is attached to the "
		 "image. "
		 "Prints what was signed, a line of JSON for each good signature.",
	.example = "  openssl pkey -in key.pem -pubout -out key.pub\n"
		   "  cooper verify --key key.pub registry.example.com/team/app:1\n",
	.options = verify_options,
	.values_size = sizeof(struct values),
	.defaults = &defaults,
	.args_min = 1,
	.args_max = 1,
	.run = verify_run,
};
