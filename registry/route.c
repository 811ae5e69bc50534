/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/route.h"

#include <stdio.h>
#include <strings.h>

#include "base/mem.h"
#include "registry/host.h"

static int
by_registries(struct session *s, const struct registries *registries, const struct ref *ref,
	enum route_use use, struct route *out, struct err *err)
{
	struct endpoint endpoints[REGISTRIES_MIRRORS_MAX + 1];
	int i, count = registries_endpoints(registries, ref, use == ROUTE_READ, endpoints, err);

	if (count < 0)
		return -1;
	for (i = 0; i < count; i++) {
		struct route_stop *stop = &out->stops[i];
		bool is_mirror = i + 1 < count && strcasecmp(endpoints[i].ref.host, ref->host) != 0;

		*stop = (struct route_stop){ .pull = endpoints[i].pull };
		snprintf(stop->repository, sizeof stop->repository, "%s",
			endpoints[i].ref.repository);
		if (session_host(s, endpoints[i].ref.host, endpoints[i].insecure, is_mirror,
			    &stop->host, err) < 0)
			return -1;
	}
	out->count = (size_t)count;
	return 0;
}

static int
add_entry(struct session *s, const struct ref *ref, const struct hosts_entry *e, bool is_mirror,
	struct route *out, struct err *err)
{
	struct route_stop *stop = &out->stops[out->count++];

	*stop = (struct route_stop){ .pull = REGISTRIES_PULL_ALL,
		.no_resolve = (e->capabilities & HOSTS_RESOLVE) == 0,
		.no_pull = (e->capabilities & HOSTS_PULL) == 0 };
	snprintf(stop->repository, sizeof stop->repository, "%s", ref->repository);
	return session_hosts_host(s, ref->host, e, is_mirror, &stop->host, err);
}

/* A mirror is written to only where that is said in words. */
static int
write_by_hosts(struct session *s, const struct hosts *hosts, const struct ref *ref,
	struct route *out, struct err *err)
{
	const struct hosts_entry *server = &hosts->entries[hosts->count - 1];
	size_t i;

	for (i = 0; i < hosts->count; i++)
		if (hosts->entries[i].is_push_said)
			return add_entry(s, ref, &hosts->entries[i], false, out, err);
	if ((server->capabilities & HOSTS_PUSH) == 0)
		return err_set(err, ERR_DENIED, "nothing is written to '%s', says %s", ref->host,
			hosts->file);
	return add_entry(s, ref, server, false, out, err);
}

static int
by_hosts(struct session *s, const struct hosts *hosts, const struct ref *ref, enum route_use use,
	struct route *out, struct err *err)
{
	size_t i;

	if (use == ROUTE_WRITE)
		return write_by_hosts(s, hosts, ref, out, err);
	for (i = 0; i < hosts->count; i++) {
		const struct hosts_entry *e = &hosts->entries[i];
		bool is_server = i == hosts->count - 1;

		if (!is_server && (e->capabilities & (HOSTS_PULL | HOSTS_RESOLVE)) == 0)
			continue;
		if (add_entry(s, ref, e, !is_server && e->is_for_others, out, err) < 0)
			return -1;
	}
	return 0;
}

int
route_find(struct session *s, const struct ref *ref, enum route_use use, struct route *out,
	struct err *err)
{
	const struct registries *registries;
	const struct registries_rule *rule;
	const struct hosts *hosts = NULL;

	*out = (struct route){ .count = 0 };
	if (session_registries(s, &registries, err) < 0)
		return -1;
	rule = registries_rule(registries, ref);
	if (rule != NULL)
		out->file = rule->file;
	else if (session_hosts(s, ref->host, &hosts, err) < 0)
		return -1;
	if (hosts == NULL)
		return by_registries(s, registries, ref, use, out, err);
	out->file = hosts->file;
	return by_hosts(s, hosts, ref, use, out, err);
}
