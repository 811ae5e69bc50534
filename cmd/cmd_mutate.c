/* SPDX-License-Identifier: Apache-2.0 */
/* What an image says of itself, changed where it is: annotate, label, and mutate for all else. */
#include <stdlib.h>

#include "base/mem.h"
#include "cmd/rework.h"
#include "layers/edit.h"

struct values {
	struct edit edit;
	struct strv annotations;
	const char *platform;
	struct rework_flags common;
};

static const struct values defaults = { .common = REWORK_FLAGS_DEFAULT };

static const struct opt annotate_options[] = {
	OPT_STRV('a', "annotation", struct values, annotations, "key=value",
		"set an annotation of the manifest; key- removes it"),
	REWORK_IMAGE_OPTIONS(struct values, common), REWORK_OPTIONS(struct values, common), OPT_END
};

static const struct opt label_options[] = { OPT_STRV('l', "label", struct values, edit.labels,
						    "key=value", "set a label; key- removes it"),
	REWORK_IMAGE_OPTIONS(struct values, common), REWORK_OPTIONS(struct values, common),
	OPT_END };

static const struct opt mutate_options[] = {
	OPT_STRV('a', "annotation", struct values, annotations, "key=value",
		"set an annotation of the manifest; key- removes it"),
	OPT_STRV('l', "label", struct values, edit.labels, "key=value",
		"set a label; key- removes it"),
	OPT_STRV('e', "env", struct values, edit.env, "name=value",
		"set a variable; name- removes it"),
	OPT_STRV(0, "entrypoint", struct values, edit.entrypoint, "word",
		"a word of the entry point, once for each, or all of them as JSON; '' removes it"),
	OPT_STRV(0, "cmd", struct values, edit.cmd, "word",
		"a word of the command, once for each, or all of them as JSON; '' removes it"),
	OPT_STR('u', "user", struct values, edit.user, "user[:group]", "the user; '' removes it"),
	OPT_STR('w', "workdir", struct values, edit.working_dir, "dir",
		"the working directory; '' removes it"),
	OPT_STRV(0, "exposed-port", struct values, edit.exposed_ports, "port[/udp]",
		"add a port; with - at its end remove it"),
	OPT_STRV(0, "volume", struct values, edit.volumes, "dir",
		"add a volume; with - at its end remove it"),
	OPT_STR(0, "stop-signal", struct values, edit.stop_signal, "signal",
		"the signal that ends it; '' removes it"),
	OPT_STR(0, "author", struct values, edit.author, "name", "who made it; '' removes it"),
	OPT_STR(0, "set-platform", struct values, platform, "os/arch", "what it runs on"),
	REWORK_IMAGE_OPTIONS(struct values, common), REWORK_OPTIONS(struct values, common), OPT_END
};

struct job {
	const struct values *values;
	struct edit edit; /* as in values, with the platform */
	const char *created;
};

static bool
has_config_edits(const struct edit *e)
{
	return e->env.count + e->labels.count + e->exposed_ports.count + e->volumes.count +
			       e->entrypoint.count + e->cmd.count >
		       0 ||
	       e->user != NULL || e->working_dir != NULL || e->stop_signal != NULL ||
	       e->author != NULL || e->platform != NULL;
}

static int
change(struct amend_image *image, void *arg, struct err *err)
{
	const struct job *job = arg;
	AUTO(strv) struct strv steps = STRV_INIT;
	AUTO(free) char *line = NULL;

	if (job->values->annotations.count > 0 && edit_is_docker(image->manifest))
		return err_set(err, ERR_INPUT,
			"a Docker manifest has no annotations; '--oci' makes it an OCI manifest");
	if (edit_annotations(image->manifest, &job->values->annotations, err) < 0)
		return -1;
	if (image->config == NULL || !has_config_edits(&job->edit))
		return 0;
	if (edit_config(image->config, &job->edit, &steps, err) < 0)
		return -1;
	if (steps.count == 0)
		return 0;
	line = strv_join(&steps, "; ");
	edit_history(image->config, job->created, line, true);
	edit_created(image->config, job->created);
	return 0;
}

static int
mutate_body(struct rework *r, const struct descriptor *root, void *arg, struct descriptor *out,
	struct err *err)
{
	struct job *job = arg;

	job->created = r->created;
	return rework_images(r, root, has_config_edits(&job->edit), change, job, out, err);
}

static int
mutate_run(struct call *call, struct err *err)
{
	const struct values *v = call->values;
	struct job job = { .values = v, .edit = v->edit };
	struct platform platform;

	if (v->platform != NULL) {
		if (platform_parse(v->platform, &platform, err) < 0)
			return -1;
		job.edit.platform = &platform;
	}
	if (!has_config_edits(&job.edit) && v->annotations.count == 0 && !v->common.to_oci)
		return err_set(err, ERR_USAGE,
			"%s wants something to change; see 'cooper %s --help'", call->cmd->name,
			call->cmd->name);
	return rework_run(call, &v->common, call->args.items[0], NULL, mutate_body, &job, err);
}

#define MUTATE_ABOUT                                                                               \
	"Of an image for several platforms all are changed, unless --platform chooses one. "       \
	"<name> is as for 'cooper copy', and goes on to mean the result, unless --dst names "      \
	"another place. Only documents are written; layers are not moved, or mounted in the "      \
	"target. Where nothing is different, the digest stays. Signatures stay with the old "      \
	"digest, and attestations of changed images are left out of their index, with a warning. " \
	"Prints the digest of the result."
#define MUTATE_COMMAND                                                                             \
	.values_size = sizeof(struct values), .defaults = &defaults, .args_min = 1, .args_max = 1, \
	.run = mutate_run

const struct cmd cmd_annotate = {
	.name = "annotate",
	.summary = "change annotations of an image's manifest",
	.args = "<name>",
	.about = "The annotations of an index, and of what it names, are for 'cooper index "
		 "annotate'.\n\n" MUTATE_ABOUT,
	.example = "  cooper annotate -a org.opencontainers.image.licenses=MIT r.example/app:1\n"
		   "  cooper annotate -a internal.note- r.example/app:1 --dst r.example/out:1\n",
	.options = annotate_options,
	MUTATE_COMMAND,
};

const struct cmd cmd_label = {
	.name = "label",
	.summary = "change labels of an image",
	.args = "<name>",
	.about = MUTATE_ABOUT,
	.example = "  cooper label -l stage=production r.example/app:1\n"
		   "  cooper label -l stage- oci:out:latest\n",
	.options = label_options,
	MUTATE_COMMAND,
};

const struct cmd cmd_mutate = {
	.name = "mutate",
	.summary = "change what an image says of itself and runs",
	.args = "<name>",
	.about =
		"Changes config and manifest. A change of the config is a line of the history, and "
		"dated.\n\n" MUTATE_ABOUT,
	.example = "  cooper mutate -e TZ=UTC --user 1000 r.example/app:1 --dst r.example/app:2\n"
		   "  cooper mutate --entrypoint '[\"/app\", \"-v\"]' --cmd '' r.example/app:1\n"
		   "  cooper mutate --oci r.example/app:1\n",
	.options = mutate_options,
	MUTATE_COMMAND,
};
