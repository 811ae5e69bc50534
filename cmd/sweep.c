/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/sweep.h"

#include "base/event.h"
#include "base/mem.h"
#include "build/trash.h"

int
sweep(const char *root, const struct gc_options *o, struct gc_result *out, struct err *err)
{
	AUTO(store) struct store *store = NULL;
	struct gc_result result;
	struct err left = { .kind = ERR_NONE };

	if (store_open(root, &store, err) < 0 || store_gc(store, o, &result, err) < 0)
		return -1;
	/* what stays there for now is tried again by the next one */
	if (result.trash_left > 0 && !o->dry_run && trash_empty(store, -1, &left) < 0)
		event_warn("some files of removed trees could not be deleted: %s", left.msg);
	if (out != NULL)
		*out = result;
	return 0;
}
