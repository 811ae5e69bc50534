#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# memory.sh [MEBIBYTES [FILES...]]: the peak memory of the largest process of each command, for an image with one layer of
# that size (1024), and with layers of so many files (50,000, 100,000 and 300,000).  Nothing may need more than 64 MiB,
# whatever the image.  By `make bench`, or by hand: builddir=_build tests/bench/memory.sh
# Needs GNU time, docker-registry, umoci, and on the disk of TMPDIR three times the size and 8 KiB for each file.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
builddir=$(cd "${builddir:-$root/_build}" && pwd)
size=${1:-1024}
[ $# -eq 0 ] || shift
[ $# -gt 0 ] || set -- 50000 100000 300000
limit=65536
work=$(mktemp -d "${TMPDIR:-/var/tmp}/cooper-memory-XXXXXX") || exit 1
export COOPER_ROOT="$work/store" HOME="$work" TMPDIR="$work"
registry=
worst=0

empty() { # STORE
	"$builddir/cooper" --root "$work/$1" rmi --all >/dev/null 2>&1
	"$builddir/cooper" --root "$work/$1" prune --all >/dev/null 2>&1
}

clean() {
	[ -z "$registry" ] || kill "$registry"
	empty store
	empty other
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
empty other
measure "save, docker" save -o "$work/saved.tar" "$image"
rm "$work/saved.tar"
measure "pull" --root "$work/other" pull "$image"
measure "run, which unpacks it" --root "$work/other" run --network none "$image" true
measure "check" --root "$work/other" check
printf 'FROM %s\n' "$image" >"$work/ctx/Dockerfile"
measure "build -o type=tar" --root "$work/other" build -q -o type=tar,dest="$work/root.tar" "$work/ctx"
measure "import" --root "$work/other" import -q "$work/root.tar" imported
rm "$work/root.tar"

many() { # FILES
	printf '%s files:\n' "$1"
	image=127.0.0.1:$port/many:$1
	python3 -c '
import os, sys
for i in range(int(sys.argv[2]) // 1000):
	os.makedirs(f"{sys.argv[1]}/directory-{i:03}")
	for k in range(1000):
		with open(f"{sys.argv[1]}/directory-{i:03}/file-{k:04}.txt", "w") as f:
			f.write(f"{i} {k}\n")' "$work/ctx/m" "$1"
	printf 'FROM busybox\nCOPY m /m\n' >"$work/ctx/Dockerfile"
	measure "build, COPY of the context" build -q -t many "$work/ctx"
	measure "build, cached" build -q -t many "$work/ctx"
	printf 'FROM busybox AS many\nCOPY m /m\nRUN touch /m/new\n' >"$work/ctx/Dockerfile"
	measure "build, RUN on top" build -q -t many "$work/ctx"
	printf 'FROM busybox\nCOPY --from=many /m /n\n' >>"$work/ctx/Dockerfile"
	measure "build, COPY --from of them" build -q -t "$image" "$work/ctx"
	measure "build -o type=tar" build -q -o type=tar,dest="$work/root.tar" "$work/ctx"
	measure "build -o type=oci" build -q -o type=oci,dest="$work/saved.tar" "$work/ctx"
	measure "build -o type=local" build -q -o type=local,dest="$work/root" "$work/ctx"
	measure "run" run --network none "$image" true
	measure "push" push "$image"
	measure "save, docker" save -o "$work/saved.tar" "$image"
	measure "load" --root "$work/other" load -i "$work/saved.tar"
	empty other
	measure "pull" --root "$work/other" pull "$image"
	printf 'FROM %s\nRUN touch /n/new\n' "$image" >"$work/ctx/Dockerfile"
	measure "build, RUN on what was pulled" --root "$work/other" build -q -t many "$work/ctx"
	empty other
	rm -rf "$work/ctx/m" "$work/root" "$work/root.tar" "$work/saved.tar"
}
for files; do
	many "$files"
done
printf 'largest: %d KiB of %d\n' "$worst" $limit
[ "$worst" -le $limit ]
