/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BUILD_SANDBOX_BOX_H
#define BUILD_SANDBOX_BOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/strv.h"
#include "build/sandbox/caps.h"
#include "build/sandbox/limits.h"
#include "build/sandbox/rootfs.h"
#include "build/sandbox/seccomp.h"
#include "layers/ownership.h"
#include "layers/view.h"

/* box - one program in a root file system of its own, with nothing of the host but what is listed.
 *
 * struct box is data; box_run() performs it in one fixed order.  Everything pointed to is lent, and
 * outlives the call.  Nothing inside the root is trusted: /dev, /proc and /sys are fresh mounts,
 * every target is opened beneath the root without leaving it, and the image's own links there are
 * never followed out. */

enum box_network {
	BOX_NETWORK_NONE, /* its own, with only a loopback interface, which is up */
	BOX_NETWORK_HOST, /* the caller's */
};

enum box_mount_kind {
	BOX_BIND,  /* the directory or file that fd is open on (O_PATH is enough) */
	BOX_STACK, /* what is at source (links followed inside) in a root of lowers, as in rootfs.h; unless
		    * is_read_only it can be written, and what was written is lost at the end */
	BOX_TMPFS, /* an empty directory in memory: size, mode */
	BOX_FILE,  /* a file in memory with these bytes (secrets): mode, uid, gid */
};

/* Performed in the order given, so a target inside another's comes later. */
struct box_mount {
	enum box_mount_kind kind;
	/* An absolute path in the box.  Missing directories are made (0755, 0:0), and so is the
	 * mount point; both are gone from the upper directory afterwards. */
	const char *target;
	int fd;            /* BIND */
	const int *lowers; /* STACK: descriptors, the top one first */
	size_t lower_count;
	const char *source;
	bool is_read_only;
	uint64_t size; /* TMPFS: at most so many bytes; 0: half of memory */
	mode_t mode;   /* TMPFS, FILE */
	uid_t uid;     /* TMPFS, FILE: ids of the box */
	gid_t gid;
	const void *bytes; /* FILE */
	size_t len;
};

struct box {
	int userns_fd; /* from ids_open() */
	/* The root.  With an upper, all that the program changes is there when box_run() returns, and
	 * the root is unmounted. */
	struct rootfs root;

	const struct box_mount *mounts;
	size_t mount_count;
	/* Contents of read-only /etc/resolv.conf, /etc/hosts; NULL: the root's own are seen. */
	const char *resolv_conf;
	const char *hosts;
	const char *hostname; /* NULL: "buildkitsandbox", as build scripts have come to expect */

	const struct strv *argv; /* argv[0] is looked up in env's PATH if it has no '/' */
	const struct strv *env;  /* HOME is added if missing: the user's, else "/" */
	const char *cwd;         /* made if missing (0755, 0:0, and this stays); NULL or "": "/" */
	const char *user;        /* as in USER: "name", "name:group", "1000:1000", ...; NULL or "": root */

	enum box_network network;
	const struct limits *limits; /* NULL: none but the defaults */
	bool has_no_new_privs;
	uint64_t caps;       /* CAPS_DEFAULT, or a set made by caps_parse() */
	bool is_insecure;    /* every capability, no seccomp, no masks; still inside the namespace */
	bool allow_insecure; /* the person at the keyboard said so; else is_insecure is refused */
	/* Compiled once, used by every box (of the same caps, and supervised or not); else box_run() compiles it
	 * (about a millisecond). */
	const struct seccomp *seccomp;

	/* Owners and users are noted where the namespace has one id only (supervisor.h).  Where that cannot be
	 * had, there is a warning, and it is as without. */
	bool is_supervised;
	const struct view *below; /* then: the root's lowers, from their listings; NULL: not known */
	struct owners *owners;    /* then: gets those of links and the like in the upper; may be NULL */

	int stdin_fd;            /* -1: /dev/null */
	int stdout_fd, stderr_fd; /* -1: /dev/null */
	/* The three are one peer of a pty which the caller made: the program gets a session of its own
	 * with that as its controlling terminal. */
	bool has_tty;
	/* PID 1 is a reaper and the program its child, instead of the program itself. */
	bool has_init;
};
/* A box that denies: no network, default capabilities, no stdio. */
#define BOX_INIT \
	{ .userns_fd = -1, .root = ROOTFS_INIT, .caps = CAPS_DEFAULT, .stdin_fd = -1, \
		.stdout_fd = -1, .stderr_fd = -1 }

struct box_result {
	int status; /* exit status; 128 + n when a signal ended it */
	int signal; /* 0, or that signal */
	bool oom;   /* something in it was killed for want of memory */
};

/* Runs it to its end.  Call in a worker with one thread, in the host's namespaces: it joins
 * box->userns_fd and stays there, so that the same worker can read the upper directory as 0:0.
 * Once per worker: descriptors must come from outside.
 *
 * A program that ends with a status is no failure.  -1: it was never started, with the reason
 * ("exec /bin/sh: No such file or directory": ERR_STEP, status 127 or 126 as a shell has it), or something
 * of the machine failed.
 * Whatever it left running is dead when this returns; all of it dies with the caller.
 *
 * stubs (may be NULL): gets the paths, as entry paths are ("run/secrets/x"), of mount points that had
 * to be made in the upper directory and could not be removed again, for the differ to leave out. */
int box_run(const struct box *box, struct box_result *out, struct strv *stubs, struct err *err);

#endif
