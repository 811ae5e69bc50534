/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <time.h>

#include "base/json.h"
#include "base/mem.h"
#include "cmd/cmd.h"
#include "cmd/image.h"
#include "cmd/show.h"

#define ID_SHOWN 12

enum format { FORMAT_TABLE, FORMAT_JSON };

struct values {
	bool quiet, no_trunc, digests;
	enum format format;
};

static const struct opt_word formats[] = {
	{ "table", FORMAT_TABLE },
	{ "json", FORMAT_JSON },
	{ NULL, 0 },
};

static const struct opt options[] = { OPT_BOOL('q', "quiet", struct values, quiet,
					      "show image IDs only"),
	OPT_BOOL(0, "no-trunc", struct values, no_trunc, "show whole IDs"),
	OPT_BOOL(0, "digests", struct values, digests, "show the digests of manifests"),
	OPT_ENUM(0, "format", struct values, format, formats, "how",
		"as a table, or one object a line"),
	OPT_END };

struct row {
	struct ref ref; /* repository empty: it has no name */
	const struct store_name *name;
	struct image image;
};

static void
id_format(const struct digest *d, bool whole, struct buf *out)
{
	if (whole)
		buf_adds(out, d->text);
	else
		buf_add(out, digest_hex(d), ID_SHOWN);
}

static void
row_table(const struct row *r, const struct values *v, struct show_table *table)
{
	AUTO(buf) struct buf repository = BUF_INIT;
	AUTO(buf) struct buf id = BUF_INIT;
	AUTO(buf) struct buf age = BUF_INIT;
	AUTO(buf) struct buf size = BUF_INIT;

	if (r->ref.repository[0] != '\0')
		ref_format(&r->ref, REF_FAMILIAR_REPOSITORY, &repository);
	id_format(&r->image.manifest.config.digest, v->no_trunc, &id);
	show_age(time(NULL), image_time(r->image.config.created), &age);
	show_size(image_size(&r->image), &size);
	strv_add(&table->cells, repository.len == 0 ? "<none>" : repository.data);
	strv_add(&table->cells, r->ref.tag[0] == '\0' ? "<none>" : r->ref.tag);
	if (v->digests)
		strv_add(&table->cells, r->image.root.digest.text);
	strv_add(&table->cells, id.data);
	strv_add(&table->cells, age.data);
	strv_add(&table->cells, size.data);
}

static void
row_json(const struct row *r, struct buf *out)
{
	AUTO(json) json_t *o = json_object();
	AUTO(buf) struct buf repository = BUF_INIT;
	AUTO(buf) struct buf platform = BUF_INIT;

	if (r->ref.repository[0] != '\0')
		ref_format(&r->ref, REF_FAMILIAR_REPOSITORY, &repository);
	platform_format(&r->image.config.platform, &platform);
	json_object_set_new(o, "ID", json_text(r->image.manifest.config.digest.text));
	json_object_set_new(o, "Repository", json_text(repository.data));
	json_object_set_new(o, "Tag", json_text(r->ref.tag));
	json_object_set_new(o, "Name", json_text(r->name->name));
	json_object_set_new(o, "Digest", json_text(r->image.root.digest.text));
	json_object_set_new(o, "MediaType", json_text(r->image.root.media_type));
	json_object_set_new(o, "Platform", json_text(platform.data));
	if (r->image.config.created != NULL)
		json_object_set_new(o, "Created", json_text(r->image.config.created));
	json_object_set_new(o, "Size", json_integer((json_int_t)image_size(&r->image)));
	json_format(o, JSON_STYLE_COMPACT, out);
	buf_addc(out, '\n');
}

/* "alpine" means all its tags, "alpine:3" that one. */
static bool
wanted(const struct ref *filter, const struct ref *ref)
{
	return ref->repository[0] != '\0' && ref_same_repository(filter, ref) &&
	       (filter->tag_implied || streq(filter->tag, ref->tag));
}

static int
images_run(struct call *call, struct err *err)
{
	const struct values *v = call->values;
	AUTO(store) struct store *store = NULL;
	AUTO(store_names) struct store_names names = STORE_NAMES_INIT;
	AUTO(strv) struct strv seen = STRV_INIT;
	AUTO(buf) struct buf answer = BUF_INIT;
	struct show_table table = { .cells = STRV_INIT, .columns = v->digests ? 6 : 5 };
	const char *filter_text = call->args.count == 0 ? NULL : call->args.items[0];
	struct ref filter;
	int result = 0;

	if (filter_text != NULL && ref_parse(filter_text, &filter, err) < 0)
		return -1;
	if (store_open(call->globals->root, &store, err) < 0 ||
		store_name_list(store, &names, err) < 0)
		return -1;
	strv_split(&table.cells,
		v->digests ? "REPOSITORY,TAG,DIGEST,IMAGE ID,CREATED,SIZE"
			   : "REPOSITORY,TAG,IMAGE ID,CREATED,SIZE",
		",");
	for (size_t i = 0; i < names.count && result == 0; i++) {
		struct row r = { .name = &names.items[i], .image = IMAGE_INIT };
		struct err ignored = { 0 };

		if (ref_parse(r.name->name, &r.ref, &ignored) < 0 || image_is_nameless(&r.ref))
			r.ref = (struct ref){ .repository = "" };
		if (filter_text != NULL && !wanted(&filter, &r.ref))
			continue;
		if (image_read(store, &r.name->descriptor, NULL, &r.image, err) < 0) {
			result = err_in(err, "%s", r.name->name);
			break;
		}
		if (v->quiet && !strv_has(&seen, r.image.manifest.config.digest.text)) {
			strv_add(&seen, r.image.manifest.config.digest.text);
			id_format(&r.image.manifest.config.digest, v->no_trunc, &answer);
			buf_addc(&answer, '\n');
		} else if (!v->quiet && v->format == FORMAT_JSON) {
			row_json(&r, &answer);
		} else if (!v->quiet) {
			row_table(&r, v, &table);
		}
		auto_image(&r.image);
	}
	if (!v->quiet && v->format == FORMAT_TABLE)
		show_table(&table, &answer);
	strv_free(&table.cells);
	return result < 0 ? -1 : show_answer(&answer, err);
}

const struct cmd cmd_images = {
	.name = "images",
	.summary = "list the images of the store",
	.args = "[<name>]",
	.about = "Lists all names and the images that they stand for, or only those of the "
		 "repository or "
		 "name that is given. An image's ID is the digest of its config. Its size is "
		 "what its layers take as they are stored, which is compressed.",
	.options = options,
	.values_size = sizeof(struct values),
	.args_max = 1,
	.run = images_run,
};
