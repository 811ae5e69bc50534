/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_WORKER_WIRE_H
#define BASE_WORKER_WIRE_H

#include <jansson.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/event.h"

/* worker_wire - what a worker says to its coordinator, as bytes on a stream; only base/worker.c uses it.
 *
 * A frame is its length (32 bits, of what follows), its kind (one byte) and a payload in this machine's
 * byte order: both ends are one program.  A worker that strangers have taken over can send anything, so
 * taking a frame checks everything. */

#define WIRE_FRAME_MAX (256u << 20)
#define WIRE_LOG_MAX (1u << 20) /* more in one LOG event is sent as several */

enum wire_kind { WIRE_EVENT = 1, WIRE_RESULT, WIRE_ERROR };

struct wire_frame {
	enum wire_kind kind;
	struct event event; /* its texts are lent: they lie in the bytes taken from, each zero-ended */
	const char *result; /* lent: JSON text */
	size_t result_len;
	struct err error;
};

/* Append one frame (an event of much LOG: several). */
void wire_put_event(struct buf *out, const struct event *event);
/* ERR_INPUT where the result is too large for a frame.  NULL: a result of nothing. */
int wire_put_result(struct buf *out, const json_t *result, struct err *err);
void wire_put_error(struct buf *out, const struct err *error);

/* 1 and *used: a frame was taken; 0: the bytes do not hold a whole one; -1: ERR_CORRUPT. */
int wire_take(const char *bytes, size_t len, struct wire_frame *out, size_t *used, struct err *err);

#endif
