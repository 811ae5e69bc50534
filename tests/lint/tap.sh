# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2034
# The words of a lint, to be sourced.  A lint is a function that prints one line for each finding in a
# tree of sources; it is run on ours, where it must find nothing, and on small planted trees, where it
# must find what was planted.  The report is TAP.

root=${srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
lint_dir=$root/tests/lint
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
count=0

verdict() { # 0 or 1, title
	count=$((count + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $count - $2"
	else
		echo "not ok $count - $2"
	fi
}

# finds_nothing TITLE LINT TREE
finds_nothing() {
	$2 "$3" >"$scratch/found"
	sed 's/^/# /' "$scratch/found"
	[ ! -s "$scratch/found" ]
	verdict $? "$1"
}

# plant PATH: a file of the planted tree, from stdin
plant() {
	mkdir -p "$scratch/tree/$(dirname "$1")"
	cat >"$scratch/tree/$1"
}

# finds TITLE LINT PATTERN: in what was planted, which is taken away again
finds() {
	$2 "$scratch/tree" >"$scratch/found"
	if grep -q -e "$3" "$scratch/found"; then
		verdict 0 "$1"
	else
		sed 's/^/# found: /' "$scratch/found"
		echo "# wanted: $3"
		verdict 1 "$1"
	fi
	rm -rf "$scratch/tree"
}

# clean TITLE LINT: what was planted has nothing to find
clean() {
	finds_nothing "$1" "$2" "$scratch/tree"
	rm -rf "$scratch/tree"
}

done_testing() {
	echo "1..$count"
}

# sources TREE [PATTERN]: the C files of the rooms, by name
sources() {
	(cd "$1" && find base layers registry build cmd -name "${2:-*.[ch]}" 2>/dev/null | LC_ALL=C sort)
}
