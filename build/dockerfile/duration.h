/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DOCKERFILE_DURATION_H
#define DOCKERFILE_DURATION_H

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

/* duration - Go's time.ParseDuration: "1h30m", "1.5s", "-2us"; units ns us ms s m h. */

/* Nanoseconds.  ERR_INPUT: time: invalid duration "5", time: missing unit in duration "5". */
int duration_parse(const char *text, int64_t *out, struct err *err);

/* As Go's Duration.String: "1h0m0s", "1m30s", "30s", "1.5s", "100ms", "0s"; appended. */
void duration_format(int64_t ns, struct buf *out);

#endif
