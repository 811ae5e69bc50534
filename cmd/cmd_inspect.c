/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "cmd/cmd.h"
#include "cmd/image.h"
#include "cmd/show.h"
#include "cmd/template.h"

struct values {
	const char *format, *platform;
	bool raw, config;
};

static const struct opt options[] = {
	OPT_STR('f', "format", struct values, format, "template",
		"show what <template> asks for, as {{.Id}} or {{json .Config.Env}}"),
	OPT_STR(0, "platform", struct values, platform, "os/arch", "the image for this platform"),
	OPT_BOOL(0, "raw", struct values, raw, "show the bytes of the manifest or index"),
	OPT_BOOL(0, "config", struct values, config, "show the bytes of the image config"), OPT_END
};

static void
set_text(json_t *o, const char *name, const char *text)
{
	json_object_set_new(o, name, json_text(text == NULL ? "" : text));
}

/* Names of this image, and what it is called by digest in their repositories. */
static int
add_names(struct store *store, const struct image *i, json_t *o, struct err *err)
{
	AUTO(store_names) struct store_names names = STORE_NAMES_INIT;
	AUTO(strv) struct strv tags = STRV_INIT;
	AUTO(strv) struct strv digests = STRV_INIT;

	if (store_name_list(store, &names, err) < 0)
		return -1;
	for (size_t n = 0; n < names.count; n++) {
		AUTO(buf) struct buf tag = BUF_INIT;
		AUTO(buf) struct buf digest = BUF_INIT;
		struct err ignored = { 0 };
		struct ref r;

		if (!digest_same(&names.items[n].descriptor.digest, &i->root.digest) ||
			ref_parse(names.items[n].name, &r, &ignored) < 0 || image_is_nameless(&r))
			continue;
		ref_format(&r, REF_FAMILIAR, &tag);
		if (r.tag[0] != '\0')
			strv_add(&tags, tag.data);
		ref_format(&r, REF_FAMILIAR_REPOSITORY, &digest);
		buf_addf(&digest, "@%s", i->root.digest.text);
		if (!strv_has(&digests, digest.data))
			strv_add(&digests, digest.data);
	}
	json_object_set_new(o, "RepoTags", json_strv(&tags));
	json_object_set_new(o, "RepoDigests", json_strv(&digests));
	return 0;
}

/* The config's own words: an image's config document is what docker shows as "Config", with all
 * members that scripts may ask for. */
static json_t *
config_member(const struct image *i)
{
	AUTO(json) json_t *doc = NULL;
	struct err ignored = { 0 };
	json_t *config = NULL;

	if (json_parse(i->config_bytes.data, i->config_bytes.len, &doc, &ignored) == 0)
		config = json_object_get(doc, "config");
	return json_is_object(config) ? json_incref(config) : json_object();
}

static json_t *
rootfs_member(const struct image *i)
{
	json_t *o = json_object(), *layers = json_array();

	for (size_t l = 0; l < i->config.diff_id_count; l++)
		json_array_append_new(layers, json_text(i->config.diff_ids[l].text));
	json_object_set_new(o, "Type", json_text("layers"));
	json_object_set_new(o, "Layers", layers);
	return o;
}

static json_t *
layers_member(const struct image *i)
{
	json_t *layers = json_array();

	for (size_t l = 0; l < i->manifest.layer_count; l++)
		json_array_append_new(layers, descriptor_format(&i->manifest.layers[l]));
	return layers;
}

static int
describe(struct store *store, const struct image *i, json_t **out, struct err *err)
{
	AUTO(json) json_t *o = json_object();

	set_text(o, "Id", i->manifest.config.digest.text);
	if (add_names(store, i, o, err) < 0)
		return -1;
	set_text(o, "Digest", i->root.digest.text);
	set_text(o, "Created", i->config.created);
	set_text(o, "Author", i->config.author);
	set_text(o, "Architecture", i->config.platform.arch);
	if (i->config.platform.variant[0] != '\0')
		set_text(o, "Variant", i->config.platform.variant);
	set_text(o, "Os", i->config.platform.os);
	json_object_set_new(o, "Size", json_integer((json_int_t)image_size(i)));
	json_object_set_new(o, "Config", config_member(i));
	json_object_set_new(o, "RootFS", rootfs_member(i));
	json_object_set_new(o, "Descriptor", descriptor_format(&i->root));
	json_object_set_new(o, "Manifest", descriptor_format(&i->descriptor));
	json_object_set_new(o, "Layers", layers_member(i));
	*out = steal(&o);
	return 0;
}

static int
inspect_one(struct store *store, const char *text, const struct values *v,
	const struct platform *platform, json_t *rows, struct buf *answer, struct err *err)
{
	AUTO(descriptor) struct descriptor d = { .size = 0 };
	AUTO(image) struct image i = IMAGE_INIT;
	AUTO(json) json_t *o = NULL;

	if (image_find(store, text, NULL, &d, err) < 0)
		return -1;
	if (v->raw && platform == NULL)
		return store_blob_read(store, &d.digest, MANIFEST_MAX, answer, err);
	if (image_read(store, &d, platform, &i, err) < 0)
		return err_in(err, "%s", text);
	if (v->raw || v->config) {
		const struct buf *bytes = v->raw ? &i.manifest_bytes : &i.config_bytes;

		buf_add(answer, bytes->data, bytes->len);
		return 0;
	}
	if (describe(store, &i, &o, err) < 0)
		return -1;
	if (v->format != NULL && !streq(v->format, "json")) {
		if (template_format(v->format, o, answer, err) < 0)
			return -1;
		buf_addc(answer, '\n');
		return 0;
	}
	json_array_append(rows, o);
	return 0;
}

static int
inspect_run(struct call *call, struct err *err)
{
	const struct values *v = call->values;
	AUTO(store) struct store *store = NULL;
	AUTO(buf) struct buf answer = BUF_INIT;
	AUTO(json) json_t *rows = json_array();
	struct platform platform;

	if (v->platform != NULL && platform_parse(v->platform, &platform, err) < 0)
		return -1;
	if (store_open(call->globals->root, &store, err) < 0)
		return -1;
	for (size_t i = 0; i < call->args.count; i++)
		if (inspect_one(store, call->args.items[i], v,
			    v->platform == NULL ? NULL : &platform, rows, &answer, err) < 0)
			return -1;
	if (json_array_size(rows) > 0) {
		json_format(rows, JSON_STYLE_INDENT, &answer);
		buf_addc(&answer, '\n');
	}
	return show_answer(&answer, err);
}

const struct cmd cmd_inspect = {
	.name = "inspect",
	.summary = "show what an image is made of",
	.args = "<image>...",
	.about = "Shows a JSON list with one object for each image, whose members are those of "
		 "'docker image "
		 "inspect' and the descriptors of manifest and layers. Templates know "
		 "{{.Member.Member}}, "
		 "{{json .Member}} and {{index .Member \"key\"}}.",
	.example = "  cooper inspect app:1\n  cooper inspect -f '{{json .Config.Env}}' app:1\n"
		   "  cooper inspect --raw app:1 | sha256sum\n",
	.options = options,
	.values_size = sizeof(struct values),
	.args_min = 1,
	.args_max = CMD_ARGS_ANY,
	.run = inspect_run,
};
