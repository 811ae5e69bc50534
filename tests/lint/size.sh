#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# No file and no function grows until nobody reads it.  600 lines and 60 are the aim (what is longer is
# noted); 700 and 100 the end.  Tests are noted only.
# shellcheck source=tests/lint/tap.sh
. "$(dirname "$0")/tap.sh"

# lengths TREE FILE...: "WHERE LINES file" and "WHERE LINES function", by our layout: a body begins with
# a '{' in the first column, its name stands at the beginning of a line before it
lengths() {
	cd "$1" && shift && awk '
	function file_end() {
		if (name != "")
			print name ": " lines " file"
	}
	FNR == 1 { file_end(); name = FILENAME; start = 0; last = 0 }
	{ lines = FNR }
	/^[A-Za-z_].*\(/ && !start { last = FNR; title = $0; sub(/\(.*/, "", title); sub(/.*[ *]/, "", title) }
	/^\{$/ { start = last ? last : FNR }
	/^\}$/ && start { print FILENAME ":" start ": " FNR - start + 1 " function " title; start = 0; last = 0 }
	END { file_end() }' "$@"
}

lint() {
	list=$(sources "$1")
	# shellcheck disable=SC2086
	[ -z "$list" ] || (lengths "$1" $list) | awk '
		$3 == "file" && $2 > 700 { print $1, "a file of", $2, "lines (700 is the end)" }
		$3 == "function" && $2 > 100 { print $1, $4 "() has", $2, "lines (100 is the end)" }'
}

notes() {
	# shellcheck disable=SC2046
	(lengths "$root" $(sources "$root") $(cd "$root" && find tests -name '*.[ch]')) | awk '
		$3 == "file" && $2 > 600 { print "# note:", $1, "a file of", $2, "lines" }
		$3 == "function" && $2 > 60 { print "# note:", $1, $4 "() has", $2, "lines" }'
}

lines() { # COUNT TEXT
	awk -v count="$1" -v text="$2" 'BEGIN { while (count-- > 0) print text }'
}

notes
finds_nothing "files have at most 700 lines and functions at most 100" lint "$root"
lines 701 '/* */' | plant base/err.c
finds "a file that is too long is found" lint '^base/err.c: a file of 701 lines'
{
	printf '/* a */\nstatic int\nlong_one(int a,\n\tint b)\n{\n'
	lines 97 '	a++;'
	printf '}\n\nint\nmain(void)\n{\n}\n'
} | plant base/err.c
finds "a function that is too long is found" lint '^base/err.c:3: long_one() has 101 lines'
{
	lines 590 'int a;'
	printf 'static int\nshort_one(void)\n{\n'
	lines 96 '	a++;'
	printf '}\n'
} | plant base/err.c
clean "what is long enough is not found" lint
done_testing
