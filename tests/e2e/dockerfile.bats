#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
load helpers

# A case is a directory of testdata/dockerfile/e2e:
#
#	Dockerfile        what is built; all else is its context, with fixed modes and times
#	setup             (optional) a shell script that runs in the context first: archives, links, modes
#	args              (optional) words of the command line
#	needs             (optional) "busybox" for a base that can RUN, "python3" and so on: programs
#	want.files        what the image holds, as list-tar.py shows it; without times that a RUN made
#	want.config.json  its configuration, without digests of layers; or
#	want.error        words of a build that fails
#
# UPDATE=1 writes the wants from what came: to be read, line by line, before it is believed.

CASES=$srcdir/testdata/dockerfile/e2e

setup_context() {
	cp -R "$CASES/$1" ctx
	chmod -R u=rwX,go=rX ctx
	if [ -e ctx/setup ]; then
		(cd ctx && umask 022 && sh -e ./setup)
	fi
	rm -f ctx/setup ctx/args ctx/needs ctx/want.*
	find ctx -exec touch -h -d @1500000000 {} +
}

meet_needs() {
	local word

	[ -e "$CASES/$1/needs" ] || return 0
	for word in $(cat "$CASES/$1/needs"); do
		case $word in
		busybox)
			needs_boxes
			prog inspect busybox >/dev/null 2>&1 || load_busybox
			;;
		root) needs_root ;;
		*) needs "$word" ;;
		esac
	done
}

# wanted FILE: the same as $T/stdout
wanted() {
	if [ -n "$UPDATE" ]; then
		cp "$T/stdout" "$1"
		return
	fi
	diff -u "$1" "$T/stdout" >"$T/difference" || explain "$(cat "$T/difference")"
}

config_of() {
	works sh -c "python3 - image.tar <<-'END'
		import json, sys, tarfile
		tar = tarfile.open(sys.argv[1])
		blob = lambda d: json.load(tar.extractfile('blobs/' + d.replace(':', '/')))
		top = json.load(tar.extractfile('index.json'))['manifests'][0]
		manifest = blob(top['digest'])
		while 'manifests' in manifest:
		    manifest = blob(manifest['manifests'][0]['digest'])
		config = blob(manifest['config']['digest'])
		config['rootfs'] = len(config['rootfs']['diff_ids'] or [])
		config.pop('architecture', None)
		config.pop('variant', None)
		for line in config.get('history', []):
		    if line.get('comment') != 'buildkit.dockerfile.v0':
		        line.pop('created')  # the base's own
		print(json.dumps(config, indent=1, ensure_ascii=False))
	END"
}

run_case() {
	local args=()

	meet_needs "$1" || return 1
	setup_context "$1" || return 1
	if [ -e "$CASES/$1/args" ]; then
		mapfile -t args <"$CASES/$1/args"
	fi
	if [ -e "$CASES/$1/want.error" ]; then
		run_kept prog build --progress plain "${args[@]}" ctx
		if [ "$status" -eq 0 ]; then
			explain "wanted: a failure"
			return 1
		fi
		while IFS= read -r line; do
			stderr_has "$line" || return 1
		done <"$CASES/$1/want.error"
		return
	fi
	works prog build --progress plain "${args[@]}" -o type=oci,dest=image.tar -o type=tar,dest=files.tar ctx || return 1
	works sh -c "python3 '$E2E/list-tar.py' <files.tar" || return 1
	if grep -qs busybox "$CASES/$1/needs"; then
		# the base is not what is looked at
		grep -v -E ' (bin|dev|proc|sys|usr|var|root|tmp|etc)(/busybox.*| -> .*|/[^/ ]* -> .*)?$' "$T/stdout" \
			>"$T/stdout.mine" || :
		mv "$T/stdout.mine" "$T/stdout"
	fi
	wanted "$CASES/$1/want.files" || return 1
	config_of || return 1
	wanted "$CASES/$1/want.config.json"
}

# (where a condition is asked for, -e does not count)
# cases PREFIX: all whose names begin so; each in a directory of its own, all in one store
cases() {
	local case failed=

	needs python3
	for case in "$CASES/$1"-*/; do
		case=$(basename "$case")
		mkdir "$T/work/$case"
		cd "$T/work/$case"
		if ! (run_case "$case"); then
			echo "-- case $case" >&2
			failed="$failed $case"
		fi
	done
	[ -z "$failed" ] || explain "failed:$failed"
}

@test "cases of ADD" {
	cases add
}

@test "cases of ARG and variables" {
	cases arg
}

@test "cases of COPY" {
	cases copy
}

@test "cases of FROM and ONBUILD" {
	cases from
}

@test "cases of instructions that only change the configuration" {
	cases meta
}

@test "cases of RUN" {
	cases run
}

@test "cases of mistakes" {
	cases wrong
}

@test "there are forty cases and more" {
	[ "$(find "$CASES" -mindepth 2 -maxdepth 2 -name Dockerfile | wc -l)" -ge 40 ]
}
