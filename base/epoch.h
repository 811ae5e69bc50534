/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_EPOCH_H
#define BASE_EPOCH_H

#include <stdint.h>

#include "base/err.h"

/* epoch - SOURCE_DATE_EPOCH, the moment that everything made is dated by.
 * (https://reproducible-builds.org/specs/source-date-epoch/) */

#define EPOCH_TEXT 40 /* bytes that a time takes as RFC 3339 has it */

/* Seconds since 1970, in decimal.  ERR_USAGE for anything else, and for what RFC 3339 has no year for. */
int epoch_parse(const char *text, int64_t *out, char out_text[EPOCH_TEXT], struct err *err);
/* text NULL: what the environment says.  Where that is nothing, or empty: now. */
int epoch_or_now(const char *text, char out_text[EPOCH_TEXT], struct err *err);

#endif
