/* SPDX-License-Identifier: Apache-2.0 */
#include "base/epoch.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#define YEAR_MAX 9999

int
epoch_parse(const char *text, int64_t *out, char out_text[EPOCH_TEXT], struct err *err)
{
	struct tm tm;
	long long seconds;
	time_t when;
	char *end;

	errno = 0;
	seconds = strtoll(text, &end, 10);
	when = (time_t)seconds;
	if (errno != 0 || end == text || *end != '\0' || gmtime_r(&when, &tm) == NULL ||
		tm.tm_year < -1900 || tm.tm_year > YEAR_MAX - 1900)
		return err_set(
			err, ERR_USAGE, "SOURCE_DATE_EPOCH '%s' is not a number of seconds", text);
	strftime(out_text, EPOCH_TEXT, "%Y-%m-%dT%H:%M:%SZ", &tm);
	*out = seconds;
	return 0;
}
