/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REGISTRY_TOML_H
#define REGISTRY_TOML_H

#include "base/err.h"
#include "base/json.h"

/* toml - TOML text as a JSON value, for registries.conf and hosts.toml.  (toml.io 1.0)
 *
 * Tables become objects, arrays of tables arrays of objects.  Dates and times, which those files
 * never have, are kept as strings; numbers that JSON has none for (inf, nan) are refused. */

#define TOML_DEPTH_MAX 32

/* ERR_INPUT "line 3: ..." */
int toml_parse(const char *text, size_t len, json_t **out, struct err *err);

#endif
