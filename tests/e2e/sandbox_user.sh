#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# sandbox.bats as a user with an id range
exec "$srcdir/tests/e2e/as-user.sh" bats --formatter tap "$srcdir/tests/e2e/sandbox.bats"
