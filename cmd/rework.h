/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMD_REWORK_H
#define CMD_REWORK_H

#include <stdbool.h>

#include "base/epoch.h"
#include "cmd/cmd.h"
#include "cmd/remote_flags.h"
#include "cmd/spot.h"
#include "cmd/ui.h"
#include "registry/amend.h"

/* rework - an image is changed at a place, or on its way to another one: what all editing commands
 * have in common.  The documents are read, changed, and copied with what they name; what the target
 * has already is not moved. */

struct rework_flags {
	const char *target, *platform, *timestamp;
	bool to_oci;
	int format;
	struct remote_flags remote;
	struct ui_options ui;
};
#define REWORK_FLAGS_DEFAULT { .remote = REMOTE_FLAGS_DEFAULT }

extern const struct opt_word rework_formats[];

#define REWORK_OPTIONS(type, field)                                                            \
	OPT_STR(0, "dst", type, field.target, "place",                                         \
		"write the result there, and leave the image as it is"),                       \
		OPT_ENUM(0, "format", type, field.format, rework_formats, "how",               \
			"answer as text or json"),                                             \
		OPT_BOOL(0, "oci", type, field.to_oci,                                         \
			"turn Docker's manifests and lists into OCI's"),                       \
		TRUST_OPTION(type, field.remote), REMOTE_OPTIONS(type, field.remote),                \
		UI_OPTIONS(type, field.ui)
/* Of those that change images. */
#define REWORK_IMAGE_OPTIONS(type, field)                                                      \
	OPT_STR(0, "platform", type, field.platform, "os/arch",                                \
		"only the image for this platform, which is the result (wants --dst where "    \
		"there are others)"),                                                          \
		OPT_STR(0, "timestamp", type, field.timestamp, "seconds",                      \
			"date what is made by this time since 1970 (SOURCE_DATE_EPOCH)")

/* In the worker. */
struct rework {
	const struct rework_flags *flags;
	const struct platform *platform; /* NULL: all */
	struct session *session;
	struct spot *from;     /* NULL: nothing is read */
	struct spot *to;
	struct place *draft;   /* over from */
	char created[EPOCH_TEXT]; /* now, or what was said */
	struct spot **more;    /* see rework_open() */
	size_t more_count, more_room;
	/* When all is copied and named; NULL: nothing more. */
	int (*after)(struct rework *r, const struct descriptor *copied, void *arg, struct err *err);
};
/* Puts what is new into the draft; root: what from has, NULL without it.  *out: what to copy. */
typedef int rework_body(struct rework *r, const struct descriptor *root, void *arg,
	struct descriptor *out, struct err *err);

/* All of a command: opens, changes, copies, tags, answers.  from NULL: nothing is read.  to NULL: where it comes
 * from, or what flags say. */
int rework_run(struct call *call, const struct rework_flags *flags, const char *from,
	const char *to, rework_body *body, void *arg, struct err *err);

/* For bodies: amend_images() as the flags have it. */
int rework_images(struct rework *r, const struct descriptor *root, bool needs_config,
	amend_each *each, void *arg, struct descriptor *out, struct err *err);
/* Another place to read from, open until the end (lent), and what it has under that name. */
int rework_open(struct rework *r, const char *text, struct spot **out, struct descriptor *found,
	struct err *err);
/* What d names is had from that place: for a draft of images of several places. */
int rework_from(struct rework *r, const struct descriptor *d, struct place *from, struct err *err);

#endif
