# unit tests of build

# the build room's tests link all that stands below it, the program's own way
UNIT_TESTS += tests/unit/build_base
tests_unit_build_base_SOURCES = tests/unit/build_base.c
tests_unit_build_base_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_build_base_LDADD = $(BUILD_LIBS) $(TEST_LIBS)
UNIT_TESTS += tests/unit/build_copy
tests_unit_build_copy_SOURCES = tests/unit/build_copy.c
tests_unit_build_copy_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_build_copy_LDADD = $(BUILD_LIBS) $(TEST_LIBS)
UNIT_TESTS += tests/unit/build_plan
tests_unit_build_plan_SOURCES = tests/unit/build_plan.c
tests_unit_build_plan_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_build_plan_LDADD = $(BUILD_LIBS) $(TEST_LIBS)
UNIT_TESTS += tests/unit/build_scan
tests_unit_build_scan_SOURCES = tests/unit/build_scan.c
tests_unit_build_scan_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_build_scan_LDADD = $(BUILD_LIBS) $(TEST_LIBS)
UNIT_TESTS += tests/unit/build_foreign
tests_unit_build_foreign_SOURCES = tests/unit/build_foreign.c
tests_unit_build_foreign_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_build_foreign_LDADD = $(BUILD_LIBS) $(TEST_LIBS)
UNIT_TESTS += tests/unit/build_git_url
tests_unit_build_git_url_SOURCES = tests/unit/build_git_url.c
tests_unit_build_git_url_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_build_git_url_LDADD = $(BUILD_LIBS) $(TEST_LIBS)

# the other end of --mount=type=ssh, for tests/e2e/mounts.bats
check_PROGRAMS += tests/e2e/askagent
tests_e2e_askagent_SOURCES = tests/e2e/askagent.c
tests_e2e_askagent_CFLAGS = -std=gnu11 $(WARN_CFLAGS)
tests_e2e_askagent_LDFLAGS = -static
