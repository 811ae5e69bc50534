/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/event.h"
#include "base/mem.h"
#include "base/proc.h"
#include "registry/http_pool.h"

#define BUFFER_SIZE (512l << 10) /* measured: below 128 KiB a local download is a third slower */
#define SLOWEST 1024             /* bytes that must come before it counts as silence */
#define POLL_MS 1000

struct exchange {
	struct http *http;
	const struct http_request *q;
	struct http_response *r;
	struct err *err;
	struct slot *slot;
	struct curl_slist *lines;
	size_t header_bytes;
	bool head_done; /* of the final response */
	struct sink *out;
	const char *sending;
	size_t sending_len;
	uint64_t sent;
	bool sent_all, is_paused;
	bool is_over; /* code is set */
	CURLcode code;
	bool has_enough; /* a failure's body is cut */
	bool is_ours;    /* err is set by one of our own */
	bool is_refused; /* by reach */
	bool is_stalled;
	size_t trickle; /* bytes since the clock was set */
	uint64_t moved_ms;
	char message[CURL_ERROR_SIZE];
};

void
http_response_clear(struct http_response *r)
{
	strv_free(&r->headers);
	buf_free(&r->body);
	strv_free(&r->certificate);
	*r = (struct http_response)HTTP_RESPONSE_INIT;
}

void
auto_http_response(struct http_response *r)
{
	http_response_clear(r);
}

const char *
http_header(const struct http_response *r, const char *name, size_t nth)
{
	size_t i, len = strlen(name);

	for (i = 0; i < r->headers.count; i++)
		if (strncmp(r->headers.items[i], name, len) == 0 &&
			r->headers.items[i][len] == ':' && nth-- == 0)
			return r->headers.items[i] + len + 2;
	return NULL;
}

static void
has_moved(struct exchange *x)
{
	x->moved_ms = proc_now_ms();
}

static size_t
ours(struct exchange *x)
{
	x->is_ours = true;
	return CURL_WRITEFUNC_ERROR;
}

static void
add_header(struct exchange *x, const char *line, size_t len)
{
	const char *colon = memchr(line, ':', len), *value;
	struct buf header = BUF_INIT;
	size_t i;

	if (colon == NULL)
		return;
	for (i = 0; line + i < colon; i++)
		buf_addc(&header,
			line[i] >= 'A' && line[i] <= 'Z' ? (char)(line[i] + 'a' - 'A') : line[i]);
	value = colon + 1;
	len -= (size_t)(value - line);
	while (len > 0 && (*value == ' ' || *value == '\t'))
		value++, len--;
	while (len > 0 && strchr(" \t\r\n", value[len - 1]) != NULL)
		len--;
	buf_adds(&header, ": ");
	buf_add(&header, value, strnlen(value, len));
	strv_take(&x->r->headers, buf_steal(&header));
}

static size_t
end_head(struct exchange *x, size_t len)
{
	x->head_done = true;
	if (x->r->status >= 300 && x->q->send != NULL && !x->sent_all && x->r->status < 400) {
		x->has_enough = true; /* what it wants is elsewhere: send no more of it here */
		return CURL_WRITEFUNC_ERROR;
	}
	if (x->r->status < 300 && x->q->accept != NULL &&
		x->q->accept(x->q->arg, x->r, &x->out, x->err) < 0)
		return ours(x);
	return len;
}

static size_t
on_header(char *line, size_t one, size_t len, void *arg)
{
	struct exchange *x = arg;
	const char *space;

	(void)one;
	has_moved(x);
	if (x->head_done)
		return len; /* trailers say nothing that we asked */
	x->header_bytes += len;
	if (x->header_bytes > HTTP_HEADERS_MAX || x->r->headers.count >= HTTP_HEADER_COUNT_MAX) {
		err_set(x->err, ERR_INPUT, "the answer has too many headers");
		return ours(x);
	}
	if (len > 5 && strncasecmp(line, "HTTP/", 5) == 0) {
		strv_free(&x->r->headers);
		space = memchr(line, ' ', len);
		x->r->status = space != NULL ? (int)strtol(space + 1, NULL, 10) : 0;
		return len;
	}
	if (line[strspn(line, "\r\n")] == '\0' ||
		(len <= 2 && (line[0] == '\r' || line[0] == '\n')))
		return x->r->status >= 200 ? end_head(x, len) : len;
	add_header(x, line, len);
	return len;
}

static size_t
on_body(char *bytes, size_t one, size_t len, void *arg)
{
	struct exchange *x = arg;
	bool is_good = x->r->status < 300;
	size_t limit = is_good && x->q->limit > 0 ? x->q->limit : HTTP_ERROR_BODY_MAX;
	size_t room = limit - x->r->body.len;

	(void)one;
	x->trickle += len;
	if (x->trickle >= SLOWEST) { /* a byte now and then is no progress */
		x->trickle = 0;
		has_moved(x);
	}
	x->r->received += len;
	if (x->out != NULL)
		return sink_write(x->out, bytes, len, x->err) < 0 ? ours(x) : len;
	buf_add(&x->r->body, bytes, len < room ? len : room);
	if (len <= room)
		return len;
	if (is_good) {
		err_set(x->err, ERR_INPUT, "the answer is larger than %zu bytes", limit);
		return ours(x);
	}
	x->has_enough = true;
	return CURL_WRITEFUNC_ERROR;
}

static size_t
on_read(char *bytes, size_t one, size_t room, void *arg)
{
	struct exchange *x = arg;
	size_t len = x->sending_len < room * one ? x->sending_len : room * one;

	has_moved(x);
	if (len == 0 && !x->sent_all) {
		x->is_paused = true;
		return CURL_READFUNC_PAUSE;
	}
	if (len == 0)
		return 0;
	memcpy(bytes, x->sending, len);
	x->sending += len;
	x->sending_len -= len;
	x->sent += len;
	if (x->sent == x->q->size)
		x->sent_all = true;
	return len;
}

static curl_socket_t
on_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct exchange *x = arg;

	(void)purpose;
	if (x->q->proxy == NULL && policy_address(&address->addr) > x->q->reach) {
		x->is_refused = true;
		return CURL_SOCKET_BAD;
	}
	return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* Also sees connections that are used again. */
static int
on_connected(void *arg, char *address, char *local, int port, int local_port)
{
	struct exchange *x = arg;

	(void)local;
	(void)port;
	(void)local_port;
	has_moved(x);
	/* a proxy's own address says nothing about who is behind it */
	x->r->address = policy_host(x->q->proxy == NULL ? address : x->q->url->host);
	if (x->q->proxy == NULL && x->r->address > x->q->reach) {
		x->is_refused = true;
		return CURL_PREREQFUNC_ABORT;
	}
	return CURL_PREREQFUNC_OK;
}

static void
set_method(struct exchange *x, CURL *c)
{
	const struct http_request *q = x->q;

	if (q->send != NULL) {
		curl_easy_setopt(c, CURLOPT_UPLOAD, 1l);
		curl_easy_setopt(c, CURLOPT_INFILESIZE_LARGE, (curl_off_t)q->size);
		curl_easy_setopt(c, CURLOPT_READFUNCTION, on_read);
		curl_easy_setopt(c, CURLOPT_READDATA, x);
		curl_easy_setopt(c, CURLOPT_UPLOAD_BUFFERSIZE, BUFFER_SIZE);
	} else if (streq(q->method, "HEAD")) {
		curl_easy_setopt(c, CURLOPT_NOBODY, 1l);
	} else if (!streq(q->method, "GET") && !streq(q->method, "DELETE")) {
		curl_easy_setopt(c, CURLOPT_POSTFIELDS, "");
		curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE, 0l);
	}
	if (!streq(q->method, "HEAD"))
		curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, q->method);
}

static void
set_headers(struct exchange *x, CURL *c)
{
	const struct strv *headers = x->q->headers;
	bool has_type = false;
	size_t i;

	for (i = 0; headers != NULL && i < headers->count; i++) {
		x->lines = curl_slist_append(x->lines, headers->items[i]);
		has_type = has_type || strncasecmp(headers->items[i], "Content-Type:", 13) == 0;
	}
	x->lines = curl_slist_append(
		x->lines, "Expect:"); /* a wait that most registries never answer */
	if (!has_type)
		x->lines = curl_slist_append(x->lines, "Content-Type:");
	curl_easy_setopt(c, CURLOPT_HTTPHEADER, x->lines);
	curl_easy_setopt(c, CURLOPT_USERAGENT, "cooper/" COOPER_VERSION);
}

int
http_send_buf(void *arg, struct sink *out, struct err *err)
{
	const struct buf *bytes = arg;

	return sink_write(out, bytes->data, bytes->len, err);
}

const struct http_tls *
http_tls_for(const struct http_tls *own, bool is_same_host)
{
	static const struct http_tls careless = { .skip_verify = true, .authorities = BUF_INIT };

	if (own == NULL || is_same_host)
		return own;
	return own->skip_verify ? &careless : NULL;
}

/* libcurl does not look at what people set for everything else that uses OpenSSL. */
static void
set_trust(CURL *c, const struct http_tls *tls)
{
	const char *file = getenv("SSL_CERT_FILE"), *dir = getenv("SSL_CERT_DIR");
	struct curl_blob blob;

	if (file != NULL && file[0] != '\0')
		curl_easy_setopt(c, CURLOPT_CAINFO, file);
	if (dir != NULL && dir[0] != '\0')
		curl_easy_setopt(c, CURLOPT_CAPATH, dir);
	curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (tls == NULL)
		return;
	if (tls->authorities.len > 0) {
		blob = (struct curl_blob){ .data = tls->authorities.data,
			.len = tls->authorities.len,
			.flags = CURL_BLOB_NOCOPY };
		curl_easy_setopt(c, CURLOPT_CAINFO_BLOB, &blob);
	}
	if (tls->certificate != NULL)
		curl_easy_setopt(c, CURLOPT_SSLCERT, tls->certificate);
	if (tls->key != NULL)
		curl_easy_setopt(c, CURLOPT_SSLKEY, tls->key);
	if (tls->skip_verify) {
		curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 0l);
		curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 0l);
	}
}

static void
prepare(struct exchange *x, const char *url)
{
	CURL *c = x->slot->easy;

	curl_easy_reset(c);
	curl_easy_setopt(c, CURLOPT_URL, url);
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(c, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1l);
	curl_easy_setopt(c, CURLOPT_PATH_AS_IS, 1l);
	curl_easy_setopt(c, CURLOPT_SHARE, x->http->share);
	curl_easy_setopt(c, CURLOPT_ERRORBUFFER, x->message);
	/* several h2 streams would share the flow control of one connection */
	curl_easy_setopt(c, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(c, CURLOPT_BUFFERSIZE, BUFFER_SIZE);
	curl_easy_setopt(c, CURLOPT_TCP_KEEPALIVE, 1l);
	curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS,
		(long)(x->q->connect_ms > 0 ? x->q->connect_ms : x->http->options.connect_ms));
	curl_easy_setopt(c, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1l);
	curl_easy_setopt(c, CURLOPT_PROXY, x->q->proxy != NULL ? x->q->proxy : "");
	curl_easy_setopt(c, CURLOPT_NOPROXY, "");
	curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(c, CURLOPT_HEADERDATA, x);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, x);
	curl_easy_setopt(c, CURLOPT_OPENSOCKETFUNCTION, on_socket);
	curl_easy_setopt(c, CURLOPT_OPENSOCKETDATA, x);
	curl_easy_setopt(c, CURLOPT_PREREQFUNCTION, on_connected);
	curl_easy_setopt(c, CURLOPT_PREREQDATA, x);
	set_method(x, c);
	set_headers(x, c);
	set_trust(c, x->q->tls);
}

static bool
has_stalled(const struct exchange *x)
{
	const struct http_options *o = &x->http->options;
	bool waits = !x->head_done && (x->q->send == NULL || x->sent_all);

	return proc_now_ms() - x->moved_ms > (waits ? o->answer_ms : o->stall_ms);
}

/* Runs until the exchange is over or, while there is more to come from send(), until all it gave so
 * far was taken. */
static void
pump(struct exchange *x)
{
	CURLM *multi = x->slot->multi;
	int running = 1, left;
	CURLMsg *m;

	while (!x->is_over) {
		curl_multi_perform(multi, &running);
		m = curl_multi_info_read(multi, &left);
		if (m != NULL && m->msg == CURLMSG_DONE) {
			x->code = m->data.result;
			x->is_over = true;
			break;
		}
		if (x->q->send != NULL && !x->sent_all && x->sending_len == 0)
			break;
		if (has_stalled(x)) {
			x->is_stalled = true;
			x->is_over = true;
			break;
		}
		curl_multi_poll(multi, NULL, 0,
			x->http->options.stall_ms < POLL_MS ? (int)x->http->options.stall_ms
							    : POLL_MS,
			NULL);
	}
}

struct upload_sink {
	struct sink sink;
	struct exchange *x;
};

static int
upload_write(struct sink *s, const void *bytes, size_t len, struct err *err)
{
	struct exchange *x = ((struct upload_sink *)(void *)s)->x;

	if (len > x->q->size - x->sent)
		return err_set(err, ERR_CORRUPT, "there is more to send than %" PRIu64 " bytes",
			x->q->size);
	x->sending = bytes;
	x->sending_len = len;
	if (x->is_paused) {
		x->is_paused = false;
		has_moved(x);
		curl_easy_pause(x->slot->easy, CURLPAUSE_CONT);
	}
	has_moved(x);
	pump(x);
	if (x->sending_len > 0)
		return err_set(err, ERR_REMOTE, "the other side wants no more"); /* it said why */
	return 0;
}

static const struct sink_ops upload_ops = { .write = upload_write };

static void
send_body(struct exchange *x)
{
	struct upload_sink sink = { .sink = { .ops = &upload_ops }, .x = x };
	int result;

	if (x->q->size == 0)
		x->sent_all = true;
	result = x->sent_all ? 0 : x->q->send(x->q->arg, &sink.sink, x->err);
	if (result < 0 && !x->is_over)
		x->is_ours = true;
	if (result == 0 && !x->is_over && !x->sent_all) {
		err_set(x->err, ERR_CORRUPT, "%" PRIu64 " bytes came instead of %" PRIu64, x->sent,
			x->q->size);
		x->is_ours = true;
	}
	if (x->is_ours) {
		x->is_over = true;
		return;
	}
	x->sent_all = true;
	if (x->is_paused && !x->is_over)
		curl_easy_pause(x->slot->easy, CURLPAUSE_CONT);
	has_moved(x);
	pump(x);
}

struct explanation {
	CURLcode code;
	const char *word; /* in libcurl's message; NULL: any */
	enum http_failure failure;
	enum err_kind kind;
	const char *text; /* NULL: libcurl's */
};

static const struct explanation explanations[] = {
	{ CURLE_COULDNT_RESOLVE_HOST, NULL, HTTP_FAILURE_RESOLVE, ERR_REMOTE,
		"no address is known for this host" },
	{ CURLE_COULDNT_RESOLVE_PROXY, NULL, HTTP_FAILURE_RESOLVE, ERR_REMOTE,
		"no address is known for the proxy" },
	{ CURLE_COULDNT_CONNECT, NULL, HTTP_FAILURE_CONNECT, ERR_REMOTE, NULL },
	{ CURLE_OPERATION_TIMEDOUT, NULL, HTTP_FAILURE_CONNECT, ERR_REMOTE,
		"no connection in time" },
	{ CURLE_SSL_CONNECT_ERROR, "wrong version", HTTP_FAILURE_TLS_MISSING, ERR_REMOTE,
		"it does not speak TLS" },
	{ CURLE_SSL_CONNECT_ERROR, "packet length", HTTP_FAILURE_TLS_MISSING, ERR_REMOTE,
		"it does not speak TLS" },
	{ CURLE_SSL_CONNECT_ERROR, NULL, HTTP_FAILURE_TLS, ERR_REMOTE, NULL },
	{ CURLE_PEER_FAILED_VERIFICATION, "expired", HTTP_FAILURE_TLS_UNTRUSTED, ERR_DENIED,
		"its certificate has expired (or the clock of this machine is wrong)" },
	{ CURLE_PEER_FAILED_VERIFICATION, "not yet valid", HTTP_FAILURE_TLS_UNTRUSTED, ERR_DENIED,
		"its certificate is not valid yet (or the clock of this machine is wrong)" },
	{ CURLE_PEER_FAILED_VERIFICATION, "does not match", HTTP_FAILURE_TLS_UNTRUSTED, ERR_DENIED,
		"its certificate is for another host" },
	{ CURLE_PEER_FAILED_VERIFICATION, "no alternative", HTTP_FAILURE_TLS_UNTRUSTED, ERR_DENIED,
		"its certificate is for another host" },
	{ CURLE_PEER_FAILED_VERIFICATION, NULL, HTTP_FAILURE_TLS_UNTRUSTED, ERR_DENIED,
		"its certificate is signed by nobody this machine trusts (put the authority's "
		"certificate into "
		"certs.d/<host>/ca.crt, or skip the check with --tls-verify=false)" },
	{ CURLE_SSL_CERTPROBLEM, NULL, HTTP_FAILURE_TLS_CERTIFICATE, ERR_DENIED,
		"the client certificate or its key cannot be used" },
	{ CURLE_SSL_CACERT_BADFILE, NULL, HTTP_FAILURE_TLS_UNTRUSTED, ERR_DENIED,
		"the certificates of authorities cannot be read" },
	{ CURLE_RECV_ERROR, "bad certificate", HTTP_FAILURE_TLS_CERTIFICATE, ERR_DENIED,
		"it wants a client certificate (certs.d/<host>/client.cert and client.key)" },
	{ CURLE_RECV_ERROR, "certificate required", HTTP_FAILURE_TLS_CERTIFICATE, ERR_DENIED,
		"it wants a client certificate (certs.d/<host>/client.cert and client.key)" },
	{ CURLE_GOT_NOTHING, NULL, HTTP_FAILURE_CUT, ERR_REMOTE, "it hung up without an answer" },
	{ CURLE_PARTIAL_FILE, NULL, HTTP_FAILURE_CUT, ERR_REMOTE, "it hung up before the end" },
};

static void
explain(struct exchange *x)
{
	const char *text = x->message[0] != '\0' ? x->message : curl_easy_strerror(x->code);
	enum err_kind kind = ERR_REMOTE;
	size_t i;

	x->r->failure = HTTP_FAILURE_CUT;
	for (i = 0; i < COUNT_OF(explanations); i++) {
		if (explanations[i].code != x->code ||
			(explanations[i].word != NULL &&
				strstr(text, explanations[i].word) == NULL))
			continue;
		x->r->failure = explanations[i].failure;
		kind = explanations[i].kind;
		if (explanations[i].text != NULL)
			text = explanations[i].text;
		break;
	}
	err_set(x->err, kind, "%s", text);
}

static int
conclude(struct exchange *x)
{
	if (x->is_ours) {
		x->r->failure = HTTP_FAILURE_OURS;
		return -1;
	}
	if (x->has_enough || (x->is_over && !x->is_stalled && x->code == CURLE_OK))
		return 0;
	if (x->is_refused) {
		x->r->failure = HTTP_FAILURE_OURS;
		return err_set(
			x->err, ERR_DENIED, "its address is more private than the registry's");
	}
	if (x->is_stalled) {
		x->r->failure = HTTP_FAILURE_STALL;
		return err_set(x->err, ERR_REMOTE, "next to nothing moved for %u seconds",
			(x->head_done ? x->http->options.stall_ms : x->http->options.answer_ms) /
				1000);
	}
	explain(x);
	return -1;
}

static void
report(const struct exchange *x, int result)
{
	AUTO(buf) struct buf shown = BUF_INIT;

	url_show(x->q->url, &shown);
	if (result == 0)
		event_debug("%s %s: %d, %" PRIu64 " bytes", x->q->method, shown.data, x->r->status,
			x->r->received);
	else
		event_debug("%s %s: %s", x->q->method, shown.data, x->err->msg);
}

static void
read_certificate(struct exchange *x)
{
	struct curl_certinfo *chain = NULL;
	const struct curl_slist *line;

	if (curl_easy_getinfo(x->slot->easy, CURLINFO_CERTINFO, &chain) != CURLE_OK ||
		chain == NULL || chain->num_of_certs < 1)
		return;
	for (line = chain->certinfo[0]; line != NULL; line = line->next)
		if (!starts_with(line->data, "Cert:"))
			strv_add(&x->r->certificate, line->data);
}

int
http_perform(struct http *h, const struct http_request *q, struct http_response *r, struct err *err)
{
	AUTO(buf) struct buf url = BUF_INIT;
	struct exchange x = { .http = h, .q = q, .r = r, .err = err };
	int result;

	http_response_clear(r);
	url_format(q->url, &url);
	x.slot = slot_take(h, q->url);
	prepare(&x, url.data);
	if (q->wants_certificate)
		curl_easy_setopt(x.slot->easy, CURLOPT_CERTINFO, 1l);
	has_moved(&x);
	curl_multi_add_handle(x.slot->multi, x.slot->easy);
	if (q->send != NULL)
		send_body(&x);
	else
		pump(&x);
	if (q->wants_certificate)
		read_certificate(&x);
	curl_multi_remove_handle(x.slot->multi, x.slot->easy);
	curl_slist_free_all(x.lines);
	result = conclude(&x);
	report(&x, result);
	curl_easy_reset(x.slot->easy); /* it points to what is about to go */
	slot_give(h, x.slot);
	return result;
}
