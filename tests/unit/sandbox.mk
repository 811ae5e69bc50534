# unit tests of sandbox
UNIT_TESTS += tests/unit/sandbox_identity
tests_unit_sandbox_identity_SOURCES = tests/unit/sandbox_identity.c
tests_unit_sandbox_identity_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_sandbox_identity_LDADD = $(SANDBOX_LIBS) $(TEST_LIBS)
UNIT_TESTS += tests/unit/sandbox_ids
tests_unit_sandbox_ids_SOURCES = tests/unit/sandbox_ids.c
tests_unit_sandbox_ids_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_sandbox_ids_LDADD = $(SANDBOX_LIBS) $(TEST_LIBS)
UNIT_TESTS += tests/unit/sandbox_limits
tests_unit_sandbox_limits_SOURCES = tests/unit/sandbox_limits.c
tests_unit_sandbox_limits_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_sandbox_limits_LDADD = $(SANDBOX_LIBS) $(TEST_LIBS)
UNIT_TESTS += tests/unit/sandbox_probe
tests_unit_sandbox_probe_SOURCES = tests/unit/sandbox_probe.c
tests_unit_sandbox_probe_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_sandbox_probe_LDADD = $(SANDBOX_LIBS) $(TEST_LIBS)
UNIT_TESTS += tests/unit/sandbox_user
tests_unit_sandbox_user_SOURCES = tests/unit/sandbox_user.c
tests_unit_sandbox_user_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_sandbox_user_LDADD = $(SANDBOX_LIBS) $(TEST_LIBS)

check_PROGRAMS += tests/e2e/boxrun tests/e2e/boxcase tests/e2e/boxuser tests/e2e/out_of_chroot
tests_e2e_out_of_chroot_SOURCES = tests/e2e/out_of_chroot.c
tests_e2e_out_of_chroot_LDADD = $(SANDBOX_LIBS) $(FOREIGN_LIBS)
tests_e2e_boxrun_SOURCES = tests/e2e/boxrun.c
tests_e2e_boxrun_LDADD = $(SANDBOX_LIBS) $(FOREIGN_LIBS)

# runs in a root without a C library, so without sanitizers as well
tests_e2e_boxcase_SOURCES = tests/e2e/boxcase.c
tests_e2e_boxcase_CFLAGS = -std=gnu11 $(WARN_CFLAGS)
tests_e2e_boxcase_LDFLAGS = -static

tests_e2e_boxuser_SOURCES = tests/e2e/boxuser.c
tests_e2e_boxuser_CFLAGS = -std=gnu11 $(WARN_CFLAGS)
tests_e2e_boxuser_LDFLAGS = -static

TESTS += tests/e2e/sandbox.bats tests/e2e/sandbox_user.sh tests/e2e/sandbox_one.sh
EXTRA_DIST += tests/e2e/as-user.sh tests/e2e/sandbox.bats tests/e2e/sandbox_user.sh \
	tests/e2e/sandbox_one.sh

# not run by check: the numbers are for people
EXTRA_PROGRAMS += tests/bench/box_start
tests_bench_box_start_SOURCES = tests/bench/box_start.c
tests_bench_box_start_LDADD = $(SANDBOX_LIBS) $(FOREIGN_LIBS)
