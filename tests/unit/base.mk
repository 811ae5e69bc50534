# unit tests of base
UNIT_TESTS += tests/unit/base_buf \
	tests/unit/base_err \
	tests/unit/base_event \
	tests/unit/base_file \
	tests/unit/base_json \
	tests/unit/base_mem \
	tests/unit/base_path \
	tests/unit/base_path_remove \
	tests/unit/base_path_text \
	tests/unit/base_proc \
	tests/unit/base_strv \
	tests/unit/base_worker
tests_unit_base_buf_SOURCES = tests/unit/base_buf.c
tests_unit_base_buf_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_base_buf_LDADD = $(BASE_LIBS) $(TEST_LIBS)
tests_unit_base_err_SOURCES = tests/unit/base_err.c
tests_unit_base_err_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_base_err_LDADD = $(BASE_LIBS) $(TEST_LIBS)
tests_unit_base_event_SOURCES = tests/unit/base_event.c
tests_unit_base_event_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_base_event_LDADD = $(BASE_LIBS) $(TEST_LIBS)
tests_unit_base_file_SOURCES = tests/unit/base_file.c
tests_unit_base_file_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_base_file_LDADD = $(BASE_LIBS) $(TEST_LIBS)
tests_unit_base_json_SOURCES = tests/unit/base_json.c
tests_unit_base_json_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_base_json_LDADD = $(BASE_LIBS) $(TEST_LIBS)
tests_unit_base_mem_SOURCES = tests/unit/base_mem.c
tests_unit_base_mem_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_base_mem_LDADD = $(BASE_LIBS) $(TEST_LIBS)
tests_unit_base_path_SOURCES = tests/unit/base_path.c
tests_unit_base_path_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_base_path_LDADD = $(BASE_LIBS) $(TEST_LIBS)
tests_unit_base_path_remove_SOURCES = tests/unit/base_path_remove.c
tests_unit_base_path_remove_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_base_path_remove_LDADD = $(BASE_LIBS) $(TEST_LIBS)
tests_unit_base_path_text_SOURCES = tests/unit/base_path_text.c
tests_unit_base_path_text_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_base_path_text_LDADD = $(BASE_LIBS) $(TEST_LIBS)
tests_unit_base_proc_SOURCES = tests/unit/base_proc.c
tests_unit_base_proc_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_base_proc_LDADD = $(BASE_LIBS) $(TEST_LIBS)
tests_unit_base_strv_SOURCES = tests/unit/base_strv.c
tests_unit_base_strv_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_base_strv_LDADD = $(BASE_LIBS) $(TEST_LIBS)
tests_unit_base_worker_SOURCES = tests/unit/base_worker.c
tests_unit_base_worker_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_base_worker_LDADD = $(BASE_LIBS) $(TEST_LIBS)
