/* SPDX-License-Identifier: Apache-2.0 */
#include "build/push.h"

#include "base/event.h"
#include "base/mem.h"
#include "base/worker.h"
#include "build/absent.h"
#include "registry/place_store.h"
#include "registry/remote.h"

struct pushing {
	const struct push *push;
	const struct descriptor *image;
	struct place_copy_options how;
	struct absent absent;
	struct strv neighbours; /* other repositories of that registry */
};

static bool
is_here(const struct descriptor *layer, void *arg)
{
	return !absent_has(arg, &layer->digest);
}

static int
push_body(void *arg, json_t **result, struct err *err)
{
	const struct pushing *p = arg;
	AUTO(descriptor) struct descriptor copied = { .size = 0 };
	AUTO(session) struct session *session = NULL;
	AUTO(place) struct place *from = place_store_new(p->push->store), *to = NULL;
	struct session_options options = *p->push->session;

	options.store = p->push->store;
	if (session_open(&options, &session, err) < 0 ||
		remote_open(session, p->push->to, REMOTE_PUSH, &to, err) < 0)
		return -1;
	for (size_t i = 0; i < p->neighbours.count; i++)
		remote_mount_from(to, p->neighbours.items[i]);
	if (absent_move(&p->absent, session, to, err) < 0 ||
		place_convert_copy(from, to, p->image, p->push->convert, &p->how, &copied, err) <
			0 ||
		to->ops->tag(to, ref_name(p->push->to), &copied, err) < 0)
		return -1;
	*result = descriptor_format(&copied);
	return 0;
}

/* Images here that came from the same registry, or went there, may share layers with this one. */
static int
find_neighbours(const struct push *push, struct strv *out, struct err *err)
{
	AUTO(store_names) struct store_names names = STORE_NAMES_INIT;

	if (store_name_list(push->store, &names, err) < 0)
		return -1;
	for (size_t i = 0; i < names.count; i++) {
		struct err ignored;
		struct ref ref;

		if (ref_parse(names.items[i].name, &ref, &ignored) == 0 &&
			streq(ref.host, push->to->host))
			strv_add(out, ref.repository);
	}
	return 0;
}

int
push_image(const struct push *push, const struct descriptor *image, struct descriptor *out,
	struct err *err)
{
	struct pushing p = { .push = push,
		.image = image,
		.how = { .all_platforms = push->platform == NULL, .platform = push->platform },
		.absent = ABSENT_INIT,
		.neighbours = STRV_INIT };
	const struct worker_job job = { .name = "push", .run = push_body, .arg = &p };
	AUTO(json) json_t *result = NULL;
	AUTO(buf) struct buf name = BUF_INIT;
	uint32_t event;
	int done;

	p.how.wants_layer = is_here;
	p.how.arg = &p.absent;
	ref_format(push->to, REF_CANONICAL, &name);
	event = event_start("pushing %s", name.data);
	done = find_neighbours(push, &p.neighbours, err);
	if (done == 0)
		done = absent_find(push->store, image, &p.how, &p.absent, err);
	if (done == 0)
		done = worker_call(&job, &result, err);
	if (done == 0)
		done = descriptor_parse(result, out, err);
	auto_absent(&p.absent);
	strv_free(&p.neighbours);
	if (done < 0) {
		event_fail(event, err->msg);
		return err_in(err, "push %s", name.data);
	}
	event_done(event);
	return 0;
}
