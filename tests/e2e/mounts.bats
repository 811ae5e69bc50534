#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
load helpers

# RUN --mount, where a case of testdata/dockerfile/e2e is not enough

setup_base() {
	needs_boxes
	load_busybox
	mkdir ctx
}

dockerfile() {
	printf '%s\n' "$@" >ctx/Dockerfile
}

# agent_start: a stand-in for an ssh agent at $AGENT, which answers each text with "agent: <text>"
agent_start() {
	needs python3
	AGENT=$T/agent.sock
	mkfifo "$T/agent.fifo"
	python3 - "$AGENT" >"$T/agent.fifo" 2>/dev/null 3>&- <<-'END' &
		import socket, sys, threading
		s = socket.socket(socket.AF_UNIX)
		s.bind(sys.argv[1])
		s.listen()
		print("ready", flush=True)
		def answer(c):
		    while data := c.recv(256):
		        c.sendall(b"agent: " + data)
		while True:
		    threading.Thread(target=answer, args=(s.accept()[0],), daemon=True).start()
	END
	AGENT_PID=$!
	read -r -t 20 _ <"$T/agent.fifo"
}

teardown() {
	[ -z "$AGENT_PID" ] || kill "$AGENT_PID" 2>/dev/null
	e2e_teardown
}

@test "an ssh mount is the caller's agent, for root and for others" {
	setup_base
	agent_start
	cp "$builddir/tests/e2e/askagent" ctx/
	dockerfile "FROM busybox" "COPY askagent /bin/" \
		"RUN --mount=type=ssh echo \$SSH_AUTH_SOCK; askagent one" \
		"RUN --mount=type=ssh,id=other,target=/agent,mode=0666 SSH_AUTH_SOCK=/agent askagent two" \
		"USER 1000:1000" \
		"RUN --mount=type=ssh,uid=1000,gid=1000 askagent three"
	SSH_AUTH_SOCK=$AGENT works prog build --progress plain --ssh default --ssh "other=$AGENT" -o type=tar,dest=f.tar ctx
	stderr_has "/run/buildkit/ssh_agent.0"
	stderr_has "agent: one"
	stderr_has "agent: two"
	stderr_has "agent: three"
	[ "$(tar tf f.tar | grep -c -e agent -e '^run')" -eq 1 ]
	# what passed it on is gone
	timeout 20 sh -c 'while pgrep -f "cooper build .*--ssh other=$1"; do sleep 0.1; done' wait "$AGENT"
}

@test "an ssh mount without an agent sets the variable, and fails when it is required" {
	setup_base
	dockerfile "FROM busybox" "RUN --mount=type=ssh [ \"\$SSH_AUTH_SOCK\" = /run/buildkit/ssh_agent.0 ] && [ ! -e \$SSH_AUTH_SOCK ]"
	works prog build ctx
	dockerfile "FROM busybox" "RUN --mount=type=ssh,required true"
	fails 4 prog build ctx
	stderr_has "ssh agent default is required: give it with --ssh default"
	dockerfile "FROM busybox" "RUN --mount=type=ssh true"
	fails 4 env -u SSH_AUTH_SOCK "$builddir/cooper" build --ssh default ctx
	stderr_has "SSH_AUTH_SOCK is not set"
}

@test "keys given to --ssh are in an agent for as long as the build" {
	setup_base
	needs ssh-agent
	for key in one two three; do
		ssh-keygen -q -t ed25519 -N '' -C "comment-$key" -f $key
	done
	ssh-keygen -q -t ed25519 -N phrase -f locked
	echo none >wrong
	chmod 600 wrong
	cp three open
	chmod 644 open
	cp "$builddir/tests/e2e/askagent" ctx/
	dockerfile "FROM busybox" "COPY askagent /bin/" "RUN --mount=type=ssh askagent" \
		"RUN --mount=type=ssh,id=more askagent | sed s/^/more/"
	works prog build --progress plain --ssh default=one,two --ssh more=three ctx
	grep -q '^#[0-9]* [0-9.]* [^m].*comment-one.*comment-two' "$T/stderr"
	grep -q 'more.*comment-three' "$T/stderr"
	same "$(ls -A "$T/tmp")" ""
	fails 3 prog build --ssh default=locked ctx
	stderr_has "--ssh default: 'locked' needs a passphrase"
	fails 3 prog build --ssh default=one,wrong ctx
	stderr_has "'wrong': Error loading key"
	fails 3 prog build --ssh default=open ctx
	stderr_has "'open': Permissions 0644"
	fails 4 prog build --ssh default=nokey,one ctx
	stderr_has "'nokey': No such file"
	mkdir programs
	ln -s "$(command -v true)" programs/ssh-add
	PATH=$PWD/programs fails 4 "$builddir/cooper" build --ssh default=one ctx
	stderr_has "ssh-agent is not installed"
	same "$(ls -A "$T/tmp")" ""
	# killed, it leaves none either
	dockerfile "FROM busybox" "RUN --mount=type=ssh echo here; sleep 100"
	"$builddir/cooper" build --progress plain --ssh default=one ctx 2>"$T/log" 3>&- &
	timeout 20 sh -c 'until grep -q " here$" "$1"; do sleep 0.1; done' wait "$T/log"
	kill -9 $!
	timeout 20 sh -c 'while ls "$1" | grep -q ssh; do sleep 0.1; done' wait "$T/tmp"
}

@test "a secret is a file or a variable, and stays nowhere" {
	setup_base
	echo -n hush4711 >secret
	dockerfile "FROM busybox" \
		"RUN --mount=type=secret,id=s stat -c '%a %u %s' /run/secrets/s; rev /run/secrets/s" \
		"RUN --mount=type=secret,id=s,target=/etc/deep/s,mode=0440,uid=5,gid=6 stat -c '%a %u:%g' /etc/deep/s" \
		"RUN --mount=type=secret,id=v,env=V echo \"\$V\" | rev; [ ! -e /run/secrets/v ]"
	VAR=loud4711 works prog build --progress plain --secret id=s,src=secret --secret id=v,env=VAR -o type=oci,dest=o.tar \
		-o type=tar,dest=f.tar ctx
	stderr_has "400 0 8"
	stderr_has "440 5:6"
	stderr_has "1174hsuh"
	stderr_has "1174duol"
	tar tf f.tar >files
	! grep -q -e secrets -e deep files || false
	! grep -r -a -q -e hush4711 -e loud4711 "$T/stderr" o.tar f.tar "$COOPER_ROOT" || false
}

@test "a secret that changes does not run the step again" {
	setup_base
	echo one >secret
	dockerfile "FROM busybox" "RUN --mount=type=secret,id=s cat /run/secrets/s >/dev/null"
	works prog build --secret id=s,src=secret ctx
	first=$(cat "$T/stdout")
	echo two >secret
	works prog build --progress plain --secret id=s,src=secret ctx
	stderr_has CACHED
	stdout_is "$first"
}

@test "a locked cache is for one at a time, private ones are for one each" {
	setup_base
	dockerfile "FROM busybox AS a" \
		"RUN --mount=type=cache,target=/c,sharing=locked mkdir /c/held && sleep 0.5 && rmdir /c/held && touch /a" \
		"RUN --mount=type=cache,target=/p,sharing=private mkdir /p/held && sleep 0.5 && rmdir /p/held && touch /a2" \
		"FROM busybox AS b" \
		"RUN --mount=type=cache,target=/c,sharing=locked mkdir /c/held && sleep 0.5 && rmdir /c/held && touch /b" \
		"RUN --mount=type=cache,target=/p,sharing=private mkdir /p/held && sleep 0.5 && rmdir /p/held && touch /b2" \
		"FROM scratch" "COPY --from=a /a2 /" "COPY --from=b /b2 /"
	works prog build -j 2 ctx
}

@test "a bind of a context that changed runs the step again, other files do not" {
	setup_base
	echo 1 >ctx/used
	echo 1 >ctx/unused
	dockerfile "FROM busybox" "RUN --mount=source=used,target=/u cat /u >/out"
	works prog build ctx
	echo 2 >ctx/unused
	works prog build --progress plain ctx
	stderr_has CACHED
	echo 2 >ctx/used
	works prog build --progress plain ctx
	stderr_lacks CACHED
}

@test "mistakes in mounts are told as BuildKit does" {
	mkdir ctx
	while IFS='|' read -r mount text; do
		dockerfile "FROM scratch" "RUN --mount=$mount true"
		fails 3 prog build ctx
		stderr_has "$text"
	done <<-'END'
		type=nothing,target=/x|unsupported mount type "nothing"
		type=bind,target=/|invalid mount target "/"
		type=bind,target=/x,mode=0700|mode not allowed for "bind" type mounts
		type=cache,target=/x,sharing=mine|unsupported sharing value "mine"
		type=bind,from=$X,target=/x|'from' doesn't support variable expansion, define alias stage instead
		type=bind,target=/x,foo=bar|unexpected key 'foo' in 'foo=bar'
	END
}
