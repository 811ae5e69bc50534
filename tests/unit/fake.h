/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_FAKE_H
#define TESTS_UNIT_FAKE_H

#include "tests/unit/remotes.h"

/* fake - an image and tests/fake/registry.py, which fails on demand: what is pushed and pulled
 * there. */

#define SIZE 300000 /* bytes of a layer */

struct fake {
	struct server server;
	struct session *session;
	struct place *memory, *back; /* what is pushed, what is pulled into */
	struct place *push, *pull;
	struct descriptor root, layer;
};

static inline void __attribute__((unused)) auto_fake(struct fake *f)
{
	place_free(f->push);
	place_free(f->pull);
	place_free(f->memory);
	place_free(f->back);
	session_free(f->session);
	server_stop(&f->server);
}

/* The arguments of the fake, and an image that is made but not there yet. */
static inline void __attribute__((unused))
start_with(struct fake *f, struct session_options o, const char *const *arguments)
{
	const char *all[20] = { "--log" };
	AUTO(free) char *log = NULL;
	size_t n = 2;

	*f = (struct fake){ .session = NULL };
	server_dir(&f->server);
	log = xasprintf("%s/log", f->server.dir);
	server_write(&f->server, "log", "");
	all[1] = log;
	while (*arguments != NULL)
		all[n++] = *arguments++;
	same_int(server_fake(&f->server, all), 0);
	o.stall_ms = o.stall_ms > 0 ? o.stall_ms : 5000;
	open_anonymous(&f->server, o, &f->session);
	f->memory = memory_place();
	f->back = memory_place();
	f->root = image_make(f->memory, "image", 1, SIZE);
	f->layer = ((struct memory_place *)(void *)f->memory)->blobs[1].descriptor;
	f->push = open_at(f->session, &f->server, "a/b", REMOTE_PUSH);
	f->pull = open_at(f->session, &f->server, "a/b", REMOTE_PULL);
}

#define START(f, ...)                                               \
	start_with(f, (struct session_options)SESSION_OPTIONS_INIT, \
		(const char *const[]){ __VA_ARGS__, NULL })
#define USER                                             \
	{                                                \
		.username = "user", .password = "secret" \
	}

static inline int __attribute__((unused)) push(struct fake *f, struct err *err)
{
	struct descriptor copied = { 0 };

	if (place_copy(f->memory, f->push, &f->root, NULL, &copied, err) < 0)
		return -1;
	return f->push->ops->tag(f->push, "1", &f->root, err);
}

static inline int __attribute__((unused)) pull(struct fake *f, struct err *err)
{
	struct descriptor got = { 0 }, copied = { 0 };

	if (f->pull->ops->resolve(f->pull, "1", &got, err) < 0)
		return -1;
	if (place_copy(f->pull, f->back, &got, NULL, &copied, err) < 0)
		return -1;
	same_str(copied.digest.text, f->root.digest.text);
	return 0;
}

static inline bool __attribute__((unused)) has_layer(const struct fake *f)
{
	struct err err;

	return memory_has(f->back, &f->layer, &err) == 1;
}

/* How many lines of the fake's log have all of these words. */
static inline int __attribute__((unused)) asked(const struct fake *f, const char *a, const char *b)
{
	AUTO(free) char *path = xasprintf("%s/log", f->server.dir);
	FILE *file = fopen(path, "r");
	char line[2048];
	int count = 0;

	while (file != NULL && fgets(line, sizeof line, file) != NULL)
		count += strstr(line, a) != NULL && strstr(line, b) != NULL;
	if (file != NULL)
		fclose(file);
	return count;
}

/* Only the layer, so that it is known which request is whose. */
static inline int __attribute__((unused)) pull_layer(struct fake *f, struct err *err)
{
	struct source_place source;

	source_place(&source, f->pull, &f->layer);
	return f->back->ops->put(f->back, &f->layer, &source.source, err);
}

static inline int __attribute__((unused)) push_layer(struct fake *f, struct err *err)
{
	struct source_place source;

	source_place(&source, f->memory, &f->layer);
	return f->push->ops->put(f->push, &f->layer, &source.source, err);
}

/* A blob of some MiB in the registry. */
static inline int __attribute__((unused))
push_large(struct fake *f, size_t size, struct descriptor *d, struct err *err)
{
	AUTO(buf) struct buf bytes = BUF_INIT;
	uint32_t *words = (uint32_t *)(void *)buf_reserve(&bytes, size);
	size_t i;

	for (i = 0; i < size / 4; i++)
		words[i] = (uint32_t)(i * 2654435761u);
	*d = (struct descriptor){ .size = 0 };
	return place_put_bytes(f->push, words, size, d, err);
}

#endif
