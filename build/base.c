/* SPDX-License-Identifier: Apache-2.0 */
#include "build/base.h"

#include <stdlib.h>
#include <string.h>

#include "base/event.h"
#include "base/worker.h"
#include "registry/place_layout.h"
#include "registry/place_store.h"
#include "registry/registries.h"
#include "registry/remote.h"
#include "registry/shortname.h"
#include "registry/trust.h"

void
base_name(const struct ref *ref, struct buf *out)
{
	struct ref bare = *ref;

	if (!digest_is_empty(&ref->digest)) {
		ref_format(ref, REF_REPOSITORY, out);
		buf_addf(out, "@%s", ref->digest.text);
		return;
	}
	bare.digest.text[0] = '\0';
	ref_format(&bare, REF_CANONICAL, out);
}

static bool
is_id(const char *text)
{
	size_t len = strlen(text);

	return len >= 4 && len <= 64 && strspn(text, "0123456789abcdef") == len;
}

/* Whether the image of this name has a configuration whose digest begins so. */
static bool
has_id(struct store *store, const struct descriptor *d, const char *id)
{
	AUTO(buf) struct buf bytes = BUF_INIT;
	AUTO(manifest) struct manifest m = { .layer_count = 0 };
	struct err ignored;

	return media_is_manifest(d->media_type) &&
	       store_blob_read(store, &d->digest, MANIFEST_MAX, &bytes, &ignored) == 0 &&
	       manifest_parse(bytes.data, bytes.len, d->media_type, &m, &ignored) == 0 &&
	       starts_with(digest_hex(&m.config.digest), id);
}

int
base_find_ref(struct store *store, const char *text, struct ref *out, struct err *err)
{
	AUTO(store_names) struct store_names names = STORE_NAMES_INIT;
	const char *id = starts_with(text, "sha256:") ? text + strlen("sha256:") : text;
	struct err ignored;
	struct ref ref;

	/* a name that looks like one comes first; an image without a name has its digest's */
	if (is_id(id) && ref_parse(text, &ref, &ignored) == 0) {
		AUTO(buf) struct buf name = BUF_INIT;

		base_name(&ref, &name);
		if (store_name_get(store, name.data, NULL, &ignored) > 0) {
			*out = ref;
			return 0;
		}
	}
	if (is_id(id) && store_name_list(store, &names, &ignored) == 0)
		for (size_t i = 0; i < names.count; i++)
			if (has_id(store, &names.items[i].descriptor, id) &&
				ref_parse(names.items[i].name, &ref, &ignored) == 0) {
				*out = ref;
				return 0;
			}
	if (starts_with(text, "sha256:"))
		return err_set(err, ERR_NOTFOUND, "no image of the store has the ID '%s'", text);
	return ref_parse(text, out, err);
}

/* --- a place to a plan's image ---------------------------------------------------------------- */

/* Where the documents are read; those from elsewhere are kept as they come, since a second reading
 * may be counted by a registry, or be answered by another mirror. */
struct reading {
	struct place *from;
	struct store *keep; /* NULL: they are there already */
};

static int
read_document(const struct reading *r, const struct descriptor *d, size_t limit, struct buf *out,
	struct err *err)
{
	struct digest ignored;

	if (place_read(r->from, d, limit, out, err) < 0)
		return -1;
	return r->keep == NULL ? 0 : store_blob_put(r->keep, out->data, out->len, &ignored, err);
}

static int
choose(const struct reading *r, const struct plan_image *image, const struct descriptor *top,
	struct descriptor *out, struct err *err)
{
	AUTO(buf) struct buf bytes = BUF_INIT;
	AUTO(index) struct index index = { .manifest_count = 0 };
	const struct descriptor *chosen;

	if (!media_is_index(top->media_type)) {
		descriptor_copy(top, out);
		return 0;
	}
	if (read_document(r, top, MANIFEST_MAX, &bytes, err) < 0 ||
		index_parse(bytes.data, bytes.len, top->media_type, &index, err) < 0 ||
		index_choose(&index, &image->platform, &chosen, err) < 0)
		return -1;
	descriptor_copy(chosen, out);
	return 0;
}

static int
read_image(const struct reading *r, struct plan_image *image, const struct descriptor *top,
	struct err *err)
{
	AUTO(buf) struct buf manifest = BUF_INIT, config = BUF_INIT;

	if (choose(r, image, top, &image->manifest_at, err) < 0)
		return -1;
	if (media_is_index(image->manifest_at.media_type))
		return err_set(err, ERR_INPUT, "an index within an index");
	if (read_document(r, &image->manifest_at, MANIFEST_MAX, &manifest, err) < 0 ||
		manifest_parse(manifest.data, manifest.len, image->manifest_at.media_type,
			&image->manifest, err) < 0)
		return err_in(err, "manifest");
	if (read_document(r, &image->manifest.config, CONFIG_MAX, &config, err) < 0 ||
		config_parse(config.data, config.len, &image->config, err) < 0)
		return err_in(err, "configuration");
	if (image->config.diff_id_count != image->manifest.layer_count)
		return err_set(err, ERR_CORRUPT, "%zu layers, but %zu diff ids",
			image->manifest.layer_count, image->config.diff_id_count);
	return 0;
}

static void
forget(struct plan_image *image)
{
	config_free(&image->config);
	manifest_free(&image->manifest);
	descriptor_free(&image->manifest_at);
}

static void
pin(struct plan_image *image, const struct descriptor *top)
{
	AUTO(buf) struct buf text = BUF_INIT;
	struct ref ref = image->ref;

	ref.digest = top->digest;
	ref_format(&ref, REF_CANONICAL, &text);
	free(image->pinned);
	image->pinned = buf_steal(&text);
	image->resolved = true;
}

/* --- from the store --------------------------------------------------------------------------- */

/* 1, 0 when the store does not have it (for this platform), -1. */
static int
find_here(struct store *store, struct plan_image *image, struct err *err)
{
	AUTO(buf) struct buf name = BUF_INIT;
	AUTO(descriptor) struct descriptor top = { .size = 0 };
	AUTO(place) struct place *p = place_store_new(store);
	const struct reading here = { .from = p };
	int found;

	base_name(&image->ref, &name);
	found = store_name_get(store, name.data, &top, err);
	if (found <= 0)
		return found;
	if (read_image(&here, image, &top, err) < 0) {
		forget(image);
		return err->kind == ERR_NOTFOUND ? 0 : -1;
	}
	pin(image, &top);
	return 1;
}

/* By its own name first, so that what was built as "app" is "app"; then by what a short name stands
 * for. */
static int
find_here_short(struct store *store, const struct session_options *session,
	struct plan_image *image, struct err *err)
{
	AUTO(registries) struct registries registries = REGISTRIES_INIT;
	struct ref names[REGISTRIES_SEARCH_MAX], own = image->ref;
	int i, count, found = find_here(store, image, err);

	if (found != 0 || !own.host_implied)
		return found;
	if (registries_load(session->registries_conf, &registries, err) < 0)
		return -1;
	count = registries_names(&registries, &own, names, err);
	if (count < 0)
		return -1;
	for (i = 0; i < count && found == 0; i++) {
		image->ref = names[i];
		found = find_here(store, image, err);
	}
	if (found == 0)
		image->ref = own;
	return found;
}

/* --- from a registry, in a worker ------------------------------------------------------------- */

struct looking {
	struct store *store;
	struct plan_image *image;
	const struct session_options *options;
	uint32_t event;
	struct worker *worker;
};

static bool
is_layout(const struct plan_image *image)
{
	return image->context != NULL && starts_with(image->context, "oci-layout://");
}

static int
open_place(struct looking *l, struct session *session, struct place **out, const char **name,
	struct err *err)
{
	const char *context = l->image->context;

	*name = ref_name(&l->image->ref);
	if (!is_layout(l->image))
		return remote_open(session, &l->image->ref, REMOTE_PULL, out, err);
	context += strlen("oci-layout://");
	{
		const char *at = strchr(context, '@'), *colon = strrchr(context, ':');
		const char *end = at != NULL ? at : colon;
		AUTO(free)
		char *path =
			end != NULL ? xstrndup(context, (size_t)(end - context)) : xstrdup(context);

		*name = end != NULL ? end + 1 : NULL;
		return place_layout_open(path, PLACE_LAYOUT_READ, out, err);
	}
}

/* Nobody else knows where a layout is, so what it has does not stay there. */
static int
keep_layers(const struct looking *l, struct place *from, struct err *err)
{
	const struct place_copy_options how = { .platform = &l->image->platform };
	AUTO(place) struct place *to = place_store_new(l->store);
	AUTO(descriptor) struct descriptor copied = { .size = 0 };

	return place_copy(from, to, &l->image->manifest_at, &how, &copied, err);
}

static int
look(void *arg, json_t **result, struct err *err)
{
	struct looking *l = arg;
	AUTO(session) struct session *session = NULL;
	AUTO(place) struct place *from = NULL;
	AUTO(descriptor) struct descriptor top = { .size = 0 };
	struct reading there = { .keep = l->store };
	AUTO(buf) struct buf whole = BUF_INIT;
	const char *name;

	if (session_open(l->options, &session, err) < 0 ||
		(!is_layout(l->image) && shortname_find(session, &l->image->ref, err) < 0) ||
		open_place(l, session, &from, &name, err) < 0 ||
		from->ops->resolve(from, name, &top, err) < 0 ||
		(!is_layout(l->image) && trust_check_remote(session, from, &l->image->ref, &top,
						 &l->image->platform, false, err) < 0))
		return -1;
	there.from = from;
	if (read_image(&there, l->image, &top, err) < 0 ||
		(is_layout(l->image) && keep_layers(l, from, err) < 0))
		return -1;
	ref_format(&l->image->ref, REF_CANONICAL, &whole);
	*result = json_object();
	json_object_set_new(*result, "name", json_text(whole.data));
	json_object_set_new(*result, "image", descriptor_format(&top));
	return 0;
}

static int
remember(struct looking *l, const json_t *result, struct err *err)
{
	AUTO(descriptor) struct descriptor top = { .size = 0 };
	AUTO(buf) struct buf name = BUF_INIT, repository = BUF_INIT;
	AUTO(place) struct place *p = place_store_new(l->store);
	const struct reading here = { .from = p };
	struct plan_image *image = l->image;
	const char *whole = NULL;

	if (json_get_string(result, "name", &whole, err) < 0 ||
		ref_parse(whole, &image->ref, err) < 0 ||
		descriptor_parse(json_object_get(result, "image"), &top, err) < 0 ||
		read_image(&here, image, &top, err) < 0)
		return -1;
	base_name(&image->ref, &name);
	ref_format(&image->ref, REF_REPOSITORY, &repository);
	for (size_t i = 0; image->context == NULL && i < image->manifest.layer_count; i++)
		if (store_source_add(
			    l->store, &image->manifest.layers[i].digest, repository.data, err) < 0)
			return -1;
	pin(image, &top);
	if (image->context != NULL)
		return 0;
	return store_name_set(l->store, name.data, &top, err);
}

static int
finish(struct looking *l, struct err *err)
{
	AUTO(json) json_t *result = NULL;

	if (worker_result(l->worker, &result, err) < 0 || remember(l, result, err) < 0) {
		event_fail(l->event, err->msg);
		return err_in(err, "%s", l->image->text);
	}
	event_done(l->event);
	return 0;
}

static int
wait_for_all(struct looking *all, size_t *left, struct err *err)
{
	int result = 0;

	while (*left > 0 && result == 0) {
		AUTO(free) struct worker **workers = xcalloc(*left, sizeof *workers);
		size_t done;

		for (size_t i = 0; i < *left; i++)
			workers[i] = all[i].worker;
		result = worker_wait_any(workers, *left, &done, err);
		if (result < 0)
			break;
		result = finish(&all[done], err);
		worker_free(all[done].worker);
		all[done] = all[--*left];
	}
	return result;
}

static int
start(struct looking *l, struct err *err)
{
	struct worker_job job = { .name = "resolve", .run = look, .arg = l };

	l->event = event_start("[internal] load metadata for %s", l->image->text);
	return worker_start(&job, &l->worker, err);
}

static int
start_all(struct store *store, enum build_pull pull, const struct session_options *session,
	struct plan_image **images, size_t count, struct looking *all, size_t *started,
	struct err *err)
{
	for (size_t i = 0; i < count; i++) {
		int found = 0;

		if (images[i]->resolved)
			continue;
		if (pull != BUILD_PULL_ALWAYS && images[i]->context == NULL)
			found = find_here_short(store, session, images[i], err);
		if (found < 0)
			return err_in(err, "%s", images[i]->text);
		if (found > 0)
			continue;
		if (pull == BUILD_PULL_NEVER)
			return err_set(err, ERR_NOTFOUND,
				"image '%s' is not in the store, and --pull=never was given",
				images[i]->text);
		all[*started] =
			(struct looking){ .store = store, .image = images[i], .options = session };
		if (start(&all[*started], err) < 0)
			return -1;
		++*started;
	}
	return 0;
}

int
base_resolve(struct store *store, enum build_pull pull, const struct session_options *session,
	struct plan_image **images, size_t count, struct err *err)
{
	AUTO(free) struct looking *all = xcalloc(count, sizeof *all);
	size_t left = 0;
	int result = start_all(store, pull, session, images, count, all, &left, err);

	if (result == 0)
		result = wait_for_all(all, &left, err);
	for (size_t i = 0; i < left; i++)
		worker_stop(all[i].worker, 0);
	return result;
}
