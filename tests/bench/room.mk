# measurements of single rooms; built by `make check`, run by hand
check_PROGRAMS += tests/bench/store
tests_bench_store_SOURCES = tests/bench/store.c
tests_bench_store_LDADD = $(LAYERS_LIBS) $(FOREIGN_LIBS)

EXTRA_PROGRAMS += tests/bench/codec_speed
tests_bench_codec_speed_SOURCES = tests/bench/codec_speed.c
tests_bench_codec_speed_LDADD = $(LAYERS_LIBS) $(FOREIGN_LIBS)

EXTRA_PROGRAMS += tests/bench/measure
tests_bench_measure_SOURCES = tests/bench/measure.c

EXTRA_PROGRAMS += tests/bench/language
tests_bench_language_SOURCES = tests/bench/language.c
tests_bench_language_LDADD = $(DOCKERFILE_LIBS) $(FOREIGN_LIBS)
