# measurements of single rooms; built by `make check`, run by hand
check_PROGRAMS += tests/bench/store
tests_bench_store_SOURCES = tests/bench/store.c
tests_bench_store_LDADD = $(LAYERS_LIBS) $(FOREIGN_LIBS)

EXTRA_PROGRAMS += tests/bench/codec_speed
tests_bench_codec_speed_SOURCES = tests/bench/codec_speed.c
tests_bench_codec_speed_LDADD = $(LAYERS_LIBS) $(FOREIGN_LIBS)
