# unit tests of cmd
CMD_UNIT_TESTS = \
	tests/unit/cmd_find \
	tests/unit/cmd_opt \
	tests/unit/cmd_show \
	tests/unit/cmd_template \
	tests/unit/cmd_ui
UNIT_TESTS += $(CMD_UNIT_TESTS)
tests_unit_cmd_find_SOURCES = tests/unit/cmd_find.c
tests_unit_cmd_find_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_cmd_find_LDADD = $(CMD_LIBS) $(TEST_LIBS)
tests_unit_cmd_opt_SOURCES = tests/unit/cmd_opt.c
tests_unit_cmd_opt_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_cmd_opt_LDADD = $(CMD_LIBS) $(TEST_LIBS)
tests_unit_cmd_show_SOURCES = tests/unit/cmd_show.c
tests_unit_cmd_show_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_cmd_show_LDADD = $(CMD_LIBS) $(TEST_LIBS)
tests_unit_cmd_template_SOURCES = tests/unit/cmd_template.c
tests_unit_cmd_template_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_cmd_template_LDADD = $(CMD_LIBS) $(TEST_LIBS)
tests_unit_cmd_ui_SOURCES = tests/unit/cmd_ui.c
tests_unit_cmd_ui_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_cmd_ui_LDADD = $(CMD_LIBS) $(TEST_LIBS)
