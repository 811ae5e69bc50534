#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# memory.sh [MEBIBYTES [FILES]]: the peak memory of the largest process of each command, for an image with one layer of
# that size (1024), and with one of so many files (50,000).  Nothing may need more than 64 MiB, whatever the image.  By
# hand: builddir=_build tests/bench/memory.sh
# Needs GNU time, docker-registry, umoci and three times the size on the disk of TMPDIR.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
builddir=$(cd "${builddir:-$root/_build}" && pwd)
size=${1:-1024}
files=${2:-50000}
limit=65536
work=$(mktemp -d "${TMPDIR:-/var/tmp}/cooper-memory-XXXXXX") || exit 1
export COOPER_ROOT="$work/store" HOME="$work" TMPDIR="$work"
registry=
worst=0

clean() {
	[ -z "$registry" ] || kill "$registry"
	for store in store other; do
		"$builddir/cooper" --root "$work/$store" rmi --all >/dev/null 2>&1
		"$builddir/cooper" --root "$work/$store" prune --all >/dev/null 2>&1
	done
	rm -rf "$work"
}
trap clean EXIT
trap 'exit 130' INT TERM

measure() { # TITLE COOPER-ARGUMENT...
	title=$1
	shift
	env time -q -o "$work/peak" -f '%M %e' "$builddir/cooper" "$@" >"$work/out" 2>&1 || {
		echo "$title failed:"
		tail -n 5 "$work/out"
		exit 1
	}
	read -r peak seconds <"$work/peak"
	[ "$peak" -le $worst ] || worst=$peak
	printf '%-34s %6.1f MiB  %7.1f s%s\n' "$title" "$(echo "$peak" | awk '{ print $1 / 1024 }')" "$seconds" \
		"$([ "$peak" -le $limit ] || echo '   too much')"
}

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
cat >"$work/registry.yml" <<END
version: 0.1
log: { level: error, accesslog: { disabled: true } }
storage: { filesystem: { rootdirectory: $work/registry } }
http: { addr: "127.0.0.1:$port" }
END
docker-registry serve "$work/registry.yml" >"$work/registry.log" 2>&1 &
registry=$!
until curl -fs "http://127.0.0.1:$port/v2/" >/dev/null; do sleep 0.1; done

"$builddir/cooper" load -q -i "$("$root/tests/e2e/base-images" "$builddir/base-images" busybox)" >/dev/null &&
	"$builddir/cooper" tag "$("$builddir/cooper" images -q)" busybox || exit 1
# half of it cannot be compressed
mkdir "$work/ctx"
{
	head -c $((size / 2))m /dev/urandom
	yes "a line that compresses well" | head -c $((size / 2))m
} >"$work/ctx/big"
image=127.0.0.1:$port/big:1
printf 'FROM busybox\nCOPY big /big\n' >"$work/ctx/Dockerfile"
measure "build, COPY" build -q -t copied "$work/ctx"
printf 'FROM busybox\nCOPY big /big\nRUN true\n' >"$work/ctx/Dockerfile"
measure "build, RUN on top of it" build -q -t onto "$work/ctx"
printf 'FROM busybox\nRUN --mount=target=/c { cat /c/big; echo; } >/big\n' >"$work/ctx/Dockerfile"
measure "build, RUN that writes it" build -q -t "$image" "$work/ctx"
measure "build, cached" build -q -t "$image" "$work/ctx"
rm "$work/ctx/big"
measure "push" push "$image"
measure "save, oci" save --format oci -o "$work/saved.tar" "$image"
measure "load" --root "$work/other" load -i "$work/saved.tar"
"$builddir/cooper" --root "$work/other" rmi --all >/dev/null 2>&1
"$builddir/cooper" --root "$work/other" prune --all >/dev/null 2>&1
measure "save, docker" save -o "$work/saved.tar" "$image"
rm "$work/saved.tar"
measure "pull" --root "$work/other" pull "$image"
measure "run, which unpacks it" --root "$work/other" run --network none "$image" true
measure "check" --root "$work/other" check
printf 'FROM %s\n' "$image" >"$work/ctx/Dockerfile"
measure "build -o type=tar" --root "$work/other" build -q -o type=tar,dest="$work/root.tar" "$work/ctx"
measure "import" --root "$work/other" import -q "$work/root.tar" imported
cat >"$work/ctx/Dockerfile" <<END
FROM busybox AS many
RUN mkdir /m && cd /m && for i in \$(seq 1 $((files / 1000))); do mkdir \$i; for j in \$(seq 1 1000); do : >\$i/\$j; done; done
FROM busybox
COPY --from=many /m /n
END
measure "build, RUN that makes $files files" build -q -t many --target many "$work/ctx"
measure "build, COPY --from of them" build -q -t many2 "$work/ctx"
measure "build -o type=tar of them" build -q -o type=tar,dest="$work/root.tar" "$work/ctx"
measure "run" run --network none many2 true
measure "save, docker" save -o "$work/saved.tar" many2
measure "load" --root "$work/other" load -i "$work/saved.tar"
printf 'largest: %d KiB of %d\n' "$worst" $limit
[ "$worst" -le $limit ]
