/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REGISTRY_MEMORY_H
#define REGISTRY_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "layers/digest.h"
#include "registry/url.h"

struct store;

/* memory - what one run tells the next about a registry, in hosts/ of a store: what it does not
 * take, and uploads that were begun there.  All of it is a hint: what is old, unreadable or of
 * another host is as good as nothing, and nothing here fails.  Files are 0600, as the address of an
 * upload may be all that is needed to write to it.
 *
 *	h-<hex>   what a host can do; the hex is the digest of its name
 *	u-<hex>   an upload; flock-held by who is at it, so that no two go on with one session */

#define MEMORY_HOST_S (7 * 86400)   /* it may have learned meanwhile */
#define MEMORY_UPLOAD_S (24 * 3600) /* registries forget sessions after some days at most */
#define MEMORY_FILE_MAX (16u << 10)

/* What a registry does not take, or only so. */
struct memory_host {
	bool no_monolithic;  /* a blob in one piece, when it is large */
	bool no_chunks;      /* several PATCHes */
	bool small_chunks;   /* none above 4 MiB */
	bool no_mount;       /* the question is refused, whatever is asked for */
	uint64_t chunk_min;  /* bytes that it wants in each but the last; 0: it did not say */
};

/* store NULL: nothing is known, nothing is kept. */
void memory_host_read(struct store *s, const char *host, struct memory_host *out);
void memory_host_write(struct store *s, const char *host, const struct memory_host *m);

/* An upload that is ours until memory_upload_end(): only one process has it. */
struct memory_upload {
	int fd; /* -1: nobody remembers this one */
	char name[2 + 64 + 1];
	int dir;
	bool has_location; /* an earlier run left off there */
	struct url location;
};
#define MEMORY_UPLOAD_INIT         \
	{                          \
		.fd = -1, .dir = -1 \
	}
/* Somebody else at the same upload: u->fd is -1. */
void memory_upload_begin(struct store *s, const char *host, const char *repository,
	const struct digest *d, struct memory_upload *u);
/* Where it goes on. */
void memory_upload_write(struct memory_upload *u, const struct url *location);
/* is_done: or given up; else the next run finds it. */
void memory_upload_end(struct memory_upload *u, bool is_done);

#endif
