/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAYERS_TAR_H
#define LAYERS_TAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "layers/digest.h"
#include "layers/entry.h"
#include "layers/stream.h"

/* tar - entries to tar bytes and back.  (POSIX.1-2017 pax, "ustar Interchange Format" and "pax
 * Extended Header"; GNU tar manual, "Basic Tar Format" and "Storing Sparse Files")
 *
 * In a layer the names ".wh.x" and "d/.wh..wh..opq" stand for ENTRY_WHITEOUT x and ENTRY_OPAQUE d;
 * in a plain archive they are files like any other. */
enum tar_dialect { TAR_LAYER, TAR_PLAIN };

#define TAR_BLOCK 512
#define TAR_PAX_MAX (1u << 20)        /* bytes of one extended header */
#define TAR_NAME_MAX ENTRY_PATH_MAX   /* bytes of a GNU long name or link */
#define TAR_SPARSE_MAX 1000000        /* fragments of one sparse file */
#define TAR_SPARSE_SIZE_MAX (1ull << 40) /* bytes of one sparse file, holes included */
#define TAR_XATTRS_MAX 1024           /* attributes of one entry */
#define TAR_ENTRIES_MAX 10000000      /* of one archive */

/* The writer.  Its bytes depend on nothing but the calls: ustar headers without names of users and
 * groups, an extended header only for what ustar cannot hold (long names, attributes, large numbers),
 * its records sorted; seconds only.  The order is the caller's (entry_compare).  Whiteouts have no
 * mode, owner or time.
 *
 *	tar_writer_entry(w, &e, err); then exactly e.size bytes by tar_writer_data() or
 *	tar_writer_file(); then the next; tar_writer_finish(w, err); sink_finish(out, err);
 */
struct tar_writer;
struct tar_writer *tar_writer_new(struct sink *out /* lent */, enum tar_dialect dialect);
void tar_writer_free(struct tar_writer *w);
void auto_tar_writer(struct tar_writer **w);
/* ERR_INPUT for what tar cannot say: a name that a reader would take for a whiteout, an attribute whose
 * name holds '=', an extended header above TAR_PAX_MAX. */
int tar_writer_entry(struct tar_writer *w, const struct entry *e, struct err *err);
int tar_writer_data(struct tar_writer *w, const void *bytes, size_t len, struct err *err);
/* The entry's bytes, all of them, from fd's position.  also: NULL, or a hasher that is given them.
 * ERR_INPUT "changed while it was read" where the file has fewer bytes or more. */
int tar_writer_file(struct tar_writer *w, int fd, struct hasher *also, struct err *err);
/* The end of the archive; the sink is not finished. */
int tar_writer_finish(struct tar_writer *w, struct err *err);

/* The reader.  v7, ustar, GNU (long names, base-256 numbers, sparse) and pax (extended headers, sparse
 * 0.0, 0.1 and 1.0); global headers are passed over.  Strict: what is malformed, or what GNU tar, libarchive and
 * Go read differently, is refused, never skipped or guessed: ERR_CORRUPT for what the format forbids,
 * ERR_INPUT for '..', limits and what is not supported.  Attributes are given as they came; it is who
 * applies them that drops those of overlays. */
struct tar_reader;
struct tar_reader *tar_reader_new(struct stream *in /* lent */, enum tar_dialect dialect);
void tar_reader_free(struct tar_reader *r);
void auto_tar_reader(struct tar_reader **r);
/* 1: *out is the next entry (what it held is freed), 0: the end of the archive, -1.  What was not read of
 * the entry before is skipped. */
int tar_reader_next(struct tar_reader *r, struct entry *out, struct err *err);
/* Up to len bytes of the entry; 0 at its end.  Sparse files come expanded. */
ssize_t tar_reader_data(struct tar_reader *r, void *bytes, size_t len, struct err *err);
/* Steps over the hole at this place of a sparse file, if there is one: how many bytes it had. */
uint64_t tar_reader_hole(struct tar_reader *r);
/* For who reads a file's bytes from below by their offset: how many bytes were taken from the stream and not
 * used yet (the entry's are the first of them), and whether they are fragments rather than the file. */
size_t tar_reader_ahead(const struct tar_reader *r);
bool tar_reader_is_sparse(const struct tar_reader *r);
/* After the end: reads what the stream still has, which counts for its digest. */
int tar_reader_drain(struct tar_reader *r, struct err *err);

/* Whether these first bytes (TAR_BLOCK of them) are a header with a right checksum. */
bool tar_sniff(const void *bytes, size_t len);

#endif
