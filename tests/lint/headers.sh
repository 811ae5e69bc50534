#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A header brings all that it needs, may be included twice, and begins with its licence and its noun.
# shellcheck source=tests/lint/tap.sh
. "$(dirname "$0")/tap.sh"

cc=${LINT_CC:-cc}
flags=${LINT_CFLAGS:--std=gnu11 -D_GNU_SOURCE}

lint() {
	for header in $(sources "$1" '*.h'); do
		printf '#include "%s"\n#include "%s"\n' "$header" "$header" >"$scratch/alone.c"
		# shellcheck disable=SC2086
		$cc $flags -I"$1" -fsyntax-only "$scratch/alone.c" 2>"$scratch/said" ||
			echo "$header: does not compile alone: $(grep -m 1 error "$scratch/said")"
		guard=$(echo "${header%.h}" | tr 'a-z/' 'A-Z_')_H
		grep -q -E "^#ifndef ($guard|${guard#BUILD_})\$" "$1/$header" ||
			echo "$header: has no guard $guard"
	done
	for file in $(sources "$1"); do
		head -n 1 "$1/$file" | grep -q '^/\* SPDX-License-Identifier: Apache-2.0 \*/$' ||
			echo "$file:1: has no licence line"
	done
}

licence='/* SPDX-License-Identifier: Apache-2.0 */'
finds_nothing "every header compiles alone" lint "$root"
printf '%s\n#ifndef BASE_A_H\n#define BASE_A_H\nint a(size_t n);\n#endif\n' "$licence" | plant base/a.h
finds "a header that leans on others is found" lint '^base/a.h: does not compile alone: .*size_t'
printf '%s\nstruct a { int b; };\n' "$licence" | plant base/a.h
finds "a header that cannot be included twice is found" lint '^base/a.h: does not compile alone: .*redefinition'
printf '%s\n#ifndef A_H\n#define A_H\n#endif\n' "$licence" | plant build/sandbox/a.h
finds "a guard with another name is found" lint '^build/sandbox/a.h: has no guard BUILD_SANDBOX_A_H'
echo 'int a;' | plant base/a.c
finds "a file without a licence line is found" lint '^base/a.c:1: has no licence line'
printf '%s\n#ifndef BASE_A_H\n#define BASE_A_H\n#include <stddef.h>\nint a(size_t n);\n#endif\n' "$licence" |
	plant base/a.h
clean "a good header is not found" lint
done_testing
