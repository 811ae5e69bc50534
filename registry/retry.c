/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/retry.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

#include "base/event.h"
#include "base/mem.h"

#define TRIES 5
#define FIRST_MS 300
#define LONGEST_MS 20000 /* of our own waits */
#define OBEY_MS 300000   /* of Retry-After */
#define TELL_MS 5000     /* silence that people wonder about */
#define UNREACHED_TRIES 3
#define FOREVER_MS (INT64_C(366) * 24 * 3600 * 1000)

void
retry_start(struct retry *r, const struct retry_options *options)
{
	*r = (struct retry){ .options = *options };
	if (r->options.tries == 0)
		r->options.tries = TRIES;
	if (r->options.first_ms == 0)
		r->options.first_ms = FIRST_MS;
	if (getrandom(&r->random, sizeof r->random, GRND_NONBLOCK) < 0)
		r->random = (uint64_t)time(NULL);
	r->random |= 1;
	r->wait_ms = r->options.first_ms;
}

void
retry_forgive(struct retry *r)
{
	r->done = 0;
	r->wait_ms = r->options.first_ms;
}

static int64_t
bounded(double ms)
{
	if (!(ms > 0))
		return 0;
	return ms > (double)FOREVER_MS ? FOREVER_MS : (int64_t)(ms + 0.999);
}

static int64_t
from_date(const char *text, time_t now)
{
	struct tm tm = { 0 };
	const char *end = strptime(text, "%a, %d %b %Y %H:%M:%S GMT", &tm);

	if (end == NULL)
		return -1;
	return bounded((double)(timegm(&tm) - now) * 1000);
}

/* "985.86us", "2s", "3" */
static int64_t
from_text(const char *text)
{
	static const struct {
		const char *name;
		double ms;
	} units[] = { { "ns", 1e-6 }, { "us", 1e-3 }, { "ms", 1 }, { "s", 1e3 }, { "m", 6e4 },
		{ "h", 3.6e6 } };
	size_t digits = strspn(text, "0123456789."), i;
	char number[32];
	double value;

	if (digits == 0 || digits >= sizeof number)
		return -1;
	memcpy(number, text, digits);
	number[digits] = '\0';
	value = strtod(number, NULL);
	for (i = 0; i < COUNT_OF(units); i++)
		if (starts_with(text + digits, units[i].name))
			return bounded(value * units[i].ms);
	return bounded(value * 1000);
}

int64_t
retry_after_ms(const char *header, const char *body, time_t now)
{
	const char *at;

	if (header != NULL && header[0] >= '0' && header[0] <= '9')
		return from_text(header);
	if (header != NULL && from_date(header, now) >= 0)
		return from_date(header, now);
	at = body != NULL ? strcasestr(body, "retry-after:") : NULL;
	if (at == NULL)
		return -1;
	at += strlen("retry-after:");
	return from_text(at + strspn(at, " "));
}

static bool
is_passing(int result, const struct http_response *response)
{
	static const int statuses[] = { 408, 425, 429, 499, 500, 502, 503, 504, 520, 521, 522, 523,
		524 };
	size_t i;

	if (result < 0)
		return response->failure != HTTP_FAILURE_OURS &&
		       response->failure != HTTP_FAILURE_TLS_UNTRUSTED &&
		       response->failure != HTTP_FAILURE_TLS_CERTIFICATE &&
		       response->failure != HTTP_FAILURE_TLS_MISSING;
	for (i = 0; i < COUNT_OF(statuses); i++)
		if (response->status == statuses[i])
			return true;
	return false;
}

/* Between the first wait and three times the last one. */
static unsigned
next_wait(struct retry *r)
{
	unsigned from = r->options.first_ms, to = r->wait_ms * 3;

	r->random ^= r->random << 13;
	r->random ^= r->random >> 7;
	r->random ^= r->random << 17;
	if (to > LONGEST_MS)
		to = LONGEST_MS;
	if (to > from)
		from += (unsigned)(r->random % (to - from + 1));
	return from;
}

static void
sleep_ms(uint64_t ms)
{
	struct timespec left = { .tv_sec = (time_t)(ms / 1000),
		.tv_nsec = (long)(ms % 1000) * 1000000 };

	while (nanosleep(&left, &left) < 0 && errno == EINTR)
		continue;
}

bool
retry_again(struct retry *r, int result, const struct http_response *response)
{
	int64_t asked = -1;
	uint64_t wait;

	if (!is_passing(result, response) || ++r->done >= r->options.tries)
		return false;
	if (result < 0 && r->done >= UNREACHED_TRIES &&
		(response->failure == HTTP_FAILURE_CONNECT ||
			response->failure == HTTP_FAILURE_RESOLVE))
		return false; /* nobody is there, and that is soon said */
	if (result == 0)
		asked = retry_after_ms(
			http_header(response, "retry-after", 0), response->body.data, time(NULL));
	if (asked > OBEY_MS)
		return false;
	r->wait_ms = next_wait(r);
	wait = asked > (int64_t)r->wait_ms ? (uint64_t)asked : r->wait_ms;
	event_debug("try %u of %u in %u ms", r->done + 1, r->options.tries, (unsigned)wait);
	if (wait >= TELL_MS)
		event_warn("waiting %u seconds before the next try", (unsigned)(wait / 1000));
	sleep_ms(wait);
	return true;
}
