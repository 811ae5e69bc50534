#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What goes wrong is told once - what, where, what next - and leaves nothing: no mount, process or file.  What was in
# the store before is still there, and the same command works when its cause is gone.
load helpers

# keep: an image that must survive
keep() {
	echo kept >"$T/kept"
	works prog import --cmd /kept <(tar -C "$T" -c kept) kept:1
	kept=$(prog inspect -f '{{.Digest}}' kept:1)
	mkdir -p ctx
	cat >ctx/Dockerfile
}

processes() {
	local pid

	for pid in $(pgrep -x cooper); do
		! tr '\0' '\n' 2>/dev/null <"/proc/$pid/environ" | grep -q "^COOPER_ROOT=$COOPER_ROOT$" || echo "$pid"
	done
}

# bad STATUS TEXT COMMAND...: it fails so, says TEXT in the one message that it has, and leaves nothing
bad() {
	local status_wanted=$1 text=$2

	shift 2
	fails "$status_wanted" "$@"
	left_nothing "$text"
}

left_nothing() {
	stderr_has "$1"
	same "$(grep -c '^cooper: ' "$T/stderr")" 1
	grep "^cooper: " "$T/stderr" | grep -qF -e "$1" || explain "wanted in the message: $1"
	stdout_is_empty
	# what died with its parent may need a moment to be gone
	timeout 20 bash -c 'while [ -n "$(processes)" ]; do sleep 0.1; done' || explain "left running: $(processes)"
	! grep "$T" /proc/self/mountinfo || explain "a mount is left"
	same "$(ls -A "$T/tmp")" ""
	same "$(find . -name '*.part*')" ""
	same "$(prog inspect -f '{{.Digest}}' kept:1)" "$kept"
	works prog check
	stdout_has " 0 problems"
}
export -f processes

fake_start() { # RULE...: a registry that misbehaves; its address is $FAKE
	local rule rules=()

	needs python3
	for rule in "$@"; do
		rules+=(--rule "$rule")
	done
	mkfifo "$T/fake.fifo"
	python3 "$E2E/../fake/registry.py" "${rules[@]}" >"$T/fake.fifo" 2>"$T/fake.errors" 3>&- &
	FAKE_PID=$!
	read -r -t 30 _ FAKE <"$T/fake.fifo"
	FAKE=127.0.0.1:$FAKE
}

fake_stop() {
	kill "$FAKE_PID" 2>/dev/null
	wait "$FAKE_PID" 2>/dev/null || :
	FAKE_PID=
	rm -f "$T/fake.fifo"
	return 0
}

# until_said TEXT: by the command in the background, whose id is $pid
until_said() {
	until grep -q "$1" "$T/stderr"; do
		kill -0 "$pid" || explain "it ended too soon"
		sleep 0.05
	done
}

# in_background COMMAND...: as from a terminal, where ^C is heard
in_background() {
	command="$*"
	env --default-signal=INT "$@" >"$T/stdout" 2>"$T/stderr" 3>&- &
	pid=$!
}

ended_with() {
	status=0
	wait "$pid" || status=$?
	same "$status" "$1"
}

@test "what is not there, or not known" {
	keep <<-'EOF'
		FROM scratch
		COPY nothing /
	EOF
	bad 4 "Dockerfile:2: COPY: build context: '/nothing' is not there" prog build -t app ctx
	touch ctx/nothing
	works prog build -t app ctx
	bad 4 "ctx/Elsewhere" prog build -f ctx/Elsewhere ctx
	mv ctx/Dockerfile Dockerfile
	bad 4 "name another with -f" prog build ctx
	works prog build -f Dockerfile ctx
	mv Dockerfile ctx/Dockerfile
	bad 3 "Not A Name" prog build -t "Not A Name" ctx
	bad 4 "/nowhere/out" prog build -o type=oci,dest=/nowhere/out ctx
	mkdir taken
	bad 1 "taken" prog build -q -o type=tar,dest=taken ctx
	bad 2 "'foo'" prog build -o type=foo ctx
	printf 'FROM scratch\nRUNN x\n' >ctx/Dockerfile
	bad 3 "Dockerfile:2: unknown instruction: RUNN (did you mean RUN?)" prog build ctx
	bad 2 "unknown option '--tga' (did you mean '--tag'?)" prog build --tga x ctx
	bad 2 "unknown command 'buidl' (did you mean 'build'?)" prog buidl ctx
	bad 3 "Not A Name" prog pull "Not A Name"
	bad 4 "nowhere" prog push nowhere 127.0.0.1:1/x
}

@test "a registry that is not there, refuses, or asks who we are" {
	keep <<-'EOF'
		FROM scratch
		COPY Dockerfile /
	EOF
	bad 7 "127.0.0.1:1" prog pull --retry 1 127.0.0.1:1/x
	bad 7 "127.0.0.1:1" prog build --retry 1 --push -q -t 127.0.0.1:1/x ctx
	echo "FROM 127.0.0.1:1/base" >ctx/Dockerfile
	bad 7 "127.0.0.1:1/base" prog build --retry 1 -q ctx
	registry_start auth
	bad 5 "$REGISTRY" prog pull "$REGISTRY/x"
	bad 5 "$REGISTRY" prog push kept:1 "$REGISTRY/x"
	works prog push --creds robot:sesame kept:1 "$REGISTRY/x"
	works prog pull --creds robot:sesame "$REGISTRY/x"
	fake_start 'PUT /manifests/ status=403 code=DENIED message=not%20here' 'GET /v2/broken/ status=500'
	bad 5 "not here" prog push kept:1 "$FAKE/x"
	bad 7 "500" prog pull --retry 1 "$FAKE/broken/x"
	bad 4 "$FAKE/none" prog pull "$FAKE/none"
	fake_stop
}

@test "a blob that is not what its digest says" {
	keep <<-'EOF'
		FROM scratch
		COPY Dockerfile /
	EOF
	fake_start 'GET /blobs/ flip skip=2 times=4'
	works prog push kept:1 "$FAKE/x:1"
	# of another store, for ours has it
	other=$T/other
	works prog --root "$other" pull "$FAKE/x:1"
	rm -r "$other"
	fails 6 prog --root "$other" pull --retry 2 "$FAKE/x:1"
	stderr_has "sha256:"
	works prog --root "$other" images -q
	stdout_is_empty
	works prog --root "$other" check
	works prog --root "$other" pull "$FAKE/x:1"
	fake_stop
}

@test "a step that fails, is killed, or cannot start" {
	needs_boxes
	load_busybox
	keep <<-'EOF'
		FROM busybox
		RUN --mount=type=cache,target=/c [ -e /c/again ] || { touch /c/again; exit 9; }
	EOF
	bad 8 'Dockerfile:2: RUN: process "/bin/sh -c' prog build -q -t app ctx
	works prog build -q -t app ctx
	printf 'FROM busybox\nRUN ["nosuch", "x"]\n' >ctx/Dockerfile
	bad 8 "exec nosuch" prog build -q ctx
	printf 'FROM busybox\nUSER nobody-like-this\nRUN true\n' >ctx/Dockerfile
	bad 3 "user 'nobody-like-this' is not in" prog build -q ctx
	printf 'FROM busybox\nRUN echo started; sleep %s & wait $!; exit $?\n' "$NAP" >ctx/Dockerfile
	in_background "$builddir/cooper" build --progress plain -t app:2 ctx
	until_said " started"
	until is_napping; do sleep 0.05; done
	kill -9 $(pgrep -f "^sleep $NAP\$")
	ended_with 8
	left_nothing "137"
	fails 127 prog run busybox nosuch
	left_nothing "nosuch"
}

@test "^C while a step runs" {
	needs_boxes
	load_busybox
	keep <<-EOF
		FROM busybox
		RUN trap '' INT TERM; echo started; sleep $NAP; true
	EOF
	in_background "$builddir/cooper" build --progress plain -t app ctx
	until_said " started"
	kill -INT "$pid"
	ended_with 130
	! is_napping || explain "a process is left"
	left_nothing "interrupt"
	sed -i 's/sleep [0-9]*/sleep 0/' ctx/Dockerfile
	works prog build -t app ctx
}

@test "^C while a layer comes" {
	needs umoci busybox
	keep <<-'EOF'
		FROM scratch
	EOF
	head -c 3000000 /dev/urandom >"$T/noise"
	works prog import <(tar -C "$T" -c noise) noise:1
	layer=$(prog inspect -f '{{json .Layers}}' noise:1 | grep -o 'sha256:[0-9a-f]*' | head -n 1)
	fake_start "GET /blobs/$layer stall=1000000 times=1"
	works prog push noise:1 "$FAKE/noise:1"
	works prog rmi noise:1
	works prog prune --all
	in_background "$builddir/cooper" pull --progress json "$FAKE/noise:1"
	until_said '"done":[1-9][0-9]\{4,\}'
	kill -INT "$pid"
	ended_with 130
	left_nothing "interrupt"
	works prog pull "$FAKE/noise:1"
	works prog check
	fake_stop
}

@test "a full disk" {
	needs unshare mount umoci busybox
	layout=$(base busybox)
	keep <<-'EOF'
		FROM busybox
		COPY big /
	EOF
	# a store on a small file system, which is gone with its namespace
	cat >"$T/inside" <<-'EOF'
		set -e
		mkdir -p "$T/small"
		mount -t tmpfs -o size=200m,mode=700 none "$T/small"
		head -c 180m /dev/zero >"$T/small/other"
		cooper() { "$builddir/cooper" --root "$T/small/store" "$@"; }
		cooper load -q -i "$layout" >/dev/null
		cooper tag "$(cooper images -q)" busybox
		before=$(cooper inspect -f '{{.Digest}}' busybox)
		! cooper build -q -t app ctx 2>"$T/said.build" || exit 50
		! cooper pull -q "$FAKE/noise:1" 2>"$T/said.pull" || exit 51
		! cooper import "$T/noise.tar" noise 2>"$T/said.import" || exit 52
		cooper check
		[ "$(cooper inspect -f '{{.Digest}}' busybox)" = "$before" ]
		[ "$(cooper images -q | wc -l)" = 1 ]
		# what was begun takes no room
		cooper prune --partials >/dev/null
		[ "$(du -sm "$T/small/store" | cut -f 1)" -le 6 ]
		rm "$T/small/other"
		cooper build -q -t app ctx
		cooper pull -q "$FAKE/noise:1"
		cooper import -q "$T/noise.tar" noise
		cooper check
	EOF
	head -c 30000000 /dev/urandom >"$T/noise"
	tar -C "$T" -cf "$T/noise.tar" noise
	tr a-z b-za <"$T/noise" >ctx/big
	fake_start 'GET /nothing status=500'
	works prog import -q "$T/noise.tar" noise:1
	works prog push noise:1 "$FAKE/noise:1"
	export T builddir layout FAKE
	works unshare $([ "$(id -u)" -eq 0 ] || echo -Ur) -m --propagation private sh "$T/inside"
	for what in build pull import; do
		sed "s/^/# $what: /" "$T/said.$what" >&2
		same "$(grep -c '^cooper: ' "$T/said.$what")" 1
		works grep -F "No space left on device" "$T/said.$what"
		works grep -E "prune|room|free" "$T/said.$what"
	done
	fake_stop
}
