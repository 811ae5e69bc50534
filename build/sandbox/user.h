/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BUILD_SANDBOX_USER_H
#define BUILD_SANDBOX_USER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

/* user - who a USER or --chown means, by the root's own /etc/passwd and /etc/group.
 *
 * The files are strangers': opened beneath the root, regular files only, at most USER_FILE_MAX bytes,
 * and read line by line.  Numbers are 0 to 2147483647 in decimal, and nothing but digits. */

#define USER_FILE_MAX 10485760
#define USER_ID_MAX 2147483647u
/* what setgroups(2) takes */
#define USER_GROUPS_MAX 65536

struct user {
	uint32_t uid, gid;
	uint32_t *groups; /* supplementary; owned */
	size_t group_count;
	char *home; /* owned; "/" for who has none */
};
#define USER_INIT { .uid = 0 }

void user_free(struct user *u);
void auto_user(struct user *u);

/* root: descriptor of the root's top directory.  spec: "", "name", "uid", "name:group", "uid:gid", and
 * mixed.  "" is 0:0.
 *  name: must be there; its gid; groups that list it, and its own gid, are supplementary
 *  uid: as the name, if there is a line for it; else gid 0, no groups, home "/"
 *  with a group: that gid, no supplementary groups but it
 * ERR_INPUT: "user 'x' is not in /etc/passwd", "user id '4294967296' is not between 0 and 2147483647". */
int user_find(int root, const char *spec, struct user *out, struct err *err);

/* The same from bytes, for tables and fuzzers. */
int user_find_in(const char *passwd, size_t passwd_len, const char *group, size_t group_len,
	const char *spec, struct user *out, struct err *err);

#endif
