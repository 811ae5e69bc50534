# unit tests of cmd
UNIT_TESTS += tests/unit/cmd_opt tests/unit/cmd_show
tests_unit_cmd_opt_SOURCES = tests/unit/cmd_opt.c
tests_unit_cmd_opt_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_cmd_opt_LDADD = $(CMD_LIBS) $(TEST_LIBS)
tests_unit_cmd_show_SOURCES = tests/unit/cmd_show.c
tests_unit_cmd_show_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_cmd_show_LDADD = $(CMD_LIBS) $(TEST_LIBS)
