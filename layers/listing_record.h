/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAYERS_LISTING_RECORD_H
#define LAYERS_LISTING_RECORD_H

#include "layers/listing.h"

/* listing_record - how entries lie in a listing's bytes:
 *
 *	RECORD_DIR, text           a directory, for the records behind it
 *	kind and flags             one byte, of an entry
 *	directory                  bytes back to where its RECORD_DIR is; 0: its path has no '/'
 *	name                       the last component
 *	mode uid gid mtime ns      not of WHITEOUT and OPAQUE, which end here
 *	size, digest               of a FILE; link of a link; major and minor of a device
 *	attributes                 count, then name and value
 *
 * Numbers are LEB128, signed ones zigzag; texts have their length before them, links and names of attributes
 * a '\0' behind them.  So a record needs no other to be read but its directory's, and records may be sorted
 * by their places alone. */

enum {
	RECORD_KIND = 0x0f,
	RECORD_DIR = 0x0f,
	RECORD_SHA256 = 0x10,
	RECORD_SHA512 = 0x20,
	RECORD_XATTRS = 0x40,
};

/* Bytes that are taken apart; those of a stranger too. */
struct record_reader {
	const unsigned char *at, *end;
	bool is_bad; /* stays so; everything read from then on is 0 */
};
uint64_t record_number(struct record_reader *r);
uint32_t record_number32(struct record_reader *r);
int64_t record_signed(struct record_reader *r);
/* NULL when there are not as many. */
const char *record_bytes(struct record_reader *r, uint64_t len);
void record_digest(struct record_reader *r, unsigned flags, struct digest *out);

void record_put_number(struct buf *out, uint64_t number);
void record_put_signed(struct buf *out, int64_t number);

/* A record as far as its name. */
struct record {
	unsigned flags;
	const char *dir; /* NULL: none */
	size_t dir_len;
	uint64_t back;
	const char *name;
	size_t name_len;
};
/* The record at `at` of a whole form; r stands behind its name then. */
void record_open(const struct buf *bytes, size_t at, struct record_reader *r, struct record *out);
/* The same but for its directory's text. */
void record_open_name(const struct buf *bytes, size_t at, struct record_reader *r, struct record *out);
/* The rest of it; out's path too. */
void record_read(struct record_reader *r, const struct record *record, struct listed *out);
/* As entry_path_compare. */
int record_compare(const struct record *a, const struct record *b);
/* path's, to be compared. */
void record_of_path(const char *path, struct record *out);

void record_put_dir(struct buf *out, const char *text, size_t len);
void record_put(struct buf *out, const struct entry *e, const char *name, uint64_t back);
/* Of r, which stands behind the name, all that is still to come. */
void record_copy(struct buf *out, struct record_reader *r, const struct record *record, uint64_t back);

#endif
