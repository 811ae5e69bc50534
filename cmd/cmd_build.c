/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/worker.h"
#include "build/build.h"
#include "cmd/cmd.h"
#include "cmd/image.h"
#include "cmd/remote_flags.h"
#include "cmd/show.h"
#include "cmd/ui.h"

struct values {
	struct build_options build;
	struct strv outputs, platforms, no_cache_filter;
	bool load, check;
	const char *call;
	struct remote_flags remote;
	struct ui_options ui;
};

static const struct values defaults = { .build = BUILD_OPTIONS_INIT,
	.remote = REMOTE_FLAGS_DEFAULT };

static const struct opt_word pulls[] = {
	{ "missing", BUILD_PULL_MISSING },
	{ "always", BUILD_PULL_ALWAYS },
	{ "never", BUILD_PULL_NEVER },
	{ NULL, 0 },
};

static const struct opt options[] = { OPT_STR('f', "file", struct values, build.file, "path",
					      "the Dockerfile, where it is not "
					      "<context>/Dockerfile or Containerfile; may be an "
					      "http(s) address; - is stdin"),
	OPT_STRV('t', "tag", struct values, build.tags, "name", "call the image <name>"),
	OPT_STRV(0, "build-arg", struct values, build.build_args, "name=value",
		"set an ARG; without =value, to what it is in the environment"),
	OPT_STR(0, "target", struct values, build.target, "stage",
		"build this stage, and what it needs"),
	OPT_STRV(0, "build-context", struct values, build.contexts, "name=value",
		"what FROM <name> and --from=<name> mean: a directory, docker-image://name, "
		"oci-layout://dir, target:stage, or the address of a repository or archive; "
		"<name>::os/arch for one platform"),
	OPT_STRV(0, "label", struct values, build.labels, "key=value", "add a label"),
	OPT_STRV(0, "platform", struct values, platforms, "os/arch,...",
		"build for these platforms"),
	OPT_STRV('o', "output", struct values, outputs, "spec",
		"write type=image|oci|docker|tar|local[,dest=path]; a path alone is a directory, - "
		"a tar"),
	OPT_BOOL(0, "push", struct values, build.push, "push the image under its names"),
	OPT_BOOL(0, "load", struct values, load,
		"for docker's sake: the image is kept in the store anyway"),
	OPT_TRISTATE(0, "pull", struct values, build.pull, pulls, BUILD_PULL_ALWAYS, "when",
		"ask the registry for bases again"),
	OPT_BOOL(0, "check", struct values, check,
		"say what is questionable in the Dockerfile, and build nothing"),
	OPT_STR(0, "call", struct values, call, "method[,format=json]",
		"build, check, outline (arguments, secrets) or targets (stages)"),
	OPT_BOOL(0, "no-cache", struct values, build.no_cache, "run every step, even those cached"),
	OPT_STRV(0, "no-cache-filter", struct values, no_cache_filter, "stage,...",
		"run every step of these stages"),
	OPT_BOOL(0, "explain", struct values, build.explain,
		"tell of each step that runs why it was not cached"),
	OPT_STRV(0, "secret", struct values, build.secrets, "spec",
		"a secret for RUN --mount=type=secret: id=name[,src=path|env=variable]; "
		"HTTP_AUTH_TOKEN_<host>, HTTP_AUTH_HEADER_<host>, GIT_AUTH_TOKEN[.<host>] and "
		"GIT_AUTH_HEADER[.<host>] are for what is fetched"),
	OPT_STRV(0, "ssh", struct values, build.ssh, "id[=socket|key,...]",
		"an ssh agent for RUN --mount=type=ssh, or keys for one; default is that of "
		"SSH_AUTH_SOCK"),
	OPT_STR(0, "network", struct values, build.network, "mode",
		"of RUN: default, host or none"),
	OPT_STRV(0, "add-host", struct values, build.add_hosts, "name:address",
		"add a line to /etc/hosts of RUN"),
	OPT_STR(0, "iidfile", struct values, build.iidfile, "path", "write the image ID to <path>"),
	OPT_STR(0, "metadata-file", struct values, build.metadata_file, "path",
		"write what was built to <path>, as JSON"),
	OPT_UINT('j', "jobs", struct values, build.jobs, "count",
		"run at most <count> steps at once"),
	TRUST_OPTION(struct values, remote), REMOTE_OPTIONS(struct values, remote),
	UI_OPTIONS(struct values, ui), OPT_END };

static void
split(const struct strv *lists, struct strv *out)
{
	for (size_t i = 0; i < lists->count; i++)
		strv_split(out, lists->items[i], ",");
}

/* Whether stdout belongs to an output already. */
static bool
writes_stdout(const struct build_options *b)
{
	for (size_t i = 0; i < b->output_count; i++)
		if (streq(b->outputs[i].dest, "-"))
			return true;
	return false;
}

/* Whether the store has the image afterwards. */
static bool
keeps_image(const struct build_options *b)
{
	for (size_t i = 0; i < b->output_count; i++)
		if (b->outputs[i].type == BUILD_OUTPUT_IMAGE)
			return true;
	return b->output_count == 0;
}

static int
choose_call(const struct values *v, struct build_options *b, struct err *err)
{
	static const struct {
		const char *name;
		enum build_call call;
	} calls[] = { { "build", BUILD_CALL_BUILD }, { "check", BUILD_CALL_CHECK },
		{ "lint", BUILD_CALL_CHECK }, { "outline", BUILD_CALL_OUTLINE },
		{ "targets", BUILD_CALL_TARGETS } };
	size_t len = v->call != NULL ? strcspn(v->call, ",") : 0;
	const char *format = len > 0 && v->call[len] != '\0' ? v->call + len + 1 : NULL;

	b->call = v->check ? BUILD_CALL_CHECK : BUILD_CALL_BUILD;
	if (v->call == NULL)
		return 0;
	b->call_json = streq(format, "format=json");
	if (format != NULL && !b->call_json && !streq(format, "format=text"))
		return err_set(err, ERR_USAGE,
			"--call: '%s' is neither format=json nor format=text", format);
	for (size_t i = 0; i < COUNT_OF(calls); i++)
		if (strlen(calls[i].name) == len && strncmp(calls[i].name, v->call, len) == 0) {
			b->call = calls[i].call;
			return 0;
		}
	return err_set(err, ERR_USAGE,
		"--call: there is no '%.*s': build, check, outline or targets", (int)len, v->call);
}

static int
build(struct call *call, struct build_options *b, struct err *err)
{
	const struct values *v = call->values;
	AUTO(store) struct store *store = NULL;
	AUTO(buf) struct buf answer = BUF_INIT;
	struct build_result result = { .config = { "" } };

	ui_begin(&v->ui, call->globals->debug);
	if (store_open(call->globals->root, &store, err) < 0 || worker_signals(err) < 0 ||
		build_run(store, b, &result, err) < 0)
		return -1;
	if (b->tags.count == 0 && keeps_image(b) && !digest_is_empty(&result.descriptor.digest) &&
		image_keep_nameless(store, &result.descriptor, err) < 0)
		return -1;
	ui_end();
	if (result.answer != NULL) {
		AUTO(free) char *text = result.answer;

		buf_adds(&answer, text);
		call->status = result.is_faulty ? 1 : 0;
		return show_answer(&answer, err);
	}
	/* docker's scripts take what -q prints for an image ID */
	if (digest_is_empty(&result.descriptor.digest))
		return 0;
	buf_addf(&answer, "%s\n", v->ui.quiet ? result.config.text : result.descriptor.digest.text);
	descriptor_free(&result.descriptor);
	return writes_stdout(b) ? 0 : show_answer(&answer, err);
}

static int
build_command(struct call *call, struct err *err)
{
	struct values *v = call->values;
	struct build_options *b = &v->build;
	AUTO(free) char *owned = NULL;
	AUTO(free) struct build_output *outputs = xcalloc(v->outputs.count + 1, sizeof *outputs);
	int result = 0;

	b->context = call->args.items[0];
	b->outputs = outputs;
	split(&v->platforms, &b->platforms);
	split(&v->no_cache_filter, &b->no_cache_filter);
	for (size_t i = 0; i < v->outputs.count && result == 0; i++) {
		result = build_output_parse(v->outputs.items[i], &outputs[i], err);
		b->output_count += result == 0;
	}
	if (result == 0)
		result = choose_call(v, b, err);
	if (result == 0)
		result = remote_flags_session(&v->remote, &owned, &b->session, err);
	if (result == 0)
		result = build(call, b, err);
	for (size_t i = 0; i < b->output_count; i++)
		build_output_free(&outputs[i]);
	strv_free(&b->platforms);
	strv_free(&b->no_cache_filter);
	return result;
}

const struct cmd cmd_build = {
	.name = "build",
	.summary = "build an image from a Dockerfile",
	.args = "<context>",
	.about = "Runs the instructions of a Dockerfile, each RUN in a box of its own, and keeps "
		 "the image in the "
		 "store. <context> is the directory that COPY and ADD take files from, the address "
		 "of a git "
		 "repository (https://host/repo.git#ref:subdir) or of a tar archive, or - for a "
		 "Dockerfile or "
		 "a tar archive of a context on stdin. Prints the digest of the image, or with "
		 "--quiet its "
		 "ID.\n\nSteps that do not need each other run at the same time; stages that the "
		 "target does "
		 "not need do not run. A step whose instruction and inputs have not changed is "
		 "taken from the "
		 "cache.",
	.example = "  cooper build -t app:1 .\n"
		   "  cooper build -t registry.example.com/app:1 --push .\n"
		   "  cooper build -o type=local,dest=out --target binaries .\n",
	.options = options,
	.values_size = sizeof(struct values),
	.defaults = &defaults,
	.args_min = 1,
	.args_max = 1,
	.run = build_command,
};
