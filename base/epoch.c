/* SPDX-License-Identifier: Apache-2.0 */
#include "base/epoch.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#define YEAR_MAX 9999
#define RFC3339 "%Y-%m-%dT%H:%M:%SZ"

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
	strftime(out_text, EPOCH_TEXT, RFC3339, &tm);
	*out = seconds;
	return 0;
}

int
epoch_or_now(const char *text, char out_text[EPOCH_TEXT], struct err *err)
{
	time_t now = time(NULL);
	int64_t seconds;
	struct tm tm;

	if (text == NULL)
		text = getenv("SOURCE_DATE_EPOCH");
	if (text != NULL && text[0] != '\0')
		return epoch_parse(text, &seconds, out_text, err);
	gmtime_r(&now, &tm);
	strftime(out_text, EPOCH_TEXT, RFC3339, &tm);
	return 0;
}
