UNIT_TESTS += tests/unit/base_strv
tests_unit_base_strv_SOURCES = tests/unit/base_strv.c
tests_unit_base_strv_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_base_strv_LDADD = $(BASE_LIBS) $(TEST_LIBS)
