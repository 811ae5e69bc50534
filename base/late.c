/* SPDX-License-Identifier: Apache-2.0 */
#include "base/late.h"

#include <dlfcn.h>
#include <stddef.h>

void *
late_find(const char *library, const char *function)
{
	/* the loader remembers: a second time this takes about a microsecond */
	void *loaded = dlopen(library, RTLD_LAZY | RTLD_LOCAL);

	return loaded == NULL ? NULL : dlsym(loaded, function);
}
