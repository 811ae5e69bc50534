/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DOCKERFILE_MODE_H
#define DOCKERFILE_MODE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"

/* mode - the value of --chmod: octal 0 to 7777, or symbolic as chmod(1) of the BSDs has it, with a
 * umask of 0: "u=rwX,go=rX", "+x", "g=u", "a-w,u+s".  X asks the bits that were there before. */

#define MODE_CHANGES_MAX 128

struct mode_change {
	char op;     /* + - = : bits of who; X: bits, if it is a directory or had any x */
	char copy;   /* u g o: bits are those this class has now; 0: bits */
	mode_t who;  /* what may be touched */
	mode_t bits;
};

struct mode {
	bool is_octal;
	mode_t octal;
	struct mode_change changes[MODE_CHANGES_MAX];
	size_t count;
};

/* ERR_INPUT: "invalid chmod parameter: '999'. it should be octal string and between 0 and 07777". */
int mode_parse(const char *text, struct mode *out, struct err *err);
/* The permission bits (07777) that an entry with these bits gets. */
mode_t mode_apply(const struct mode *m, mode_t bits, bool is_dir);

#endif
