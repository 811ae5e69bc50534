/* SPDX-License-Identifier: Apache-2.0 */
#include "base/worker_wire.h"

#include <stdbool.h>
#include <string.h>

#include "base/json.h"

struct wire_head {
	uint32_t len;
	unsigned char kind;
} __attribute__((packed));

struct wire_event {
	uint64_t done, total;
	uint32_t kind, id;
	uint32_t what_len, text_len; /* the texts follow, each with a zero at its end */
	int32_t stream;
	uint8_t has_what, has_text;
} __attribute__((packed));

struct wire_error {
	uint32_t kind;
	int32_t status;
	/* the message follows, with a zero at its end */
} __attribute__((packed));

static size_t
begin(struct buf *out, enum wire_kind kind)
{
	struct wire_head head = { .kind = (unsigned char)kind };
	size_t start = out->len;

	buf_add(out, &head, sizeof head);
	return start;
}

static void
end(struct buf *out, size_t start)
{
	uint32_t len = (uint32_t)(out->len - start - sizeof(struct wire_head));

	memcpy(out->data + start, &len, sizeof len);
}

static void
put_one_event(struct buf *out, const struct event *e, const char *text, size_t text_len)
{
	size_t what_len = e->what != NULL ? strlen(e->what) : 0, start = begin(out, WIRE_EVENT);
	struct wire_event wire = {
		.done = e->done,
		.total = e->total,
		.kind = e->kind,
		.id = e->id,
		.what_len = (uint32_t)what_len,
		.text_len = (uint32_t)text_len,
		.stream = e->stream,
		.has_what = e->what != NULL,
		.has_text = text != NULL,
	};

	buf_add(out, &wire, sizeof wire);
	buf_add(out, e->what, what_len);
	buf_addc(out, '\0');
	buf_add(out, text, text_len);
	buf_addc(out, '\0');
	end(out, start);
}

void
wire_put_event(struct buf *out, const struct event *event)
{
	const char *text = event->text;
	size_t len = text != NULL ? event->len : 0;

	while (event->kind == EVENT_LOG && len > WIRE_LOG_MAX) {
		put_one_event(out, event, text, WIRE_LOG_MAX);
		text += WIRE_LOG_MAX;
		len -= WIRE_LOG_MAX;
	}
	put_one_event(out, event, text, len);
}

int
wire_put_result(struct buf *out, const json_t *result, struct err *err)
{
	size_t start = begin(out, WIRE_RESULT);

	if (result != NULL)
		json_format(result, JSON_STYLE_COMPACT, out);
	if (out->len - start > WIRE_FRAME_MAX) {
		buf_truncate(out, start);
		return err_set(
			err, ERR_INPUT, "its result is larger than %u bytes", WIRE_FRAME_MAX);
	}
	end(out, start);
	return 0;
}

void
wire_put_error(struct buf *out, const struct err *error)
{
	struct wire_error wire = { .kind = error->kind, .status = error->status };
	size_t start = begin(out, WIRE_ERROR);

	buf_add(out, &wire, sizeof wire);
	buf_add(out, error->msg, strnlen(error->msg, sizeof error->msg - 1));
	buf_addc(out, '\0');
	end(out, start);
}

static bool
take_event(const char *bytes, size_t len, struct event *out)
{
	struct wire_event wire;
	const char *what, *text;

	if (len < sizeof wire)
		return false;
	memcpy(&wire, bytes, sizeof wire);
	if (wire.kind > EVENT_DEBUG ||
		(uint64_t)wire.what_len + wire.text_len + 2 != len - sizeof wire)
		return false;
	what = bytes + sizeof wire;
	text = what + wire.what_len + 1;
	if (what[wire.what_len] != '\0' || text[wire.text_len] != '\0')
		return false;
	*out = (struct event){
		.kind = (enum event_kind)wire.kind,
		.id = wire.id,
		.what = wire.has_what ? what : NULL,
		.text = wire.has_text ? text : NULL,
		.len = wire.text_len,
		.stream = wire.stream,
		.done = wire.done,
		.total = wire.total,
	};
	return true;
}

static bool
take_error(const char *bytes, size_t len, struct err *out)
{
	struct wire_error wire;
	size_t msg_len;

	if (len < sizeof wire + 1)
		return false;
	memcpy(&wire, bytes, sizeof wire);
	msg_len = len - sizeof wire - 1;
	if (wire.kind == ERR_NONE || wire.kind > ERR_INTERRUPTED || msg_len >= sizeof out->msg ||
		bytes[len - 1] != '\0')
		return false;
	out->kind = (enum err_kind)wire.kind;
	out->status = wire.status;
	memcpy(out->msg, bytes + sizeof wire, msg_len + 1);
	return true;
}

static bool
take_payload(const char *bytes, size_t len, struct wire_frame *out)
{
	switch (out->kind) {
	case WIRE_EVENT:
		return take_event(bytes, len, &out->event);
	case WIRE_RESULT:
		out->result = bytes;
		out->result_len = len;
		return true;
	case WIRE_ERROR:
		return take_error(bytes, len, &out->error);
	}
	return false;
}

int
wire_take(const char *bytes, size_t len, struct wire_frame *out, size_t *used, struct err *err)
{
	struct wire_head head;

	if (len < sizeof head)
		return 0;
	memcpy(&head, bytes, sizeof head);
	if (head.len > WIRE_FRAME_MAX)
		return err_set(err, ERR_CORRUPT, "it sent a frame of %u bytes", head.len);
	if (len - sizeof head < head.len)
		return 0;
	out->kind = (enum wire_kind)head.kind;
	if (!take_payload(bytes + sizeof head, head.len, out))
		return err_set(err, ERR_CORRUPT, "it sent what cannot be understood");
	*used = sizeof head + head.len;
	return 1;
}
