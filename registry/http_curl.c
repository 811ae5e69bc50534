/* SPDX-License-Identifier: Apache-2.0 */
/* http_curl - libcurl's functions, as far as http.c calls them, each loaded when it is first called (see
 * base/late.h).  Where the library is missing they fail as the real ones do, and curl_easy_strerror() says so. */
#include <curl/curl.h>
#include <stdarg.h>

#include "base/late.h"

#define LIBRARY "libcurl.so.4"

/* curl.h checks the types of values with macros of these names */
#undef curl_easy_setopt
#undef curl_easy_getinfo
#undef curl_share_setopt

#define LATE(result, name, parameters, arguments, otherwise)                                    \
	result name parameters                                                                  \
	{                                                                                       \
		result(*function) parameters = (result(*) parameters)late_find(LIBRARY, #name); \
                                                                                                \
		return function == NULL ? (otherwise) : function arguments;                     \
	}
#define LATE_VOID(name, parameters, arguments)                                              \
	void name parameters                                                                \
	{                                                                                   \
		void(*function) parameters = (void(*) parameters)late_find(LIBRARY, #name); \
                                                                                            \
		if (function != NULL)                                                       \
			function arguments;                                                 \
	}

LATE(CURLcode, curl_global_init, (long flags), (flags), CURLE_FAILED_INIT)
LATE_VOID(curl_global_cleanup, (void), ())
LATE(CURL *, curl_easy_init, (void), (), NULL)
LATE_VOID(curl_easy_cleanup, (CURL * easy), (easy))
LATE_VOID(curl_easy_reset, (CURL * easy), (easy))
LATE(CURLcode, curl_easy_pause, (CURL * easy, int mask), (easy, mask), CURLE_FAILED_INIT)
LATE(const char *, curl_easy_strerror, (CURLcode code), (code),
	"the library " LIBRARY " is missing: install it")
LATE(CURLM *, curl_multi_init, (void), (), NULL)
LATE(CURLMcode, curl_multi_cleanup, (CURLM * multi), (multi), CURLM_BAD_HANDLE)
LATE(CURLMcode, curl_multi_add_handle, (CURLM * multi, CURL *easy), (multi, easy), CURLM_BAD_HANDLE)
LATE(CURLMcode, curl_multi_remove_handle, (CURLM * multi, CURL *easy), (multi, easy),
	CURLM_BAD_HANDLE)
LATE(CURLMcode, curl_multi_perform, (CURLM * multi, int *running), (multi, running),
	CURLM_BAD_HANDLE)
LATE(CURLMcode, curl_multi_poll,
	(CURLM * multi, struct curl_waitfd *fds, unsigned int count, int timeout_ms, int *ready),
	(multi, fds, count, timeout_ms, ready), CURLM_BAD_HANDLE)
LATE(CURLMsg *, curl_multi_info_read, (CURLM * multi, int *left), (multi, left), NULL)
LATE(CURLSH *, curl_share_init, (void), (), NULL)
LATE(CURLSHcode, curl_share_cleanup, (CURLSH * share), (share), CURLSHE_NOT_BUILT_IN)
LATE(struct curl_slist *, curl_slist_append, (struct curl_slist * list, const char *text),
	(list, text), NULL)
LATE_VOID(curl_slist_free_all, (struct curl_slist * list), (list))

/* An option's number says what its value is. */
CURLcode
curl_easy_setopt(CURL *easy, CURLoption option, ...)
{
	CURLcode (*function)(CURL *, CURLoption, ...) =
		(CURLcode(*)(CURL *, CURLoption, ...))late_find(LIBRARY, "curl_easy_setopt");
	CURLcode code = CURLE_FAILED_INIT;
	va_list values;

	if (function == NULL)
		return code;
	va_start(values, option);
	if (option < CURLOPTTYPE_OBJECTPOINT)
		code = function(easy, option, va_arg(values, long));
	else if (option >= CURLOPTTYPE_OFF_T && option < CURLOPTTYPE_BLOB)
		code = function(easy, option, va_arg(values, curl_off_t));
	else
		code = function(easy, option, va_arg(values, void *));
	va_end(values);
	return code;
}

/* Each answer goes to where a pointer says. */
CURLcode
curl_easy_getinfo(CURL *easy, CURLINFO info, ...)
{
	CURLcode (*function)(CURL *, CURLINFO, ...) =
		(CURLcode(*)(CURL *, CURLINFO, ...))late_find(LIBRARY, "curl_easy_getinfo");
	CURLcode code = CURLE_FAILED_INIT;
	va_list values;

	if (function == NULL)
		return code;
	va_start(values, info);
	code = function(easy, info, va_arg(values, void *));
	va_end(values);
	return code;
}

CURLSHcode
curl_share_setopt(CURLSH *share, CURLSHoption option, ...)
{
	CURLSHcode (*function)(CURLSH *, CURLSHoption, ...) =
		(CURLSHcode(*)(CURLSH *, CURLSHoption, ...))late_find(LIBRARY, "curl_share_setopt");
	CURLSHcode code = CURLSHE_NOT_BUILT_IN;
	va_list values;

	if (function == NULL)
		return code;
	va_start(values, option);
	if (option == CURLSHOPT_SHARE || option == CURLSHOPT_UNSHARE)
		code = function(share, option, va_arg(values, int));
	else
		code = function(share, option, va_arg(values, void *));
	va_end(values);
	return code;
}
