/* SPDX-License-Identifier: Apache-2.0 */
#include "layers/platform.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/mem.h"

/* alias is what others write; an empty variant: what the document says stays */
static const struct {
	const char *alias, *arch, *variant;
} arches[] = {
	{ "i386", "386", "" },
	{ "i486", "386", "" },
	{ "i586", "386", "" },
	{ "i686", "386", "" },
	{ "x86_64", "amd64", "" },
	{ "x86-64", "amd64", "" },
	{ "aarch64", "arm64", "" },
	{ "armhf", "arm", "v7" },
	{ "armel", "arm", "v6" },
	{ "armv8l", "arm", "v8" },
	{ "armv7l", "arm", "v7" },
	{ "armv6l", "arm", "v6" },
	{ "armv5tel", "arm", "v5" },
	{ "loongarch64", "loong64", "" },
	{ "mips64el", "mips64le", "" },
	{ "mipsel", "mipsle", "" },
};

static const char *const known_arches[] = { "386", "amd64", "arm", "arm64", "loong64", "mips",
	"mips64", "mips64le", "mipsle", "ppc64", "ppc64le", "riscv64", "s390", "s390x", "wasm" };
static const char *const known_oses[] = { "aix", "android", "darwin", "dragonfly", "freebsd",
	"illumos", "ios", "js", "linux", "netbsd", "openbsd", "plan9", "solaris", "wasip1",
	"windows" };

static bool
is_listed(const char *word, const char *const *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(word, list[i]) == 0)
			return true;
	return false;
}

static void
lower(char *s)
{
	for (; *s != '\0'; s++)
		*s = (char)tolower((unsigned char)*s);
}

static void
normalise_variant(struct platform *p)
{
	char *v = p->variant;

	/* "7" is "v7" */
	if (isdigit((unsigned char)v[0]) && strlen(v) + 1 < sizeof p->variant) {
		memmove(v + 1, v, strlen(v) + 1);
		v[0] = 'v';
	}
	if (strcmp(p->arch, "arm64") == 0) {
		if (strcmp(v, "v8") == 0 || strcmp(v, "v8.0") == 0)
			v[0] = '\0';
		else if (strcmp(v, "v9.0") == 0)
			snprintf(v, sizeof p->variant, "v9");
	} else if (strcmp(p->arch, "arm") == 0 && v[0] == '\0') {
		snprintf(v, sizeof p->variant, "v7");
	} else if (strcmp(p->arch, "amd64") == 0 && strcmp(v, "v1") == 0) {
		v[0] = '\0';
	} else if (strcmp(p->arch, "386") == 0) {
		v[0] = '\0';
	}
}

void
platform_normalise(struct platform *p)
{
	lower(p->os);
	lower(p->arch);
	lower(p->variant);
	if (strcmp(p->os, "macos") == 0)
		snprintf(p->os, sizeof p->os, "%s", "darwin");
	for (size_t i = 0; i < COUNT_OF(arches); i++) {
		if (strcmp(p->arch, arches[i].alias) != 0)
			continue;
		snprintf(p->arch, sizeof p->arch, "%s", arches[i].arch);
		if (arches[i].variant[0] != '\0')
			snprintf(p->variant, sizeof p->variant, "%s", arches[i].variant);
		break;
	}
	normalise_variant(p);
}

void
platform_host(struct platform *out)
{
	struct utsname u = { 0 };

	*out = (struct platform){ .os = "linux" };
	if (uname(&u) == 0 && strlen(u.machine) < sizeof out->arch)
		memcpy(out->arch, u.machine, strlen(u.machine) + 1);
	platform_normalise(out);
}

/* One part of "os/arch/variant" into its member. */
static int
part(const char *text, const char *from, size_t len, char *out, size_t size, struct err *err)
{
	if (len == 0 || len >= size)
		return err_set(
			err, ERR_INPUT, "'%s' is not a platform such as linux/arm64/v8", text);
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)from[i]) && strchr("_.-", from[i]) == NULL)
			return err_set(err, ERR_INPUT,
				"'%s' is not a platform such as linux/arm64/v8", text);
	memcpy(out, from, len);
	out[len] = '\0';
	return 0;
}

/* A word alone is an operating system or an architecture of this machine's. */
static int
parse_word(const char *text, struct platform *out, struct err *err)
{
	struct platform host, p = { 0 };

	platform_host(&host);
	if (strcmp(text, "local") == 0) {
		*out = host;
		return 0;
	}
	if (part(text, text, strlen(text), p.os, sizeof p.os, err) < 0)
		return -1;
	snprintf(p.arch, sizeof p.arch, "%s", p.os);
	platform_normalise(&p);
	if (is_listed(p.os, known_oses, COUNT_OF(known_oses))) {
		snprintf(p.arch, sizeof p.arch, "%s", host.arch);
		snprintf(p.variant, sizeof p.variant, "%s", host.variant);
	} else if (is_listed(p.arch, known_arches, COUNT_OF(known_arches))) {
		snprintf(p.os, sizeof p.os, "%s", host.os);
	} else {
		return err_set(err, ERR_INPUT,
			"'%s' is neither an operating system nor an architecture", text);
	}
	*out = p;
	return 0;
}

int
platform_parse(const char *text, struct platform *out, struct err *err)
{
	struct platform p = { 0 };
	const char *arch = strchr(text, '/'), *variant;

	if (arch == NULL)
		return parse_word(text, out, err);
	variant = strchr(arch + 1, '/');
	if (part(text, text, (size_t)(arch - text), p.os, sizeof p.os, err) < 0)
		return -1;
	arch++;
	if (part(text, arch, variant ? (size_t)(variant - arch) : strlen(arch), p.arch,
		    sizeof p.arch, err) < 0)
		return -1;
	if (variant != NULL && part(text, variant + 1, strlen(variant + 1), p.variant,
				       sizeof p.variant - 1, err) < 0)
		return -1;
	platform_normalise(&p);
	*out = p;
	return 0;
}

void
platform_format(const struct platform *p, struct buf *out)
{
	buf_addf(out, "%s/%s", p->os, p->arch);
	if (p->variant[0] != '\0')
		buf_addf(out, "/%s", p->variant);
}

bool
platform_same(const struct platform *a, const struct platform *b)
{
	struct platform x = *a, y = *b;

	platform_normalise(&x);
	platform_normalise(&y);
	return strcmp(x.os, y.os) == 0 && strcmp(x.arch, y.arch) == 0 &&
	       strcmp(x.variant, y.variant) == 0 && strcmp(x.os_version, y.os_version) == 0;
}

/* A variant's level in hundredths, so that those of one architecture compare: v8.1 is 810.  The
 * empty one is the least that the architecture has.  -1: a name of another scheme. */
static int
level(const struct platform *p)
{
	const char *v = p->variant;
	char *end;
	long major, minor = 0;

	if (v[0] == '\0')
		return strcmp(p->arch, "arm64") == 0 ? 800 : 100;
	if (v[0] != 'v' || !isdigit((unsigned char)v[1]))
		return -1;
	major = strtol(v + 1, &end, 10);
	if (*end == '.' && isdigit((unsigned char)end[1]))
		minor = strtol(end + 1, &end, 10);
	if (*end != '\0' || major > 99 || minor > 9)
		return -1;
	return (int)(major * 100 + minor * 10);
}

/* What else a processor of one architecture runs, and how its level counts there. */
static bool
runs_also(const char *want, const char *have)
{
	return (strcmp(want, "amd64") == 0 && strcmp(have, "386") == 0) ||
	       (strcmp(want, "arm64") == 0 && strcmp(have, "arm") == 0);
}

/* Windows images carry a build number; those of another build do not run. */
static bool
same_build(const char *want, const char *have)
{
	size_t len = strlen(want);

	return want[0] == '\0' || have[0] == '\0' ||
	       (strncmp(want, have, len) == 0 && (have[len] == '\0' || have[len] == '.'));
}

enum { MATCH_EXACT = 30000, MATCH_LOWER = 20000, MATCH_OTHER = 10000 };

int
platform_match(const struct platform *want, const struct platform *have)
{
	struct platform w = *want, h = *have;
	int wanted, got;

	platform_normalise(&w);
	platform_normalise(&h);
	if (strcmp(w.os, h.os) != 0 || !same_build(w.os_version, h.os_version))
		return 0;
	wanted = level(&w);
	got = level(&h);
	if (strcmp(w.arch, h.arch) == 0) {
		if (strcmp(w.variant, h.variant) == 0)
			return MATCH_EXACT;
		if (wanted < 0 || got < 0 || got > wanted)
			return 0;
		return MATCH_LOWER - (wanted - got);
	}
	if (!runs_also(w.arch, h.arch))
		return 0;
	if (strcmp(h.arch, "arm") == 0 && (got < 0 || got > 800))
		return 0;
	return MATCH_OTHER + got;
}

static int
member(const json_t *object, const char *name, char *out, size_t size, struct err *err)
{
	const char *text = "";

	if (json_get_string(object, name, &text, err) < 0)
		return -1;
	if (strlen(text) >= size)
		return err_set(
			err, ERR_INPUT, "'%s' is longer than %zu characters", name, size - 1);
	memcpy(out, text, strlen(text) + 1);
	return 0;
}

int
platform_parse_json(const json_t *object, struct platform *out, struct err *err)
{
	struct platform p = { 0 };

	if (member(object, "os", p.os, sizeof p.os, err) < 0 ||
		member(object, "architecture", p.arch, sizeof p.arch, err) < 0 ||
		member(object, "variant", p.variant, sizeof p.variant, err) < 0 ||
		member(object, "os.version", p.os_version, sizeof p.os_version, err) < 0)
		return -1;
	*out = p;
	return 0;
}

json_t *
platform_format_json(const struct platform *p)
{
	json_t *o = json_object();

	json_object_set_new(o, "architecture", json_text(p->arch));
	json_object_set_new(o, "os", json_text(p->os));
	if (p->os_version[0] != '\0')
		json_object_set_new(o, "os.version", json_text(p->os_version));
	if (p->variant[0] != '\0')
		json_object_set_new(o, "variant", json_text(p->variant));
	return o;
}
