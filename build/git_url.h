/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BUILD_GIT_URL_H
#define BUILD_GIT_URL_H

#include <stdbool.h>

#include "base/err.h"

/* git_url - a repository, what of it, and where in it, as one text:
 *
 *	https://host/path.git#ref:subdir	https://host/path.git?branch=x&subdir=y
 *	ssh://user@host/path	git://host/path	user@host:path	(each with #ref:subdir)
 *
 * Text only.  What is given to git later can be no option of it: nothing that begins with '-', and
 * refs only of characters that git allows in their names.  A subdir has no ".." and is relative.
 * (features of BuildKit's util/gitutil) */

#define GIT_URL_MAX 8192

struct git_url {
	char *remote; /* without fragment and query of ours */
	char *ref;    /* "main", "refs/tags/v1", a commit; NULL: what HEAD is */
	char *subdir; /* "a/b"; NULL: the whole */
	char *commit; /* hex digits that the commit must begin with; NULL: any */
	bool keep_git_dir;
	bool no_submodules;
};
void git_url_free(struct git_url *g); /* its fields */

enum git_url_place { GIT_URL_SOURCE, GIT_URL_CONTEXT /* also "github.com/a/b" */ };

/* 1: *out is filled; 0: this names no repository; -1: it does, and is wrong (ERR_INPUT). */
int git_url_parse(const char *text, enum git_url_place place, struct git_url *out, struct err *err);

/* A prefix of a commit: hex digits, 7 to 64 of them. */
bool git_url_is_commit(const char *text);

#endif
