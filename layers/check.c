/* SPDX-License-Identifier: Apache-2.0 */
#include "layers/check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "layers/check_local.h"
#include "layers/store_local.h"
#include "layers/walk.h"

/* Others may be at work: what looks wrong is looked at again before it is said, and what is gone by
 * then was no fault. */

int
check_tell(struct check *c, enum check_grade grade, const char *what, const char *which,
	const char *fmt, ...)
{
	AUTO(buf) struct buf text = BUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	buf_addv(&text, fmt, ap);
	va_end(ap);
	if (grade == CHECK_NOTE)
		c->result.notes++;
	else if (grade == CHECK_PROBLEM)
		c->result.problems++;
	else
		c->result.repaired++;
	if (c->report != NULL)
		c->report(
			&(struct check_finding){
				.grade = grade, .what = what, .which = which, .text = text.data },
			c->arg);
	return 0;
}

int
check_wrong(struct check *c, const char *what, const char *which, const char *statement,
	const char *text, struct err *err)
{
	if (!c->options->repair)
		return check_tell(c, CHECK_PROBLEM, what, which, "%s", text);
	if (statement != NULL) {
		if (store_write_begin(c->store, false, err) < 0)
			return -1;
		if (store_write_end(c->store,
			    db_run(c->db, statement, DB_ARGS(DB_TEXT(which)), err), err) < 0)
			return -1;
	}
	return check_tell(c, CHECK_REPAIRED, what, which, "%s", text);
}

static int
check_database(struct check *c, struct err *err)
{
	char why[256];
	int sound = 0;

	if (store_db(c->store, &c->db, err) < 0)
		return -1;
	sound = db_verify(c->db, why, err);
	if (sound < 0)
		return -1;
	if (sound == 0 && c->options->repair) {
		if (db_heal(c->db, err) < 0)
			return -1;
		check_tell(c, CHECK_REPAIRED, "database", "db.sqlite",
			"was damaged (%s): begun anew from index.json and the blobs", why);
	} else if (sound == 0) {
		check_tell(c, CHECK_PROBLEM, "database", "db.sqlite", "is damaged: %s", why);
	}
	if (store_names_are_lost(c->db))
		return check_wrong(c, "database", "names-lost",
			"DELETE FROM notes WHERE kind = 'store' AND key = ?",
			"the names of images were lost with a damaged database", err);
	return 0;
}

static int
rewrite_index(struct check *c, struct err *err)
{
	if (store_write_begin(c->store, true, err) < 0)
		return -1;
	return store_write_end(c->store, store_index_write(c->store, c->db, err), err);
}

static int
check_index(struct check *c, struct err *err)
{
	AUTO(buf) struct buf wanted = BUF_INIT;
	AUTO(buf) struct buf got = BUF_INIT;
	AUTO(json) json_t *index = NULL;
	struct err odd = { 0 };
	bool readable = false;

	if (store_index_format(c->db, &wanted, err) < 0)
		return -1;
	readable = file_read(c->store->root, "index.json", STORE_INDEX_MAX, &got, &odd) == 0 &&
		   json_parse(got.data, got.len, &index, &odd) == 0 && json_is_object(index);
	if (readable && got.len == wanted.len && memcmp(got.data, wanted.data, got.len) == 0)
		return 0;
	if (c->options->repair && rewrite_index(c, err) < 0)
		return -1;
	if (readable) /* a process was ended between two writes; the database is what counts */
		return check_tell(
			c, CHECK_NOTE, "layout", "index.json", "is not what the database says");
	return check_wrong(c, "layout", "index.json", NULL, odd.msg, err);
}

static int
check_layout(struct check *c, struct err *err)
{
	static const char layout[] = "{\"imageLayoutVersion\":\"1.0.0\"}";
	AUTO(buf) struct buf got = BUF_INIT;
	AUTO(json) json_t *value = NULL;
	const char *version = NULL;
	struct err odd = { 0 };

	if (file_read(c->store->root, "oci-layout", 4096, &got, &odd) == 0 &&
		json_parse(got.data, got.len, &value, &odd) == 0 &&
		json_get_string(value, "imageLayoutVersion", &version, &odd) == 1 &&
		streq(version, "1.0.0"))
		return check_index(c, err);
	if (c->options->repair && file_write(c->store->root, "oci-layout", layout,
					  sizeof layout - 1, 0644, FILE_SYNC, err) < 0)
		return -1;
	if (check_wrong(c, "layout", "oci-layout", NULL, "does not say version 1.0.0", err) < 0)
		return -1;
	return check_index(c, err);
}

/* Blobs ------------------------------------------------------------------------------------------
 */

/* Only if the name still means the file that was read. */
static int
quarantine(struct check *c, int dir, const char *name, const struct digest *d,
	const struct stat *st, const char *why, struct err *err)
{
	struct stat now;

	if (fstatat(dir, name, &now, AT_SYMLINK_NOFOLLOW) < 0 || now.st_ino != st->st_ino)
		return 0;
	if (c->options->repair && store_blob_quarantine(c->store, d, err) < 0)
		return -1;
	return check_wrong(c, "blob", d->text, NULL, why, err);
}

static int
check_bytes(struct check *c, int dir, const char *name, const struct digest *d, struct err *err)
{
	AUTO(fd) int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	AUTO(hasher) struct hasher *hasher = NULL;
	struct digest got;
	struct stat st;
	uint64_t size;

	if (fd < 0 && errno == ENOENT) /* gc was here */
		return 0;
	if (fd < 0 && (errno != ELOOP || fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0))
		return err_sys(err, "open %s", d->text);
	if (fd >= 0 && fstat(fd, &st) < 0)
		return err_sys(err, "open %s", d->text);
	c->result.blobs++;
	if (!S_ISREG(st.st_mode))
		return quarantine(c, dir, name, d, &st, "is not a file", err);
	if (c->options->skip_bytes)
		return 0;
	hasher = hasher_new(digest_algorithm(d));
	if (hasher_add_fd(hasher, fd, &size) < 0)
		return err_sys(err, "read %s", d->text);
	c->result.bytes += size;
	hasher_digest(hasher, &got);
	return digest_same(&got, d)
		       ? 0
		       : quarantine(c, dir, name, d, &st, "its bytes have changed", err);
}

static int
check_blob(int dir, const char *name, void *arg, struct err *err)
{
	struct check *c = arg;
	struct err odd = { 0 };
	struct digest d;
	char text[300];

	snprintf(text, sizeof text, "%s:%s", strlen(name) == 128 ? "sha512" : "sha256", name);
	if (digest_parse(text, &d, &odd) < 0)
		return check_tell(c, CHECK_NOTE, "blob", name, "is not the name of a blob");
	return check_bytes(c, dir, name, &d, err);
}

/* Trees on the disk ------------------------------------------------------------------------------
 */

static int
check_tree_dir(int dir, const char *name, void *arg, struct err *err)
{
	struct check *c = arg;
	int found = db_has(c->db, "SELECT 1 FROM trees WHERE id = ?", DB_ARGS(DB_TEXT(name)), err);

	(void)dir;
	if (found != 0)
		return found < 0 ? -1 : 0;
	return check_tell(c, CHECK_NOTE, "tree", name,
		"is not finished: a build is at it, or gc will take it");
}

static int
check_all(struct check *c, struct err *err)
{
	int root = store_dir(c->store);

	if (check_database(c, err) < 0)
		return -1;
	if (db_is_damaged(c->db)) /* the rest would only repeat it */
		return 0;
	if (check_layout(c, err) < 0 || walk_names(root, "blobs/sha256", check_blob, c, err) < 0 ||
		walk_names(root, "blobs/sha512", check_blob, c, err) < 0 ||
		check_names(c, err) < 0 || check_records(c, err) < 0)
		return -1;
	return walk_names(root, "trees", check_tree_dir, c, err);
}

int
store_check(struct store *s, const struct check_options *o, check_report *report, void *arg,
	struct check_result *out, struct err *err)
{
	struct check c = { .store = s, .options = o, .report = report, .arg = arg };

	if (check_all(&c, err) < 0)
		return err_in(err, "check the store");
	*out = c.result;
	return 0;
}
