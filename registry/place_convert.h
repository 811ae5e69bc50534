/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REGISTRY_PLACE_CONVERT_H
#define REGISTRY_PLACE_CONVERT_H

#include "base/err.h"
#include "layers/codec.h"
#include "registry/place.h"

/* place_convert - an image as another place has it, with its layers compressed in another way.
 *
 * Layers get new digests, and so do the documents that name them; the tars in them, and with those the config, stay
 * the same to the bit.  Left as they are: foreign layers, blobs that are no tars, and layers that have the wanted codec.
 * Docker's types know no zstd: such an image becomes an OCI image.  In an index, what an attestation says of the manifest
 * that it is about (annotation vnd.docker.reference.digest) follows. */

enum place_convert_which {
	PLACE_CONVERT_PLAIN, /* layers that are not compressed */
	PLACE_CONVERT_ALL,
};

struct place_convert_options {
	enum codec_kind codec;
	int level; /* as for codec_encode */
	enum place_convert_which which;
};

/* Makes all layers that place_copy(copy) of root would take; *converted is what stands for root, or for the platform's
 * manifest of it, in *out: a place to copy from, which lends from and both options, and in which the layers lie, in
 * nameless files (see spool_dir), until it is freed.  With nothing to convert it is what it was.
 * ERR_CORRUPT where a blob is not what its digest says, or is not compressed as it says. */
int place_convert_open(struct place *from, const struct descriptor *root,
	const struct place_convert_options *options, const struct place_copy_options *copy,
	struct place **out, struct descriptor *converted, struct err *err);
/* That, and then the copy.  options NULL: the copy alone. */
int place_convert_copy(struct place *from, struct place *to, const struct descriptor *root,
	const struct place_convert_options *options, const struct place_copy_options *copy,
	struct descriptor *copied, struct err *err);

#endif
