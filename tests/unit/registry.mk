# unit tests of registry
UNIT_TESTS += tests/unit/registry_ref
tests_unit_registry_ref_SOURCES = tests/unit/registry_ref.c
tests_unit_registry_ref_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_registry_ref_LDADD = $(REGISTRY_LIBS) $(TEST_LIBS)
UNIT_TESTS += tests/unit/registry_catalog
tests_unit_registry_catalog_SOURCES = tests/unit/registry_catalog.c
tests_unit_registry_catalog_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_registry_catalog_LDADD = $(REGISTRY_LIBS) $(TEST_LIBS)
UNIT_TESTS += tests/unit/registry_remote
tests_unit_registry_remote_SOURCES = tests/unit/registry_remote.c
tests_unit_registry_remote_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_registry_remote_LDADD = $(REGISTRY_LIBS) $(TEST_LIBS)
UNIT_TESTS += tests/unit/registry_faults
tests_unit_registry_faults_SOURCES = tests/unit/registry_faults.c
tests_unit_registry_faults_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_registry_faults_LDADD = $(REGISTRY_LIBS) $(TEST_LIBS)
