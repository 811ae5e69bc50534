# tests that disturb: killing, crowding, filling, damaging, failing
FAULT_TESTS = tests/fault/store_full tests/fault/store_garbage tests/fault/store_kill \
	tests/fault/store_many tests/fault/store_power tests/fault/store_steps
noinst_HEADERS += tests/fault/store_told.h tests/fault/store_work.h tests/unit/stores.h
check_PROGRAMS += $(FAULT_TESTS)
TESTS += $(FAULT_TESTS)
tests_fault_store_full_SOURCES = tests/fault/store_full.c tests/fault/store_work.c
tests_fault_store_full_LDADD = $(LAYERS_LIBS) $(FOREIGN_LIBS)
tests_fault_store_garbage_SOURCES = tests/fault/store_garbage.c tests/fault/store_work.c
tests_fault_store_garbage_LDADD = $(LAYERS_LIBS) $(FOREIGN_LIBS)
tests_fault_store_kill_SOURCES = tests/fault/store_kill.c tests/fault/store_told.c tests/fault/store_work.c
tests_fault_store_kill_LDADD = $(LAYERS_LIBS) $(FOREIGN_LIBS)
tests_fault_store_many_SOURCES = tests/fault/store_many.c tests/fault/store_work.c
tests_fault_store_many_LDADD = $(LAYERS_LIBS) $(FOREIGN_LIBS)
tests_fault_store_power_SOURCES = tests/fault/store_power.c tests/fault/store_told.c tests/fault/store_work.c
tests_fault_store_power_LDADD = $(LAYERS_LIBS) $(FOREIGN_LIBS)
tests_fault_store_steps_SOURCES = tests/fault/store_steps.c tests/fault/store_work.c
tests_fault_store_steps_LDADD = $(LAYERS_LIBS) $(FOREIGN_LIBS)

# the whole program
TESTS += tests/fault/build_kill.sh
EXTRA_DIST += tests/fault/build_kill.sh
