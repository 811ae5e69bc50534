#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
load helpers

@test "version is the answer, and nothing else" {
	works prog version
	stdout_has "cooper "
	stderr_is_empty
	works prog --version
	stdout_has "cooper "
}

@test "without a command it says where to look" {
	fails 2 prog
	stdout_is_empty
	stderr_is "cooper: no command given; 'cooper --help' lists them"
}

@test "a mistyped command or option gets a guess" {
	fails 2 prog imagse
	stderr_is "cooper: unknown command 'imagse' (did you mean 'images'?)"
	fails 2 prog help imagse
	stderr_is "cooper: unknown command 'imagse' (did you mean 'images'?)"
	fails 2 prog help frobnicate
	stderr_is "cooper: unknown command 'frobnicate'; 'cooper --help' lists them"
	fails 2 prog images --no-trnc
	stderr_is "cooper: images: unknown option '--no-trnc' (did you mean '--no-trunc'?)"
}

@test "too few and too many arguments are refused" {
	fails 2 prog tag one
	stderr_is "cooper: tag wants <image> <name>...; see 'cooper tag --help'"
	fails 2 prog version now
	stderr_is "cooper: version takes no arguments; see 'cooper version --help'"
}

@test "help is on stdout, wherever it is asked for" {
	works prog --help
	stdout_has "Usage: cooper [options] <command>"
	works prog tag --help
	stdout_has "Usage: cooper tag <image> <name>..."
	works prog help tag
	stdout_has "Usage: cooper tag <image> <name>..."
	stderr_is_empty
}

@test "a reader that goes away is no failure" {
	works bash -c "'$builddir/cooper' --help | head -n 1"
	stdout_has "cooper"
	stderr_is_empty
}

@test "closed standard streams do no harm" {
	works bash -c "'$builddir/cooper' images >&- 2>&- <&-"
}

@test "words from outside do not reach the terminal as they are" {
	fails 4 prog inspect "$(printf 'no\033[2Jwhere')" || fails 3 prog inspect "$(printf 'no\033[2Jwhere')"
	stderr_has 'no\x1b[2Jwhere'
}

@test "completion offers commands, options and words" {
	works prog __complete im
	stdout_is "images
import"
	works prog __complete images --no
	stdout_is "--no-trunc"
	works prog __complete images --format ""
	stdout_is "table
json"
}
