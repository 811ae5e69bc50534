/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>

#include "build/dockerfile/csv.h"
#include "build/dockerfile/duration.h"
#include "build/dockerfile/exec_form.h"
#include "build/dockerfile/expose.h"
#include "build/dockerfile/match.h"
#include "build/dockerfile/mode.h"
#include "build/dockerfile/mount.h"
#include "build/dockerfile/owner.h"
#include "build/dockerfile/quote.h"
#include "build/dockerfile/stop_signal.h"
#include "build/dockerfile/suggest.h"
#include "build/dockerfile/instruction.h"
#include "tests/unit/dockerfile_dump.h"
#include "tests/unit/dockerfile_table.h"

/* Values of options and instructions, each by its table. */

static void
failed(const struct err *err, struct buf *out)
{
	buf_addf(out, "error: %s", err->msg);
}

static void
check_duration(const char *input, size_t len __attribute__((unused)), struct buf *out)
{
	struct err err;
	int64_t ns = 0;

	if (duration_parse(input, &ns, &err) < 0)
		failed(&err, out);
	else
		buf_addf(out, "%" PRId64, ns);
}

static void
check_signal(const char *input, size_t len __attribute__((unused)), struct buf *out)
{
	struct err err;

	if (stop_signal_check(input, &err) < 0)
		failed(&err, out);
	else
		buf_adds(out, "fine");
}

static void
check_expose(const char *input, size_t len __attribute__((unused)), struct buf *out)
{
	AUTO(strv) struct strv ports = STRV_INIT;
	AUTO(free) char *joined = NULL;
	struct expose_notes notes;
	struct err err;

	if (expose_parse(input, &ports, &notes, &err) < 0) {
		failed(&err, out);
		return;
	}
	joined = strv_join(&ports, " ");
	buf_addf(out, "%s%s%s", joined, notes.proto_case ? " (case)" : "",
		notes.host_mapping ? " (mapping)" : "");
}

/* "spec from-mode", the mode with d in front for a directory */
static void
check_mode(const char *input, size_t len __attribute__((unused)), struct buf *out)
{
	AUTO(strv) struct strv parts = STRV_INIT;
	struct mode m;
	struct err err;
	const char *bits;

	strv_split(&parts, input, " ");
	bits = parts.count > 1 ? parts.items[1] : "0";
	if (mode_parse(parts.items[0], &m, &err) < 0)
		failed(&err, out);
	else
		buf_addf(out, "%04o",
			mode_apply(
				&m, (mode_t)strtol(bits + (*bits == 'd'), NULL, 8), *bits == 'd'));
}

static void
dump_part(const char *label, const struct owner_part *p, struct buf *out)
{
	if (p->name == NULL)
		return;
	buf_addf(out, "%s%s=%s", out->len > 0 ? " " : "", label, p->name);
	if (p->is_number)
		buf_addf(out, "(%u)", p->id);
}

static void
check_owner(const char *input, size_t len __attribute__((unused)), struct buf *out)
{
	AUTO(owner) struct owner o = OWNER_INIT;
	struct err err;

	if (owner_parse(input, &o, &err) < 0) {
		failed(&err, out);
		return;
	}
	dump_part("user", &o.user, out);
	dump_part("group", &o.group, out);
}

static void
check_exec_form(const char *input, size_t len __attribute__((unused)), struct buf *out)
{
	AUTO(strv) struct strv words = STRV_INIT;
	struct err err;
	int result = exec_form_parse(input, &words, &err);

	if (result < 0)
		failed(&err, out);
	else if (result == 0)
		buf_adds(out, "shell");
	else
		buf_adds(out, "exec");
	dump_list("", &words, out);
}

static void
check_csv(const char *input, size_t len __attribute__((unused)), struct buf *out)
{
	AUTO(strv) struct strv fields = STRV_INIT;
	struct err err;

	if (csv_parse(input, &fields, &err) < 0)
		failed(&err, out);
	for (size_t i = 0; i < fields.count; i++)
		buf_addf(out, "(%s)", fields.items[i]);
}

static void
check_size(const char *input, size_t len __attribute__((unused)), struct buf *out)
{
	struct err err;
	int64_t size = 0;

	if (size_parse(input, &size, &err) < 0)
		failed(&err, out);
	else
		buf_addf(out, "%" PRId64, size);
}

static void
check_mount(const char *input, size_t len __attribute__((unused)), struct buf *out)
{
	AUTO(strv) struct strv env = STRV_INIT;
	AUTO(strv) struct strv undefined = STRV_INIT;
	struct expand_vars vars = expand_vars_env(&env);
	struct mount m = { .kind = MOUNT_BIND };
	struct err err;

	strv_env_set(&env, "DIR", "/var/cache");
	strv_env_set(&env, "KIND", "cache");
	strv_env_set(&env, "YES", "true");
	if (mount_parse(input, '\\', &vars, &m, &undefined, &err) < 0)
		failed(&err, out);
	else
		dump_mount(&m, out);
	dump_list("undefined", &undefined, out);
	mount_free(&m);
}

/* "pattern path" */
static void
check_match(const char *input, size_t len __attribute__((unused)), struct buf *out)
{
	AUTO(strv) struct strv parts = STRV_INIT;
	int result;

	strv_split(&parts, input, " ");
	result = match_path(parts.items[0], parts.count > 1 ? parts.items[1] : "");
	buf_adds(out, result < 0 ? "malformed" : result > 0 ? "yes" : "no");
}

static void
check_suggest(const char *input, size_t len __attribute__((unused)), struct buf *out)
{
	AUTO(free) char *nearest = instruction_suggest(input);

	buf_adds(out, nearest != NULL ? nearest : "-");
}

static void
check_quote(const char *input, size_t len __attribute__((unused)), struct buf *out)
{
	quote_add(out, input, 24);
}

#define TABLE(name)                             \
	TEST(table_##name)                      \
	{                                       \
		table_run(#name, check_##name); \
	}

TABLE(duration)
TABLE(signal)
TABLE(expose)
TABLE(mode)
TABLE(owner)
TABLE(exec_form)
TABLE(csv)
TABLE(size)
TABLE(mount)
TABLE(match)
TABLE(suggest)
TABLE(quote)

TEST(a_suggestion_is_the_first_of_the_nearest)
{
	static const char *const names[] = { "abcd", "abce", "zzzz" };

	same_str(suggest("abcx", names, COUNT_OF(names), false), "abcd");
	same_str(suggest("ABCX", names, COUNT_OF(names), false), NULL);
	same_str(suggest("ABCX", names, COUNT_OF(names), true), "abcd");
	same_str(suggest("abcd", names, COUNT_OF(names), false), NULL);
	same_str(suggest("abcd", NULL, 0, false), NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(table_duration),
		CASE(table_signal),
		CASE(table_expose),
		CASE(table_mode),
		CASE(table_owner),
		CASE(table_exec_form),
		CASE(table_csv),
		CASE(table_size),
		CASE(table_mount),
		CASE(table_match),
		CASE(table_suggest),
		CASE(table_quote),
		CASE(a_suggestion_is_the_first_of_the_nearest),
	};

	return RUN(tests);
}
