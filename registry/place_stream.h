/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REGISTRY_PLACE_STREAM_H
#define REGISTRY_PLACE_STREAM_H

#include "base/err.h"
#include "layers/stream.h"
#include "registry/place.h"

/* place_stream - a blob that a place pushes, as a stream that is pulled: for who parses it on its way
 * and wants no copy.
 *
 * A thread of its own lets the place send into a pipe.  Freeing the stream before its end cuts the transfer off: the
 * place's next write fails.  Nothing is verified here; see stream_verify().  Place and descriptor are lent, and
 * outlive it. */
int place_stream(struct place *p, const struct descriptor *d, struct stream **out, struct err *err);

#endif
