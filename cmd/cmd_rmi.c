/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/event.h"
#include "base/mem.h"
#include "cmd/cmd.h"
#include "cmd/image.h"
#include "cmd/show.h"
#include "cmd/sweep.h"

struct values {
	bool force, no_prune, all;
};

static const struct opt options[] = { OPT_BOOL('f', "force", struct values, force,
					      "remove all names of an image given by ID, and do "
					      "not mind names that are not there"),
	OPT_BOOL('a', "all", struct values, all, "remove all images"),
	OPT_BOOL(0, "no-prune", struct values, no_prune,
		"keep the data for now: remove the names only"),
	OPT_END };

static int
remove_name(struct store *store, const char *name, struct buf *answer, struct err *err)
{
	if (store_name_remove(store, name, err) < 0)
		return err_in(err, "%s", name);
	buf_addf(answer, "Untagged: %s\n", name);
	return 0;
}

/* All names that stand for d. */
static int
remove_image(struct store *store, const char *text, const struct descriptor *d, bool force,
	struct buf *answer, struct err *err)
{
	AUTO(store_names) struct store_names names = STORE_NAMES_INIT;
	size_t count = 0;

	if (store_name_list(store, &names, err) < 0)
		return -1;
	for (size_t i = 0; i < names.count; i++)
		count += digest_same(&names.items[i].descriptor.digest, &d->digest);
	if (count > 1 && !force)
		return err_set(err, ERR_INPUT,
			"'%s' has %zu names: give one of them, or --force to remove all", text,
			count);
	for (size_t i = 0; i < names.count; i++)
		if (digest_same(&names.items[i].descriptor.digest, &d->digest) &&
			remove_name(store, names.items[i].name, answer, err) < 0)
			return -1;
	return 0;
}

static int
remove_one(struct store *store, const char *text, bool force, struct buf *answer, struct err *err)
{
	AUTO(strv) struct strv name = STRV_INIT;
	AUTO(descriptor) struct descriptor d = { .size = 0 };

	if (image_find(store, text, &name, &d, err) < 0) {
		if (!force || err->kind != ERR_NOTFOUND)
			return -1;
		return 0;
	}
	if (name.count == 1)
		return remove_name(store, name.items[0], answer, err);
	return remove_image(store, text, &d, force, answer, err);
}

static int
remove_all(struct store *store, struct buf *answer, struct err *err)
{
	AUTO(store_names) struct store_names names = STORE_NAMES_INIT;

	if (store_name_list(store, &names, err) < 0)
		return -1;
	for (size_t i = 0; i < names.count; i++)
		if (remove_name(store, names.items[i].name, answer, err) < 0)
			return -1;
	return 0;
}

/* One that cannot be removed does not save the others: the first failure is the one that is told of
 * at the end. */
static int
remove_names(struct store *store, const struct call *call, struct buf *answer, struct err *err)
{
	const struct values *v = call->values;
	struct err first = { .kind = ERR_NONE };

	if (v->all && remove_all(store, answer, err) < 0)
		return -1;
	for (size_t i = 0; i < call->args.count; i++) {
		struct err one = { .kind = ERR_NONE };

		if (remove_one(store, call->args.items[i], v->force, answer, &one) == 0)
			continue;
		if (first.kind == ERR_NONE)
			first = one;
		else
			event_warn("%s", one.msg);
	}
	if (first.kind == ERR_NONE)
		return 0;
	*err = first;
	return -1;
}

static int
rmi_run(struct call *call, struct err *err)
{
	const struct values *v = call->values;
	AUTO(store) struct store *store = NULL;
	AUTO(buf) struct buf answer = BUF_INIT;
	struct err failed = { .kind = ERR_NONE };

	if (call->args.count == 0 && !v->all)
		return err_set(err, ERR_USAGE, "rmi wants <image>... or --all");
	if (store_open(call->globals->root, &store, err) < 0)
		return -1;
	if (remove_names(store, call, &answer, &failed) == 0)
		failed.kind = ERR_NONE;
	if (show_answer(&answer, err) < 0)
		return -1;
	/* what this process looked at it keeps from being removed, until it lets go of the store */
	store_free(steal(&store));
	if (!v->no_prune &&
		sweep(call->globals->root, &(struct gc_options){ .dry_run = false }, NULL, err) < 0)
		return -1;
	if (failed.kind == ERR_NONE)
		return 0;
	*err = failed;
	return -1;
}

const struct cmd cmd_rmi = {
	.name = "rmi",
	.summary = "remove images",
	.args = "[<image>...]",
	.about = "Removes names; an image goes with its last name, unless the build cache still "
		 "uses parts of "
		 "it ('cooper prune --all' lets go of those).",
	.options = options,
	.values_size = sizeof(struct values),
	.args_max = CMD_ARGS_ANY,
	.run = rmi_run,
};
