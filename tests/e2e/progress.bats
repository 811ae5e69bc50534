#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
load helpers

scene() {
	needs_boxes
	load_busybox
	# a line of 5000 letters, and many lines
	cat >Dockerfile <<-'EOF'
		FROM busybox
		RUN head -c 5000 /dev/zero | tr '\0' x; echo; seq 1 3000
	EOF
}

# on_terminal CMD...: on a terminal of 60 columns; what it shows goes to $T/screen
on_terminal() {
	needs script
	COMMAND=$(printf '%q ' "$@") works script -qec 'stty cols 60 rows 24; eval "$COMMAND"' "$T/screen"
}

@test "a terminal shows logs whole, and leaves the cursor where it belongs" {
	scene
	export TERM=xterm NO_COLOR=1
	on_terminal "$builddir/cooper" build -t app .
	tr -d '\r' <"$T/screen" >"$T/lines"
	works grep -E '^x{5000}$' "$T/lines"
	for n in 1 1500 3000; do
		works grep -x "$n" "$T/lines"
	done
	works grep -F " => [2/2] RUN head" "$T/lines"
}

@test "plain lines are numbered, and logs whole" {
	scene
	works prog build --progress plain -t app .
	cp "$T/stderr" "$T/shown"
	works grep -E '^#[0-9]+ \[2/2\] RUN head -c 5000' "$T/shown"
	works grep -E '^#[0-9]+ [0-9]+\.[0-9]{3} x{5000}$' "$T/shown"
	same "$(grep -cE '^#[0-9]+ [0-9]+\.[0-9]{3} [0-9]+$' "$T/shown")" 3000
	works grep -E '^#[0-9]+ DONE [0-9.]+s$' "$T/shown"
}

@test "json is one object a line" {
	needs python3
	scene
	works prog build --progress json -t app .
	cp "$T/stderr" "$T/shown"
	works python3 - "$T/shown" <<-'EOF'
		import json, sys
		text, names = "", set()
		for line in open(sys.argv[1]):
		    event = json.loads(line)
		    text += event.get("text", "") if event["event"] == "log" else ""
		    names.add(event.get("name"))
		assert text.startswith("x" * 5000 + "\n1\n2\n"), text[:20]
		assert text.endswith("\n3000\n")
		assert any(n and "RUN head" in n for n in names), names
	EOF
}

@test "quiet says nothing but the answer" {
	scene
	works prog build -q -t app .
	stderr_is_empty
	stdout_has "sha256:"
	BUILDKIT_PROGRESS=quiet works prog build --no-cache -t app .
	stderr_is_empty
}

@test "quiet shows what a step printed when it fails" {
	load_busybox
	printf 'FROM busybox\nRUN echo fi""ne\nRUN echo the reason; exit 3\n' >Dockerfile
	fails 8 prog build -q --no-cache .
	stderr_has "the reason"
	stderr_lacks "fine"
}
