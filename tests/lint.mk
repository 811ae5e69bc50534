# lints: house rules that a script can hold
LINTS = \
	tests/lint/banned.sh \
	tests/lint/globals.sh \
	tests/lint/headers.sh \
	tests/lint/rooms.sh \
	tests/lint/size.sh
TESTS += $(LINTS)
EXTRA_DIST += $(LINTS) tests/lint/code.awk tests/lint/tap.sh
LINT_CFLAGS = -std=gnu11 -D_GNU_SOURCE $(WARN_CFLAGS) $(CRYPTO_CFLAGS) $(CURL_CFLAGS) $(JANSSON_CFLAGS) \
	$(ARCHIVE_CFLAGS) $(ZSTD_CFLAGS) $(SECCOMP_CFLAGS) $(SQLITE_CFLAGS)
