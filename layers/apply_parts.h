/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAYERS_APPLY_PARTS_H
#define LAYERS_APPLY_PARTS_H

#include <limits.h>
#include <sys/stat.h>

#include "base/strv.h"
#include "layers/apply.h"
#include "layers/digest.h"

/* What the files of apply share.
 *
 * A cursor is a directory beneath the tree with all that lead to it, each held by a descriptor: an entry
 * mostly lies beside the one before, or a directory away.  '..' goes back along the descriptors and is never
 * given to the kernel, so that no link, mount or mover of directories leads out of the tree. */

#define CURSOR_OPEN 48 /* directories held open; those below are opened again when needed */

struct cursor_frame {
	int fd;     /* O_PATH; -1: closed for a while */
	size_t len; /* of the path up to here */
	bool has_setgid; /* what is made in it gets its group */
};

struct cursor {
	struct cursor_frame *frames; /* frames[0] is the tree, whose descriptor is lent */
	size_t count, room;
	struct buf path;  /* real: without links */
	struct buf asked; /* the last path that led here, links and all */
	bool is_asked;    /* asked still leads here */
};

/* Paths that this archive has brought, and directories above them: by hash, with a seed that a stranger
 * cannot know. */
struct brought {
	uint64_t *slots; /* 0: free; bit 0: brought itself, not only something below */
	size_t count, size;
	uint64_t seed;
};

/* Times and modes that wait for the end. */
struct late_dir {
	char *path;
	size_t index; /* in the order of the archive */
	struct timespec mtime;
	uint32_t mode;
	bool has_mode;
};

struct removal {
	char *path;
	size_t before; /* entries of the listing with a smaller index have gone, below path */
};

struct apply {
	struct apply_options o;
	int tree; /* lent */
	struct listing *out;
	struct listing list;
	struct cursor here, target;
	struct brought brought;
	struct brought whited; /* paths of whiteouts and opaque directories */
	struct strv whiteouts; /* that were made */
	struct late_dir *late;
	size_t late_count, late_room;
	struct removal *removals;
	size_t removal_count, removal_room;
	uid_t uid; /* of what we make */
	gid_t gid;
	mode_t umask;
	bool lost_links;   /* a name was replaced, so that a HARDLINK may be of another file now */
	bool has_hardlinks;
	bool warned_device, warned_xattr, warned_zero;
	uint64_t entries, size;
	/* the file whose bytes are coming */
	int fd;
	uint64_t left;
	bool has_hole;
	struct entry file;
	struct hasher *hasher;
};

/* cursor: apply_cursor.c */
void cursor_init(struct cursor *c, int tree);
void cursor_free(struct cursor *c);
int cursor_fd(const struct cursor *c);
bool cursor_has_setgid(const struct cursor *c);
/* To the directory path[0..len), links followed as in a chroot.  1: there; 0: it is not (never with
 * CURSOR_MAKE); -1.  cause: the entry whose time a new directory gets. */
enum cursor_make {
	CURSOR_MAKE,  /* what is missing is made */
	CURSOR_FIND,
	CURSOR_EXACT, /* and links are not followed: path is one that was real once */
};
int cursor_go(struct apply *a, struct cursor *c, const char *path, size_t len, enum cursor_make make,
	const struct entry *cause, struct err *err);
/* Appends the path of name in the cursor's directory. */
void cursor_join(const struct cursor *c, const char *name, struct buf *out);
/* path is no longer what it was. */
void cursor_forget(struct cursor *c, const char *path);

/* files: apply_file.c.  name is in the directory of a->here; path is its own. */
/* What e's file gets: a time that the kernel takes, and a mode without what the caller cannot give. */
struct timespec apply_time(const struct entry *e);
uint32_t apply_mode(const struct apply *a, const struct entry *e);
bool apply_is_whiteout(const struct apply *a, int dir, const char *name, const struct stat *st);
/* Removes what is at name, of any kind. */
int apply_remove(struct apply *a, int dir, const char *name, const char *path, struct err *err);
int apply_make_dir(struct apply *a, struct cursor *c, const char *name, const struct entry *e,
	struct err *err);
int apply_mark_opaque(struct apply *a, struct cursor *c, const char *name, const char *path,
	struct err *err);
int apply_make_whiteout(struct apply *a, const char *name, struct err *err);
int apply_make_link(struct apply *a, const char *name, struct entry *e, struct err *err);
int apply_make_node(struct apply *a, const char *name, const struct entry *e, struct err *err);
int apply_make_file(struct apply *a, const char *name, const struct entry *e, struct err *err);
int apply_chmod(int dir, const char *name, mode_t mode); /* no link is followed; 0, or -1 with errno */
/* Owner and attributes of the open file fd. */
int apply_attributes(struct apply *a, int fd, const struct entry *e, bool has_setgid, struct err *err);
int apply_root_attributes(struct apply *a, const struct entry *e, struct err *err);

/* the record: apply_record.c */
void apply_record(struct apply *a, struct entry *e); /* takes */
/* An entry that is a mark only: WHITEOUT, OPAQUE. */
void apply_record_mark(struct apply *a, enum entry_kind kind, const char *path);
/* Whether this layer removes what is below at path, which a new directory there must go on doing. */
bool apply_is_whited(const struct apply *a, const char *path);
/* Or a directory above it. */
bool apply_is_below_whited(const struct apply *a, const char *path);
/* Whiteouts where nothing is merged are no whiteouts to overlay: they would be seen in their directory. */
int apply_finish_whiteouts(struct apply *a, struct err *err);
void apply_record_removal(struct apply *a, const char *path);
void apply_record_free(struct apply *a);
void apply_late(struct apply *a, const struct entry *e, bool has_mode);
/* Removes what layers below had at path (not, for an opaque directory, the directory), but nothing that is
 * in brought. */
int apply_purge(struct apply *a, int dir, const char *name, struct buf *path, bool keep_top,
	struct err *err);
int apply_finish_dirs(struct apply *a, struct err *err);
/* The record, sorted and true, to a->out: apply_listing.c */
int apply_finish_listing(struct apply *a, struct err *err);

#endif
