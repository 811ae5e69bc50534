/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/transfer.h"

#include "base/mem.h"
#include "base/worker.h"
#include "registry/place_store.h"
#include "registry/remote.h"
#include "registry/shortname.h"
#include "registry/trust.h"

static int
pull(void *arg, json_t **result, struct err *err)
{
	struct transfer *t = arg;
	const struct place_copy_options options = {
		.all_platforms = t->all_platforms,
		.platform = t->platform,
	};
	AUTO(session) struct session *session = NULL;
	AUTO(place) struct place *remote = NULL;
	AUTO(place) struct place *store = place_store_new(t->store);
	AUTO(descriptor) struct descriptor root = { .size = 0 };
	AUTO(descriptor) struct descriptor copied = { .size = 0 };

	AUTO(buf) struct buf name = BUF_INIT;

	if (session_open(t->session, &session, err) < 0 ||
		shortname_find(session, &t->ref, err) < 0 ||
		remote_open(session, &t->ref, REMOTE_PULL, &remote, err) < 0 ||
		remote->ops->resolve(remote, ref_name(&t->ref), &root, err) < 0 ||
		trust_check_remote(
			session, remote, &t->ref, &root, t->platform, t->all_platforms, err) < 0 ||
		place_copy(remote, store, &root, &options, &copied, err) < 0)
		return -1;
	ref_format(&t->ref, REF_CANONICAL, &name);
	*result = json_object();
	json_object_set_new(*result, "name", json_text(name.data));
	json_object_set_new(*result, "image", descriptor_format(&copied));
	return 0;
}

int
transfer_pull(struct transfer *t, struct descriptor *out, struct err *err)
{
	const struct worker_job work = { .name = "pull", .run = pull, .arg = t };
	AUTO(json) json_t *result = NULL;
	const char *text = NULL;
	AUTO(buf) struct buf name = BUF_INIT;

	if (worker_signals(err) < 0)
		return -1;
	if (worker_call(&work, &result, err) < 0) {
		ref_format(&t->ref, REF_FAMILIAR, &name);
		return err_in(err, "pull %s", name.data);
	}
	/* the worker's own is a copy */
	if (json_get_string(result, "name", &text, err) < 0 || ref_parse(text, &t->ref, err) < 0)
		return -1;
	return descriptor_parse(json_object_get(result, "image"), out, err);
}
