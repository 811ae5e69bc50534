/* SPDX-License-Identifier: Apache-2.0 */
#include "build/dockerfile/stop_signal.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"

static const char *const names[] = { "ABRT", "ALRM", "BUS", "CHLD", "CLD", "CONT", "FPE", "HUP",
	"ILL", "INT", "IO", "IOT", "KILL", "PIPE", "POLL", "PROF", "PWR", "QUIT", "SEGV", "STKFLT",
	"STOP", "SYS", "TERM", "TRAP", "TSTP", "TTIN", "TTOU", "URG", "USR1", "USR2", "VTALRM",
	"WINCH", "XCPU", "XFSZ", "RTMIN", "RTMAX" };

/* "RTMIN+3", "RTMAX-14": the names of 34 to 64 */
static bool
is_realtime(const char *name)
{
	static const struct {
		const char *prefix;
		int last;
	} kinds[] = { { "RTMIN+", 15 }, { "RTMAX-", 14 } };

	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		const char *digits = name + strlen(kinds[i].prefix);

		if (strncasecmp(name, kinds[i].prefix, strlen(kinds[i].prefix)) != 0)
			continue;
		if (digits[0] < '1' || digits[0] > '9' || strlen(digits) > 2 ||
			strspn(digits, "0123456789") != strlen(digits))
			return false;
		return strtol(digits, NULL, 10) <= kinds[i].last;
	}
	return false;
}

static bool
is_number(const char *text, bool *zero)
{
	const char *digits = *text == '-' || *text == '+' ? text + 1 : text;

	if (*digits == '\0' || strspn(digits, "0123456789") != strlen(digits) ||
		strlen(digits) > 18)
		return false;
	*zero = strspn(digits, "0") == strlen(digits);
	return true;
}

int
stop_signal_check(const char *text, struct err *err)
{
	const char *name = strncasecmp(text, "SIG", 3) == 0 ? text + 3 : text;
	bool zero = false;

	if (is_number(text, &zero) && !zero)
		return 0;
	for (size_t i = 0; i < COUNT_OF(names) && !zero; i++)
		if (strcasecmp(name, names[i]) == 0)
			return 0;
	if (is_realtime(name))
		return 0;
	return err_set(err, ERR_INPUT, "invalid signal: %s", text);
}
