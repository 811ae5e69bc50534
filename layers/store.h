/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAYERS_STORE_H
#define LAYERS_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "base/strv.h"
#include "layers/digest.h"
#include "layers/listing.h"
#include "layers/oci.h"

/* store - one directory of blobs, trees and records, shared safely by any number of processes.
 *
 *	version                     refuse anything newer
 *	oci-layout, index.json, blobs/<algorithm>/<hex>   a valid OCI layout; blobs are 0444
 *	trees/<id>/fs, work         unpacked layers, overlay-ready
 *	listings/<id>               entries of layers
 *	ingest/                     partial blobs, resumable, one flock each
 *	hosts/                      what registries can do, uploads that were begun
 *	pins/<id>                   one flock-held file per live process: what it uses
 *	mounts-cache/               directories of RUN --mount=type=cache
 *	trash/, quarantine/         condemned by gc; found bad by check
 *	db.sqlite                   names, layers, cache records, notes
 *
 * What holds at every instant, kill -9 and power loss included:
 * - a blob's name appears only by rename of a complete, verified, synced file;
 * - the database is a hint and the disk is the truth: what a record points to is looked for each
 *   time, and all of the database can be rebuilt from index.json and the blobs;
 * - locks are the kernel's, so a dead process holds none; nothing is decided by age or pid;
 * - whatever this process was told is there (has, open, get, commit...) is pinned: gc keeps it
 *   until this process and the workers it forked are gone.
 *
 * Who may call what: the process that called store_open() may call everything, from one thread.
 * A worker that it forked may call what is marked (files) and nothing else, from any number of
 * threads; its pins are its parent's. */

struct store;

/* root NULL: $COOPER_ROOT, else for the root user /var/lib/cooper, else $XDG_DATA_HOME/cooper,
 * else ~/.local/share/cooper.  Makes what is missing, mode 0700.  ERR_DENIED: another owner, a
 * symlink, writable by others; ERR_INPUT: of a newer version, or a directory that holds
 * something else.  Cheap: the database is opened when it is first needed. */
int store_open(const char *root, struct store **out, struct err *err);
void store_free(struct store *s);
void auto_store(struct store **s);
int store_dir(const struct store *s);          /* (files) lent descriptor of the root */
const char *store_path(const struct store *s); /* (files) for messages */
/* Opens the root again by its path, as this process now sees it (in another mount namespace);
 * ERR_NOTFOUND, ERR_DENIED where that is another directory. */
int store_reopen(struct store *s, struct err *err);
/* Everything committed so far survives a power loss: directories of blobs, and the files of
 * trees (one syncfs where some are new).  Names do not need it: store_name_set() does what it
 * needs. */
int store_sync(struct store *s, struct err *err);

/* Many writes, one transaction; other processes' writers wait meanwhile, so do nothing slow
 * inside.  May be nested; counts.  store_batch_end writes, store_batch_cancel forgets all since
 * the outermost begin. */
int store_batch_begin(struct store *s, struct err *err);
int store_batch_end(struct store *s, struct err *err);
void store_batch_cancel(struct store *s);

/* Blobs ---------------------------------------------------------------------------------------- */

/* (files) 1 and *size (may be NULL), 0, -1. */
int store_blob_has(struct store *s, const struct digest *d, uint64_t *size, struct err *err);
/* (files) A descriptor open for reading (owned by the caller) and the size; ERR_NOTFOUND.  The
 * bytes are not hashed here: use stream_verify(). */
int store_blob_open(struct store *s, const struct digest *d, uint64_t *size, struct err *err);
/* (files) A document, hashed; ERR_CORRUPT when its bytes have changed, ERR_INPUT over limit.
 * Appends. */
int store_blob_read(struct store *s, const struct digest *d, size_t limit, struct buf *out,
	struct err *err);
/* (files) Writes a document unless it is there; *out is its SHA-256. */
int store_blob_put(struct store *s, const void *bytes, size_t len, struct digest *out,
	struct err *err);
/* (files) Its bytes are not what its digest says: out of the way, into quarantine/, so that it
 * can be fetched again.  A missing one is fine. */
int store_blob_quarantine(struct store *s, const struct digest *d, struct err *err);
/* (files) "blobs/sha256/<hex>" below store_dir(). */
void store_blob_name(const struct digest *d, struct buf *out);

/* Ingest: a blob on its way in --------------------------------------------------------------------
 *
 * 1. store_ingest_new() gives an O_RDWR descriptor, locked; it may be inherited by a worker
 * 2. whoever writes continues at ingest_offset() (the prefix is there from an earlier try and
 *    must be hashed again), verifies, and calls ingest_sync() or fdatasync()
 * 3. ingest_commit() names it; or ingest_drop()
 *
 * A process that dies meanwhile leaves a partial for the next one, when the digest was known. */
struct ingest;
enum ingest_wait {
	INGEST_WAIT, /* when somebody else is writing this blob, wait until they are done or dead */
	INGEST_TRY,  /* then return 2; a single thread that already holds this ingest needs it */
};
/* (files) wanted NULL: not known yet.  0: *out is yours; 1: the blob is there (now), *out is
 * untouched; 2: see INGEST_TRY; -1. */
int store_ingest_new(struct store *s, const struct digest *wanted, enum ingest_wait wait,
	struct ingest **out, struct err *err);
int ingest_fd(const struct ingest *i);         /* (files) lent; its position is ingest_offset() */
uint64_t ingest_offset(const struct ingest *i); /* (files) bytes kept from an earlier try */
/* (files) Forget the kept bytes: what came is not what the digest says. */
int ingest_restart(struct ingest *i, struct err *err);
/* (files) The data is on the disk. */
int ingest_sync(struct ingest *i, struct err *err);
/* (files) Names a synced, verified file of exactly size bytes; frees *i and sets it to NULL on
 * success.  ERR_CORRUPT when size or the wanted digest differ. */
int ingest_commit(struct ingest **i, const struct digest *d, uint64_t size, struct err *err);
/* (files) Gives up: keep leaves the partial for the next one (where the digest was known). */
enum ingest_fate { INGEST_KEEP, INGEST_DISCARD };
void ingest_drop(struct ingest *i, enum ingest_fate fate);
void auto_ingest(struct ingest **i); /* INGEST_KEEP */

/* Trees ---------------------------------------------------------------------------------------- */

#define STORE_ID_SIZE 33 /* 32 random hex digits and a zero */
struct tree_new {
	char id[STORE_ID_SIZE];
	int fs_fd;   /* trees/<id>/fs, O_RDONLY: root of the layer, or overlay's upper directory */
	int work_fd; /* trees/<id>/work: overlay's work directory */
};
#define TREE_NEW_INIT { .fs_fd = -1, .work_fd = -1 }
void auto_tree_new(struct tree_new *t); /* closes; an uncommitted tree is garbage, which gc takes */

/* (files) Two empty directories, 0755, owned by owner and group: the ids of the user namespace's
 * root. */
int store_tree_new(struct store *s, uid_t owner, gid_t group, struct tree_new *out,
	struct err *err);
/* It is complete.  size: of its files, in bytes, for the size caps; 0: gc will measure.  After a
 * power loss before the next store_sync() it is as if it had never been made. */
int store_tree_commit(struct store *s, const char *id, uint64_t size, struct err *err);
/* Out of the way at once, and out of the records; its files go with the next gc. */
int store_tree_drop(struct store *s, const char *id, struct err *err);
/* O_PATH descriptor of trees/<id>/fs of a committed tree; ERR_NOTFOUND. */
int store_tree_open(struct store *s, const char *id, struct err *err);
/* (files) The same without asking the database: for workers which were told the id. */
int store_tree_fd(struct store *s, const char *id, struct err *err);
/* (files) trash/, for a worker inside the user namespace that removes what only mapped ids may
 * remove. */
int store_trash_open(struct store *s, struct err *err);

/* A directory of RUN --mount=type=cache: id is any text.  shared: several at a time (flock SH),
 * else one (EX, waits).  (files) *out_lock is held by keeping it open. */
int store_mount_open(struct store *s, const char *id, bool shared, uid_t owner, gid_t group,
	mode_t mode, int *out_fd, int *out_lock, struct err *err);
/* (files) The same for one user alone who does not wait: the directory of id if nobody uses it, else another
 * one that goes by the same id and is free. */
int store_mount_open_private(struct store *s, const char *id, uid_t owner, gid_t group,
	mode_t mode, int *out_fd, int *out_lock, struct err *err);

/* Layers --------------------------------------------------------------------------------------- */

#define LAYER_BLOBS_MAX 8
struct layer_blob {
	char media_type[128];
	struct digest digest;
	uint64_t size;
	bool here; /* out only: the blob is in the store (else see store_source_list) */
};
struct layer_record {
	int64_t id; /* 0: not in the store */
	struct digest diff_id; /* empty: not known yet */
	uint64_t diff_size;    /* bytes of the uncompressed tar; 0: not known */
	struct digest content; /* see listing_content_digest(); may be empty */
	char tree[STORE_ID_SIZE]; /* "": none */
	struct layer_blob blobs[LAYER_BLOBS_MAX]; /* the same tar in different codecs */
	size_t blob_count;
	bool has_listing; /* out only */
};
/* The first of its blobs that is in the store; NULL when none is. */
const struct layer_blob *layer_blob_here(const struct layer_record *r);

/* Adds *r, and sets it to what the store has afterwards: a layer with the same diff id is
 * completed with what r knows (its own tree stays if it has one), so its id and tree may be
 * another's. */
int store_layer_add(struct store *s, struct layer_record *r, struct err *err);
/* What r knows of layer r->id is set; its blobs are added to those known; what r leaves empty
 * stays. */
int store_layer_update(struct store *s, const struct layer_record *r, struct err *err);
/* 1, 0, -1.  Forms that have gone are not in *out; a layer may have neither tree nor blob. */
int store_layer_get(struct store *s, int64_t id, struct layer_record *out, struct err *err);
int store_layer_by_diff_id(struct store *s, const struct digest *diff_id, struct layer_record *out,
	struct err *err);
int store_layer_by_blob(struct store *s, const struct digest *blob, struct layer_record *out,
	struct err *err);
/* 1, 0, -1.  get also returns 0 for one that cannot be read any more; what it gives is mapped. */
int store_listing_put(struct store *s, int64_t layer, const struct listing *l, struct err *err);
/* The same of what listing_write() wrote to fd. */
int store_listing_copy(struct store *s, int64_t layer, int fd, struct err *err);
int store_listing_get(struct store *s, int64_t layer, struct listing *out, struct err *err);

/* Where a blob that is not here can be had: reference texts, the latest first. */
int store_source_add(struct store *s, const struct digest *d, const char *ref, struct err *err);
int store_source_list(struct store *s, const struct digest *d, struct strv *out, struct err *err);

/* Names ---------------------------------------------------------------------------------------- */

struct store_name {
	char *name; /* normalised, as given to store_name_set */
	struct descriptor descriptor;
	int64_t changed; /* seconds */
};
struct store_names {
	struct store_name *items; /* sorted by name */
	size_t count;
	size_t room;
};
#define STORE_NAMES_INIT { .items = NULL }
void auto_store_names(struct store_names *n);

/* Durable when it returns: the blobs, and the name in index.json, which is the truth about names
 * (so what another program puts there is taken over).  The blob d must be there (ERR_NOTFOUND).
 * Not inside a batch. */
int store_name_set(struct store *s, const char *name, const struct descriptor *d, struct err *err);
/* 1, 0, -1.  The closure of what is found is pinned.  out may be NULL. */
int store_name_get(struct store *s, const char *name, struct descriptor *out, struct err *err);
int store_name_remove(struct store *s, const char *name, struct err *err); /* 1, 0, -1 */
int store_name_list(struct store *s, struct store_names *out, struct err *err);

/* Cache records -------------------------------------------------------------------------------- */

struct cache_record {
	char *key;      /* any text; owned */
	char *group;    /* what --explain searches by: the kind or place of a step; may be NULL */
	json_t *value;  /* the caller's; owned */
	int64_t *layers; /* what this record keeps alive */
	size_t layer_count;
	struct digest *blobs; /* likewise; manifests keep what they reach */
	size_t blob_count;
	int64_t used; /* seconds; out only */
};
#define CACHE_RECORD_INIT { .key = NULL }
void cache_record_free(struct cache_record *r);
void auto_cache_record(struct cache_record *r);

/* 1, 0, -1.  A record one of whose layers has no record any more is as good as none. */
int store_cache_get(struct store *s, const char *key, struct cache_record *out, struct err *err);
int store_cache_put(struct store *s, const struct cache_record *r, struct err *err); /* replaces */
int store_cache_remove(struct store *s, const char *key, struct err *err);
/* Records of a group (NULL: of all), last used first, until the callback returns other than 0,
 * which is then returned.  The callback may not write to the store. */
int store_cache_each(struct store *s, const char *group,
	int (*each)(const struct cache_record *r, void *arg, struct err *err), void *arg,
	struct err *err);

/* Notes: small things worth remembering, safe to lose ---------------------------------------------
 * kind "host": what a registry host can do; "context": stat caches; others as rooms need. */
#define STORE_NOTE_MAX (64u << 20)
int store_note_get(struct store *s, const char *kind, const char *key, struct buf *out,
	struct err *err); /* 1 (appended), 0, -1 */
int store_note_put(struct store *s, const char *kind, const char *key, const void *bytes,
	size_t len, struct err *err);
int store_note_remove(struct store *s, const char *kind, const char *key, struct err *err);

/* Hosts: what the registry room keeps about those it talks to, safe to lose ----------------------
 * (files) hosts/, open for the caller, who owns the descriptor. */
int store_hosts_open(struct store *s, struct err *err);

/* Pins ----------------------------------------------------------------------------------------- */

/* (files) Everything above pins what it tells of; this is for what was learned otherwise.  Kinds
 * are those of the pin files.  Pin first, then look whether it is there. */
enum store_pin_kind {
	STORE_PIN_BLOB = 'b',  /* text: digest; what a manifest reaches is kept as well */
	STORE_PIN_TREE = 't',  /* text: id */
	STORE_PIN_LAYER = 'l', /* text: decimal id; with its tree, blobs and listing */
	STORE_PIN_LISTING = 'f', /* text: id */
};
int store_pin(struct store *s, enum store_pin_kind kind, const char *text, struct err *err);

#endif
