#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Unit tests again, on a kernel or in a container that lacks what we would rather use.
root=${srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
# shellcheck source=tests/lint/tap.sh
. "$root/tests/lint/tap.sh"

build=${builddir:-$root/_build}

# rows: what it is, the calls, the tests
rows() {
	cat <<-'END'
		Linux 4.18;openat2 clone3 pidfd_open fsopen open_tree move_mount close_range faccessat2;base_path base_proc base_worker base_file layers_tree layers_store
		a container filter that answers EPERM;openat2=EPERM clone3=ENOSYS pidfd_open=EPERM;base_path base_proc base_worker
		a file system without shortcuts for copying;copy_file_range=EINVAL sendfile=EINVAL splice=EINVAL;base_file
		a kernel without shortcuts for copying;copy_file_range sendfile splice;base_file
	END
}

fails_as_wanted() { # WANTED STATUS COMMAND...
	wanted=$1
	shift
	"$@" >"$scratch/said" 2>&1
	[ $? -eq "$wanted" ]
	verdict $? "status $wanted: $(basename "$1") $(echo "$*" | cut -d ' ' -f 2-)"
}

fails_as_wanted 125 "$build/tests/fault/without" no_such_call -- true
fails_as_wanted 125 "$build/tests/fault/without" openat2=NONSENSE -- true
fails_as_wanted 125 "$build/tests/fault/without" openat2
fails_as_wanted 7 "$build/tests/fault/without" openat2 -- sh -c 'exit 7'
fails_as_wanted 1 "$build/tests/fault/without" mkdirat mkdir -- mkdir "$scratch/new"

rows >"$scratch/rows"
while IFS=';' read -r what calls tests; do
	for test in $tests; do
		[ -x "$build/tests/unit/$test" ] || continue
		# shellcheck disable=SC2086
		"$build/tests/fault/without" $calls -- "$build/tests/unit/$test" >"$scratch/said" 2>&1
		status=$?
		[ $status -eq 0 ] || sed 's/^/# /' "$scratch/said"
		verdict $status "$test on $what"
	done
done <"$scratch/rows"
done_testing
