/* SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"
#include "build/base.h"
#include "cmd/cmd.h"
#include "cmd/image.h"

static int
tag_run(struct call *call, struct err *err)
{
	AUTO(store) struct store *store = NULL;
	AUTO(descriptor) struct descriptor d = { .size = 0 };

	if (store_open(call->globals->root, &store, err) < 0 ||
		image_find(store, call->args.items[0], NULL, &d, err) < 0)
		return -1;
	for (size_t i = 1; i < call->args.count; i++) {
		AUTO(buf) struct buf name = BUF_INIT;
		struct ref r;

		if (ref_parse(call->args.items[i], &r, err) < 0)
			return -1;
		if (!digest_is_empty(&r.digest))
			return err_set(err, ERR_USAGE, "'%s': a name with a digest cannot be given",
				call->args.items[i]);
		base_name(&r, &name);
		if (store_name_set(store, name.data, &d, err) < 0)
			return err_in(err, "%s", name.data);
	}
	return 0;
}

static const struct opt options[] = { OPT_END };

const struct cmd cmd_tag = {
	.name = "tag",
	.summary = "give an image another name",
	.args = "<image> <name>...",
	.about = "Makes <name> stand for <image>, which is a name, an image ID or the beginning of "
		 "one. A name "
		 "that stood for another image does so no more.",
	.example = "  cooper tag app:1 registry.example.com/team/app:1\n",
	.options = options,
	.args_min = 2,
	.args_max = CMD_ARGS_ANY,
	.run = tag_run,
};
