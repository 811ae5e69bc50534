# laws over random inputs; the seed is printed, and SEED=<n> repeats it
if HAVE_CMOCKA
PROP_TESTS = tests/prop/prop_apply tests/prop/prop_layers tests/prop/worker
check_PROGRAMS += $(PROP_TESTS)
TESTS += $(PROP_TESTS)
tests_prop_prop_apply_SOURCES = tests/prop/prop_apply.c tests/prop/archives.h tests/prop/random.h
tests_prop_prop_apply_CPPFLAGS = $(TEST_CPPFLAGS)
tests_prop_prop_apply_LDADD = $(LAYERS_LIBS) $(TEST_LIBS)
tests_prop_prop_layers_SOURCES = tests/prop/prop_layers.c
tests_prop_prop_layers_CPPFLAGS = $(TEST_CPPFLAGS)
tests_prop_prop_layers_LDADD = $(LAYERS_LIBS) $(TEST_LIBS)
tests_prop_worker_SOURCES = tests/prop/worker.c
tests_prop_worker_CPPFLAGS = $(TEST_CPPFLAGS)
tests_prop_worker_LDADD = $(BASE_LIBS) $(TEST_LIBS)
endif
