#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# build_kill.sh [ROUNDS]: kill -9 at random moments of a build of several stages, of the coordinator alone or of its
# whole group.  After each: nothing of it runs or is mounted, and the store is clean.  Every few the build is let through, and
# gives what it gave undisturbed.  Then six builds at once, while another process prunes.  SEED chooses the moments.
root=${srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
# shellcheck source=tests/lint/tap.sh
. "$root/tests/lint/tap.sh"

builddir=$(cd "${builddir:-$root/_build}" && pwd)
cooper=$builddir/cooper
rounds=${1:-50}
seed=${SEED:-$(date +%s)}
export COOPER_ROOT="$scratch/store" HOME="$scratch" SOURCE_DATE_EPOCH=1700000000 LC_ALL=C TMPDIR="$scratch/tmp"
unset XDG_DATA_HOME
mkdir "$TMPDIR" "$scratch/ctx"

skip_all() {
	echo "1..0 # SKIP $*"
	exit 0
}
for program in busybox umoci setsid python3; do
	command -v $program >/dev/null || skip_all "$program is not installed"
done
! "$cooper" doctor --format json 2>/dev/null | grep -q '"isolation": "none"' || skip_all "no isolation for RUN here"

finish() {
	"$cooper" rmi --all >/dev/null 2>&1
	"$cooper" prune --all >/dev/null 2>&1
	chmod -R u+rwX "$scratch" 2>/dev/null
	rm -rf "$scratch"
}
trap finish EXIT

layout=$("$root/tests/e2e/base-images" "$builddir/base-images" busybox) || exit 1
"$cooper" load -q -i "$layout" >/dev/null && "$cooper" tag "$("$cooper" images -q)" busybox || exit 1

seq 1 20000 >"$scratch/ctx/numbers"
cat >"$scratch/ctx/Dockerfile" <<'END'
FROM busybox AS a
ARG ROUND
COPY numbers /numbers
RUN : $ROUND; sort -r /numbers >/sorted
FROM busybox AS b
ARG ROUND
RUN : $ROUND; mkdir -p /many && cd /many && for i in $(seq 1 50); do echo $i >$i; done; chown -R 33:44 .
FROM busybox
ARG ROUND
COPY --from=a /sorted /
COPY --from=b /many /many
RUN : $ROUND; rm -r /many/1* && ln /sorted /linked
END

build() { # ROUND NAME
	"$cooper" build -q -t "$2" --build-arg ROUND="$1" "$scratch/ctx"
}

content() { # NAME: of all that it has, without times
	"$cooper" run --network none "$1" sh -c 'cd / && find sorted linked many -exec stat -c "%n %a %u:%g %F" {} + | sort; cat sorted many/* | sha256sum'
}

ours() { # what runs with our store
	for pid in $(pgrep -x cooper) $(pgrep -x busybox); do
		tr '\0' '\n' 2>/dev/null <"/proc/$pid/environ" | grep -qx "COOPER_ROOT=$COOPER_ROOT" && echo "$pid"
	done
	# a RUN has an environment of its own, but its root is in our store
	grep -l "$COOPER_ROOT/" /proc/[0-9]*/mountinfo 2>/dev/null
}

left_nothing() {
	n=0
	while [ -n "$(ours)" ] && [ $n -lt 100 ]; do
		n=$((n + 1))
		sleep 0.1
	done
	[ -z "$(ours)" ] || {
		echo "# still there: $(ours | tr '\n' ' ')"
		return 1
	}
	! grep -q "$scratch" /proc/self/mountinfo && [ -z "$(ls -A "$TMPDIR")" ]
}

is_clean() {
	"$cooper" check >"$scratch/check" 2>&1 && grep -q " 0 problems" "$scratch/check" || {
		sed 's/^/# /' "$scratch/check"
		return 1
	}
}

# kill_at MICROSECONDS WHOM COMMAND...: group or coordinator; prints whether it was still running
kill_at() {
	python3 - "$@" <<-'END'
		import os, signal, subprocess, sys
		moment, whom, command = int(sys.argv[1]), sys.argv[2], sys.argv[3:]
		child = subprocess.Popen(command, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
		try:
		    child.wait(moment / 1e6)
		    print("ended")
		except subprocess.TimeoutExpired:
		    (os.killpg if whom == "group" else os.kill)(child.pid, signal.SIGKILL)
		    child.wait()
		    print("killed")
	END
}

echo "# SEED=$seed"
build undisturbed app >/dev/null
verdict $? "an undisturbed build"
content app >"$scratch/wanted"
# one that is not the first tells how long it takes, and so from where the moments are; when one is over too soon, they
# come sooner
begun=$(date +%s%N)
build timed app >/dev/null
span=$((($(date +%s%N) - begun) / 1000))
moments() {
	python3 -c "
import random
random.seed($seed)
for _ in range($rounds * 20): print(random.random())"
}
killed=0
round=0
moments >"$scratch/moments"
while read -r share && [ $killed -lt "$rounds" ]; do
	round=$((round + 1))
	moment=$(echo "$share $span" | awk '{ printf "%d", 1000 + $1 * $2 }')
	whom=$([ $((killed % 2)) -eq 0 ] && echo group || echo coordinator)
	if [ "$(kill_at "$moment" "$whom" "$cooper" build -q -t app --build-arg ROUND=$round "$scratch/ctx")" != killed ]; then
		span=$((span * 9 / 10))
		continue
	fi
	killed=$((killed + 1))
	left_nothing && is_clean
	verdict $? "the $whom killed after $moment us: nothing is left, and the store is clean"
	[ $((killed % 10)) -eq 0 ] || continue
	build $round app >/dev/null && content app >"$scratch/got" && cmp -s "$scratch/wanted" "$scratch/got"
	verdict $? "the same build again gives the same content"
done <"$scratch/moments"
[ $killed -eq "$rounds" ]
verdict $? "$rounds killings"

for n in 1 2 3 4 5 6; do
	(build crowd$((n % 3)) "crowd:$n" >"$scratch/out.$n" 2>&1; echo $? >"$scratch/status.$n") &
done
while ! ls "$scratch"/status.1 "$scratch"/status.2 "$scratch"/status.3 "$scratch"/status.4 "$scratch"/status.5 \
	"$scratch"/status.6 >/dev/null 2>&1; do
	"$cooper" prune --all >"$scratch/prune" 2>&1 || echo failed >>"$scratch/prune.failed"
done
wait
for n in 1 2 3 4 5 6; do
	[ "$(cat "$scratch/status.$n")" -eq 0 ] && content "crowd:$n" >"$scratch/got" && cmp -s "$scratch/wanted" "$scratch/got"
	status=$?
	[ $status -eq 0 ] || sed 's/^/# /' "$scratch/out.$n"
	verdict $status "build $n of six, while another process prunes"
done
[ ! -e "$scratch/prune.failed" ] || sed 's/^/# /' "$scratch/prune"
[ ! -e "$scratch/prune.failed" ]
verdict $? "no prune failed"
left_nothing && is_clean
verdict $? "nothing is left, and the store is clean"
done_testing
