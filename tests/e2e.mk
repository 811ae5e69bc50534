# end to end, in bats: one file per subject; by hand: bats tests/e2e/store.bats
E2E_TESTS = \
	tests/e2e/add.bats \
	tests/e2e/archive.bats \
	tests/e2e/bad.bats \
	tests/e2e/build.bats \
	tests/e2e/cache.bats \
	tests/e2e/call.bats \
	tests/e2e/chroot.bats \
	tests/e2e/cli.bats \
	tests/e2e/contexts.bats \
	tests/e2e/copy.bats \
	tests/e2e/dockerfile.bats \
	tests/e2e/edit.bats \
	tests/e2e/files.bats \
	tests/e2e/main.bats \
	tests/e2e/mounts.bats \
	tests/e2e/outputs.bats \
	tests/e2e/owners.bats \
	tests/e2e/platforms.bats \
	tests/e2e/progress.bats \
	tests/e2e/realworld.bats \
	tests/e2e/registry.bats \
	tests/e2e/run.bats \
	tests/e2e/sources.bats \
	tests/e2e/store.bats
EXTRA_DIST += $(E2E_TESTS) tests/e2e/helpers.bash tests/e2e/consumers.bash tests/e2e/base-images tests/fake/files.py tests/e2e/list-tar.py testdata/dockerfile/e2e tests/e2e/remote.bash
if HAVE_BATS
TESTS += $(E2E_TESTS)
endif

# --help, man pages and rows agree
dist_check_SCRIPTS = tests/lint/cli.sh
TESTS += tests/lint/cli.sh
