#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# sandbox.bats as a user with no ids but its own
exec "$srcdir/tests/e2e/as-user.sh" --no-range bats --formatter tap "$srcdir/tests/e2e/sandbox.bats"
