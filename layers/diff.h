/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAYERS_DIFF_H
#define LAYERS_DIFF_H

#include "base/err.h"
#include "base/strv.h"
#include "layers/listing.h"
#include "layers/ownership.h"
#include "layers/view.h"

/* diff - an overlay's upper directory as the entries of a layer.
 *
 * What overlay marks (by user.overlay.* or trusted.overlay.*) is checked against what is below: a WHITEOUT
 * only for a path that the lower layers have, an OPAQUE only for a directory that they have, because
 * overlay marks every new directory as opaque.  Run it where the upper's owners are mapped.
 *
 * lower: NULL when there is nothing below.
 * leave_out (may be NULL): entry paths of mount points that were made for a box.  They are left out, and so
 * is a directory that is in the upper only because one was made in it: new and otherwise empty, or the
 * same as below but for its time.  A directory in the list that holds something else stays.
 *
 * owners: as in tree.h; NULL where the file system knows them.
 *
 * ERR_CORRUPT where overlay's redirects or metacopies are found: such an upper does not hold its files. */
int diff_upper(int upper, const struct view *lower, const struct strv *leave_out,
	const struct owners *owners, struct listing *out, struct err *err);

#endif
