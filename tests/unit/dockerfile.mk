# unit tests of dockerfile
UNIT_TESTS += tests/unit/dockerfile_values
tests_unit_dockerfile_values_SOURCES = tests/unit/dockerfile_values.c tests/unit/dockerfile_table.h \
	tests/unit/dockerfile_dump.h
tests_unit_dockerfile_values_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_dockerfile_values_LDADD = $(DOCKERFILE_LIBS) $(TEST_LIBS)
UNIT_TESTS += tests/unit/dockerfile_language
tests_unit_dockerfile_language_SOURCES = tests/unit/dockerfile_language.c tests/unit/dockerfile_table.h \
	tests/unit/dockerfile_dump.h
tests_unit_dockerfile_language_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_dockerfile_language_LDADD = $(DOCKERFILE_LIBS) $(TEST_LIBS)
UNIT_TESTS += tests/unit/dockerfile_ignore
tests_unit_dockerfile_ignore_SOURCES = tests/unit/dockerfile_ignore.c tests/unit/dockerfile_table.h
tests_unit_dockerfile_ignore_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_dockerfile_ignore_LDADD = $(DOCKERFILE_LIBS) $(TEST_LIBS)
UNIT_TESTS += tests/unit/dockerfile_golden
tests_unit_dockerfile_golden_SOURCES = tests/unit/dockerfile_golden.c tests/unit/dockerfile_table.h \
	tests/unit/dockerfile_dump.h
tests_unit_dockerfile_golden_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_dockerfile_golden_LDADD = $(DOCKERFILE_LIBS) $(TEST_LIBS)
UNIT_TESTS += tests/unit/dockerfile_limits
tests_unit_dockerfile_limits_SOURCES = tests/unit/dockerfile_limits.c
tests_unit_dockerfile_limits_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_dockerfile_limits_LDADD = $(DOCKERFILE_LIBS) $(TEST_LIBS)
UNIT_TESTS += tests/unit/dockerfile_lint
tests_unit_dockerfile_lint_SOURCES = tests/unit/dockerfile_lint.c
tests_unit_dockerfile_lint_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_dockerfile_lint_LDADD = $(DOCKERFILE_LIBS) $(TEST_LIBS)
