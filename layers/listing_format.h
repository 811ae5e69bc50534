/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAYERS_LISTING_FORMAT_H
#define LAYERS_LISTING_FORMAT_H

#include "layers/listing.h"

/* listing_format - what the versions of a listing's form share. */

/* Components as those of an entry's path, and no '\0'; "" is one that has none. */
bool listing_path_is_clean(const char *path, size_t len);
/* Of version 1, which stores of earlier releases have; false: it is not that, or damaged.  *out is the
 * caller's to free in any case. */
bool listing_parse_old(const struct buf *bytes, struct listing *out);

#endif
