#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# No mutable globals.  What an object file can write to is found by its section; tables that are const are
# in others.  Runs on the objects of the build.
# shellcheck source=tests/lint/tap.sh
. "$(dirname "$0")/tap.sh"

build=${builddir:-$root/_build}

# object, symbol, reason
allowed() {
	cat <<-'END'
		base/event.o listening the one listener
		base/event.o listening_arg its argument
		base/event.o shared where forked processes count ids together
		base/event.o own the same where no memory can be shared
		base/path.o openat2_state what this kernel can do, asked once
		base/worker.o self what this process is: signals and workers have no caller to pass them
	END
}

# lint TREE: of objects
lint() {
	allowed | awk '{ print $1, $2 }' >"$scratch/allowed"
	(cd "$1" && for object in $(find base layers registry build cmd -name '*.o' 2>/dev/null | LC_ALL=C sort); do
		# an object whose source is gone is left from an earlier build
		[ -e "$root/${object%.o}.c" ] || [ "$1" != "$build" ] || continue
		objdump -t "$object" | awk -v object="$object" '
			NF < 4 { next }
			{ section = $(NF - 2); symbol = $NF }
			section !~ /^\.(data|bss|tdata|tbss)/ || section ~ /^\.data\.rel\.ro/ { next }
			symbol == section || symbol ~ /^(__|\.L|_?\*)/ { next }
			{ sub(/\.[0-9]+$/, "", symbol); print object, symbol }'
	done) | sort -u | grep -v -x -F -f "$scratch/allowed" | sed 's/ /: can be written to: /'
}

# plant_object SOURCE
plant_object() {
	mkdir -p "$scratch/tree/base"
	cat >"$scratch/a.c"
	${LINT_CC:-cc} -O0 -fPIE -c "$scratch/a.c" -o "$scratch/tree/base/a.o"
}

[ -e "$build/base/err.o" ]
verdict $? "there are objects to look at"
finds_nothing "nothing can be written to that is not handed in" lint "$build"
echo 'int counter = 1;' | plant_object
finds "a variable is found" lint '^base/a.o: can be written to: counter$'
echo 'static int zero; int *a(void) { return &zero; }' | plant_object
finds "a static variable is found" lint '^base/a.o: can be written to: zero$'
echo 'int a(void) { static int calls; return ++calls; }' | plant_object
finds "a variable inside a function is found" lint '^base/a.o: can be written to: calls$'
echo '_Thread_local int mine;' | plant_object
finds "a variable of a thread is found" lint '^base/a.o: can be written to: mine$'
echo 'const char *names[] = { "a" };' | plant_object
finds "a table whose rows can be replaced is found" lint '^base/a.o: can be written to: names$'
echo 'extern int e; const char *const names[] = { "a" }; int *const p[] = { &e }; const int n = 1;' | plant_object
clean "a constant table is not found" lint
done_testing
