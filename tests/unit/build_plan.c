/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include <fcntl.h>
#include <stdlib.h>

#include "base/file.h"
#include "build/plan.h"

/* testdata/build/plan.cases says what its lines mean. */

struct plan_case {
	int line;
	char *title;
	struct buf text; /* of the Dockerfile */
	struct strv args, contexts, labels;
	char *target;
	struct buf want;
};

static void
case_clear(struct plan_case *c)
{
	free(c->title);
	free(c->target);
	buf_free(&c->text);
	buf_free(&c->want);
	strv_free(&c->args);
	strv_free(&c->contexts);
	strv_free(&c->labels);
	*c = (struct plan_case){ .text = BUF_INIT, .want = BUF_INIT };
}

static void
show_steps(const struct plan *p, struct buf *out)
{
	for (size_t i = 0; i < p->stage_count; i++)
		for (size_t k = 0; k < p->stages[i].step_count; k++)
			buf_addf(out, "step %s\n", p->stages[i].steps[k]->name);
}

static void
show_config(const struct plan *p, struct buf *out)
{
	const struct config *c = &p->stages[p->target].config;
	AUTO(buf) struct buf text = BUF_INIT;
	AUTO(json) json_t *doc = NULL;
	struct err err = { .kind = ERR_NONE };

	config_format(c, &text);
	works(json_parse(text.data, text.len, &doc, &err));
	buf_clear(&text);
	json_format(json_object_get(doc, "config"), JSON_STYLE_COMPACT, &text);
	buf_addf(out, "config %s\n", text.data);
	if (c->author != NULL)
		buf_addf(out, "author %s\n", c->author);
	for (size_t i = 0; i < c->history_count; i++)
		buf_addf(out, "%s %s\n", c->history[i].empty_layer ? "empty" : "layer",
			c->history[i].created_by);
}

static int
evaluate(const struct plan_case *c, struct buf *out, struct err *err)
{
	AUTO(dockerfile) struct dockerfile *file = NULL;
	AUTO(diagnostics) struct diagnostics notes = DIAGNOSTICS_INIT;
	AUTO(plan) struct plan *p = NULL;
	struct platform platform;
	struct plan_options o = { .file_name = "Dockerfile",
		.build_args = &c->args,
		.contexts = &c->contexts,
		.labels = &c->labels,
		.target = c->target,
		.platform = &platform };
	size_t added;

	platform_parse("linux/amd64", &platform, err);
	if (dockerfile_parse(c->text.data, c->text.len, "Dockerfile", &file, &notes, err) < 0)
		return -1;
	o.file = file;
	if (plan_open(&o, &p, err) < 0 || plan_reach(p, &added, err) < 0 || plan_finish(p, err) < 0)
		return -1;
	show_steps(p, out);
	show_config(p, out);
	return 0;
}

static void
check(const struct plan_case *c)
{
	AUTO(buf) struct buf got = BUF_INIT;
	struct err err = { .kind = ERR_NONE };

	if (evaluate(c, &got, &err) < 0)
		buf_addf(&got, "fails %s\n", err.msg);
	if (!streq(got.data, c->want.data))
		print_error("# plan.cases:%d: %s\n", c->line, c->title);
	same_str(got.data, c->want.data);
}

static void
take_line(struct plan_case *c, const char *line)
{
	if (starts_with(line, "- "))
		c->title = xstrdup(line + 2);
	else if (starts_with(line, "|"))
		buf_addf(&c->text, "%s\n", line[1] == ' ' ? line + 2 : line + 1);
	else if (starts_with(line, "--build-arg "))
		strv_add(&c->args, line + strlen("--build-arg "));
	else if (starts_with(line, "--build-context "))
		strv_add(&c->contexts, line + strlen("--build-context "));
	else if (starts_with(line, "--target "))
		c->target = xstrdup(line + strlen("--target "));
	else
		buf_addf(&c->want, "%s\n", line);
}

TEST(every_case_of_the_table_gives_its_steps_and_configuration)
{
	AUTO(buf) struct buf text = BUF_INIT;
	AUTO(strv) struct strv lines = STRV_INIT;
	struct plan_case c = { .text = BUF_INIT, .want = BUF_INIT };
	struct err err = { .kind = ERR_NONE };
	int count = 0;

	works(file_read(AT_FDCWD, TESTDATA "/build/plan.cases", 1 << 20, &text, &err));
	strv_split(&lines, text.data, "\n");
	for (size_t i = 0; i < lines.count; i++) {
		if (lines.items[i][0] == '#')
			continue;
		if (lines.items[i][0] != '\0') {
			c.line = c.line > 0 ? c.line : (int)i + 1;
			take_line(&c, lines.items[i]);
			continue;
		}
		if (c.title == NULL)
			continue;
		check(&c);
		case_clear(&c);
		count++;
	}
	is_true(count >= 40);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(every_case_of_the_table_gives_its_steps_and_configuration),
	};

	return RUN(tests);
}
