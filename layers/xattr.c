/* SPDX-License-Identifier: Apache-2.0 */
#include "layers/xattr.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/mem.h"

/* The same numbers on all architectures; headers older than 6.13 have no names for them. */
enum { CALL_GET = 464, CALL_LIST = 465 };

struct call_args {
	_Alignas(8) uint64_t value;
	uint32_t size;
	uint32_t flags;
};

/* What a kernel without the calls says, and a seccomp filter that does not know them. */
static bool
is_unknown_call(void)
{
	return errno == ENOSYS || errno == EPERM;
}

/* "/proc/self/fd/3/name": the l* calls do not follow the last component.  false: it does not fit.
 */
static bool
proc_path(int dir, const char *name, char path[4096])
{
	int len = snprintf(path, 4096, "/proc/self/fd/%d/%s", dir, name);

	return len > 0 && len < 4096;
}

static ssize_t
list(int dir, const char *name, char *names, size_t size)
{
	char path[4096];
	ssize_t got = syscall(CALL_LIST, dir, name, AT_SYMLINK_NOFOLLOW, names, size);

	if (got >= 0 || !is_unknown_call() || !proc_path(dir, name, path))
		return got;
	return llistxattr(path, names, size);
}

ssize_t
xattr_get(int dir, const char *name, const char *attribute, void *value, size_t size)
{
	struct call_args args = { .value = (uintptr_t)value, .size = (uint32_t)size };
	char path[4096];
	ssize_t got =
		syscall(CALL_GET, dir, name, AT_SYMLINK_NOFOLLOW, attribute, &args, sizeof args);

	if (got >= 0 || !is_unknown_call() || !proc_path(dir, name, path))
		return got;
	return lgetxattr(path, attribute, value, size);
}

bool
xattr_is_layers(const char *name)
{
	static const char *const private[] = { "user.overlay.", "user.fuseoverlayfs.",
		"user.containers.", "user.rootlesscontainers", "user.cooper." };

	if (strcmp(name, "security.capability") == 0)
		return true;
	for (size_t i = 0; i < COUNT_OF(private); i++)
		if (starts_with(name, private[i]))
			return false;
	return starts_with(name, "user.") && name[strlen("user.")] != '\0';
}

static unsigned
mark_of(int dir, const char *name, const char *attribute)
{
	const char *mark;
	char value = '\0';

	if (starts_with(attribute, "user.overlay."))
		mark = attribute + strlen("user.overlay.");
	else if (starts_with(attribute, "trusted.overlay."))
		mark = attribute + strlen("trusted.overlay.");
	else
		return 0;
	if (strcmp(mark, "opaque") == 0)
		return xattr_get(dir, name, attribute, &value, 1) == 1 && value == 'y'
			       ? XATTR_OPAQUE
			       : 0;
	if (strcmp(mark, "whiteout") == 0)
		return XATTR_WHITEOUT;
	if (strcmp(mark, "redirect") == 0 || strcmp(mark, "metacopy") == 0)
		return XATTR_REDIRECT;
	return 0;
}

static int
read_one(int dir, const char *name, const char *attribute, struct entry *e, struct err *err)
{
	AUTO(free) char *large = NULL;
	char small[256], *value = small;
	ssize_t len = xattr_get(dir, name, attribute, small, sizeof small);

	if (len < 0 && errno == ERANGE) {
		value = large = xmalloc(XATTR_VALUE_SIZE);
		len = xattr_get(dir, name, attribute, large, XATTR_VALUE_SIZE);
	}
	if (len < 0)
		return err_sys(err, "read attribute %s", attribute);
	entry_xattr_add(e, attribute, value, (size_t)len);
	return 0;
}

int
xattr_read(int dir, const char *name, struct entry *e, unsigned *marks, struct err *err)
{
	AUTO(free) char *large = NULL;
	char small[1024], *names = small;
	ssize_t len = list(dir, name, small, sizeof small);
	unsigned found = 0;

	if (len < 0 && errno == ERANGE) {
		names = large = xmalloc(XATTR_VALUE_SIZE);
		len = list(dir, name, large, XATTR_VALUE_SIZE);
	}
	if (len < 0 && errno != ENOTSUP)
		return err_sys(err, "list attributes");
	for (ssize_t at = 0; at < len; at += (ssize_t)strlen(names + at) + 1) {
		if (marks != NULL)
			found |= mark_of(dir, name, names + at);
		if (xattr_is_layers(names + at) && read_one(dir, name, names + at, e, err) < 0)
			return -1;
	}
	if (marks != NULL)
		*marks = found;
	return 0;
}
