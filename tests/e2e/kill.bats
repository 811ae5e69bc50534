#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
load helpers

# A build of all kinds of steps, of which nothing is cached twice.
scene() {
	mkdir -p ctx
	seq 1 20000 >ctx/numbers
	cat >ctx/Dockerfile <<-'EOF'
		FROM busybox AS a
		ARG ROUND
		COPY numbers /numbers
		RUN echo "$ROUND" >/round && sort -r /numbers >/sorted
		FROM busybox AS b
		ARG ROUND
		RUN mkdir -p /many && cd /many && for i in $(seq 1 50); do echo "$ROUND $i" >$i; done
		FROM busybox
		COPY --from=a /sorted /round /
		COPY --from=b /many /many
		RUN rm -r /many && cat /round
	EOF
}

@test "kill -9 at fifty moments of a build leaves a store that is clean and goes on" {
	needs_boxes
	load_busybox
	scene
	mkfifo "$T/never"
	# how long a whole one takes decides where the moments are
	begun=$(date +%s%N)
	works prog build -t app --build-arg ROUND=0 ctx
	span=$((($(date +%s%N) - begun) / 1000))
	seed=${SEED:-$(date +%s)}
	echo "# SEED=$seed, one build takes $span us" >&3
	RANDOM=$((seed % 32768))
	for round in $(seq 1 50); do
		moment=$(((RANDOM * 32768 + RANDOM) % (span + 1)))
		"$builddir/cooper" build -q -t app --build-arg ROUND="$round" ctx >/dev/null 2>"$T/stderr" 3>&- &
		pid=$!
		usleep_us "$moment"
		kill -9 "$pid" 2>/dev/null || :
		wait "$pid" 2>/dev/null || :
		if [ $((round % 10)) -eq 0 ]; then
			works prog check
			stdout_has " 0 problems"
		fi
	done
	works prog build -q -t app --build-arg ROUND=last ctx
	works prog run app cat /round
	stdout_is last
	store_is_clean
	# nothing of those that were killed is left running or mounted
	! pgrep -f "$builddir/cooper build -q -t app" >/dev/null || explain "a process is left"
	! grep -q "$T" /proc/self/mounts || explain "a mount is left"
}

usleep_us() {
	local seconds

	seconds=$(printf '%d.%06d' $(($1 / 1000000)) $(($1 % 1000000)))
	# the moment is what is tested: any will do
	read -r -t "$seconds" <>"$T/never" || :
}

@test "several builds share one store" {
	needs_boxes
	load_busybox
	scene
	pids=()
	for n in 1 2 3 4 5 6; do
		"$builddir/cooper" build -q -t "app:$n" --build-arg ROUND=$((n / 2)) ctx >"$T/out.$n" 2>"$T/err.$n" 3>&- &
		pids+=($!)
	done
	for n in 1 2 3 4 5 6; do
		wait "${pids[n - 1]}" || {
			command="build $n"
			status=$?
			cp "$T/out.$n" "$T/stdout"
			cp "$T/err.$n" "$T/stderr"
			explain "wanted: 0"
		}
	done
	works prog images -q
	store_is_clean
	# what is in use is not removed
	"$builddir/cooper" build -q -t app:7 --build-arg ROUND=7 ctx >"$T/stdout" 2>"$T/stderr" 3>&- &
	pid=$!
	while kill -0 "$pid" 2>/dev/null; do
		prog prune --all >/dev/null
	done
	status=0
	wait "$pid" || status=$?
	command="build while prune runs"
	[ "$status" -eq 0 ] || explain "wanted: 0"
	works prog run app:7 cat /round
	stdout_is 7
}
