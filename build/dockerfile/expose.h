/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DOCKERFILE_EXPOSE_H
#define DOCKERFILE_EXPOSE_H

#include <stdbool.h>

#include "base/err.h"
#include "base/strv.h"

/* expose - one word of EXPOSE: [ip:][host:]port[-port][/proto] to "port/proto" each. */

struct expose_notes {
	bool proto_case;   /* the protocol is not in lower case */
	bool host_mapping; /* an address or a host port is given */
};

/* Adds "80/tcp" and so on to *out; *notes (if not NULL) says what lint would. */
int expose_parse(const char *word, struct strv *out, struct expose_notes *notes, struct err *err);

#endif
