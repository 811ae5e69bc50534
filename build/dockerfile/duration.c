/* SPDX-License-Identifier: Apache-2.0 */
#include "build/dockerfile/duration.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/mem.h"

#define LARGEST (UINT64_C(1) << 63)

static const struct unit {
	const char *name;
	uint64_t ns;
} units[] = {
	{ "ns", 1 },
	{ "us", 1000 },
	{ "\xc2\xb5s", 1000 }, /* U+00B5, micro sign */
	{ "\xce\xbcs", 1000 }, /* U+03BC, Greek mu */
	{ "ms", 1000000 },
	{ "s", 1000000000 },
	{ "m", 60000000000 },
	{ "h", 3600000000000 },
};

static int
invalid(const char *text, struct err *err)
{
	return err_set(err, ERR_INPUT, "time: invalid duration \"%s\"", text);
}

static const struct unit *
unit_of(const char *name, size_t len)
{
	for (size_t i = 0; i < COUNT_OF(units); i++)
		if (strlen(units[i].name) == len && memcmp(units[i].name, name, len) == 0)
			return &units[i];
	return NULL;
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Digits to a number; false past 2^63. */
static bool
take_whole(const char **at, uint64_t *out)
{
	uint64_t value = 0;

	for (; is_digit(**at); (*at)++) {
		if (value > LARGEST / 10)
			return false;
		value = value * 10 + (uint64_t)(**at - '0');
		if (value > LARGEST)
			return false;
	}
	*out = value;
	return true;
}

/* Digits behind the point, as value / scale; those that do not fit are left out. */
static void
take_fraction(const char **at, uint64_t *out, double *out_scale)
{
	uint64_t value = 0;
	double scale = 1;
	bool full = false;

	for (; is_digit(**at); (*at)++) {
		if (full || value > (LARGEST - 1) / 10) {
			full = true;
			continue;
		}
		if (value * 10 + (uint64_t)(**at - '0') > LARGEST) {
			full = true;
			continue;
		}
		value = value * 10 + (uint64_t)(**at - '0');
		scale *= 10;
	}
	*out = value;
	*out_scale = scale;
}

static int
take_part(const char *text, const char **at, uint64_t *total, struct err *err)
{
	const char *start = *at, *point;
	const struct unit *unit;
	uint64_t whole, fraction = 0;
	double scale = 1;
	size_t digits, len;

	if (**at != '.' && !is_digit(**at))
		return invalid(text, err);
	if (!take_whole(at, &whole))
		return invalid(text, err);
	digits = (size_t)(*at - start);
	if (**at == '.') {
		point = ++*at;
		take_fraction(at, &fraction, &scale);
		digits += (size_t)(*at - point);
	}
	if (digits == 0)
		return invalid(text, err);
	len = 0;
	while ((*at)[len] != '\0' && (*at)[len] != '.' && !is_digit((*at)[len]))
		len++;
	if (len == 0)
		return err_set(err, ERR_INPUT, "time: missing unit in duration \"%s\"", text);
	unit = unit_of(*at, len);
	if (unit == NULL)
		return err_set(err, ERR_INPUT, "time: unknown unit \"%.*s\" in duration \"%s\"",
			(int)(len < 64 ? len : 64), *at, text);
	*at += len;
	if (whole > LARGEST / unit->ns)
		return invalid(text, err);
	whole *= unit->ns;
	if (fraction > 0)
		whole += (uint64_t)((double)fraction * ((double)unit->ns / scale));
	if (whole > LARGEST || *total + whole > LARGEST)
		return invalid(text, err);
	*total += whole;
	return 0;
}

int
duration_parse(const char *text, int64_t *out, struct err *err)
{
	const char *at = text;
	uint64_t total = 0;
	bool negative = *at == '-';

	if (*at == '-' || *at == '+')
		at++;
	if (streq(at, "0")) {
		*out = 0;
		return 0;
	}
	if (*at == '\0')
		return invalid(text, err);
	while (*at != '\0')
		if (take_part(text, &at, &total, err) < 0)
			return -1;
	if (negative) {
		*out = total == LARGEST ? INT64_MIN : -(int64_t)total;
		return 0;
	}
	if (total > LARGEST - 1)
		return invalid(text, err);
	*out = (int64_t)total;
	return 0;
}

/* value in units of 10^digits, without zeros at its end. */
static void
add_decimal(uint64_t value, unsigned digits, const char *unit, struct buf *out)
{
	uint64_t scale = 1;
	char fraction[24];
	size_t len;

	for (unsigned i = 0; i < digits; i++)
		scale *= 10;
	buf_addf(out, "%" PRIu64, value / scale);
	snprintf(fraction, sizeof fraction, "%0*" PRIu64, (int)digits, value % scale);
	len = digits;
	while (len > 0 && fraction[len - 1] == '0')
		len--;
	if (len > 0)
		buf_addf(out, ".%.*s", (int)len, fraction);
	buf_adds(out, unit);
}

void
duration_format(int64_t ns, struct buf *out)
{
	uint64_t left = ns < 0 ? -(uint64_t)ns : (uint64_t)ns;
	const uint64_t second = 1000000000;

	if (ns < 0)
		buf_addc(out, '-');
	if (left == 0) {
		buf_adds(out, "0s");
	} else if (left < 1000) {
		buf_addf(out, "%" PRIu64 "ns", left);
	} else if (left < 1000000) {
		add_decimal(left, 3, "\xc2\xb5s", out);
	} else if (left < second) {
		add_decimal(left, 6, "ms", out);
	} else {
		if (left >= 3600 * second)
			buf_addf(out, "%" PRIu64 "h", left / (3600 * second));
		if (left >= 60 * second)
			buf_addf(out, "%" PRIu64 "m", left / (60 * second) % 60);
		add_decimal(left % (60 * second), 9, "s", out);
	}
}
