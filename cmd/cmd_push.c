/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/worker.h"
#include "build/push.h"
#include "cmd/cmd.h"
#include "cmd/image.h"
#include "cmd/recompress.h"
#include "cmd/remote_flags.h"
#include "cmd/show.h"
#include "cmd/ui.h"

struct values {
	const char *platform, *digest_file;
	enum recompress compression;
	struct remote_flags remote;
	struct ui_options ui;
};

static const struct values defaults = { .remote = REMOTE_FLAGS_DEFAULT };

static const struct opt options[] = { OPT_STR(0, "platform", struct values, platform, "os/arch",
					      "of an image for several platforms, this one only"),
	OPT_ENUM(0, "compression", struct values, compression, recompress_words, "how",
		"layers become gzip, zstd or none, or keep what they have"),
	OPT_STR(0, "digestfile", struct values, digest_file, "path", "write the digest to <path>"),
	REMOTE_OPTIONS(struct values, remote), UI_OPTIONS(struct values, ui), OPT_END };

static int
push_run(struct call *call, struct err *err)
{
	const struct values *v = call->values;
	const char *source = call->args.items[0];
	const char *target = call->args.count == 2 ? call->args.items[1] : source;
	AUTO(store) struct store *store = NULL;
	AUTO(free) char *owned = NULL;
	AUTO(descriptor) struct descriptor image = { .size = 0 };
	AUTO(descriptor) struct descriptor pushed = { .size = 0 };
	AUTO(buf) struct buf answer = BUF_INIT;
	struct session_options session;
	struct platform platform;
	struct ref to;
	struct place_convert_options convert;
	struct push push = { .session = &session, .to = &to };

	if (v->platform != NULL) {
		if (platform_parse(v->platform, &platform, err) < 0)
			return -1;
		push.platform = &platform;
	}
	if (ref_parse(target, &to, err) < 0)
		return -1;
	ui_begin(&v->ui, call->globals->debug);
	if (remote_flags_session(&v->remote, &owned, &session, err) < 0 ||
		store_open(call->globals->root, &store, err) < 0 ||
		image_find(store, source, NULL, &image, err) < 0)
		return -1;
	push.store = store;
	push.convert = recompress_options(v->compression, true, &convert);
	if (worker_signals(err) < 0 || push_image(&push, &image, &pushed, err) < 0)
		return -1;
	if (v->digest_file != NULL &&
		file_write(AT_FDCWD, v->digest_file, pushed.digest.text, strlen(pushed.digest.text),
			0644, FILE_NO_SYNC, err) < 0)
		return err_in(err, "'%s'", v->digest_file);
	ui_end();
	to.digest = pushed.digest;
	ref_format(&to, REF_CANONICAL, &answer);
	buf_addc(&answer, '\n');
	return show_answer(&answer, err);
}

const struct cmd cmd_push = {
	.name = "push",
	.summary = "send an image to a registry",
	.args = "<image> [<name>]",
	.about = "Sends what the registry has not yet, and prints the whole name with the digest. "
		 "All is sent byte for byte as it is in the store, but for layers that are not "
		 "compressed, as docker save writes them: those become gzip unless --compression "
		 "says otherwise, and the image gets another digest. Without <name> the image goes "
		 "where its own name says.",
	.example = "  cooper push registry.example.com/team/app:1\n"
		   "  cooper push app:1 registry.example.com/team/app:1\n",
	.options = options,
	.values_size = sizeof(struct values),
	.defaults = &defaults,
	.args_min = 1,
	.args_max = 2,
	.run = push_run,
};
