# measurements of single rooms; built by `make check`, run by hand
check_PROGRAMS += tests/bench/store
tests_bench_store_SOURCES = tests/bench/store.c
tests_bench_store_LDADD = $(LAYERS_LIBS) $(FOREIGN_LIBS)
