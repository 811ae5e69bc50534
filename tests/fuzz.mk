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

FUZZERS += tests/fuzz/fuzz_expand
tests_fuzz_fuzz_expand_SOURCES = tests/fuzz/fuzz_expand.c $(FUZZ_MAIN)
tests_fuzz_fuzz_expand_LDFLAGS = $(LDFLAGS_FUZZ)
tests_fuzz_fuzz_expand_LDADD = $(DOCKERFILE_LIBS) $(FOREIGN_LIBS)
FUZZERS += tests/fuzz/fuzz_gzip
tests_fuzz_fuzz_gzip_SOURCES = tests/fuzz/fuzz_gzip.c $(FUZZ_MAIN)
tests_fuzz_fuzz_gzip_LDFLAGS = $(LDFLAGS_FUZZ)
tests_fuzz_fuzz_gzip_LDADD = $(LAYERS_LIBS) $(FOREIGN_LIBS)
FUZZERS += tests/fuzz/fuzz_heredoc
tests_fuzz_fuzz_heredoc_SOURCES = tests/fuzz/fuzz_heredoc.c $(FUZZ_MAIN)
tests_fuzz_fuzz_heredoc_LDFLAGS = $(LDFLAGS_FUZZ)
tests_fuzz_fuzz_heredoc_LDADD = $(DOCKERFILE_LIBS) $(FOREIGN_LIBS)
FUZZERS += tests/fuzz/fuzz_ignore
tests_fuzz_fuzz_ignore_SOURCES = tests/fuzz/fuzz_ignore.c $(FUZZ_MAIN)
tests_fuzz_fuzz_ignore_LDFLAGS = $(LDFLAGS_FUZZ)
tests_fuzz_fuzz_ignore_LDADD = $(DOCKERFILE_LIBS) $(FOREIGN_LIBS)
FUZZERS += tests/fuzz/fuzz_json
tests_fuzz_fuzz_json_SOURCES = tests/fuzz/fuzz_json.c $(FUZZ_MAIN)
tests_fuzz_fuzz_json_LDFLAGS = $(LDFLAGS_FUZZ)
tests_fuzz_fuzz_json_LDADD = $(BASE_LIBS) $(FOREIGN_LIBS)
FUZZERS += tests/fuzz/fuzz_mount
tests_fuzz_fuzz_mount_SOURCES = tests/fuzz/fuzz_mount.c $(FUZZ_MAIN)
tests_fuzz_fuzz_mount_LDFLAGS = $(LDFLAGS_FUZZ)
tests_fuzz_fuzz_mount_LDADD = $(DOCKERFILE_LIBS) $(FOREIGN_LIBS)
FUZZERS += tests/fuzz/fuzz_parse
tests_fuzz_fuzz_parse_SOURCES = tests/fuzz/fuzz_parse.c $(FUZZ_MAIN)
tests_fuzz_fuzz_parse_LDFLAGS = $(LDFLAGS_FUZZ)
tests_fuzz_fuzz_parse_LDADD = $(DOCKERFILE_LIBS) $(FOREIGN_LIBS)
FUZZERS += tests/fuzz/fuzz_pax
tests_fuzz_fuzz_pax_SOURCES = tests/fuzz/fuzz_pax.c $(FUZZ_MAIN)
tests_fuzz_fuzz_pax_LDFLAGS = $(LDFLAGS_FUZZ)
tests_fuzz_fuzz_pax_LDADD = $(LAYERS_LIBS) $(FOREIGN_LIBS)
FUZZERS += tests/fuzz/fuzz_tar
tests_fuzz_fuzz_tar_SOURCES = tests/fuzz/fuzz_tar.c $(FUZZ_MAIN)
tests_fuzz_fuzz_tar_LDFLAGS = $(LDFLAGS_FUZZ)
tests_fuzz_fuzz_tar_LDADD = $(LAYERS_LIBS) $(FOREIGN_LIBS)
FUZZERS += tests/fuzz/fuzz_values
tests_fuzz_fuzz_values_SOURCES = tests/fuzz/fuzz_values.c $(FUZZ_MAIN)
tests_fuzz_fuzz_values_LDFLAGS = $(LDFLAGS_FUZZ)
tests_fuzz_fuzz_values_LDADD = $(DOCKERFILE_LIBS) $(FOREIGN_LIBS)
FUZZERS += tests/fuzz/fuzz_user
tests_fuzz_fuzz_user_SOURCES = tests/fuzz/fuzz_user.c $(FUZZ_MAIN)
tests_fuzz_fuzz_user_LDFLAGS = $(LDFLAGS_FUZZ)
tests_fuzz_fuzz_user_LDADD = $(SANDBOX_LIBS) $(FOREIGN_LIBS)
FUZZERS += tests/fuzz/fuzz_wire
tests_fuzz_fuzz_wire_SOURCES = tests/fuzz/fuzz_wire.c $(FUZZ_MAIN)
tests_fuzz_fuzz_wire_LDFLAGS = $(LDFLAGS_FUZZ)
tests_fuzz_fuzz_wire_LDADD = $(BASE_LIBS) $(FOREIGN_LIBS)
FUZZERS += tests/fuzz/fuzz_zstd
tests_fuzz_fuzz_zstd_SOURCES = tests/fuzz/fuzz_zstd.c $(FUZZ_MAIN)
tests_fuzz_fuzz_zstd_LDFLAGS = $(LDFLAGS_FUZZ)
tests_fuzz_fuzz_zstd_LDADD = $(LAYERS_LIBS) $(FOREIGN_LIBS)
FUZZERS += tests/fuzz/fuzz_auth
tests_fuzz_fuzz_auth_SOURCES = tests/fuzz/fuzz_auth.c $(FUZZ_MAIN)
tests_fuzz_fuzz_auth_LDFLAGS = $(LDFLAGS_FUZZ)
tests_fuzz_fuzz_auth_LDADD = $(REGISTRY_LIBS) $(FOREIGN_LIBS)
FUZZERS += tests/fuzz/fuzz_challenge
tests_fuzz_fuzz_challenge_SOURCES = tests/fuzz/fuzz_challenge.c $(FUZZ_MAIN)
tests_fuzz_fuzz_challenge_LDFLAGS = $(LDFLAGS_FUZZ)
tests_fuzz_fuzz_challenge_LDADD = $(REGISTRY_LIBS) $(FOREIGN_LIBS)
FUZZERS += tests/fuzz/fuzz_link
tests_fuzz_fuzz_link_SOURCES = tests/fuzz/fuzz_link.c $(FUZZ_MAIN)
tests_fuzz_fuzz_link_LDFLAGS = $(LDFLAGS_FUZZ)
tests_fuzz_fuzz_link_LDADD = $(REGISTRY_LIBS) $(FOREIGN_LIBS)
FUZZERS += tests/fuzz/fuzz_ref
tests_fuzz_fuzz_ref_SOURCES = tests/fuzz/fuzz_ref.c $(FUZZ_MAIN)
tests_fuzz_fuzz_ref_LDFLAGS = $(LDFLAGS_FUZZ)
tests_fuzz_fuzz_ref_LDADD = $(REGISTRY_LIBS) $(FOREIGN_LIBS)
FUZZERS += tests/fuzz/fuzz_reply
tests_fuzz_fuzz_reply_SOURCES = tests/fuzz/fuzz_reply.c $(FUZZ_MAIN)
tests_fuzz_fuzz_reply_LDFLAGS = $(LDFLAGS_FUZZ)
tests_fuzz_fuzz_reply_LDADD = $(REGISTRY_LIBS) $(FOREIGN_LIBS)
FUZZERS += tests/fuzz/fuzz_url
tests_fuzz_fuzz_url_SOURCES = tests/fuzz/fuzz_url.c $(FUZZ_MAIN)
tests_fuzz_fuzz_url_LDFLAGS = $(LDFLAGS_FUZZ)
tests_fuzz_fuzz_url_LDADD = $(REGISTRY_LIBS) $(FOREIGN_LIBS)
FUZZERS += tests/fuzz/fuzz_toml
tests_fuzz_fuzz_toml_SOURCES = tests/fuzz/fuzz_toml.c $(FUZZ_MAIN)
tests_fuzz_fuzz_toml_LDFLAGS = $(LDFLAGS_FUZZ)
tests_fuzz_fuzz_toml_LDADD = $(REGISTRY_LIBS) $(FOREIGN_LIBS)
