/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/worker_wire.h"

/* What a worker that strangers have taken over could send. */
int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	AUTO(free) char *copy = xmemdup(bytes, len); /* its end is where the sanitizer says */
	struct wire_frame frame;
	struct err err = { .kind = ERR_NONE };
	size_t at = 0, used = 0;

	while (wire_take(copy + at, len - at, &frame, &used, &err) > 0) {
		AUTO(buf) struct buf again = BUF_INIT;

		if (used == 0 || used > len - at)
			abort();
		if (frame.kind == WIRE_ERROR) {
			wire_put_error(&again, &frame.error);
			if (strlen(frame.error.msg) >= sizeof frame.error.msg)
				abort();
		} else if (frame.kind == WIRE_EVENT) {
			wire_put_event(&again, &frame.event);
		} else if (frame.result_len > used) {
			abort();
		}
		at += used;
	}
	return 0;
}
