/* SPDX-License-Identifier: Apache-2.0 */
/* archive_library - libarchive's functions, as far as archive.c calls them, each loaded when it is first called (see
 * base/late.h).  Where the library is missing archive_read_new() gives NULL. */
#include <archive.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/late.h"

#define LIBRARY "libarchive.so.13"

#define LATE(result, name, parameters, arguments, otherwise)                                    \
	result name parameters                                                                  \
	{                                                                                       \
		result(*function) parameters = (result(*) parameters)late_find(LIBRARY, #name); \
                                                                                                \
		return function == NULL ? (otherwise) : function arguments;                     \
	}

LATE(struct archive *, archive_read_new, (void), (), NULL)
LATE(int, archive_read_free, (struct archive * a), (a), ARCHIVE_FATAL)
LATE(int, archive_read_support_filter_bzip2, (struct archive * a), (a), ARCHIVE_FATAL)
LATE(int, archive_read_support_filter_xz, (struct archive * a), (a), ARCHIVE_FATAL)
LATE(int, archive_read_support_format_raw, (struct archive * a), (a), ARCHIVE_FATAL)
LATE(int, archive_read_support_format_empty, (struct archive * a), (a), ARCHIVE_FATAL)
LATE(int, archive_read_open,
	(struct archive * a, void *arg, archive_open_callback *open, archive_read_callback *read,
		archive_close_callback *close),
	(a, arg, open, read, close), ARCHIVE_FATAL)
LATE(int, archive_filter_count, (struct archive * a), (a), 0)
LATE(int, archive_read_next_header, (struct archive * a, struct archive_entry **entry), (a, entry),
	ARCHIVE_FATAL)
LATE(la_ssize_t, archive_read_data, (struct archive * a, void *bytes, size_t len), (a, bytes, len),
	ARCHIVE_FATAL)
LATE(const char *, archive_error_string, (struct archive * a), (a),
	"the library " LIBRARY " is missing: install it")

void
archive_set_error(struct archive *a, int number, const char *fmt, ...)
{
	void (*function)(struct archive *, int, const char *, ...) = (void (*)(
		struct archive *, int, const char *, ...))late_find(LIBRARY, "archive_set_error");
	char text[512];
	va_list values;

	if (function == NULL)
		return;
	va_start(values, fmt);
	vsnprintf(text, sizeof text, fmt, values);
	va_end(values);
	function(a, number, "%s", text);
}
