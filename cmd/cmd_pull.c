/* SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"
#include "build/base.h"
#include "cmd/cmd.h"
#include "cmd/image.h"
#include "cmd/remote_flags.h"
#include "cmd/show.h"
#include "cmd/transfer.h"
#include "cmd/ui.h"

struct values {
	const char *platform;
	bool all_platforms;
	struct remote_flags remote;
	struct ui_options ui;
};

static const struct values defaults = { .remote = REMOTE_FLAGS_DEFAULT };

static const struct opt options[] = { OPT_STR(0, "platform", struct values, platform, "os/arch",
					      "the image for this platform"),
	OPT_BOOL(0, "all-platforms", struct values, all_platforms, "the images for all platforms"),
	TRUST_OPTION(struct values, remote), REMOTE_OPTIONS(struct values, remote),
	UI_OPTIONS(struct values, ui), OPT_END };

static int
pull_one(struct store *store, const char *text, const struct transfer *like, struct buf *answer,
	struct err *err)
{
	struct transfer t = *like;
	AUTO(descriptor) struct descriptor d = { .size = 0 };
	AUTO(buf) struct buf name = BUF_INIT;

	if (ref_parse(text, &t.ref, err) < 0 || transfer_pull(&t, &d, err) < 0)
		return -1;
	base_name(&t.ref, &name);
	if (store_name_set(store, name.data, &d, err) < 0)
		return err_in(err, "%s", name.data);
	t.ref.digest = d.digest;
	ref_format(&t.ref, REF_CANONICAL, answer);
	buf_addc(answer, '\n');
	return 0;
}

static int
pull_run(struct call *call, struct err *err)
{
	const struct values *v = call->values;
	AUTO(store) struct store *store = NULL;
	AUTO(free) char *owned = NULL;
	AUTO(buf) struct buf answer = BUF_INIT;
	struct session_options session;
	struct platform platform;
	struct transfer t = { .session = &session, .all_platforms = v->all_platforms };

	if (v->platform != NULL) {
		if (platform_parse(v->platform, &platform, err) < 0)
			return -1;
		t.platform = &platform;
	}
	ui_begin(&v->ui, call->globals->debug);
	if (remote_flags_session(&v->remote, &owned, &session, err) < 0 ||
		store_open(call->globals->root, &store, err) < 0)
		return -1;
	t.store = store;
	for (size_t i = 0; i < call->args.count; i++)
		if (pull_one(store, call->args.items[i], &t, &answer, err) < 0)
			return -1;
	ui_end();
	return show_answer(&answer, err);
}

const struct cmd cmd_pull = {
	.name = "pull",
	.summary = "get images from a registry",
	.args = "<name>...",
	.about = "Gets what the store has not yet, verifies it, and prints the whole name with the "
		 "digest. A pull "
		 "that is broken off goes on where it was when it is tried again.",
	.example = "  cooper pull alpine:3.20\n  cooper pull --platform linux/arm64 debian\n",
	.options = options,
	.values_size = sizeof(struct values),
	.defaults = &defaults,
	.args_min = 1,
	.args_max = CMD_ARGS_ANY,
	.run = pull_run,
};
