/* SPDX-License-Identifier: Apache-2.0 */
#include "build/sandbox/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/resource.h>

#include "base/file.h"
#include "base/mem.h"

static const struct name {
	const char *name;
	int resource;
} names[] = {
	{ "core", RLIMIT_CORE },
	{ "cpu", RLIMIT_CPU },
	{ "data", RLIMIT_DATA },
	{ "fsize", RLIMIT_FSIZE },
	{ "locks", RLIMIT_LOCKS },
	{ "memlock", RLIMIT_MEMLOCK },
	{ "msgqueue", RLIMIT_MSGQUEUE },
	{ "nice", RLIMIT_NICE },
	{ "nofile", RLIMIT_NOFILE },
	{ "nproc", RLIMIT_NPROC },
	{ "rss", RLIMIT_RSS },
	{ "rtprio", RLIMIT_RTPRIO },
	{ "rttime", RLIMIT_RTTIME },
	{ "sigpending", RLIMIT_SIGPENDING },
	{ "stack", RLIMIT_STACK },
	{ "as", RLIMIT_AS },
};

static const char *
name_of(int resource)
{
	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (names[i].resource == resource)
			return names[i].name;
	return "?";
}

/* A number up to its end or ':', "-1" or "unlimited"; NULL if it is none of these. */
static const char *
parse_value(const char *s, uint64_t *out)
{
	static const char *const words[] = { "unlimited", "-1" };
	uint64_t n = 0;

	for (size_t i = 0; i < COUNT_OF(words); i++)
		if (starts_with(s, words[i])) {
			*out = RLIM_INFINITY;
			return s + strlen(words[i]);
		}
	if (*s < '0' || *s > '9')
		return NULL;
	for (; *s >= '0' && *s <= '9'; s++)
		if (__builtin_mul_overflow(n, 10u, &n) ||
			__builtin_add_overflow(n, (uint64_t)(*s - '0'), &n))
			return NULL;
	*out = n;
	return s;
}

static int
parse(const char *text, struct limits_row *row)
{
	size_t len = strcspn(text, "=");
	const char *s;

	for (size_t i = 0;; i++) {
		if (i == COUNT_OF(names))
			return -1;
		if (strlen(names[i].name) == len && memcmp(names[i].name, text, len) == 0) {
			row->resource = names[i].resource;
			break;
		}
	}
	if (text[len] == '\0' || (s = parse_value(text + len + 1, &row->soft)) == NULL)
		return -1;
	row->hard = row->soft;
	if (*s == ':' && (s = parse_value(s + 1, &row->hard)) == NULL)
		return -1;
	return *s == '\0' && row->soft <= row->hard ? 0 : -1;
}

int
limits_add(struct limits *l, const char *text, struct err *err)
{
	struct limits_row row;
	size_t i = 0;

	if (parse(text, &row) < 0)
		return err_set(err, ERR_INPUT,
			"ulimit '%s' is not NAME=SOFT[:HARD] with SOFT up to HARD and a NAME such "
			"as "
			"nofile, nproc, core, memlock or stack",
			text);
	while (i < l->count && l->rows[i].resource != row.resource)
		i++;
	l->rows[i] = row;
	if (i == l->count)
		l->count++;
	return 0;
}

static bool
has(const struct limits *l, int resource)
{
	for (size_t i = 0; l != NULL && i < l->count; i++)
		if (l->rows[i].resource == resource)
			return true;
	return false;
}

int
limits_apply(const struct limits *l, struct err *err)
{
	struct rlimit now;

	/* a core file of something that held secrets would be left in the layer */
	if (!has(l, RLIMIT_CORE) && setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 }) < 0)
		return err_sys(err, "turn core dumps off");
	if (!has(l, RLIMIT_NOFILE) && getrlimit(RLIMIT_NOFILE, &now) == 0 &&
		now.rlim_cur > LIMITS_FILES_SOFT) {
		now.rlim_cur = LIMITS_FILES_SOFT;
		if (setrlimit(RLIMIT_NOFILE, &now) < 0)
			return err_sys(err, "limit open files");
	}
	for (size_t i = 0; l != NULL && i < l->count; i++) {
		const struct limits_row *row = &l->rows[i];

		if (setrlimit(row->resource, &(struct rlimit){ row->soft, row->hard }) == 0)
			continue;
		if (errno == EPERM && getrlimit(row->resource, &now) == 0)
			return err_set(err, ERR_DENIED,
				"ulimit %s=%llu:%llu is above this user's hard limit, which is "
				"%llu",
				name_of(row->resource), (unsigned long long)row->soft,
				(unsigned long long)row->hard, (unsigned long long)now.rlim_max);
		return err_sys(err, "ulimit %s", name_of(row->resource));
	}
	return 0;
}

uint64_t
limits_oom_kills(void)
{
	AUTO(fd) int fd = open("/proc/vmstat", O_RDONLY | O_CLOEXEC);
	char text[16384];
	ssize_t len = fd < 0 ? -1 : fd_read(fd, text, sizeof text - 1);
	const char *row;
	uint64_t kills = 0;

	if (len < 0)
		return 0;
	text[len] = '\0';
	row = strstr(text, "\noom_kill ");
	if (row != NULL)
		(void)parse_value(row + strlen("\noom_kill "), &kills);
	return kills;
}
