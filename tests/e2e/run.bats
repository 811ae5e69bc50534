#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
load helpers

@test "run gives the program's output and status" {
	needs_boxes
	load_busybox
	works prog run busybox echo hello
	stdout_is hello
	stderr_is_empty
	fails 7 prog run busybox sh -c 'exit 7'
	stderr_is_empty
	fails 137 prog run busybox sh -c 'kill -9 $$'
}

@test "run says by its status that a program is not there" {
	needs_boxes
	load_busybox
	fails 127 prog run busybox nothing-like-this
	fails 126 prog run busybox /etc/passwd
	fails 125 prog run no-such-image:1 true --pull never || fails 125 prog run --pull never no-such-image:1 true
}

@test "options end at the image" {
	needs_boxes
	load_busybox
	works prog run busybox echo -e --rm -- x
	stdout_is "--rm -- x"
}

@test "run takes variables, a directory, a user, an entry point and a host name" {
	needs_boxes
	load_busybox
	works env FROM_HERE=yes "$builddir/cooper" run -e A=1 -e FROM_HERE busybox env
	stdout_has A=1
	stdout_has FROM_HERE=yes
	works prog run -w /tmp busybox pwd
	stdout_is /tmp
	works prog run -u 0:0 busybox id -u
	stdout_is 0
	works prog run --entrypoint /bin/echo busybox hi
	stdout_is hi
	works prog run --hostname box busybox hostname
	stdout_is box
}

@test "run passes stdin on, and only when asked" {
	needs_boxes
	load_busybox
	echo hello >input
	works bash -c "'$builddir/cooper' run -i busybox cat <input"
	stdout_is hello
	works bash -c "'$builddir/cooper' run busybox cat <input"
	stdout_is_empty
}

@test "what a program writes is thrown away, but for volumes" {
	needs_boxes
	load_busybox
	# root's box has other ids than root
	mkdir -m 777 shared
	works prog run -v "$PWD/shared:/shared" busybox sh -c 'echo kept >/shared/file; echo lost >/lost'
	same "$(cat shared/file)" kept
	fails 1 prog run busybox ls /lost
	fails 1 prog run -v "$PWD/shared:/shared:ro" busybox touch /shared/other
	store_is_clean
}

@test "without a network there is only the loopback" {
	needs_boxes
	load_busybox
	works prog run --network none busybox ls /sys/class/net
	works prog run --network none busybox sh -c 'cat /proc/net/dev | tail -n +3 | cut -d: -f1 | tr -d " "'
	stdout_is lo
}

@test "a box sees nothing of the host" {
	needs_boxes
	load_busybox
	works prog run busybox sh -c 'ls /proc/1/root/; cat /proc/1/cmdline'
	stdout_lacks "$T"
	works env SECRET_OF_HOST=x "$builddir/cooper" run busybox env
	stdout_lacks SECRET_OF_HOST
	works prog run busybox sh -c 'ls -l /proc/self/fd | wc -l'
}

@test "run takes what build printed" {
	needs_boxes
	load_busybox
	printf 'FROM busybox\nCMD ["echo", "built"]\n' >Dockerfile
	works prog run "$(prog build -q .)"
	stdout_is built
	works prog run "$(prog build --progress quiet .)"
	stdout_is built
}

@test "-t gives the program a terminal, and its output to the last" {
	needs_boxes
	load_busybox
	works prog run -t busybox sh -c '[ -t 0 ] && [ -t 1 ] && seq 1 20000'
	same "$(tr -d '\r' <"$T/stdout" | tail -n 1)" 20000
	same "$(wc -l <"$T/stdout")" 20000
	fails 3 prog run -t busybox sh -c 'exit 3'
}

@test "a program on a terminal ends when run is told to" {
	needs_boxes
	load_busybox
	for signal in TERM HUP; do
		env --default-signal=TERM,HUP "$builddir/cooper" run -t busybox sh -c "echo started; exec sleep $NAP" >"$T/stdout" 2>"$T/stderr" </dev/null 3>&- &
		pid=$!
		until grep -q started "$T/stdout"; do
			kill -0 "$pid" || explain "it ended too soon"
		done
		kill -$signal "$pid"
		status=0
		wait "$pid" || status=$?
		command="run -t, $signal"
		[ "$status" -gt 128 ] || same "$status" "more than 128"
		! is_napping || explain "a process is left"
	done
	store_is_clean
}
