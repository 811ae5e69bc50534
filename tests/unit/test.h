/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_TEST_H
#define TESTS_UNIT_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* test - the words of a unit test, on cmocka.  A title is a sentence; a failing check prints what it
 * got and what it wanted, and ends that test.
 *
 *	TEST(read_stops_at_the_limit) { ... same_int(buf_read(...), -1); same_str(err.msg, "..."); }
 *	int main(void) { const struct CMUnitTest tests[] = { CASE(read_stops_at_the_limit) }; return RUN(tests); }
 */

#define TEST(sentence) static void sentence(void **state __attribute__((unused)))
#define CASE(sentence) cmocka_unit_test(sentence)
#define RUN(tests) cmocka_run_group_tests(tests, NULL, NULL)

#define same_str(got, wanted) same_str_at(got, wanted, #got, __FILE__, __LINE__)
#define same_int(got, wanted) same_int_at((intmax_t)(got), (intmax_t)(wanted), #got, __FILE__, __LINE__)
#define same_bytes(got, got_len, wanted, wanted_len) \
	same_bytes_at(got, got_len, wanted, wanted_len, #got, __FILE__, __LINE__)
/* a call that returns 0 and sets err otherwise */
#define works(call) works_at(call, err.msg, #call, __FILE__, __LINE__)
/* a call that returns -1 with this message */
#define fails(call, message)                                        \
	do {                                                        \
		err.msg[0] = '\0';                                  \
		same_int_at(call, -1, #call, __FILE__, __LINE__);   \
		same_str_at(err.msg, message, #call, __FILE__, __LINE__); \
	} while (0)
#define is_true(condition) is_true_at((condition) ? 1 : 0, #condition, __FILE__, __LINE__)

static inline void __attribute__((unused))
same_str_at(const char *got, const char *wanted, const char *what, const char *file, int line)
{
	if (got != NULL && wanted != NULL && strcmp(got, wanted) == 0)
		return;
	if (got == NULL && wanted == NULL)
		return;
	print_error("# %s:%d: %s\n#    got: \"%s\"\n# wanted: \"%s\"\n", file, line, what,
		got ? got : "(null)", wanted ? wanted : "(null)");
	_fail(file, line);
}

static inline void __attribute__((unused))
same_int_at(intmax_t got, intmax_t wanted, const char *what, const char *file, int line)
{
	if (got == wanted)
		return;
	print_error("# %s:%d: %s\n#    got: %jd\n# wanted: %jd\n", file, line, what, got, wanted);
	_fail(file, line);
}

static inline void __attribute__((unused))
same_bytes_at(const void *got, size_t got_len, const void *wanted, size_t wanted_len,
	const char *what, const char *file, int line)
{
	size_t i = 0;

	if (got_len == wanted_len && memcmp(got, wanted, got_len) == 0)
		return;
	while (i < got_len && i < wanted_len &&
		((const char *)got)[i] == ((const char *)wanted)[i])
		i++;
	print_error("# %s:%d: %s\n#    got: %zu bytes\n# wanted: %zu bytes\n# they differ from byte %zu\n",
		file, line, what, got_len, wanted_len, i);
	_fail(file, line);
}

static inline void __attribute__((unused))
works_at(int result, const char *message, const char *what, const char *file, int line)
{
	if (result == 0)
		return;
	print_error("# %s:%d: %s\n#    got: %d \"%s\"\n# wanted: 0\n", file, line, what, result, message);
	_fail(file, line);
}

static inline void __attribute__((unused))
is_true_at(int truth, const char *what, const char *file, int line)
{
	if (truth)
		return;
	print_error("# %s:%d: this does not hold: %s\n", file, line, what);
	_fail(file, line);
}

#endif
