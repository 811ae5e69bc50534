# unit tests of dockerfile
UNIT_TESTS += tests/unit/dockerfile_values
tests_unit_dockerfile_values_SOURCES = tests/unit/dockerfile_values.c tests/unit/dockerfile_table.h \
	tests/unit/dockerfile_dump.h
tests_unit_dockerfile_values_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_dockerfile_values_LDADD = $(DOCKERFILE_LIBS) $(TEST_LIBS)
