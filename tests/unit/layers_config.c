/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include <fcntl.h>
#include <unistd.h>

#include "layers/config.h"

static void
load(const char *path, struct buf *out)
{
	AUTO(fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct err err = { 0 };

	is_true(fd >= 0);
	works(buf_read(out, fd, 1 << 20, &err));
}

TEST(a_base_is_written_as_buildkit_would)
{
	AUTO(buf) struct buf text = BUF_INIT;
	AUTO(buf) struct buf wanted = BUF_INIT;
	AUTO(buf) struct buf got = BUF_INIT;
	AUTO(config) struct config c = { 0 };
	AUTO(config) struct config copy = { 0 };
	struct err err = { 0 };

	load(TESTDATA "/oci/config-docker.json", &text);
	load(TESTDATA "/oci/config-docker.golden", &wanted);
	works(config_parse(text.data, text.len, &c, &err));
	config_copy(&c, &copy);
	config_free(&c);
	config_format(&copy, &got);
	same_str(got.data, wanted.data);
	is_true(copy.has_entrypoint);
	is_true(!copy.has_cmd);
}

TEST(odd_shapes_are_empty_or_refused)
{
	AUTO(buf) struct buf table = BUF_INIT;
	AUTO(strv) struct strv lines = STRV_INIT;

	load(TESTDATA "/oci/config.tsv", &table);
	strv_split(&lines, table.data, "\n");
	for (size_t i = 0; i < lines.count; i++) {
		AUTO(config) struct config c = { 0 };
		AUTO(buf) struct buf got = BUF_INIT;
		char *line = lines.items[i], *tab = strchr(line, '\t');
		struct err err = { 0 };

		if (line[0] == '#' || tab == NULL)
			continue;
		if (config_parse(line, (size_t)(tab - line), &c, &err) < 0) {
			same_int(err.kind, ERR_INPUT);
			buf_adds(&got, err.msg);
		} else {
			config_format(&c, &got);
		}
		same_str(got.data, tab + 1);
	}
}

TEST(history_and_diff_ids_are_appended)
{
	AUTO(config) struct config c = { .platform = { .os = "linux", .arch = "amd64" } };
	AUTO(buf) struct buf got = BUF_INIT;
	struct digest id;

	digest_of("a", 1, &id);
	config_diff_id_add(&c, &id);
	config_history_add(&c, "2020-01-01T00:00:00Z", "RUN a && b # buildkit",
		"buildkit.dockerfile.v0", false);
	config_history_add(&c, NULL, "ENV A=1", NULL, true);
	strv_add(&c.labels, "a\xff=\xff");
	config_format(&c, &got);
	same_str(got.data,
		"{\"architecture\":\"amd64\",\"config\":{\"Labels\":{\"a\xef\xbf\xbd\":"
		"\"\xef\xbf\xbd\"}},"
		"\"created\":null,\"history\":["
		"{\"created\":\"2020-01-01T00:00:00Z\",\"created_by\":\"RUN a \\u0026\\u0026 b # "
		"buildkit\","
		"\"comment\":\"buildkit.dockerfile.v0\"},{\"created_by\":\"ENV "
		"A=1\",\"empty_layer\":true}],"
		"\"os\":\"linux\",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":["
		"\"sha256:ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb\"]}}");
}

TEST(a_chain_id_names_a_stack)
{
	struct digest ids[2], chain, wanted;
	AUTO(buf) struct buf both = BUF_INIT;

	digest_of("a", 1, &ids[0]);
	digest_of("b", 1, &ids[1]);
	config_chain_id(ids, 1, &chain);
	is_true(digest_same(&chain, &ids[0]));
	config_chain_id(ids, 2, &chain);
	buf_addf(&both, "%s %s", ids[0].text, ids[1].text);
	digest_of(both.data, both.len, &wanted);
	is_true(digest_same(&chain, &wanted));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_base_is_written_as_buildkit_would),
		CASE(odd_shapes_are_empty_or_refused),
		CASE(history_and_diff_ids_are_appended),
		CASE(a_chain_id_names_a_stack),
	};

	return RUN(tests);
}
