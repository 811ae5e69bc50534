/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "registry/catalog.h"

static struct descriptor
named(const char *content)
{
	struct descriptor d = { .media_type = MEDIA_OCI_MANIFEST, .size = strlen(content) };

	digest_of(content, strlen(content), &d.digest);
	return d;
}

TEST(a_name_is_found_in_each_of_its_spellings)
{
	AUTO(catalog) struct catalog c = CATALOG_INIT;
	const struct descriptor *found = NULL;
	struct descriptor a = named("a"), b = named("b");
	struct err err = { 0 };

	catalog_set(&c, "alpine:3.20", &a);
	catalog_set(&c, "localhost:5000/demo:1", &b);
	same_str(c.rows[0].name, "docker.io/library/alpine:3.20");
	same_str(c.rows[0].tag, "3.20");
	works(catalog_find(&c, "alpine:3.20", &found, &err));
	same_str(found->digest.text, a.digest.text);
	works(catalog_find(&c, "docker.io/library/alpine:3.20", &found, &err));
	same_str(found->digest.text, a.digest.text);
	works(catalog_find(&c, "1", &found, &err));
	same_str(found->digest.text, b.digest.text);
	works(catalog_find(&c, b.digest.text, &found, &err));
	same_str(found->digest.text, b.digest.text);
	fails(catalog_find(&c, "alpine", &found, &err),
		"'alpine' is not there, but 'docker.io/library/alpine:3.20', "
		"'localhost:5000/demo:1'");
	same_int(err.kind, ERR_NOTFOUND);
}

TEST(the_only_image_needs_no_name)
{
	AUTO(catalog) struct catalog c = CATALOG_INIT;
	const struct descriptor *found = NULL;
	struct descriptor a = named("a"), b = named("b");
	struct err err = { 0 };

	fails(catalog_find(&c, NULL, &found, &err), "there is no image");
	catalog_set(&c, NULL, &a);
	works(catalog_find(&c, NULL, &found, &err));
	same_str(found->digest.text, a.digest.text);
	catalog_set(&c, "b:1", &b);
	same_int(catalog_find(&c, NULL, &found, &err), -1);
	same_int(err.kind, ERR_INPUT);
}

TEST(a_name_stands_for_one_image)
{
	AUTO(catalog) struct catalog c = CATALOG_INIT;
	struct descriptor a = named("a"), b = named("b");

	catalog_set(&c, NULL, &a);
	catalog_set(&c, "x", &a);
	same_int(c.count, 1);
	catalog_set(&c, "x", &b);
	same_int(c.count, 1);
	same_str(c.rows[0].descriptor.digest.text, b.digest.text);
}

TEST(what_is_written_is_read)
{
	AUTO(catalog) struct catalog c = CATALOG_INIT;
	AUTO(catalog) struct catalog again = CATALOG_INIT;
	AUTO(buf) struct buf text = BUF_INIT;
	AUTO(buf) struct buf second = BUF_INIT;
	struct descriptor a = named("a"), b = named("b"), n = named("c");
	struct err err = { 0 };

	catalog_set(&c, "alpine:3.20", &a);
	catalog_set(&c, "edge", &b);
	catalog_set(&c, NULL, &n);
	catalog_format(&c, &text);
	works(catalog_parse(text.data, text.len, &again, &err));
	same_int(again.count, 3);
	same_str(again.rows[0].name, "docker.io/library/alpine:3.20");
	same_str(again.rows[1].name, "edge");
	same_str(again.rows[2].name, NULL);
	catalog_format(&again, &second);
	same_str(second.data, text.data);
}

TEST(foreign_indexes_are_read)
{
	static const char skopeo[] =
		"{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"" MEDIA_OCI_MANIFEST
		"\",\"digest\":"
		"\"sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae\","
		"\"size\":3,"
		"\"annotations\":{\"org.opencontainers.image.ref.name\":\"quay.io/a/"
		"b:1\",\"other\":\"kept\"}},"
		"{\"mediaType\":\"application/vnd.unknown\",\"digest\":"
		"\"sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae\","
		"\"size\":3}]}";
	AUTO(catalog) struct catalog c = CATALOG_INIT;
	struct err err = { 0 };

	works(catalog_parse(skopeo, strlen(skopeo), &c, &err));
	same_int(c.count, 1);
	same_str(c.rows[0].name, "quay.io/a/b:1");
	same_str(annotation_get(&c.rows[0].descriptor, "other"), "kept");
	same_str(annotation_get(&c.rows[0].descriptor, CATALOG_REF_NAME), NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_name_is_found_in_each_of_its_spellings),
		CASE(the_only_image_needs_no_name),
		CASE(a_name_stands_for_one_image),
		CASE(what_is_written_is_read),
		CASE(foreign_indexes_are_read),
	};

	return RUN(tests);
}
