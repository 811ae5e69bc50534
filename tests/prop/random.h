/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_PROP_RANDOM_H
#define TESTS_PROP_RANDOM_H

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* random - a law is tried on many made-up cases.  The seed is printed when one breaks it, and
 * SEED=... RUNS=1 tries that one again. */

struct random {
	uint64_t state;
};

static inline uint64_t
random_number(struct random *r)
{
	uint64_t x = r->state += UINT64_C(0x9e3779b97f4a7c15);

	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

static inline unsigned
random_below(struct random *r, unsigned limit)
{
	return (unsigned)(random_number(r) % limit);
}

static inline unsigned
random_runs(unsigned usual)
{
	const char *text = getenv("RUNS");

	return text != NULL ? (unsigned)strtoul(text, NULL, 10) : usual;
}

/* The seed of the first case; the next ones count up from it. */
static inline uint64_t
random_seed(void)
{
	const char *text = getenv("SEED");
	struct timespec now;

	if (text != NULL)
		return strtoull(text, NULL, 10);
	clock_gettime(CLOCK_REALTIME, &now);
	return ((uint64_t)now.tv_sec << 20) ^ (uint64_t)now.tv_nsec ^ (uint64_t)getpid() << 40;
}

#endif
