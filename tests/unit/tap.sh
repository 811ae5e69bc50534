#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# tap.sh PROGRAM: runs a test of cmocka, which calls a skipped test "not ok 3 # SKIP", as TAP wants it.  A status of 77 says
# once more what the lines have said.
{ status=$({ { "$@" 3>&- 4>&-; echo $? >&3; } | sed 's/^not ok \([0-9]*\) # SKIP/ok \1 # SKIP/' >&4; } 3>&1); } 4>&1
[ "$status" -ne 77 ] || status=0
exit "$status"
