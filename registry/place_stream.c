/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/place_stream.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"

#define PIPE_SIZE (1 << 20) /* as much as is given without asking */

/* What the thread sends into. */
struct sink_pipe {
	struct sink sink;
	int fd;
};

struct place_stream {
	struct stream stream;
	struct place *place;
	const struct descriptor *descriptor;
	int fd; /* the pipe's reading end */
	struct sink_pipe sink;
	pthread_t thread;
	bool is_joined;
	/* what the thread says at its end */
	int result;
	struct err err;
};

static int
pipe_write(struct sink *s, const void *bytes, size_t len, struct err *err)
{
	const struct sink_pipe *p = (const struct sink_pipe *)(const void *)s;

	if (fd_write(p->fd, bytes, len) == 0)
		return 0;
	if (errno == EPIPE)
		return err_set(err, ERR_SYSTEM, "nobody wants the rest");
	return err_sys(err, "write to a pipe");
}

static const struct sink_ops pipe_ops = { .write = pipe_write };

static void *
send_all(void *arg)
{
	struct place_stream *s = arg;

	s->result = s->place->ops->get(s->place, s->descriptor, 0, &s->sink.sink, &s->err);
	auto_fd(&s->sink.fd);
	return NULL;
}

static void
join(struct place_stream *s)
{
	if (!s->is_joined)
		pthread_join(s->thread, NULL);
	s->is_joined = true;
}

static ssize_t
place_stream_read(struct stream *stream, void *bytes, size_t len, struct err *err)
{
	struct place_stream *s = (struct place_stream *)stream;
	ssize_t n;

	do
		n = read(s->fd, bytes, len);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_sys(err, "read from a pipe");
	if (n > 0)
		return n;
	join(s);
	if (s->result == 0)
		return 0;
	*err = s->err;
	return -1;
}

static void
place_stream_free(struct stream *stream)
{
	struct place_stream *s = (struct place_stream *)stream;

	auto_fd(&s->fd);
	join(s);
	free(s);
}

int
place_stream(struct place *p, const struct descriptor *d, struct stream **out, struct err *err)
{
	static const struct stream_ops ops = { place_stream_read, place_stream_free };
	struct place_stream *s;
	int ends[2], failed;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(err, "make a pipe");
	(void)fcntl(ends[1], F_SETPIPE_SZ, PIPE_SIZE);
	s = xzalloc(sizeof *s);
	s->stream.ops = &ops;
	s->place = p;
	s->descriptor = d;
	s->fd = ends[0];
	s->sink = (struct sink_pipe){ { &pipe_ops }, ends[1] };
	failed = pthread_create(&s->thread, NULL, send_all, s);
	if (failed != 0) {
		auto_fd(&ends[0]);
		auto_fd(&ends[1]);
		free(s);
		errno = failed;
		return err_sys(err, "start a thread");
	}
	*out = &s->stream;
	return 0;
}
