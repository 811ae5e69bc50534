/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/sweep.h"

#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/event.h"
#include "base/mem.h"
#include "base/path.h"
#include "build/sandbox/ids.h"

/* In the user namespace, where all ids of a box are ours. */
static int
trash_body(void *arg, json_t **result, struct err *err)
{
	AUTO(fd) int trash = store_trash_open(arg, err);
	AUTO(strv) struct strv names = STRV_INIT;
	struct dirent *d;
	DIR *dir;

	(void)result;
	if (trash < 0)
		return -1;
	dir = fdopendir(dup(trash));
	if (dir == NULL)
		return err_sys(err, "read the trash");
	while ((d = readdir(dir)) != NULL)
		if (!streq(d->d_name, ".") && !streq(d->d_name, ".."))
			strv_add(&names, d->d_name);
	closedir(dir);
	for (size_t i = 0; i < names.count; i++)
		if (path_remove(trash, names.items[i], err) < 0)
			return -1;
	return 0;
}

static int
trash_empty(struct store *store, struct err *err)
{
	const struct worker_job work = { .name = "prune", .run = trash_body, .arg = store };
	AUTO(free) struct ids *ids = xzalloc(sizeof *ids);
	AUTO(fd) int userns = -1;
	AUTO(json) json_t *result = NULL;

	if (ids_find(ids, err) < 0 || ids_open(ids, &userns, err) < 0)
		return -1;
	return ids_call(userns, &work, &result, err);
}

int
sweep(const char *root, const struct gc_options *o, struct gc_result *out, struct err *err)
{
	AUTO(store) struct store *store = NULL;
	struct gc_result result;
	struct err left = { .kind = ERR_NONE };

	if (store_open(root, &store, err) < 0 || store_gc(store, o, &result, err) < 0)
		return -1;
	/* what stays there for now is tried again by the next one */
	if (result.trash_left > 0 && !o->dry_run && trash_empty(store, &left) < 0)
		event_warn("some files of removed trees could not be deleted: %s", left.msg);
	if (out != NULL)
		*out = result;
	return 0;
}
