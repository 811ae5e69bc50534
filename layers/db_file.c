/* SPDX-License-Identifier: Apache-2.0 */
#include "layers/db_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/event.h"
#include "base/mem.h"
#include "layers/store_local.h"

int
db_file_set_aside(int root, struct err *err)
{
	static const char *const suffixes[] = { "-shm", "-wal", "" };
	char mark[STORE_ID_SIZE];

	store_id_new(mark);
	for (size_t i = 0; i < COUNT_OF(suffixes); i++) {
		char from[64];
		char to[96];

		snprintf(from, sizeof from, DB_FILE_NAME "%s", suffixes[i]);
		snprintf(to, sizeof to, "quarantine/" DB_FILE_NAME ".%.8s%s", mark, suffixes[i]);
		if (renameat(root, from, root, to) < 0 && errno != ENOENT)
			return err_sys(err, "move the damaged database aside");
	}
	event_warn("the store's database was damaged: it is in quarantine/" DB_FILE_NAME
		   ".%.8s, and a new one was begun",
		mark);
	return 0;
}

/* Only the WAL: without one each commit is synced, and to close a second descriptor of the database
 * itself would give up SQLite's locks on it. */
int
db_file_sync(int root, struct err *err)
{
	AUTO(fd) int fd = openat(root, DB_FILE_NAME "-wal", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd >= 0 && fdatasync(fd) < 0)
		return err_sys(err, "sync the database");
	return 0;
}
