/* SPDX-License-Identifier: Apache-2.0 */
#include "build/scope.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

void
build_args_add(struct build_args *a, const char *text)
{
	const char *equals = strchr(text, '=');
	AUTO(free) char *name = NULL;
	const char *value;

	if (equals != NULL) {
		name = xstrndup(text, (size_t)(equals - text));
		strv_env_set(&a->given, name, equals + 1);
		return;
	}
	value = getenv(text);
	if (value != NULL)
		strv_env_set(&a->given, text, value);
}

void
build_args_free(struct build_args *a)
{
	strv_free(&a->given);
	strv_free(&a->used);
}

void
auto_build_args(struct build_args *a)
{
	build_args_free(a);
}

const char *
build_args_get(struct build_args *a, const char *name)
{
	const char *value = strv_env_get(&a->given, name);

	if (value != NULL && !strv_has(&a->used, name))
		strv_add(&a->used, name);
	return value;
}

bool
build_args_is_proxy(const char *name)
{
	static const char *const names[] = { "HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY",
		"ALL_PROXY" };

	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (strcasecmp(name, names[i]) == 0)
			return true;
	return false;
}

/* Names that mean something without an ARG. */
static bool
means_something(const char *name)
{
	return build_args_is_proxy(name) || starts_with(name, "BUILDKIT_") ||
	       streq(name, "SOURCE_DATE_EPOCH");
}

void
build_args_unused(const struct build_args *a, struct strv *out)
{
	for (size_t i = 0; i < a->given.count; i++) {
		const char *row = a->given.items[i];
		AUTO(free) char *name = xstrndup(row, strcspn(row, "="));

		if (!means_something(name) && !strv_has(&a->used, name))
			strv_add(out, name);
	}
}

void
scope_free(struct scope *s)
{
	strv_free(&s->env);
	strv_free(&s->args);
}

void
auto_scope(struct scope *s)
{
	scope_free(s);
}

void
scope_copy(const struct scope *s, struct scope *out)
{
	scope_free(out);
	strv_add_all(&out->env, &s->env);
	strv_add_all(&out->args, &s->args);
}

void
scope_declare(struct scope *s, const char *name, const char *value)
{
	if (!strv_has(&s->args, name))
		strv_add(&s->args, name);
	if (value != NULL)
		strv_env_set(&s->env, name, value);
}

struct expand_vars
scope_vars(const struct scope *s)
{
	return expand_vars_env(&s->env);
}

void
scope_history(const struct scope *s, struct buf *out)
{
	if (s->args.count == 0)
		return;
	buf_addf(out, "|%zu ", s->args.count);
	for (size_t i = 0; i < s->args.count; i++) {
		const char *value = strv_env_get(&s->env, s->args.items[i]);

		buf_addf(out, "%s=%s ", s->args.items[i], value != NULL ? value : "");
	}
}

static void
predefine(struct scope *s, struct build_args *args, const char *name, const char *value)
{
	const char *given = build_args_get(args, name);

	strv_env_set(&s->env, name, given != NULL ? given : value);
}

static void
predefine_platform(
	struct scope *s, struct build_args *args, const char *prefix, const struct platform *p)
{
	AUTO(buf) struct buf text = BUF_INIT;
	const char *const parts[][2] = { { "PLATFORM", NULL }, { "OS", p->os },
		{ "OSVERSION", p->os_version }, { "ARCH", p->arch }, { "VARIANT", p->variant } };

	platform_format(p, &text);
	for (size_t i = 0; i < COUNT_OF(parts); i++) {
		AUTO(free) char *name = xasprintf("%s%s", prefix, parts[i][0]);

		predefine(s, args, name, parts[i][1] != NULL ? parts[i][1] : text.data);
	}
}

void
scope_predefined(const struct platform *build, const struct platform *target,
	const char *target_stage, struct build_args *args, struct scope *out)
{
	predefine_platform(out, args, "BUILD", build);
	predefine_platform(out, args, "TARGET", target);
	predefine(out, args, "TARGETSTAGE", target_stage != NULL ? target_stage : "default");
}
