/* SPDX-License-Identifier: Apache-2.0 */
#include "build/trash.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/path.h"
#include "base/strv.h"
#include "build/sandbox/ids.h"

struct emptying {
	int trash;
	const struct strv *names;
};

/* What is left afterwards are the directories that the namespace's root does not own. */
static int
empty(void *arg, json_t **result, struct err *err)
{
	struct emptying *e = arg;

	(void)result;
	for (size_t i = 0; i < e->names->count; i++) {
		AUTO(fd)
		int dir = openat(e->trash, e->names->items[i],
			O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		AUTO(strv) struct strv inside = STRV_INIT;

		if (dir < 0 || path_names(dir, &inside, err) < 0)
			continue;
		for (size_t k = 0; k < inside.count; k++)
			if (path_remove(dir, inside.items[k], err) < 0)
				return -1;
	}
	return 0;
}

int
trash_empty(struct store *store, int userns_fd, struct err *err)
{
	AUTO(fd) int trash = store_trash_open(store, err);
	AUTO(fd) int own = -1;
	AUTO(strv) struct strv names = STRV_INIT;
	AUTO(json) json_t *nothing = NULL;
	struct emptying e = { .trash = trash, .names = &names };
	const struct worker_job job = { .name = "prune", .run = empty, .arg = &e };
	struct err inside = { .kind = ERR_NONE };
	struct ids ids;

	if (trash < 0)
		return -1;
	if (path_names(trash, &names, err) < 0)
		return err_in(err, "the trash");
	if (names.count == 0)
		return 0;
	if (userns_fd < 0) {
		if (ids_setup(&ids, &own, err) < 0)
			return -1;
		userns_fd = own;
	}
	/* inside what a box's ids own, then outside what is ours */
	(void)ids_call(userns_fd, &job, &nothing, &inside);
	for (size_t i = 0; i < names.count; i++)
		if (path_remove(trash, names.items[i], err) < 0) {
			if (inside.kind != ERR_NONE)
				*err = inside; /* nearer to the cause */
			return -1;
		}
	return 0;
}
