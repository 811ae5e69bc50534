/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BUILD_FETCH_H
#define BUILD_FETCH_H

#include <stdbool.h>

#include "base/err.h"
#include "base/json.h"
#include "base/strv.h"
#include "build/git_url.h"
#include "layers/digest.h"
#include "registry/session.h"
#include "registry/url.h"

/* fetch - what ADD and contexts name that lies elsewhere, brought into a directory of ours: a file by
 * http(s), a tar archive by http(s), a git checkout.
 *
 * http: at most FETCH_REDIRECTS_MAX redirects, never from https to http, never further inside a network
 * than the first address was (registry/policy.h).  git: the program, with an environment of ours, no
 * hooks, no configuration but ours, protocols https, http, ssh and git. */

#define FETCH_REDIRECTS_MAX 10
#define FETCH_SIZE_MAX (UINT64_C(1) << 36) /* bytes of one file */
#define FETCH_GIT_MS 1800000u              /* one call of git */

enum fetch_kind {
	FETCH_FILE,    /* ADD: the file `name`, 0600, its mtime Last-Modified (else 0) */
	FETCH_CONTEXT, /* a tar archive, unpacked; else a Dockerfile, as that */
	FETCH_GIT,     /* the files of a commit, 0644 or 0755, with its time */
};

struct fetch {
	enum fetch_kind kind;
	char *shown;    /* for messages and names of steps: without secrets */
	struct url url; /* FILE, CONTEXT */
	char *name;     /* FILE */
	char *checksum; /* FILE: a digest; NULL: any */
	struct git_url git;
};
void fetch_free(struct fetch *f); /* NULL is fine */
void auto_fetch(struct fetch **f);

/* A source of ADD; 1, 0: it is no address; -1: it is none that can be fetched. */
int fetch_of_source(const char *text, struct fetch **out, struct err *err);
/* A build context, the main one or a named one; likewise. */
int fetch_of_context(const char *text, struct fetch **out, struct err *err);
bool fetch_same(const struct fetch *a, const struct fetch *b);

/* What tells one thing fetched from another: a JSON object, "commit" and "ref" of git; "address" (a digest),
 * "digest", "size", and "etag" or "modified" of http. */

/* What a worker is given: it fills dir, which is empty and ours; scratch is another such. */
struct fetch_job {
	const struct fetch *fetch;
	const struct session_options *session;
	const struct strv *secrets; /* --secret; NULL: none */
	const struct strv *ssh;     /* --ssh, sockets only: git takes that of "default"; NULL: none */
	const json_t *known;        /* facts of what was fetched before, the latest first; NULL: none */
	int dir, scratch;
};
/* worker_job.run; arg is a struct fetch_job.  The result is the facts of what came, or {"same": n} when what
 * is known at n is what there is: then dir has nothing of use.
 *
 * Secrets: HTTP_AUTH_TOKEN_<host> and HTTP_AUTH_HEADER_<host> (no port) for http;
 * GIT_AUTH_HEADER.<host[:port]>, GIT_AUTH_TOKEN.<host[:port]>, and for https GIT_AUTH_HEADER and
 * GIT_AUTH_TOKEN for git.  They go to the origin that was named, and are in no argument of git's. */
int fetch_run(void *arg, json_t **result, struct err *err);
/* Whether nobody need be asked: some known one is of the checksum or commit that is demanded. */
bool fetch_pinned(const struct fetch *f, const json_t *known, size_t *out);
/* What facts of the same place are found by, whatever its ref or checksum; no secret is in it. */
void fetch_identity(const struct fetch *f, struct digest *out);
/* Afterwards: the directory that is meant, inside dir; git's subdir is one whose parts are all real
 * directories.  -1 with err. */
int fetch_open(const struct fetch *f, int dir, struct err *err);

#endif
