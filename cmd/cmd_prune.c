/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/mem.h"
#include "cmd/cmd.h"
#include "cmd/image.h"
#include "cmd/show.h"
#include "cmd/sweep.h"

struct values {
	bool all, cache, trees, mounts, partials, dry_run, force;
	uint64_t max_size, min_free;
	const char *unused_for;
};

static const struct opt options[] = {
	OPT_BOOL('a', "all", struct values, all,
		"remove all that no image needs: --cache, --trees, --mounts, --partials"),
	OPT_BOOL(0, "cache", struct values, cache, "remove the build cache"),
	OPT_STR(0, "unused-for", struct values, unused_for, "time",
		"remove what the build cache did not use for <time>, as 36h or 7d"),
	OPT_SIZE(0, "max-size", struct values, max_size, "size",
		"remove what was not used for longest until the store is no larger"),
	OPT_SIZE(0, "min-free", struct values, min_free, "size",
		"likewise until so much of the file system is free"),
	OPT_BOOL(0, "trees", struct values, trees,
		"remove unpacked layers that can be unpacked again"),
	OPT_BOOL(0, "mounts", struct values, mounts,
		"remove the directories of RUN --mount=type=cache"),
	OPT_BOOL(0, "partials", struct values, partials, "remove downloads that were broken off"),
	OPT_BOOL('n', "dry-run", struct values, dry_run, "only tell what would be removed"),
	OPT_BOOL('f', "force", struct values, force, "for docker's sake: nothing is ever asked"),
	OPT_END
};

static int
parse_time(const char *text, int64_t *out, struct err *err)
{
	static const struct {
		char unit;
		int64_t seconds;
	} units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 }, { 'w', 604800 } };
	char *end = NULL;
	long n = strtol(text, &end, 10);

	for (size_t i = 0; i < COUNT_OF(units); i++) {
		if (end == text || n < 0 || n > 1000000 || end[0] != units[i].unit ||
			end[1] != '\0')
			continue;
		*out = n * units[i].seconds;
		return 0;
	}
	return err_set(err, ERR_USAGE, "'--unused-for': '%s' is not a time like 36h or 7d", text);
}

/* Images that were given no name. */
static int
forget_nameless(const char *root, struct err *err)
{
	AUTO(store) struct store *store = NULL;
	AUTO(store_names) struct store_names names = STORE_NAMES_INIT;

	if (store_open(root, &store, err) < 0 || store_name_list(store, &names, err) < 0)
		return -1;
	for (size_t i = 0; i < names.count; i++) {
		struct err ignored = { 0 };
		struct ref r;

		if (ref_parse(names.items[i].name, &r, &ignored) == 0 && image_is_nameless(&r) &&
			store_name_remove(store, names.items[i].name, err) < 0)
			return -1;
	}
	return 0;
}

static int
prune(const char *root, const struct gc_options *o, struct gc_result *out, struct err *err)
{
	struct err full = { .kind = ERR_NONE };

	/* on a full file system no name can be forgotten before there is room again */
	if (!o->dry_run && forget_nameless(root, &full) < 0 &&
		(sweep(root, o, NULL, err) < 0 || forget_nameless(root, err) < 0))
		return -1;
	return sweep(root, o, out, err);
}

static int
prune_run(struct call *call, struct err *err)
{
	const struct values *v = call->values;
	struct gc_options o = {
		.drop_cache = v->all || v->cache,
		.drop_trees = v->all || v->trees,
		.drop_mounts = v->all || v->mounts,
		.drop_partials = v->all || v->partials,
		.max_size = v->max_size,
		.min_free = v->min_free,
		.dry_run = v->dry_run,
	};
	AUTO(buf) struct buf answer = BUF_INIT;
	struct gc_result r;

	if (v->unused_for != NULL && parse_time(v->unused_for, &o.unused_s, err) < 0)
		return -1;
	if (prune(call->globals->root, &o, &r, err) < 0)
		return -1;
	buf_adds(&answer, v->dry_run ? "would free " : "freed ");
	show_size(r.freed, &answer);
	buf_adds(&answer, ", kept ");
	show_size(r.kept, &answer);
	buf_addf(&answer, " (%" PRIu64 " blobs, %" PRIu64 " trees, %" PRIu64 " cache records",
		r.blobs, r.trees, r.records);
	buf_addf(&answer, ", %" PRIu64 " partial downloads, %" PRIu64 " cache mounts)\n",
		r.partials, r.mounts);
	return show_answer(&answer, err);
}

const struct cmd cmd_prune = {
	.name = "prune",
	.summary = "free space",
	.args = "",
	.about = "Removes images without a name, and what neither a name nor the build cache "
		 "reaches. Images "
		 "that have a name, and what a running cooper uses, are never touched, so nothing "
		 "is asked.",
	.options = options,
	.values_size = sizeof(struct values),
	.args_max = 0,
	.run = prune_run,
};
