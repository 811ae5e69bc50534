/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/files_show.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "cmd/show.h"

#define FLUSH_SIZE (64u << 10)
#define SHORT_HEX 12

static const struct {
	char letter;
	const char *name;
} kinds[] = {
	[ENTRY_FILE] = { '-', "file" },
	[ENTRY_DIR] = { 'd', "directory" },
	[ENTRY_SYMLINK] = { 'l', "symlink" },
	[ENTRY_HARDLINK] = { 'h', "hard link" },
	[ENTRY_CHAR] = { 'c', "character device" },
	[ENTRY_BLOCK] = { 'b', "block device" },
	[ENTRY_FIFO] = { 'p', "fifo" },
	[ENTRY_WHITEOUT] = { '?', "whiteout" },
	[ENTRY_OPAQUE] = { '?', "opaque" },
};

const char *
show_kind(enum entry_kind kind)
{
	return kinds[kind].name;
}

void
show_mode(const struct entry *e, struct buf *out)
{
	char text[11] = "-rwxrwxrwx";
	uint32_t mode = e->kind == ENTRY_SYMLINK ? 0777 : e->mode;

	text[0] = kinds[e->kind].letter;
	for (int i = 0; i < 9; i++)
		if ((mode & (0400u >> i)) == 0)
			text[1 + i] = '-';
	if (mode & 04000)
		text[3] = text[3] == 'x' ? 's' : 'S';
	if (mode & 02000)
		text[6] = text[6] == 'x' ? 's' : 'S';
	if (mode & 01000)
		text[9] = text[9] == 'x' ? 't' : 'T';
	buf_adds(out, text);
}

/* "2024-05-01T12:34", and seconds. */
static void
add_time(int64_t seconds, char between, bool with_seconds, struct buf *out)
{
	time_t t = (time_t)seconds;
	struct tm tm;

	if (gmtime_r(&t, &tm) == NULL) { /* a year that no calendar has */
		buf_addf(out, "@%" PRId64, seconds);
		return;
	}
	buf_addf(out, "%04lld-%02d-%02d%c%02d:%02d", tm.tm_year + 1900LL, tm.tm_mon + 1, tm.tm_mday,
		between, tm.tm_hour, tm.tm_min);
	if (with_seconds)
		buf_addf(out, ":%02dZ", tm.tm_sec);
}

void
show_time(int64_t seconds, struct buf *out)
{
	add_time(seconds, ' ', false, out);
}

static bool
is_device(const struct entry *e)
{
	return e->kind == ENTRY_CHAR || e->kind == ENTRY_BLOCK;
}

static void
add_long(const struct files_line *line, struct buf *out)
{
	const struct entry *e = &line->item->entry;
	AUTO(buf) struct buf size = BUF_INIT;

	show_mode(e, out);
	if (is_device(e))
		buf_addf(&size, "%" PRIu32 ",%" PRIu32, e->major, e->minor);
	else
		buf_addf(&size, "%" PRIu64, e->size);
	buf_addf(out, " %5" PRIu32 " %5" PRIu32 " %10s ", e->uid, e->gid, size.data);
	show_time(e->mtime, out);
	buf_addc(out, ' ');
}

static const struct digest *
layer_digest(const struct files_line *line)
{
	return &line->image->manifest.layers[line->item->layer].digest;
}

void
show_file(const struct files_line *line, struct buf *out)
{
	const struct entry *e = &line->item->entry;

	if (line->layers && line->item->is_implied)
		buf_addf(out, "%3s %-*s ", "-", SHORT_HEX, "");
	else if (line->layers)
		buf_addf(out, "%3zu %.*s ", line->item->layer + 1, SHORT_HEX,
			digest_hex(layer_digest(line)));
	if (line->is_long)
		add_long(line, out);
	show_line(line->name, out);
	if (line->is_long && e->kind == ENTRY_SYMLINK) {
		buf_adds(out, " -> ");
		show_line(e->link, out);
	}
}

json_t *
show_file_json(const struct files_line *line)
{
	const struct entry *e = &line->item->entry;
	AUTO(buf) struct buf path = BUF_INIT;
	AUTO(buf) struct buf time = BUF_INIT;
	AUTO(buf) struct buf mode = BUF_INIT;
	json_t *o = json_object();

	buf_addf(&path, "/%s", e->path);
	buf_addf(&mode, "%04" PRIo32, e->mode);
	add_time(e->mtime, 'T', true, &time);
	json_object_set_new(o, "path", json_text(path.data));
	json_object_set_new(o, "type", json_text(show_kind(e->kind)));
	json_object_set_new(o, "mode", json_text(mode.data));
	json_object_set_new(o, "uid", json_integer(e->uid));
	json_object_set_new(o, "gid", json_integer(e->gid));
	json_object_set_new(o, "size", json_integer((json_int_t)e->size));
	json_object_set_new(o, "mtime", json_text(time.data));
	if (e->kind == ENTRY_SYMLINK)
		json_object_set_new(o, "link", json_text(e->link));
	if (line->hard_link != NULL) {
		buf_clear(&path);
		buf_addf(&path, "/%s", line->hard_link);
		json_object_set_new(o, "hardLink", json_text(path.data));
	}
	if (is_device(e)) {
		json_object_set_new(o, "major", json_integer(e->major));
		json_object_set_new(o, "minor", json_integer(e->minor));
	}
	if (!digest_is_empty(&e->digest))
		json_object_set_new(o, "digest", json_text(e->digest.text));
	if (!line->item->is_implied) {
		json_object_set_new(o, "layer", json_integer((json_int_t)line->item->layer + 1));
		json_object_set_new(o, "layerDigest", json_text(layer_digest(line)->text));
	}
	return o;
}

void
auto_files_answer(struct files_answer *a)
{
	buf_free(&a->text);
}

static int
flush(struct files_answer *a, size_t above, struct err *err)
{
	if (a->text.len <= above)
		return 0;
	if (show_answer(&a->text, err) < 0)
		return -1;
	buf_clear(&a->text);
	return 0;
}

int
files_answer_line(struct files_answer *a, const struct buf *line, struct err *err)
{
	buf_add(&a->text, line->data, line->len);
	return flush(a, FLUSH_SIZE, err);
}

int
files_answer_json(struct files_answer *a, json_t *element, struct err *err)
{
	AUTO(json) json_t *owned = element;

	buf_adds(&a->text, a->any ? ",\n" : "[\n");
	a->any = true;
	json_format(owned, JSON_STYLE_COMPACT, &a->text);
	return flush(a, FLUSH_SIZE, err);
}

int
files_answer_end(struct files_answer *a, struct err *err)
{
	if (a->json)
		buf_adds(&a->text, a->any ? "\n]\n" : "[]\n");
	return flush(a, 0, err);
}
