# unit tests of layers
UNIT_TESTS += tests/unit/layers_digest
tests_unit_layers_digest_SOURCES = tests/unit/layers_digest.c
tests_unit_layers_digest_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_layers_digest_LDADD = $(LAYERS_LIBS) $(TEST_LIBS)
UNIT_TESTS += tests/unit/layers_entry
tests_unit_layers_entry_SOURCES = tests/unit/layers_entry.c
tests_unit_layers_entry_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_layers_entry_LDADD = $(LAYERS_LIBS) $(TEST_LIBS)
UNIT_TESTS += tests/unit/layers_listing
tests_unit_layers_listing_SOURCES = tests/unit/layers_listing.c
tests_unit_layers_listing_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_layers_listing_LDADD = $(LAYERS_LIBS) $(TEST_LIBS)
UNIT_TESTS += tests/unit/layers_stream
tests_unit_layers_stream_SOURCES = tests/unit/layers_stream.c
tests_unit_layers_stream_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_layers_stream_LDADD = $(LAYERS_LIBS) $(TEST_LIBS)
