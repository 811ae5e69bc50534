/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DOCKERFILE_CSV_H
#define DOCKERFILE_CSV_H

#include "base/err.h"
#include "base/strv.h"

/* csv - the fields of one line (RFC 4180, "" for a quote within quotes): --mount, and whatever other
 * option is such a list. */

#define CSV_FIELDS_MAX 256

/* Adds the fields to *out. */
int csv_parse(const char *text, struct strv *out, struct err *err);

#endif
