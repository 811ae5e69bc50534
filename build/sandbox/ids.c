/* SPDX-License-Identifier: Apache-2.0 */
#include "build/sandbox/ids.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/strv.h"

/* the last id is -1, which means "none" */
#define ID_LAST (UINT32_MAX - 1)

struct line {
	const char *s;
	size_t len;
};

static bool
next_line(struct line *rest, struct line *out)
{
	const char *end;

	if (rest->len == 0)
		return false;
	end = memchr(rest->s, '\n', rest->len);
	out->s = rest->s;
	out->len = end != NULL ? (size_t)(end - rest->s) : rest->len;
	rest->s += out->len;
	rest->len -= out->len;
	if (rest->len > 0) {
		rest->s++;
		rest->len--;
	}
	return true;
}

/* Up to the next ':', which is skipped. */
static struct line
next_field(struct line *line)
{
	const char *colon = memchr(line->s, ':', line->len);
	struct line out = { line->s, colon != NULL ? (size_t)(colon - line->s) : line->len };
	size_t step = colon != NULL ? out.len + 1 : out.len;

	line->s += step;
	line->len -= step;
	return out;
}

static bool
parse_number(const struct line *f, uint64_t *out)
{
	uint64_t n = 0;

	if (f->len == 0 || f->len > 10)
		return false;
	for (size_t i = 0; i < f->len; i++) {
		if (f->s[i] < '0' || f->s[i] > '9')
			return false;
		n = n * 10 + (uint64_t)(f->s[i] - '0');
	}
	*out = n;
	return true;
}

static bool
line_is(const struct line *f, const char *s)
{
	return s != NULL && f->len == strlen(s) && memcmp(f->s, s, f->len) == 0;
}

static int
add_range(struct ids_map *map, uint64_t start, uint64_t count, uint32_t own, uint32_t *next,
	struct err *err)
{
	unsigned long long a = start, b = start + count - 1;

	if (count == 0 || b > ID_LAST)
		return err_set(err, ERR_INPUT,
			"the range %llu, %llu ids long, ends past the last id", a,
			(unsigned long long)count);
	if (start == 0 && own != 0)
		return err_set(err, ERR_INPUT, "the range %llu-%llu holds root's own id", a, b);
	if (own >= start && own <= b)
		return err_set(err, ERR_INPUT, "the range %llu-%llu holds this user's own id %u", a,
			b, own);
	for (size_t i = 0; i < map->count; i++) {
		const struct ids_row *row = &map->rows[i];

		if (start < (uint64_t)row->outside + row->count && row->outside <= b)
			return err_set(
				err, ERR_INPUT, "the range %llu-%llu overlaps another one", a, b);
	}
	if (map->count == IDS_ROWS_MAX - 1)
		return err_set(err, ERR_INPUT, "there are more than %d ranges", IDS_ROWS_MAX - 1);
	/* more ids than there are numbers for: the rest is not needed */
	if (count > ID_LAST - *next)
		count = ID_LAST - *next;
	if (count == 0)
		return 0;
	map->rows[map->count++] = (struct ids_row){ *next, (uint32_t)start, (uint32_t)count };
	*next += (uint32_t)count;
	return 0;
}

int
ids_parse(const char *bytes, size_t len, const struct ids_owner *who, uint32_t first,
	struct ids_map *out, struct err *err)
{
	struct line rest = { bytes, len }, line;
	struct ids_map map = { .count = 0 };
	char number[16];
	uint32_t next = first;

	snprintf(number, sizeof number, "%u", who->uid);
	for (size_t lines = 1; next_line(&rest, &line); lines++) {
		struct line owner = next_field(&line), a = next_field(&line), b = line;
		uint64_t start, count;

		if (!line_is(&owner, who->name) && !line_is(&owner, number))
			continue;
		if (!parse_number(&a, &start) || !parse_number(&b, &count))
			return err_set(err, ERR_INPUT,
				"line %zu is not of the form user:start:count", lines);
		if (add_range(&map, start, count, who->own, &next, err) < 0)
			return err_in(err, "line %zu", lines);
	}
	*out = map;
	return 0;
}

uint32_t
ids_outside(const struct ids_map *map, uint32_t inside)
{
	for (size_t i = 0; i < map->count; i++)
		if (inside >= map->rows[i].inside &&
			inside - map->rows[i].inside < map->rows[i].count)
			return map->rows[i].outside + (inside - map->rows[i].inside);
	return UINT32_MAX;
}

uint32_t
ids_inside(const struct ids_map *map, uint32_t outside)
{
	for (size_t i = 0; i < map->count; i++)
		if (outside >= map->rows[i].outside &&
			outside - map->rows[i].outside < map->rows[i].count)
			return map->rows[i].inside + (outside - map->rows[i].outside);
	return UINT32_MAX;
}

int
ids_check_owners(
	const struct ids_map *map, const char *bytes, size_t len, uint32_t own, struct err *err)
{
	struct line rest = { bytes, len }, line;

	while (next_line(&rest, &line)) {
		struct line name = next_field(&line), id;
		uint64_t n;

		(void)next_field(&line);
		id = next_field(&line);
		if (!parse_number(&id, &n) || n > ID_LAST || n == own)
			continue;
		if (ids_inside(map, (uint32_t)n) != UINT32_MAX)
			return err_set(err, ERR_INPUT,
				"a range holds %llu, the own id of '%.*s': a box would own their "
				"files",
				(unsigned long long)n, (int)(name.len < 64 ? name.len : 64),
				name.s);
	}
	return 0;
}

void
ids_find_one(struct ids *out)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();

	*out = (struct ids){
		.uids = { .rows = { { 0, uid, 1 } }, .count = 1 },
		.gids = { .rows = { { 0, gid, 1 } }, .count = 1 },
		.root_uid = uid,
		.root_gid = gid,
		.is_single = true,
	};
}

static int
read_ranges(const char *path, const char *owners, const struct ids_owner *who, struct ids_map *out,
	struct err *err)
{
	AUTO(buf) struct buf text = BUF_INIT;
	AUTO(buf) struct buf users = BUF_INIT;
	struct ids_map map;

	if (file_read(AT_FDCWD, path, IDS_FILE_MAX, &text, err) < 0) {
		if (err->kind != ERR_NOTFOUND && err->kind != ERR_DENIED)
			return -1;
		out->count = 0;
		return 0;
	}
	if (ids_parse(text.data, text.len, who, who->uid == 0 ? 0 : 1, &map, err) < 0)
		return err_in(err, "%s", path);
	if (map.count > 0 && file_read(AT_FDCWD, owners, IDS_FILE_MAX, &users, err) == 0 &&
		ids_check_owners(&map, users.data, users.len, who->own, err) < 0)
		return err_in(err, "%s", path);
	*out = map;
	return 0;
}

/* Rows of /proc/self/uid_map: which ids there are at all. */
static int
read_map(const char *path, struct ids_map *out, struct err *err)
{
	AUTO(buf) struct buf text = BUF_INIT;
	struct ids_map map = { .count = 0 };
	const char *s;
	int used;

	if (file_read(AT_FDCWD, path, IDS_FILE_MAX, &text, err) < 0)
		return -1;
	s = text.data;
	while (map.count < IDS_ROWS_MAX) {
		struct ids_row *row = &map.rows[map.count];

		if (sscanf(s, "%u %u %u%n", &row->inside, &row->outside, &row->count, &used) != 3)
			break;
		/* within this namespace an id is itself */
		row->outside = row->inside;
		map.count++;
		s += used;
	}
	if (map.count == 0)
		return err_set(err, ERR_DENIED, "%s is empty: this process has no ids", path);
	*out = map;
	return 0;
}

static bool
holds_high(const struct ids_map *map)
{
	for (size_t i = 0; i < map->count; i++)
		if (map->rows[i].inside <= IDS_HIGH_START &&
			map->rows[i].count - (IDS_HIGH_START - map->rows[i].inside) >=
				IDS_HIGH_COUNT &&
			map->rows[i].count > IDS_HIGH_START - map->rows[i].inside)
			return true;
	return false;
}

static bool
has_capability(unsigned cap)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2];

	return syscall(SYS_capget, &header, data) == 0 &&
	       (data[cap / 32].effective >> (cap % 32) & 1) != 0;
}

static void
set_maps(struct ids *ids, const struct ids_map *uids, const struct ids_map *gids)
{
	*ids = (struct ids){ .uids = *uids, .gids = *gids };
	ids->root_uid = ids_outside(uids, 0);
	ids->root_gid = ids_outside(gids, 0);
}

static int
find_as_root(
	const struct ids_map *uids, const struct ids_map *gids, struct ids *out, struct err *err)
{
	const struct ids_map high = {
		.rows = { { 0, IDS_HIGH_START, IDS_HIGH_COUNT } },
		.count = 1,
	};
	struct ids_map all_uids, all_gids;

	if (!has_capability(CAP_SETUID) || !has_capability(CAP_SETGID)) {
		ids_find_one(out);
		snprintf(out->reason, sizeof out->reason,
			"root has no CAP_SETUID and CAP_SETGID here");
		return 0;
	}
	if (uids->count > 0 && gids->count > 0) {
		set_maps(out, uids, gids);
		return 0;
	}
	if (read_map("/proc/self/uid_map", &all_uids, err) < 0 ||
		read_map("/proc/self/gid_map", &all_gids, err) < 0)
		return -1;
	if (holds_high(&all_uids) && holds_high(&all_gids)) {
		set_maps(out, &high, &high);
		return 0;
	}
	if (!has_capability(CAP_SETFCAP)) {
		ids_find_one(out);
		snprintf(out->reason, sizeof out->reason, "root has no CAP_SETFCAP here");
		return 0;
	}
	set_maps(out, &all_uids, &all_gids);
	snprintf(out->reason, sizeof out->reason,
		"there are no ids but this container's own: root in a box is root of the "
		"container");
	return 0;
}

/* Does the program exist, somewhere in PATH? */
static bool
has_program(const char *name)
{
	const char *path = getenv("PATH");
	AUTO(strv) struct strv dirs = STRV_INIT;

	strv_split(&dirs, path != NULL ? path : "/usr/bin:/bin", ":");
	for (size_t i = 0; i < dirs.count; i++) {
		AUTO(free) char *full = xasprintf("%s/%s", dirs.items[i], name);

		if (faccessat(AT_FDCWD, full, X_OK, 0) == 0)
			return true;
	}
	return false;
}

static const char *
why_not(const struct ids_map *uids, const struct ids_map *gids)
{
	if (uids->count == 0 || gids->count == 0)
		return "this user has no range in /etc/subuid and /etc/subgid; as root: "
		       "usermod --add-subuids 100000-165535 --add-subgids 100000-165535 USER";
	if (!has_program("newuidmap") || !has_program("newgidmap"))
		return "newuidmap and newgidmap are not installed (Debian: apt install uidmap)";
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1)
		return "no_new_privs is set, which disarms newuidmap; start without it "
		       "(Kubernetes: allowPrivilegeEscalation: true)";
	return NULL;
}

static void
prepend(struct ids_map *map, uint32_t own)
{
	memmove(map->rows + 1, map->rows, map->count * sizeof map->rows[0]);
	map->rows[0] = (struct ids_row){ 0, own, 1 };
	map->count++;
}

int
ids_find(struct ids *out, struct err *err)
{
	struct ids_map uids, gids;
	uid_t uid = geteuid();
	const struct passwd *pw = getpwuid(uid);
	const struct ids_owner user = { pw != NULL ? pw->pw_name : NULL, uid, uid };
	const struct ids_owner group = { user.name, uid, getegid() };
	const char *why;

	if (read_ranges("/etc/subuid", "/etc/passwd", &user, &uids, err) < 0 ||
		read_ranges("/etc/subgid", "/etc/group", &group, &gids, err) < 0)
		return -1;
	if (uid == 0)
		return find_as_root(&uids, &gids, out, err);
	why = why_not(&uids, &gids);
	if (why != NULL) {
		ids_find_one(out);
		snprintf(out->reason, sizeof out->reason, "%s", why);
		return 0;
	}
	prepend(&uids, uid);
	prepend(&gids, getegid());
	set_maps(out, &uids, &gids);
	out->needs_helper = true;
	return 0;
}
