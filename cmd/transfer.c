/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/transfer.h"

#include "base/event.h"
#include "base/mem.h"
#include "base/worker.h"
#include "registry/place_store.h"
#include "registry/remote.h"

struct job {
	const struct transfer *transfer;
	const struct descriptor *image; /* to be pushed; NULL: pull */
	struct strv neighbours;         /* other repositories of that registry */
};

static int
pull(const struct transfer *t, struct place *remote, struct place *store, struct descriptor *copied,
	struct err *err)
{
	const struct place_copy_options options = {
		.all_platforms = t->all_platforms,
		.platform = t->platform,
	};
	AUTO(descriptor) struct descriptor root = { .size = 0 };

	if (remote->ops->resolve(remote, ref_name(&t->ref), &root, err) < 0)
		return -1;
	return place_copy(remote, store, &root, &options, copied, err);
}

/* Images here that came from the same registry, or went there, may share layers with this one. */
static int
find_neighbours(const struct transfer *t, struct strv *out, struct err *err)
{
	AUTO(store_names) struct store_names names = STORE_NAMES_INIT;

	if (store_name_list(t->store, &names, err) < 0)
		return -1;
	for (size_t i = 0; i < names.count; i++) {
		struct err ignored;
		struct ref ref;

		if (ref_parse(names.items[i].name, &ref, &ignored) == 0 &&
			streq(ref.host, t->ref.host))
			strv_add(out, ref.repository);
	}
	return 0;
}

static int
push(const struct job *job, struct place *remote, struct place *store, struct descriptor *copied,
	struct err *err)
{
	const struct transfer *t = job->transfer;
	const struct place_copy_options options = {
		.all_platforms = t->all_platforms,
		.platform = t->platform,
	};

	for (size_t i = 0; i < job->neighbours.count; i++)
		remote_mount_from(remote, job->neighbours.items[i]);
	if (place_copy(store, remote, job->image, &options, copied, err) < 0)
		return -1;
	return remote->ops->tag(remote, ref_name(&t->ref), copied, err);
}

static int
transfer_body(void *arg, json_t **result, struct err *err)
{
	const struct job *job = arg;
	const struct transfer *t = job->transfer;
	AUTO(session) struct session *session = NULL;
	AUTO(place) struct place *remote = NULL;
	AUTO(place) struct place *store = place_store_new(t->store);
	AUTO(descriptor) struct descriptor copied = { .size = 0 };
	int done;

	if (session_open(t->session, &session, err) < 0 ||
		remote_open(session, &t->ref, job->image == NULL ? REMOTE_PULL : REMOTE_PUSH,
			&remote, err) < 0)
		return -1;
	if (job->image == NULL)
		done = pull(t, remote, store, &copied, err);
	else
		done = push(job, remote, store, &copied, err);
	if (done < 0)
		return -1;
	*result = descriptor_format(&copied);
	return 0;
}

static int
transfer(const struct transfer *t, const struct descriptor *image, struct descriptor *out,
	struct err *err)
{
	struct job job = { .transfer = t, .image = image };
	const struct worker_job work = {
		.name = image == NULL ? "pull" : "push",
		.run = transfer_body,
		.arg = &job,
	};
	AUTO(strv) struct strv neighbours = STRV_INIT; /* borrowed by the job */
	AUTO(json) json_t *result = NULL;
	AUTO(buf) struct buf name = BUF_INIT;

	if (worker_signals(err) < 0 || (image != NULL && find_neighbours(t, &neighbours, err) < 0))
		return -1;
	job.neighbours = neighbours;
	if (worker_call(&work, &result, err) < 0) {
		ref_format(&t->ref, REF_FAMILIAR, &name);
		return err_in(err, "%s %s", work.name, name.data);
	}
	return descriptor_parse(result, out, err);
}

int
transfer_pull(const struct transfer *t, struct descriptor *out, struct err *err)
{
	return transfer(t, NULL, out, err);
}

int
transfer_push(const struct transfer *t, const struct descriptor *image, struct descriptor *out,
	struct err *err)
{
	return transfer(t, image, out, err);
}
