/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "build/build.h"
#include "build/dockerfile/csv.h"
#include "build/dockerfile/mount.h"

/* output_text - what --output says. */

static const struct {
	const char *name;
	enum build_output_type type;
} output_types[] = {
	{ "image", BUILD_OUTPUT_IMAGE },
	{ "registry", BUILD_OUTPUT_IMAGE },
	{ "oci", BUILD_OUTPUT_OCI },
	{ "docker", BUILD_OUTPUT_DOCKER },
	{ "tar", BUILD_OUTPUT_TAR },
	{ "local", BUILD_OUTPUT_LOCAL },
};

static int
output_type(const char *value, struct build_output *out, struct err *err)
{
	for (size_t i = 0; i < COUNT_OF(output_types); i++)
		if (streq(value, output_types[i].name)) {
			out->type = output_types[i].type;
			out->push = out->push || streq(value, "registry");
			return 0;
		}
	return err_set(err, ERR_USAGE,
		"there is no output type '%s': image, oci, docker, tar or local", value);
}

static int
output_level(const char *value, struct build_output *out, struct err *err)
{
	static const struct {
		const char *name;
		enum codec_level level;
	} levels[] = { { "fast", CODEC_FAST }, { "default", CODEC_DEFAULT },
		{ "best", CODEC_BEST } };
	char *end;
	long number;

	for (size_t i = 0; i < COUNT_OF(levels); i++)
		if (streq(value, levels[i].name)) {
			out->level = levels[i].level;
			return 0;
		}
	number = strtol(value, &end, 10);
	if (*value == '\0' || *end != '\0' || number < 0 || number > 22)
		return err_set(err, ERR_USAGE,
			"compression-level '%s' is not a number, fast, default or best", value);
	out->level = (enum codec_level)number;
	return 0;
}

static int
output_field(const char *name, const char *value, struct build_output *out, struct err *err)
{
	if (streq(name, "type"))
		return output_type(value, out, err);
	if (streq(name, "compression"))
		return codec_parse(value, &out->codec, err);
	if (streq(name, "compression-level"))
		return output_level(value, out, err);
	if (streq(name, "push") || streq(name, "tar")) {
		bool *flag = *name == 'p' ? &out->push : &out->is_tar;

		return bool_parse(value, flag) < 0
			       ? err_set(err, ERR_USAGE, "%s=%s is neither true nor false", name,
					 value)
			       : 0;
	}
	if (streq(name, "dest")) {
		free(out->dest);
		out->dest = xstrdup(value);
		return 0;
	}
	return err_set(err, ERR_USAGE, "unknown option '%s'", name);
}

static int
output_check(struct build_output *o, struct err *err)
{
	if (o->type == BUILD_OUTPUT_IMAGE)
		return o->dest == NULL ? 0 : err_set(err, ERR_USAGE, "type=image has no dest");
	if (o->dest == NULL && o->type == BUILD_OUTPUT_LOCAL)
		return err_set(err, ERR_USAGE, "type=local needs dest=DIRECTORY");
	if (o->dest == NULL)
		o->dest = xstrdup("-");
	if (streq(o->dest, "-") && isatty(STDOUT_FILENO))
		return err_set(
			err, ERR_USAGE, "an archive is not written to a terminal: give dest=FILE");
	return 0;
}

int
build_output_parse(const char *text, struct build_output *out, struct err *err)
{
	AUTO(strv) struct strv fields = STRV_INIT;
	struct build_output o = { .is_tar = true, .codec = CODEC_GZIP, .level = CODEC_DEFAULT };
	int result = 0;

	if (strchr(text, '=') == NULL) {
		o.type = streq(text, "-") ? BUILD_OUTPUT_TAR : BUILD_OUTPUT_LOCAL;
		o.dest = xstrdup(text);
		*out = o;
		return 0;
	}
	if (csv_parse(text, &fields, err) < 0)
		return err_in(err, "--output '%s'", text);
	for (size_t i = 0; i < fields.count && result == 0; i++) {
		const char *equals = strchr(fields.items[i], '=');
		AUTO(free)
		char *name = equals != NULL
				     ? xstrndup(fields.items[i], (size_t)(equals - fields.items[i]))
				     : xstrdup(fields.items[i]);

		result = output_field(name, equals != NULL ? equals + 1 : "true", &o, err);
	}
	if (result == 0)
		result = output_check(&o, err);
	if (result < 0) {
		build_output_free(&o);
		return err_in(err, "--output '%s'", text);
	}
	*out = o;
	return 0;
}

void
build_output_free(struct build_output *o)
{
	free(o->dest);
	o->dest = NULL;
}
