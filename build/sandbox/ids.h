/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BUILD_SANDBOX_IDS_H
#define BUILD_SANDBOX_IDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/json.h"
#include "base/worker.h"

/* ids - which user and group ids a box has, and the user namespace that holds them.
 *
 * The namespace is made once per program, on first need, and kept by its descriptor alone: no process
 * of it lives on.  A worker that must see mapped owners joins it:
 *
 *	struct ids ids;
 *	AUTO(fd) int userns = -1;
 *	ids_setup(&ids, &userns, &err);      (coordinator, once)
 *	ids_enter(userns, &err);             (worker, single-threaded)
 *
 * The coordinator never joins; a worker never leaves.  (user_namespaces(7), subuid(5)) */

struct ids_row {
	uint32_t inside, outside, count;
};

/* The kernel takes 340 rows; nobody has so many ranges. */
#define IDS_ROWS_MAX 64

struct ids_map {
	struct ids_row rows[IDS_ROWS_MAX];
	size_t count;
};

/* What there is, the best first: ranges of this user in /etc/subuid and /etc/subgid; for real root
 * without such ranges IDS_HIGH_START; for real root where no high ids exist (a container) every id there
 * is, as itself; the caller's own id alone.
 *
 * Host ids that no distribution or service assigns (see systemd's "Users, Groups, UIDs and GIDs"), for
 * real root, so that what runs in a box is not the host's root. */
#define IDS_HIGH_START 1895825408u
#define IDS_HIGH_COUNT 16777216u

/* /etc/subuid, /etc/subgid, /etc/passwd of the host are not read beyond this. */
#define IDS_FILE_MAX 10485760

struct ids {
	struct ids_map uids, gids;
	uid_t root_uid; /* host ids of 0:0 in the box: who must own a tree's top directory, an upper, ... */
	gid_t root_gid;
	bool is_single;    /* the caller's own id only: chown to another fails with EINVAL, setgroups is denied */
	/* This process left a chroot for a mount namespace of its own (unchroot.h): directories that
	 * were opened before must be opened again, where something is to be mounted from them. */
	bool has_moved;
	bool needs_helper; /* newuidmap and newgidmap write the maps */
	/* Why it is less than a range of its own, and what would change that; "" if it is not.  For doctor
	 * and warnings. */
	char reason[512];
};

/* What this user can have on this machine.  ERR_INPUT when the files give this user ranges that
 * cannot be used safely (host id 0, this or another user's own id, overlaps, past the last id). */
int ids_find(struct ids *out, struct err *err);

/* Just the caller's own id, as ids_find() gives without ranges. */
void ids_find_one(struct ids *out);

/* Whose ranges: lines begin with the user's name (NULL: unknown) or uid, in subgid(5) as well; own: the
 * uid, or for subgid the gid, that the user has anyway. */
struct ids_owner {
	const char *name;
	uint32_t uid, own;
};

/* The rows that bytes of subuid(5)'s form give to that user, joined one after the other from inside
 * id `first`.  None: out->count is 0.  ERR_INPUT as above. */
int ids_parse(const char *bytes, size_t len, const struct ids_owner *who, uint32_t first,
	struct ids_map *out, struct err *err);

/* ERR_INPUT when the map holds an id that bytes of passwd(5)'s or group(5)'s form give to somebody
 * other than own. */
int ids_check_owners(const struct ids_map *map, const char *bytes, size_t len, uint32_t own,
	struct err *err);

/* Id translation; UINT32_MAX where the map has none. */
uint32_t ids_outside(const struct ids_map *map, uint32_t inside);
uint32_t ids_inside(const struct ids_map *map, uint32_t outside);

/* Makes the namespace.  Call before no_new_privs is set: it would disarm newuidmap.  ERR_DENIED says
 * which setting of this machine forbids it. */
int ids_open(const struct ids *ids, int *userns_fd, struct err *err);

/* Both, and where a range cannot be had after all, one id, with the reason in ids->reason.
 * ERR_DENIED: no box on this machine. */
int ids_setup(struct ids *ids, int *userns_fd, struct err *err);

/* Joins it for good, becomes 0:0 there without supplementary groups, and cannot be traced or dumped
 * by what runs in a box.  The caller has one thread.  Descriptors stay valid, but those that were
 * opened before cannot be mounted from: see carry.h.  box_run() does this itself. */
int ids_enter(int userns_fd, struct err *err);
/* The same, keeping the caller's groups for now: they may be what opens a path. */
int ids_join(int userns_fd, struct err *err);

/* worker_call() of a body that runs inside, in a mount namespace of its own: for what reads or writes
 * mapped owners (layer to tree, tree to layer, removing a tree). */
int ids_call(int userns_fd, const struct worker_job *job, json_t **result, struct err *err);

/* For worker_start(): a job's body and argument become those of a worker that first goes inside.
 * *inside must live until the worker has been started. */
struct ids_job {
	int userns_fd;
	worker_body *run;
	void *arg;
};
void ids_job_inside(int userns_fd, struct worker_job *job, struct ids_job *inside);

#endif
