/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/sweep.h"

int
sweep(const char *root, const struct gc_options *o, struct gc_result *out, struct err *err)
{
	AUTO(store) struct store *store = NULL;
	struct gc_result result;

	if (store_open(root, &store, err) < 0 || store_gc(store, o, &result, err) < 0)
		return -1;
	if (out != NULL)
		*out = result;
	return 0;
}
