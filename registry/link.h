/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REGISTRY_LINK_H
#define REGISTRY_LINK_H

#include "base/buf.h"

/* link - where the next page is. (RFC 8288: any number of <target> with parameters) */

/* Appends the target of the first link with rel=next; 1: there is one, 0: there is none. */
int link_next(const char *header, struct buf *out);

#endif
