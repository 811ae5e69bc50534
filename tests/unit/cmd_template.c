/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "cmd/template.h"

static const char document[] =
	"{\"Id\":\"sha256:1\",\"Size\":3,\"Config\":{\"Env\":[\"A=1\",\"B=<2>\"],"
	"\"Labels\":{\"a.b/c\":\"d\"}}}";

static int
format(const char *template, struct buf *out, struct err *err)
{
	AUTO(json) json_t *doc = NULL;

	if (json_parse(document, strlen(document), &doc, err) < 0)
		return -1;
	buf_clear(out);
	return template_format(template, doc, out, err);
}

TEST(members_are_shown_as_docker_shows_them)
{
	static const struct {
		const char *template, *wanted;
	} rows[] = {
		{ "{{.Id}}", "sha256:1" },
		{ "id {{ .Id }}, {{.Size}} bytes", "id sha256:1, 3 bytes" },
		{ "{{json .Id}}", "\"sha256:1\"" },
		{ "{{json .Config.Labels}}", "{\"a.b/c\":\"d\"}" },
		{ "{{index .Config.Labels \"a.b/c\"}}", "d" },
		{ "{{index .Config.Env 1}}", "B=<2>" },
		{ "plain", "plain" },
		{ "", "" },
	};
	AUTO(buf) struct buf out = BUF_INIT;
	struct err err = { 0 };

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		works(format(rows[i].template, &out, &err));
		same_str(out.data, rows[i].wanted);
	}
}

TEST(what_is_not_there_or_not_understood_is_refused)
{
	AUTO(buf) struct buf out = BUF_INIT;
	struct err err = { 0 };

	fails(format("{{.ID}}", &out, &err), "format: there is no 'ID', only Id, Size, Config");
	fails(format("{{.Id", &out, &err), "format: '}}' is missing");
	fails(format("{{.Id.x}}", &out, &err), "format: there is no 'x'");
	fails(format("{{index .Config.Env 7}}", &out, &err), "format: there is no element '7'");
	fails(format("{{index .Config.Labels \"x}}", &out, &err), "format: a '\"' is missing");
	fails(format("{{.Id | upper}}", &out, &err), "format: '| upper' is not understood");
	same_int(format("{{range .Config.Env}}", &out, &err), -1);
	same_int(err.kind, ERR_USAGE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(members_are_shown_as_docker_shows_them),
		CASE(what_is_not_there_or_not_understood_is_refused),
	};

	return RUN(tests);
}
