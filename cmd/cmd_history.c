/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <time.h>

#include "base/json.h"
#include "base/mem.h"
#include "cmd/cmd.h"
#include "cmd/image.h"
#include "cmd/show.h"

#define CREATED_BY_SHOWN 45

enum format { FORMAT_TABLE, FORMAT_JSON };

struct values {
	bool no_trunc;
	const char *platform;
	enum format format;
};

static const struct opt_word formats[] = {
	{ "table", FORMAT_TABLE },
	{ "json", FORMAT_JSON },
	{ NULL, 0 },
};

static const struct opt options[] = { OPT_BOOL(0, "no-trunc", struct values, no_trunc,
					      "show whole commands and digests"),
	OPT_STR(0, "platform", struct values, platform, "os/arch", "the image for this platform"),
	OPT_ENUM(0, "format", struct values, format, formats, "how",
		"as a table, or one object a line"),
	OPT_END };

static const char *
text_or(const char *text, const char *other)
{
	return text == NULL || text[0] == '\0' ? other : text;
}

/* layer NULL: it made none. */
static void
row_table(const struct history *h, const struct descriptor *layer, bool whole,
	struct show_table *table)
{
	AUTO(buf) struct buf age = BUF_INIT;
	AUTO(buf) struct buf by = BUF_INIT;
	AUTO(buf) struct buf size = BUF_INIT;
	AUTO(buf) struct buf comment = BUF_INIT;

	show_age(time(NULL), image_time(h->created), &age);
	show_line(text_or(h->created_by, ""), &by);
	show_line(text_or(h->comment, ""), &comment);
	show_size(layer == NULL ? 0 : layer->size, &size);
	if (!whole && by.len > CREATED_BY_SHOWN) {
		size_t end = CREATED_BY_SHOWN - 3;

		/* not in the middle of a character */
		while (end > 0 && ((unsigned char)by.data[end] & 0xc0) == 0x80)
			end--;
		buf_truncate(&by, end);
		buf_adds(&by, "...");
	}
	if (layer == NULL)
		strv_add(&table->cells, "-");
	else if (whole)
		strv_add(&table->cells, layer->digest.text);
	else
		strv_addn(&table->cells, digest_hex(&layer->digest), 12);
	strv_add(&table->cells, age.data);
	strv_add(&table->cells, by.data);
	strv_add(&table->cells, size.data);
	strv_add(&table->cells, comment.data);
}

static void
row_json(const struct history *h, const struct descriptor *layer, struct buf *out)
{
	AUTO(json) json_t *o = json_object();

	json_object_set_new(o, "Layer", json_text(layer == NULL ? "" : layer->digest.text));
	json_object_set_new(o, "Created", json_text(text_or(h->created, "")));
	json_object_set_new(o, "CreatedBy", json_text(text_or(h->created_by, "")));
	json_object_set_new(o, "Size", json_integer(layer == NULL ? 0 : (json_int_t)layer->size));
	json_object_set_new(o, "Comment", json_text(text_or(h->comment, "")));
	json_format(o, JSON_STYLE_COMPACT, out);
	buf_addc(out, '\n');
}

static void
show_history(const struct image *i, const struct values *v, struct buf *out)
{
	struct show_table table = { .cells = STRV_INIT, .columns = 5 };
	size_t layer = i->manifest.layer_count;

	strv_split(&table.cells, "LAYER,CREATED,CREATED BY,SIZE,COMMENT", ",");
	/* the newest first; layers without history come last */
	for (size_t h = i->config.history_count; h-- > 0;) {
		const struct history *row = &i->config.history[h];
		const struct descriptor *d = NULL;

		if (!row->empty_layer && layer > 0)
			d = &i->manifest.layers[--layer];
		if (v->format == FORMAT_JSON)
			row_json(row, d, out);
		else
			row_table(row, d, v->no_trunc, &table);
	}
	while (layer-- > 0) {
		const struct history none = { .created = NULL };

		if (v->format == FORMAT_JSON)
			row_json(&none, &i->manifest.layers[layer], out);
		else
			row_table(&none, &i->manifest.layers[layer], v->no_trunc, &table);
	}
	if (v->format == FORMAT_TABLE)
		show_table(&table, out);
	strv_free(&table.cells);
}

static int
history_run(struct call *call, struct err *err)
{
	const struct values *v = call->values;
	AUTO(store) struct store *store = NULL;
	AUTO(buf) struct buf answer = BUF_INIT;
	AUTO(descriptor) struct descriptor d = { .size = 0 };
	AUTO(image) struct image i = IMAGE_INIT;
	struct platform platform;

	if (v->platform != NULL && platform_parse(v->platform, &platform, err) < 0)
		return -1;
	if (store_open(call->globals->root, &store, err) < 0 ||
		image_find(store, call->args.items[0], NULL, &d, err) < 0 ||
		image_read(store, &d, v->platform == NULL ? NULL : &platform, &i, err) < 0)
		return -1;
	show_history(&i, v, &answer);
	return show_answer(&answer, err);
}

const struct cmd cmd_history = {
	.name = "history",
	.summary = "show how an image was made",
	.args = "<image>",
	.about = "Shows the instructions that made the image, the last first, and the layers that "
		 "they made. Sizes are "
		 "those of layers as they are stored.",
	.options = options,
	.values_size = sizeof(struct values),
	.args_min = 1,
	.args_max = 1,
	.run = history_run,
};
