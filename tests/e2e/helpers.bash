# SPDX-License-Identifier: Apache-2.0
# helpers - the words of an end-to-end test.
#
#	works prog images             runs it; status 0, or the test fails and shows everything
#	fails 4 prog inspect x        runs it; this status
#	stdout_is TEXT ...            compares what the last works or fails printed
#
# Each test has a directory of its own, $T, with a store, a home and nothing else, and leaves nothing.
# Run by make, or by hand: builddir=$PWD/_build bats tests/e2e/store.bats

: "${builddir:=$BATS_TEST_DIRNAME/../../_build}"
: "${srcdir:=$BATS_TEST_DIRNAME/../..}"
E2E=$BATS_TEST_DIRNAME

setup() {
	T=$(mktemp -d "${TMPDIR:-/tmp}/cooper-e2e-XXXXXX")
	export COOPER_ROOT=$T/store HOME=$T/home TZ=UTC LC_ALL=C SOURCE_DATE_EPOCH=1700000000
	export TMPDIR=$T/tmp
	NAP=87$$
	unset XDG_DATA_HOME XDG_CONFIG_HOME XDG_RUNTIME_DIR DOCKER_CONFIG REGISTRY_AUTH_FILE BUILDKIT_PROGRESS
	mkdir "$T/home" "$T/tmp" "$T/work"
	cd "$T/work" || return 1
}

e2e_teardown() {
	cd / || return 1
	! declare -F consumers_end >/dev/null || consumers_end
	[ -z "${FAKE_PID:-}" ] || kill "$FAKE_PID" 2>/dev/null
	registry_stop
	# trees may belong to ids that only a user namespace may remove
	if [ -d "$T/store" ]; then
		prog rmi --all >/dev/null 2>&1
		prog prune --all >/dev/null 2>&1
	fi
	chmod -R u+rwX "$T" 2>/dev/null
	rm -rf "$T"
}

# a file with more to end has a teardown of its own, which calls e2e_teardown
teardown() {
	e2e_teardown
}

prog() {
	"$builddir/cooper" "$@"
}

# run_kept CMD...: what it prints goes to $T/stdout and $T/stderr, its status to $status
run_kept() {
	command="$*"
	status=0
	"$@" >"$T/stdout" 2>"$T/stderr" 3>&- || status=$?
}

explain() {
	{
		echo "command: $command"
		echo "status: $status"
		echo "$1"
		sed 's/^/stdout: /' "$T/stdout"
		sed 's/^/stderr: /' "$T/stderr"
	} >&2
	return 1
}

works() {
	run_kept "$@"
	[ "$status" -eq 0 ] || explain "wanted: 0"
}

fails() {
	local wanted=$1

	shift
	run_kept "$@"
	[ "$status" -eq "$wanted" ] || explain "wanted: $wanted"
}

# same_text FILE TEXT
same_text() {
	local difference

	difference=$(printf '%s\n' "$2" | diff -u --label wanted --label got - "$1") || explain "$difference"
}

stdout_is() {
	same_text "$T/stdout" "$1"
}

stderr_is() {
	same_text "$T/stderr" "$1"
}

stdout_is_empty() {
	[ ! -s "$T/stdout" ] || explain "wanted: nothing on stdout"
}

stderr_is_empty() {
	[ ! -s "$T/stderr" ] || explain "wanted: nothing on stderr"
}

# stdout_has TEXT: anywhere
stdout_has() {
	grep -qF -e "$1" "$T/stdout" || explain "wanted on stdout: $1"
}

stderr_has() {
	grep -qF -e "$1" "$T/stderr" || explain "wanted on stderr: $1"
}

stdout_lacks() {
	! grep -qF -e "$1" "$T/stdout" || explain "unwanted on stdout: $1"
}

stderr_lacks() {
	! grep -qF -e "$1" "$T/stderr" || explain "unwanted on stderr: $1"
}

is_file() {
	[ -f "$1" ] || explain "wanted: a file $1"
}

is_missing() {
	[ ! -e "$1" ] || explain "wanted: no $1"
}

# same WORD WORD
same() {
	[ "$1" = "$2" ] || explain "got: $1
wanted: $2"
}

# differ WORD WORD
differ() {
	[ "$1" != "$2" ] || explain "unwanted: $1"
}

# needs PROGRAM...: skips aloud without them
needs() {
	local program

	for program in "$@"; do
		command -v "$program" >/dev/null || skip "$program is not installed"
	done
}

# is_napping: a program of this test sleeps for $NAP seconds, which is what no other test's does
is_napping() {
	pgrep -f "^sleep $NAP\$" >/dev/null
}

needs_root() {
	[ "$(id -u)" -eq 0 ] || skip "this needs root"
}

# needs_boxes: a RUN must be possible here
needs_boxes() {
	! prog doctor --format json 2>/dev/null | grep -q '"isolation": "none"' ||
		skip "no isolation for RUN here: $(prog doctor 2>&1 | grep -m1 ' no ')"
}

# base NAME: an OCI layout made once for all tests; its path
base() {
	"$E2E/base-images" "$builddir/base-images" "$1"
}

# load_busybox: the store has busybox:latest
load_busybox() {
	local layout

	needs busybox umoci
	layout=$(base busybox)
	works prog load -i "$layout"
	works prog tag "$(prog images -q | head -n 1)" busybox
}

store_is_clean() {
	works prog check
}

# registry_start [auth]: docker-registry on a free port of the loopback; its address is $REGISTRY.  With auth it
# lets only user "robot" in, whose password is "sesame".
registry_start() {
	local line

	needs docker-registry
	mkdir "$T/registry"
	cat >"$T/registry.yml" <<-EOF
		version: 0.1
		log: { level: info, accesslog: { disabled: true } }
		storage: { filesystem: { rootdirectory: $T/registry }, delete: { enabled: true } }
		http: { addr: "127.0.0.1:0" }
	EOF
	if [ "${1:-}" = auth ]; then
		echo 'robot:$2b$05$abcdefghijklmnopqrstuuKcS.CYWVYVaLiiCKrrc0A5s3mGesJ9O' >"$T/htpasswd"
		echo "auth: { htpasswd: { realm: test, path: $T/htpasswd } }" >>"$T/registry.yml"
	fi
	mkfifo "$T/registry.fifo"
	OTEL_TRACES_EXPORTER=none docker-registry serve "$T/registry.yml" >"$T/registry.fifo" 2>&1 3>&- &
	REGISTRY_PID=$!
	exec 9<"$T/registry.fifo"
	while IFS= read -r -t 20 line <&9; do
		case $line in
		*"listening on "*)
			REGISTRY=127.0.0.1:$(sed 's/.*listening on [^"]*:\([0-9]*\).*/\1/' <<<"$line")
			break
			;;
		esac
	done
	cat <&9 >"$T/registry.log" 3>&- &
	exec 9<&-
	[ -n "$REGISTRY" ]
}

registry_stop() {
	[ -n "$REGISTRY_PID" ] || return 0
	kill "$REGISTRY_PID" 2>/dev/null
	wait "$REGISTRY_PID" 2>/dev/null
	REGISTRY_PID=
	return 0
}

# registry_mark: a request that registry_requests finds again; all that was answered before it is logged before it
registry_mark() {
	REGISTRY_MARK=$((${REGISTRY_MARK:-0} + 1))
	exec 8<>"/dev/tcp/${REGISTRY/://}"
	printf 'GET /v2/mark-%d/tags/list HTTP/1.0\r\n\r\n' "$REGISTRY_MARK" >&8
	cat <&8 >/dev/null
	exec 8<&-
	timeout 60 sh -c 'until grep -q "$1" "$2"; do sleep 0.05; done' wait \
		"/v2/mark-$REGISTRY_MARK/" "$T/registry.log"
}

# registry_requests: "METHOD uri" of each request since the last mark
registry_requests() {
	local from=$REGISTRY_MARK

	registry_mark
	sed -n "\\,/v2/mark-$from/,"',$s/.* http.request.method=\([A-Z]*\) .* http.request.uri="\{0,1\}\([^ "]*\).*/\1 \2/p' \
		"$T/registry.log" | grep -v "/v2/mark-"
}
