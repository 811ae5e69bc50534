/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include <fcntl.h>
#include <unistd.h>

#include "layers/oci.h"

#define ONE "sha256:1111111111111111111111111111111111111111111111111111111111111111"
#define TWO "sha256:2222222222222222222222222222222222222222222222222222222222222222"

static void
load(const char *path, struct buf *out)
{
	AUTO(fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct err err = { 0 };

	is_true(fd >= 0);
	works(buf_read(out, fd, 1 << 20, &err));
}

/* Calls row(columns, count) for each line of a table that is no comment. */
static void
each_row(const char *path, void (*row)(char **columns, size_t count))
{
	AUTO(buf) struct buf text = BUF_INIT;
	AUTO(strv) struct strv lines = STRV_INIT;

	load(path, &text);
	strv_split(&lines, text.data, "\n");
	for (size_t i = 0; i < lines.count; i++) {
		AUTO(strv) struct strv columns = STRV_INIT;

		if (lines.items[i][0] == '#' || lines.items[i][0] == '\0')
			continue;
		strv_split(&columns, lines.items[i], "\t");
		row(columns.items, columns.count);
	}
	is_true(lines.count > 1);
}

static void
platform_row(char **columns, size_t count)
{
	AUTO(buf) struct buf text = BUF_INIT;
	struct platform p;
	struct err err = { 0 };

	same_int(count, 2);
	if (platform_parse(columns[0], &p, &err) < 0) {
		same_int(err.kind, ERR_INPUT);
		same_str(err.msg, columns[1]);
		return;
	}
	platform_format(&p, &text);
	same_str(text.data, columns[1]);
}

TEST(a_platform_has_one_spelling)
{
	each_row(TESTDATA "/oci/platform.tsv", platform_row);
}

TEST(a_word_alone_is_completed_from_this_machine)
{
	struct platform host, p;
	struct err err = { 0 };

	platform_host(&host);
	works(platform_parse("local", &p, &err));
	is_true(platform_same(&p, &host));
	works(platform_parse("linux", &p, &err));
	is_true(platform_same(&p, &host));
	works(platform_parse("s390x", &p, &err));
	same_str(p.os, "linux");
	same_str(p.arch, "s390x");
}

static int
match(const char *want, const char *have)
{
	struct platform w, h;
	struct err err = { 0 };

	works(platform_parse(want, &w, &err));
	works(platform_parse(have, &h, &err));
	return platform_match(&w, &h);
}

TEST(a_processor_runs_what_its_ancestors_ran)
{
	is_true(match("linux/amd64", "linux/amd64") > 0);
	is_true(match("linux/amd64", "linux/arm64") == 0);
	is_true(match("linux/amd64", "linux/amd64/v3") == 0);
	is_true(match("linux/amd64/v3", "linux/amd64/v2") > match("linux/amd64/v3", "linux/amd64"));
	is_true(match("linux/amd64", "linux/386") > 0);
	is_true(match("linux/386", "linux/amd64") == 0);
	is_true(match("linux/arm/v7", "linux/arm/v6") > match("linux/arm/v7", "linux/arm/v5"));
	is_true(match("linux/arm/v6", "linux/arm/v7") == 0);
	is_true(match("linux/arm64", "linux/arm64/v8") == match("linux/arm64", "linux/arm64"));
	is_true(match("linux/arm64", "linux/arm/v7") > match("linux/arm64", "linux/arm/v6"));
	is_true(match("linux/arm64", "linux/arm/v7") < match("linux/arm64", "linux/arm64"));
	is_true(match("linux/arm64/v9", "linux/arm64") > 0);
	is_true(match("linux/arm64", "linux/arm64/v9") == 0);
	is_true(match("windows/amd64", "linux/amd64") == 0);
}

TEST(a_media_type_loses_its_parameters)
{
	char type[MEDIA_TYPE_SIZE];
	char header[200];

	media_type_clean(" Application/vnd.oci.image.Manifest.v1+json ; charset=utf-8", type);
	same_str(type, MEDIA_OCI_MANIFEST);
	media_type_clean("application/json", type);
	same_str(type, "");
	memset(header, 'a', sizeof header);
	header[sizeof header - 1] = '\0';
	media_type_clean(header, type);
	same_str(type, "");
	is_true(media_is_layer("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"));
	is_true(media_is_foreign("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"));
	is_true(!media_is_layer(MEDIA_OCI_LAYER_GZIP "+encrypted"));
}

/* <1> and <2> stand for digests. */
static void
expand(const char *text, struct buf *out)
{
	for (; *text != '\0'; text++) {
		if (text[0] == '<' && (text[1] == '1' || text[1] == '2') && text[2] == '>') {
			buf_adds(out, text[1] == '1' ? ONE : TWO);
			text += 2;
		} else {
			buf_addc(out, *text);
		}
	}
}

static void
manifest_row(char **columns, size_t count)
{
	AUTO(buf) struct buf text = BUF_INIT;
	AUTO(manifest) struct manifest m = { 0 };
	struct err err = { 0 };

	same_int(count, 3);
	expand(columns[1], &text);
	if (manifest_parse(text.data, text.len, columns[0], &m, &err) < 0) {
		same_int(err.kind, ERR_INPUT);
		same_str(err.msg, columns[2]);
		return;
	}
	same_str("ok", columns[2]);
}

TEST(a_manifest_that_can_be_misread_is_refused)
{
	each_row(TESTDATA "/oci/manifest.tsv", manifest_row);
}

TEST(a_manifest_is_written_as_it_was_read)
{
	AUTO(buf) struct buf text = BUF_INIT;
	AUTO(buf) struct buf again = BUF_INIT;
	AUTO(manifest) struct manifest m = { 0 };
	struct err err = { 0 };

	load(TESTDATA "/oci/manifest.golden", &text);
	works(manifest_parse(text.data, text.len, MEDIA_OCI_MANIFEST, &m, &err));
	same_int(m.layer_count, 2);
	same_int(m.config.size, 581);
	manifest_format(&m, &again);
	same_str(again.data, text.data);
}

TEST(too_many_layers_are_refused)
{
	AUTO(buf) struct buf text = BUF_INIT;
	AUTO(manifest) struct manifest m = { 0 };
	struct err err = { 0 };

	buf_adds(&text,
		"{\"schemaVersion\":2,\"config\":{\"digest\":\"" ONE "\",\"size\":1},\"layers\":[");
	for (int i = 0; i <= MANIFEST_LAYERS_MAX; i++)
		buf_addf(&text, "%s{\"digest\":\"" ONE "\",\"size\":1}", i > 0 ? "," : "");
	buf_adds(&text, "]}");
	fails(manifest_parse(text.data, text.len, "", &m, &err),
		"manifest: 'layers' has more than 1000 members");
}

TEST(an_index_is_written_as_it_was_read)
{
	AUTO(buf) struct buf text = BUF_INIT;
	AUTO(buf) struct buf again = BUF_INIT;
	AUTO(index) struct index x = { 0 };
	const char *type;
	struct err err = { 0 };

	load(TESTDATA "/oci/index.golden", &text);
	works(manifest_sniff(text.data, text.len, &type, &err));
	same_str(type, MEDIA_OCI_INDEX);
	works(index_parse(text.data, text.len, "", &x, &err));
	index_format(&x, &again);
	same_str(again.data, text.data);
}

TEST(an_index_gives_the_best_image_and_never_an_attestation)
{
	static const struct {
		const char *want;
		int size; /* stands for the manifest */
	} rows[] = { { "linux/amd64", 1 }, { "linux/arm/v7", 3 }, { "linux/arm/v6", 2 },
		{ "linux/arm", 3 }, { "linux/arm64", 4 }, { "windows/amd64", 6 } };
	AUTO(buf) struct buf text = BUF_INIT;
	AUTO(index) struct index x = { 0 };
	struct platform want;
	const struct descriptor *d;
	struct err err = { 0 };

	load(TESTDATA "/oci/index.golden", &text);
	works(index_parse(text.data, text.len, MEDIA_OCI_INDEX, &x, &err));
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		works(platform_parse(rows[i].want, &want, &err));
		works(index_choose(&x, &want, &d, &err));
		same_int(d->size, rows[i].size);
	}
	works(platform_parse("linux/s390x", &want, &err));
	fails(index_choose(&x, &want, &d, &err),
		"there is no image for linux/s390x, only for linux/amd64, linux/arm/v6, "
		"linux/arm/v7, linux/arm64/v8, windows/amd64");
	same_int(err.kind, ERR_NOTFOUND);
}

TEST(an_odd_platform_does_not_spoil_its_neighbours)
{
	static const char text[] =
		"{\"schemaVersion\":2,\"manifests\":["
		"{\"mediaType\":\"application/x.future\",\"digest\":\"" ONE "\",\"size\":1},"
		"{\"mediaType\":\"" MEDIA_OCI_MANIFEST "\",\"digest\":\"" ONE "\",\"size\":2,"
		"\"platform\":{\"os\":7}},"
		"{\"mediaType\":\"" MEDIA_OCI_MANIFEST "\",\"digest\":\"" ONE "\",\"size\":3}]}";
	AUTO(index) struct index x = { 0 };
	struct platform want;
	const struct descriptor *d;
	struct err err = { 0 };

	works(index_parse(text, sizeof text - 1, "", &x, &err));
	works(platform_parse("linux/amd64", &want, &err));
	works(index_choose(&x, &want, &d, &err));
	same_int(d->size, 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_platform_has_one_spelling),
		CASE(a_word_alone_is_completed_from_this_machine),
		CASE(a_processor_runs_what_its_ancestors_ran),
		CASE(a_media_type_loses_its_parameters),
		CASE(a_manifest_that_can_be_misread_is_refused),
		CASE(a_manifest_is_written_as_it_was_read),
		CASE(too_many_layers_are_refused),
		CASE(an_index_is_written_as_it_was_read),
		CASE(an_index_gives_the_best_image_and_never_an_attestation),
		CASE(an_odd_platform_does_not_spoil_its_neighbours),
	};

	return RUN(tests);
}
