# unit tests of sandbox
check_PROGRAMS += tests/e2e/boxrun
tests_e2e_boxrun_SOURCES = tests/e2e/boxrun.c
tests_e2e_boxrun_LDADD = $(SANDBOX_LIBS) $(FOREIGN_LIBS)

# not run by check: the numbers are for people
EXTRA_PROGRAMS += tests/bench/box_start
tests_bench_box_start_SOURCES = tests/bench/box_start.c
tests_bench_box_start_LDADD = $(SANDBOX_LIBS) $(FOREIGN_LIBS)
