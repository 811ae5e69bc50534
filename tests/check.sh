#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# check.sh - all tests: with and without sanitizers, as root and as a temporary user who has subordinate ids.  Run by
# './quickstart check', as root, with all that the tests need installed.  The sources are copied first, to where
# that user can read them; nothing is left behind.  With CI=true a test that ran in none of the
# phases (one may need root, another a user) is a failure.
set -u
LC_ALL=C
export LC_ALL
src=$(cd "$(dirname "$0")/.." && pwd)
scratch=$(mktemp -d /var/tmp/cooper-check-XXXXXX) || exit 1
user=cooper-check-$$
jobs=$(getconf _NPROCESSORS_ONLN)
passed=0
failed=0
skipped=0
phase=0
begun=$(date +%s)
# who starts us in the background ignores signals that some tests send
defaults="--default-signal=INT,QUIT,HUP,PIPE"

clean() {
	trap - EXIT INT TERM HUP
	if id "$user" >/dev/null 2>&1; then
		userdel -r "$user" >/dev/null 2>&1
	fi
	rm -rf "$scratch"
}
trap clean EXIT
trap 'clean; exit 130' INT TERM HUP

say() {
	printf '\n== %s (%s s)\n' "$*" "$(($(date +%s) - begun))"
}

broken() {
	failed=$((failed + 1))
	echo "not ok - $*"
}

# build DIR OPTION...: cooper and its tests, whose output is shown when that fails
build() {
	dir=$scratch/src/$1
	shift
	say "building in ${dir##*/} with $*"
	mkdir -p "$dir"
	(cd "$dir" && ../configure --silent "$@" && make --silent -j "$jobs" all && make --silent -j "$jobs" check TESTS=) \
		>"$scratch/build.log" 2>&1 && return
	cat "$scratch/build.log"
	broken "building with $*"
	return 1
}

number() { # number WORD LOG: of "# WORD: n" in automake's summary
	sed -n "s/^# $1: *//p" "$2" | tail -n 1 | grep . || echo 0
}

# In a chroot the tests get a root of their own, in which they can make user namespaces.
as_root() {
	# shellcheck disable=SC2086 # a list of words
	"$scratch/src/_build/tests/e2e/out_of_chroot" env $defaults "$@"
}

as_user() {
	# shellcheck disable=SC2086 # a list of words
	"$scratch/src/_build/tests/e2e/out_of_chroot" runuser -u "$user" -- env -i $defaults HOME="/home/$user" \
		PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 ${CI:+CI="$CI"} "$@"
}

# check TITLE DIR [COMMAND...]: runs make check by way of COMMAND
check() {
	title=$1
	dir=$scratch/src/$2
	shift 2
	say "$title"
	"$@" make -C "$dir" -k -j "$jobs" check >"$scratch/check.log" 2>&1
	status=$?
	fail=$(($(number FAIL "$scratch/check.log") + $(number ERROR "$scratch/check.log") + $(number XPASS "$scratch/check.log")))
	skip=$(number SKIP "$scratch/check.log")
	pass=$(($(number PASS "$scratch/check.log") + $(number XFAIL "$scratch/check.log")))
	passed=$((passed + pass))
	failed=$((failed + fail))
	skipped=$((skipped + skip))
	# what ran and what was skipped, as "file number", and the skips once more with their reasons
	(cd "$dir" && find tests -name '*.log' -exec awk '
		/^ok [0-9]+/ && !/# *[Ss][Kk][Ii][Pp]/ { print FILENAME, $2 >ran }
		/^(not )?ok [0-9]+.*# *[Ss][Kk][Ii][Pp]/ { print FILENAME, ($1 == "not" ? $3 : $2) >skips; print FILENAME ": " $0 }
		/^1\.\.0 # *[Ss][Kk][Ii][Pp]/ { print FILENAME, 0 >skips; print FILENAME ": " $0 }
	' ran="$scratch/ran.$phase" skips="$scratch/skips.$phase" {} +) 2>/dev/null
	phase=$((phase + 1))
	if [ "$fail" -gt 0 ]; then
		cat "$dir/test-suite.log" 2>/dev/null
	fi
	if [ "$status" -ne 0 ] && [ "$fail" -eq 0 ] || [ "$pass" -eq 0 ]; then
		tail -n 50 "$scratch/check.log"
		broken "$title: make check ended with $status"
	fi
	echo "$title: $pass passed, $fail failed, $skip skipped"
}

# The user phase reads what the root phase made (base images), and writes logs of its own.
hand_over() {
	useradd --create-home --shell /bin/sh "$user" || return 1
	grep -q "^$user:" /etc/subuid || usermod --add-subuids 1000000-1065535 --add-subgids 1000000-1065535 "$user"
	find "$scratch"/src/_build* -name '*.log' -delete -o -name '*.trs' -delete
	chown -R "$user" "$scratch/src"
}

chmod 755 "$scratch"
mkdir "$scratch/src"
tar -C "$src" --exclude='./_build*' --exclude=./.git -c . | tar -C "$scratch/src" -x --no-same-owner || exit 1
cd "$scratch/src" || exit 1
./autogen.sh >"$scratch/build.log" 2>&1 || {
	cat "$scratch/build.log"
	broken "autogen.sh"
}
if build _build --enable-werror; then
	check "as root" _build as_root
fi
if build _build-asan --enable-werror --enable-sanitizers; then
	# what the tests stand on is made once
	ln -sfn ../_build/base-images "$scratch/src/_build-asan/base-images"
	check "as root, with sanitizers" _build-asan as_root
fi
if hand_over; then
	check "as a user with subordinate ids" _build as_user
else
	broken "making a temporary user"
fi
# never_ran: tests that were skipped in each phase that had them; "file 0" is a whole file
never_ran() {
	touch "$scratch/ran.none" "$scratch/skips.none"
	cat "$scratch"/ran.* | awk '{ print; print $1, 0 }' | sort -u >"$scratch/ran"
	cat "$scratch"/skips.* | sort -u | comm -13 "$scratch/ran" -
}
left=$(never_ran)
if [ -n "$left" ]; then
	printf 'skipped everywhere:\n%s\n' "$left"
	if [ "${CI:-}" = true ]; then
		echo "which is a failure in CI"
		failed=$((failed + $(echo "$left" | wc -l)))
	fi
fi
say "done"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
