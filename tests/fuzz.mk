# fuzzers: tests/fuzz/fuzz_<noun>.c has LLVMFuzzerTestOneInput, testdata/corpus/<noun>/ its inputs
#
# With --enable-fuzzers they are programs of libFuzzer:
#	tests/fuzz/fuzz_tar -max_total_time=60 /a/copy/of/the/corpus
# Otherwise they replay the corpus, as a part of `make check`.
FUZZERS =

if ENABLE_FUZZERS
FUZZ_MAIN =
LDFLAGS_FUZZ = $(AM_LDFLAGS) -fsanitize=fuzzer
check_PROGRAMS += $(FUZZERS)
else
FUZZ_MAIN = tests/fuzz/alone.c
LDFLAGS_FUZZ = $(AM_LDFLAGS)
check_PROGRAMS += $(FUZZERS)
TESTS += $(FUZZERS)
endif

FUZZERS += tests/fuzz/fuzz_gzip
tests_fuzz_fuzz_gzip_SOURCES = tests/fuzz/fuzz_gzip.c $(FUZZ_MAIN)
tests_fuzz_fuzz_gzip_LDFLAGS = $(LDFLAGS_FUZZ)
tests_fuzz_fuzz_gzip_LDADD = $(LAYERS_LIBS) $(FOREIGN_LIBS)
FUZZERS += tests/fuzz/fuzz_pax
tests_fuzz_fuzz_pax_SOURCES = tests/fuzz/fuzz_pax.c $(FUZZ_MAIN)
tests_fuzz_fuzz_pax_LDFLAGS = $(LDFLAGS_FUZZ)
tests_fuzz_fuzz_pax_LDADD = $(LAYERS_LIBS) $(FOREIGN_LIBS)
FUZZERS += tests/fuzz/fuzz_tar
tests_fuzz_fuzz_tar_SOURCES = tests/fuzz/fuzz_tar.c $(FUZZ_MAIN)
tests_fuzz_fuzz_tar_LDFLAGS = $(LDFLAGS_FUZZ)
tests_fuzz_fuzz_tar_LDADD = $(LAYERS_LIBS) $(FOREIGN_LIBS)
FUZZERS += tests/fuzz/fuzz_zstd
tests_fuzz_fuzz_zstd_SOURCES = tests/fuzz/fuzz_zstd.c $(FUZZ_MAIN)
tests_fuzz_fuzz_zstd_LDFLAGS = $(LDFLAGS_FUZZ)
tests_fuzz_fuzz_zstd_LDADD = $(LAYERS_LIBS) $(FOREIGN_LIBS)
