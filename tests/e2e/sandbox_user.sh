#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# sandbox.bats as a user with an id range
[ "$(id -u)" -eq 0 ] || { echo "1..0 # SKIP makes a user, which needs root; sandbox.bats runs as this one"; exit 0; }
exec "$srcdir/tests/e2e/as-user.sh" bats --formatter tap --filter-tags '!root' "$srcdir/tests/e2e/sandbox.bats"
