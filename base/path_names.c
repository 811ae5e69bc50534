/* SPDX-License-Identifier: Apache-2.0 */
#include "base/path.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>

#include "base/mem.h"

int
path_names(int dir, struct strv *out, struct err *err)
{
	/* not a duplicate, which would share its position with dir */
	AUTO(fd) int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	AUTO(strv) struct strv names = STRV_INIT;
	DIR *stream = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *d;
	int failed;

	if (stream == NULL)
		return err_sys(err, "read directory");
	(void)fd_steal(&fd); /* the stream has it */
	while ((errno = 0, d = readdir(stream)) != NULL)
		if (!streq(d->d_name, ".") && !streq(d->d_name, ".."))
			strv_add(&names, d->d_name);
	failed = errno != 0 ? err_sys(err, "read directory") : 0;
	closedir(stream);
	if (failed < 0)
		return -1;
	strv_sort(&names);
	*out = names;
	names = (struct strv)STRV_INIT;
	return 0;
}
