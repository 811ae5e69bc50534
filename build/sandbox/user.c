/* SPDX-License-Identifier: Apache-2.0 */
#include "build/sandbox/user.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/path.h"

/* Part of a line, between two ':'. */
struct field {
	const char *s;
	size_t len;
};

struct table {
	const char *bytes;
	size_t len;
};

/* fields wanted of a line; passwd(5) has 7, group(5) has 4 */
#define FIELDS 7

void
user_free(struct user *u)
{
	free(u->groups);
	free(u->home);
	*u = (struct user)USER_INIT;
}

void
auto_user(struct user *u)
{
	user_free(u);
}

/* The next line that is not empty, cut at ':' (missing fields are empty); false at the end. */
static bool
next_line(struct table *t, struct field fields[FIELDS])
{
	while (t->len > 0) {
		const char *end = memchr(t->bytes, '\n', t->len), *s = t->bytes;
		size_t len = end != NULL ? (size_t)(end - s) : t->len;
		size_t step = end != NULL ? len + 1 : len;

		t->bytes += step;
		t->len -= step;
		if (len == 0)
			continue;
		for (size_t i = 0; i < FIELDS; i++) {
			const char *colon = memchr(s, ':', len);
			size_t part = colon != NULL && i + 1 < FIELDS ? (size_t)(colon - s) : len;

			fields[i] = (struct field){ s, part };
			s += part;
			len -= part;
			if (len > 0) {
				s++;
				len--;
			}
		}
		return true;
	}
	return false;
}

static bool
field_is(const struct field *f, const char *s, size_t len)
{
	return f->len == len && memcmp(f->s, s, len) == 0;
}

static bool
is_digits(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (s[i] < '0' || s[i] > '9')
			return false;
	return len > 0;
}

static bool
parse_id(const char *s, size_t len, uint32_t *out)
{
	uint64_t n = 0;

	if (!is_digits(s, len))
		return false;
	for (size_t i = 0; i < len; i++) {
		n = n * 10 + (uint64_t)(s[i] - '0');
		if (n > USER_ID_MAX)
			return false;
	}
	*out = (uint32_t)n;
	return true;
}

/* "00x0", "-1" and "1.5" are not names that anybody means: what starts like a number is one */
static bool
looks_numeric(const char *s, size_t len)
{
	return len > 0 && ((s[0] >= '0' && s[0] <= '9') || s[0] == '-' || s[0] == '+');
}

static int
bad_id(const char *what, const char *s, size_t len, struct err *err)
{
	return err_set(err, ERR_INPUT, "%s id '%.*s' is not between 0 and %u", what,
		(int)(len < 200 ? len : 200), s, USER_ID_MAX);
}

static int
find_user(struct table passwd, const char *s, size_t len, struct user *u, struct field *name,
	struct err *err)
{
	struct field f[FIELDS];
	uint32_t id = 0, line_id, line_gid;
	bool is_number = parse_id(s, len, &id);

	/* a name wins over a number, should somebody be called "1000" */
	for (int by_number = 0; by_number <= (is_number ? 1 : 0); by_number++)
		for (struct table t = passwd; next_line(&t, f);) {
			if (!parse_id(f[2].s, f[2].len, &line_id) ||
				!parse_id(f[3].s, f[3].len, &line_gid))
				continue;
			if (by_number ? line_id != id : !field_is(&f[0], s, len))
				continue;
			u->uid = line_id;
			u->gid = line_gid;
			if (f[5].len > 0) {
				free(u->home);
				u->home = xstrndup(f[5].s, f[5].len);
			}
			*name = f[0];
			return 0;
		}
	if (is_number) {
		u->uid = id;
		return 0;
	}
	if (looks_numeric(s, len))
		return bad_id("user", s, len, err);
	return err_set(err, ERR_INPUT, "user '%.*s' is not in the root's /etc/passwd",
		(int)(len < 200 ? len : 200), s);
}

static int
find_group(struct table group, const char *s, size_t len, uint32_t *gid, struct err *err)
{
	struct field f[FIELDS];
	uint32_t id;

	for (struct table t = group; next_line(&t, f);)
		if (field_is(&f[0], s, len) && parse_id(f[2].s, f[2].len, &id)) {
			*gid = id;
			return 0;
		}
	if (parse_id(s, len, gid))
		return 0;
	if (looks_numeric(s, len))
		return bad_id("group", s, len, err);
	return err_set(err, ERR_INPUT, "group '%.*s' is not in the root's /etc/group",
		(int)(len < 200 ? len : 200), s);
}

static void
add_group(struct user *u, size_t *room, uint32_t gid)
{
	/* the kernel takes duplicates; a stranger's file may list more groups than can be compared
	 * with each other in good time */
	for (size_t i = 0; i < u->group_count && i < 64; i++)
		if (u->groups[i] == gid)
			return;
	if (u->group_count == USER_GROUPS_MAX)
		return;
	u->groups = grow(u->groups, u->group_count, room, sizeof *u->groups);
	u->groups[u->group_count++] = gid;
}

static bool
lists(const struct field *members, const struct field *name)
{
	const char *s = members->s, *end = s + members->len;

	while (s < end) {
		const char *comma = memchr(s, ',', (size_t)(end - s));
		size_t len = (size_t)((comma != NULL ? comma : end) - s);

		if (field_is(name, s, len))
			return true;
		s += len + 1;
	}
	return false;
}

static void
find_groups(struct table group, const struct field *name, struct user *u)
{
	struct field f[FIELDS];
	size_t room = 0;
	uint32_t id;

	add_group(u, &room, u->gid);
	while (next_line(&group, f))
		if (lists(&f[3], name) && parse_id(f[2].s, f[2].len, &id))
			add_group(u, &room, id);
}

int
user_find_in(const char *passwd, size_t passwd_len, const char *group, size_t group_len,
	const char *spec, struct user *out, struct err *err)
{
	AUTO(user) struct user u = USER_INIT;
	struct table passwds = { passwd, passwd_len }, groups = { group, group_len };
	struct field name = { NULL, 0 };
	const char *colon = strchr(spec, ':');
	size_t len = colon != NULL ? (size_t)(colon - spec) : strlen(spec);
	size_t room = 0;

	if (*spec == '\0') {
		spec = "0";
		len = 1;
	}
	if (len == 0 || (colon != NULL && colon[1] == '\0'))
		return err_set(err, ERR_INPUT, "user '%s' has nothing %s its ':'", spec,
			len == 0 ? "before" : "after");
	if (find_user(passwds, spec, len, &u, &name, err) < 0)
		return -1;
	if (colon != NULL) {
		if (find_group(groups, colon + 1, strlen(colon + 1), &u.gid, err) < 0)
			return -1;
		add_group(&u, &room, u.gid);
	} else if (name.len > 0) {
		find_groups(groups, &name, &u);
	}
	if (u.home == NULL)
		u.home = xstrdup("/");
	user_free(out);
	*out = u;
	u = (struct user)USER_INIT;
	return 0;
}

/* A missing file is an empty one. */
static int
read_table(int root, const char *path, struct buf *out, struct err *err)
{
	/* a fifo must not make us wait */
	AUTO(fd) int fd = path_open(root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
	struct stat st;

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(err, "/%s", path);
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_INPUT, "/%s in the root is not a regular file", path);
	if (st.st_size > USER_FILE_MAX)
		return err_set(err, ERR_INPUT, "/%s in the root is larger than %d bytes", path,
			USER_FILE_MAX);
	if (buf_read(out, fd, USER_FILE_MAX, err) < 0)
		return err_in(err, "/%s", path);
	return 0;
}

int
user_find(int root, const char *spec, struct user *out, struct err *err)
{
	AUTO(buf) struct buf passwd = BUF_INIT;
	AUTO(buf) struct buf group = BUF_INIT;

	if (read_table(root, "etc/passwd", &passwd, err) < 0 ||
		read_table(root, "etc/group", &group, err) < 0)
		return -1;
	return user_find_in(passwd.data, passwd.len, group.data, group.len, spec, out, err);
}
