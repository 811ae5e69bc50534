/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

/* err - what went wrong, as a value on the caller's stack.  Owns nothing, needs no cleanup.
 *
 * A function that can fail takes `struct err *err` as its last argument, returns 0 or -1, and
 * leaves its outputs untouched on failure.  The deepest floor sets the message, each floor above
 * adds the one phrase that only it knows, and cmd/main prints the result once:
 *
 *	push ghcr.io/a/b: layer sha256:9f2c...: connect: Connection refused
 *
 * Messages are lower case, have no full stop, quote what they name with '...', and end with what
 * the person at the keyboard can do. */

enum err_kind {
	ERR_NONE,
	ERR_USAGE,       /* the command line is wrong */
	ERR_INPUT,       /* a document or argument from outside cannot be understood */
	ERR_NOTFOUND,    /* what was asked for is not there */
	ERR_DENIED,      /* somebody refused: credentials, permission, policy */
	ERR_CORRUPT,     /* bytes are not what their digest or format says */
	ERR_REMOTE,      /* the other side or the way to it failed; another try may help */
	ERR_STEP,        /* a build step or the program of `run` ended with an error */
	ERR_SYSTEM,      /* a system call failed */
	ERR_INTERRUPTED, /* somebody pressed ^C */
};

/* A registry's long reply is cut here, and nothing leaks. */
#define ERR_MSG_MAX 2048

struct err {
	enum err_kind kind;
	int status; /* exit status of the program that failed, for ERR_STEP; else 0 */
	char msg[ERR_MSG_MAX];
};

/* Sets kind and message; returns -1. */
int err_set(struct err *err, enum err_kind kind, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Sets ERR_SYSTEM (ERR_NOTFOUND for ENOENT, ERR_DENIED for EACCES and EPERM) and the message with
 * ": <strerror(errno)>" at its end; a full disk also says how to free space; returns -1. */
int err_sys(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Prepends "<text>: " to a message that is already set; returns -1. */
int err_in(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
