/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/fake.h"

#include "build/base.h"

/* An image without layers in the registry, in an index of that name. */
static void
push_index(struct fake *f, struct descriptor *config, struct descriptor *manifest,
	struct descriptor *index)
{
	AUTO(buf) struct buf text = BUF_INIT;
	struct platform host;
	struct err err = { 0 };

	platform_host(&host);
	buf_addf(&text,
		"{\"architecture\":\"%s\",\"os\":\"linux\",\"config\":{},\"rootfs\":"
		"{\"type\":\"layers\",\"diff_ids\":[]}}",
		host.arch);
	*config = image_blob(f->push, MEDIA_OCI_CONFIG, text.data, text.len);
	buf_clear(&text);
	buf_adds(
		&text, "{\"schemaVersion\":2,\"mediaType\":\"" MEDIA_OCI_MANIFEST "\",\"config\":");
	image_descriptor(&text, config);
	buf_adds(&text, ",\"layers\":[]}");
	*manifest = image_blob(f->push, MEDIA_OCI_MANIFEST, text.data, text.len);
	buf_clear(&text);
	buf_addf(&text,
		"{\"schemaVersion\":2,\"mediaType\":\"" MEDIA_OCI_INDEX "\",\"manifests\":["
		"{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":%" PRIu64
		",\"platform\":{\"architecture\":\"%s\",\"os\":\"linux\"}}]}",
		manifest->media_type, manifest->digest.text, manifest->size, host.arch);
	*index = image_blob(f->push, MEDIA_OCI_INDEX, text.data, text.len);
	works(f->push->ops->tag(f->push, "index", index, &err));
}

TEST(a_registry_is_asked_once_for_each_document)
{
	AUTO(fake) struct fake f;
	AUTO(store) struct store *store = NULL;
	AUTO(free) char *root = NULL;
	AUTO(free) char *auth = NULL;
	AUTO(free) char *text = NULL;
	struct plan_image image = { .text = NULL }, *images[] = { &image };
	struct descriptor config, manifest, index;
	struct err err = { 0 };

	START(&f, "--rule", "GET none");
	push_index(&f, &config, &manifest, &index);
	root = xasprintf("%s/store", f.server.dir);
	auth = xasprintf("%s/auth.json", f.server.dir);
	text = xasprintf("127.0.0.1:%u/a/b:index", f.server.port);
	works(store_open(root, &store, &err));
	image.text = text;
	works(ref_parse(text, &image.ref, &err));
	platform_host(&image.platform);
	works(base_resolve(store, BUILD_PULL_MISSING,
		&(struct session_options){ .auth_file = auth, .registries_conf = "" }, images, 1,
		&err));
	is_true(image.resolved);
	same_str(image.manifest_at.digest.text, manifest.digest.text);
	same_int(asked(&f, "GET /v2/a/b/manifests/", index.digest.text), 1);
	same_int(asked(&f, "GET /v2/a/b/manifests/", manifest.digest.text), 1);
	same_int(asked(&f, "GET /v2/a/b/blobs/", config.digest.text), 1);
	config_free(&image.config);
	manifest_free(&image.manifest);
	descriptor_free(&image.manifest_at);
	free(image.pinned);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_registry_is_asked_once_for_each_document),
	};

	return RUN(tests);
}
