/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/fake.h"

#include "registry/remote_referrers.h"

/* What is attached to images, where registries list it and where they do not. */

/* An artifact of that type, attached to subject, in memory. */
static struct descriptor
attach(struct place *p, const struct descriptor *subject, const char *type)
{
	AUTO(buf) struct buf text = BUF_INIT;
	struct descriptor config = image_blob(p, MEDIA_OCI_EMPTY, "{}", 2);

	buf_addf(&text,
		"{\"schemaVersion\":2,\"mediaType\":\"" MEDIA_OCI_MANIFEST
		"\",\"artifactType\":\"%s\","
		"\"config\":",
		type);
	image_descriptor(&text, &config);
	buf_adds(&text, ",\"layers\":[],\"subject\":");
	image_descriptor(&text, subject);
	buf_adds(&text, "}");
	return image_blob(p, MEDIA_OCI_MANIFEST, text.data, text.len);
}

static void
push_attached(struct fake *f, const struct descriptor *subject, const struct descriptor *d,
	const char *type)
{
	AUTO(json) json_t *row = descriptor_format(d);
	struct descriptor copied;
	struct err err = { 0 };

	json_object_set_new(row, "artifactType", json_string(type));
	works(place_copy(f->memory, f->push, d, NULL, &copied, &err));
	works(remote_referrers_add(f->push, &subject->digest, row, &err));
}

static size_t
count_at(struct place *p, const struct digest *subject, const char *type)
{
	AUTO(json) json_t *rows = NULL;
	struct err err = { 0 };

	works(remote_referrers(p, subject, type, &rows, &err));
	return json_array_size(rows);
}

static void
check_attached(const char *option, const char *page)
{
	AUTO(fake) struct fake f;
	AUTO(place) struct place *other = NULL;
	struct descriptor sbom, signature, nested, copied;
	unsigned count = 0;
	struct err err = { 0 };

	START(&f, "--page", page, option);
	works(push(&f, &err));
	sbom = attach(f.memory, &f.root, "application/sbom");
	signature = attach(f.memory, &f.root, "application/signature");
	nested = attach(f.memory, &sbom, "application/signature");
	same_int(count_at(f.pull, &f.root.digest, NULL), 0);
	push_attached(&f, &f.root, &sbom, "application/sbom");
	push_attached(&f, &f.root, &signature, "application/signature");
	push_attached(&f, &f.root, &signature, "application/signature"); /* once is enough */
	push_attached(&f, &sbom, &nested, "application/signature");
	same_int(count_at(f.pull, &f.root.digest, NULL), 2);
	same_int(count_at(f.pull, &f.root.digest, "application/sbom"), 1);
	same_int(count_at(f.pull, &f.root.digest, "application/none"), 0);

	AUTO(buf) struct buf tag = BUF_INIT;
	remote_referrers_tag(&f.root.digest, ".sig", &tag);
	works(f.push->ops->tag(f.push, tag.data, &signature, &err));
	other = open_at(f.session, &f.server, "c/d", REMOTE_PUSH);
	works(place_copy(f.pull, other, &f.root, NULL, &copied, &err));
	works(remote_referrers_copy(f.pull, other, &f.root.digest, &count, &err));
	same_int(count, 4);
	same_int(count_at(other, &f.root.digest, NULL), 2);
	same_int(count_at(other, &sbom.digest, NULL), 1);
	works(other->ops->resolve(other, tag.data, &copied, &err));
}

TEST(a_registry_that_lists_referrers_is_asked)
{
	check_attached("--referrers", "1");
}

TEST(where_it_does_not_an_index_under_a_tag_is_kept)
{
	check_attached("--other", "0");
}

TEST(a_tag_that_is_taken_for_the_digest_is_no_index)
{
	AUTO(fake) struct fake f;
	struct err err = { 0 };

	START(&f, "--rule", "GET /manifests/sha256-");
	works(push(&f, &err));
	AUTO(buf) struct buf tag = BUF_INIT;
	remote_referrers_tag(&f.root.digest, "", &tag);
	works(f.push->ops->tag(f.push, tag.data, &f.root, &err));
	same_int(count_at(f.pull, &f.root.digest, NULL), 0);
}

TEST(a_web_page_is_no_list_of_referrers)
{
	AUTO(fake) struct fake f;
	struct err err = { 0 };

	START(&f, "--rule", "GET /referrers/ status=200 body=<html> header=Content-Type:text/html");
	works(push(&f, &err));
	same_int(count_at(f.pull, &f.root.digest, NULL), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_registry_that_lists_referrers_is_asked),
		CASE(where_it_does_not_an_index_under_a_tag_is_kept),
		CASE(a_tag_that_is_taken_for_the_digest_is_no_index),
		CASE(a_web_page_is_no_list_of_referrers),
	};

	return RUN(tests);
}
