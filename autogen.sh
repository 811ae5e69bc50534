#!/bin/sh
# Makes ./configure; needs autoconf and automake.
set -e
cd "$(dirname "$0")"
autoreconf -fi
