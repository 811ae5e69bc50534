/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DOCKERFILE_MODE_H
#define DOCKERFILE_MODE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"

/* mode - the value of --chmod: octal 0 to 7777, or symbolic as chmod(1) has it, with a umask of 0:
 * "u=rwX,go=rX", "+x", "g=u", "a-w,u+s". */

#define MODE_CLAUSES_MAX 64

struct mode_clause {
	unsigned char who;  /* bits 4 u, 2 g, 1 o; 0: none was said, which is all */
	char op;            /* + - = */
	unsigned char perm; /* bits 4 r, 2 w, 1 x, 8 X, 16 s, 32 t */
	char copy;          /* u, g, o: the permissions of these; 0: perm */
};

struct mode {
	bool is_octal;
	mode_t octal;
	struct mode_clause clauses[MODE_CLAUSES_MAX];
	size_t count;
};

/* ERR_INPUT: "invalid chmod parameter: '999'. it should be octal string and between 0 and 07777". */
int mode_parse(const char *text, struct mode *out, struct err *err);
/* The permission bits (07777) that an entry with these bits gets. */
mode_t mode_apply(const struct mode *m, mode_t bits, bool is_dir);

#endif
