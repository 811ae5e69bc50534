# tests/ - the inspector: may know every room; no room knows it
#
# A unit test of room/noun is tests/unit/room_noun.c; it links its room and those below, so a call
# upstairs does not link.  UNIT_<ROOM> lists them.

TEST_EXTENSIONS = .sh .bats
LOG_DRIVER = env AM_TAP_AWK='$(AWK)' $(SHELL) $(top_srcdir)/build-aux/tap-driver.sh
SH_LOG_DRIVER = $(LOG_DRIVER)
LOG_COMPILER = $(SHELL) $(top_srcdir)/tests/unit/tap.sh
BATS_LOG_DRIVER = $(LOG_DRIVER)
BATS_LOG_COMPILER = bats
AM_BATS_LOG_FLAGS = --formatter tap
AM_TESTS_ENVIRONMENT = CMOCKA_MESSAGE_OUTPUT=TAP LC_ALL=C TZ=UTC \
	srcdir='$(abs_top_srcdir)' builddir='$(abs_top_builddir)' \
	ASAN_OPTIONS=detect_leaks=1:abort_on_error=0 UBSAN_OPTIONS=print_stacktrace=1 \
	LINT_CC='$(CC)' LINT_CFLAGS='$(LINT_CFLAGS)'; \
	export CMOCKA_MESSAGE_OUTPUT LC_ALL TZ srcdir builddir ASAN_OPTIONS UBSAN_OPTIONS LINT_CC \
	LINT_CFLAGS;

TEST_CPPFLAGS = $(AM_CPPFLAGS) -DTESTDATA='"$(abs_top_srcdir)/testdata"'
TEST_LIBS = $(FOREIGN_LIBS) $(CMOCKA_LIBS)
noinst_HEADERS = tests/fuzz/fuzz.h tests/fuzz/fuzz_codec.h tests/fuzz/fuzz_dockerfile.h tests/unit/layer_text.h tests/unit/scratch.h tests/unit/test.h tests/unit/trees.h
UNIT_TESTS =

if HAVE_CMOCKA
include tests/unit/base.mk
include tests/unit/layers.mk
include tests/unit/registry.mk
include tests/unit/dockerfile.mk
include tests/unit/sandbox.mk
include tests/unit/build.mk
include tests/unit/cmd.mk
check_PROGRAMS += $(UNIT_TESTS)
TESTS += $(UNIT_TESTS)
endif

include tests/bench/room.mk
include tests/fault/room.mk
include tests/fuzz.mk
include tests/lint.mk
include tests/e2e.mk
include tests/prop/room.mk

# cooper beside the peers that are installed, and what memory it needs; as root, and never part of check
bench: cooper$(EXEEXT) tests/bench/measure$(EXEEXT)
	python3 $(srcdir)/tests/bench/bench.py --cooper ./cooper$(EXEEXT) --json bench.json
	builddir=. $(srcdir)/tests/bench/memory.sh
.PHONY: bench
CLEANFILES += bench.json
