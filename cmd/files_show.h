/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMD_FILES_SHOW_H
#define CMD_FILES_SHOW_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "cmd/files.h"
#include "layers/roll.h"

/* files_show - a file of an image as a line or as JSON, and answers of any length. */

/* "drwxr-xr-x" */
void show_mode(const struct entry *e, struct buf *out);
/* "2024-05-01 12:34", in UTC */
void show_time(int64_t seconds, struct buf *out);
const char *show_kind(enum entry_kind kind); /* "file", "directory"... */

struct files_line {
	const struct files_image *image;
	const struct roll_item *item; /* no HARDLINK */
	const char *name;             /* what stands in a line */
	const char *hard_link;        /* what it is a hard link to, or NULL */
	bool is_long, layers;
};
/* Without the newline. */
void show_file(const struct files_line *line, struct buf *out);
/* Members path, type, mode (octal), uid, gid, size, mtime, link, hardLink, major, minor, digest, layer (from 1) and
 * layerDigest. */
json_t *show_file_json(const struct files_line *line);

/* A list that is written while it grows. */
struct files_answer {
	struct buf text;
	bool json, any;
};
#define FILES_ANSWER_INIT { .text = BUF_INIT }
void auto_files_answer(struct files_answer *a);
/* One more: a line as it is (with its end), or an element of a JSON array (taken). */
int files_answer_line(struct files_answer *a, const struct buf *line, struct err *err);
int files_answer_json(struct files_answer *a, json_t *element, struct err *err);
int files_answer_end(struct files_answer *a, struct err *err);

#endif
