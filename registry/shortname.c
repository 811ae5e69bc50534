/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/shortname.h"

#include "base/event.h"
#include "base/mem.h"
#include "registry/place.h"
#include "registry/registries.h"
#include "registry/remote.h"

static void
add_name(struct buf *out, const struct ref *ref)
{
	buf_adds(out, out->len > 0 ? ", " : "");
	ref_format(ref, REF_REPOSITORY, out);
}

static int
has(struct session *s, const struct ref *ref, struct err *err)
{
	AUTO(place) struct place *p = NULL;
	AUTO(descriptor) struct descriptor d = { .size = 0 };

	if (remote_open(s, ref, REMOTE_PULL, &p, err) < 0)
		return -1;
	return p->ops->resolve(p, ref_name(ref), &d, err);
}

int
shortname_find(struct session *s, struct ref *ref, struct err *err)
{
	struct ref names[REGISTRIES_SEARCH_MAX];
	const struct registries *registries;
	AUTO(buf) struct buf tried = BUF_INIT;
	int i, count;

	if (!ref->host_implied)
		return 0;
	if (session_registries(s, &registries, err) < 0)
		return -1;
	count = registries_names(registries, ref, names, err);
	if (count < 0)
		return -1;
	for (i = 0; count > 1 && i < count; i++)
		add_name(&tried, &names[i]);
	if (count > 1 && registries->mode == REGISTRIES_SHORT_NONE)
		return err_set(err, ERR_INPUT,
			"it may be any of %s: say which (short-name-mode is enforcing, and %s "
			"names several registries)",
			tried.data, registries->search_file);
	for (i = 0; count > 1 && i < count; i++) {
		if (has(s, &names[i], err) == 0)
			break;
		if (err->kind != ERR_NOTFOUND && err->kind != ERR_DENIED)
			return -1;
	}
	if (i == count && count > 1)
		return err_in(err, "none of %s has it", tried.data);
	if (!ref_same_repository(&names[count > 1 ? i : 0], ref)) {
		buf_clear(&tried);
		add_name(&tried, &names[count > 1 ? i : 0]);
		event_debug("the short name stands for %s", tried.data);
	}
	*ref = names[count > 1 ? i : 0];
	return 0;
}
