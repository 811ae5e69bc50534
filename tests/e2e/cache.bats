#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What is taken from the cache and what is not, told by events and by the store's files, never by a clock.
load helpers

# build ARGUMENT...: $T/steps has "ran STEP" or "cached STEP" for each
build() {
	works prog build --progress json "$@"
	image=$(cat "$T/stdout")
	jq -rs 'map(select(.event == "start" and (.name | test("^\\[(?!internal)")))) as $steps
		| map(select(.event == "done" or .event == "cached")) as $ends
		| $steps[] | . as $s | $ends[] | select(.id == $s.id)
		| (if .event == "done" then "ran " else "cached " end) + ($s.name | sub("^[^\\]]*\\] "; ""))' \
		"$T/stderr" >"$T/steps"
}

# steps_are [LINE]...: in any order, because some run at the same time
steps_are() {
	sort "$T/steps" >"$T/stdout"
	stdout_is "$(printf '%s\n' "$@" | sort)"
}

ran_nothing() {
	command="steps"
	! grep "^ran" "$T/steps" >"$T/stdout" || explain "wanted: nothing ran"
}

# store_files: what a build could have written, and when
store_files() {
	find "$T/store/blobs" "$T/store/trees" "$T/store/listings" "$T/store/index.json" \
		-printf '%P %i %s %T@ %C@\n' 2>/dev/null | sort
}

# needs what every test here needs; ctx with two files, and a Dockerfile from stdin
context() {
	needs jq
	mkdir -p ctx
	echo one >ctx/one
	echo two >ctx/two
	chmod 644 ctx/one ctx/two
	cat >ctx/Dockerfile
}

@test "building again does no work and writes nothing" {
	needs_boxes
	load_busybox
	context <<-'EOF'
		FROM busybox AS make
		COPY one /
		RUN cat /one >/made
		FROM busybox
		WORKDIR /app
		COPY --from=make /made .
		RUN echo done >/done
		LABEL a=b
	EOF
	build -t app ctx
	first=$image
	steps_are "ran COPY one /" "ran RUN cat /one >/made" "ran WORKDIR /app" "ran COPY --from=make /made ." \
		"ran RUN echo done >/done"
	store_files >"$T/before"
	build -t app ctx
	same "$image" "$first"
	ran_nothing
	store_files >"$T/after"
	works diff "$T/before" "$T/after"
	same "$(wc -l <"$T/steps")" 5
}

@test "touch does not miss; content, mode and name do" {
	context <<-'EOF'
		FROM scratch
		COPY one two /
	EOF
	build ctx
	steps_are "ran COPY one two /"
	first=$image
	touch -d 2001-01-01 ctx/one
	build ctx
	steps_are "cached COPY one two /"
	same "$image" "$first"
	echo other >ctx/unrelated
	build ctx
	steps_are "cached COPY one two /"
	# another inode with the same bytes
	cp ctx/one ctx/copy
	mv ctx/copy ctx/one
	build ctx
	steps_are "cached COPY one two /"
	chmod 755 ctx/one
	build ctx
	steps_are "ran COPY one two /"
	differ "$image" "$first"
	chmod 644 ctx/one
	build ctx
	steps_are "cached COPY one two /"
	same "$image" "$first"
	# the same size and the same time
	touch -r ctx/two "$T/time"
	echo TWO >ctx/two
	touch -r "$T/time" ctx/two
	build ctx
	steps_are "ran COPY one two /"
	differ "$image" "$first"
}

@test "an ARG counts from its line on, and only where it is declared" {
	needs_boxes
	load_busybox
	context <<-'EOF'
		FROM busybox AS other
		RUN echo other >/other
		FROM busybox
		RUN echo before >/before
		ARG WHO=nobody
		COPY --from=other /other /
		RUN echo $WHO >/who
	EOF
	build ctx
	first=$image
	build --build-arg WHO=me ctx
	steps_are "cached RUN echo other >/other" "cached RUN echo before >/before" "cached COPY --from=other /other /" \
		'ran RUN echo $WHO >/who'
	differ "$image" "$first"
	build --build-arg WHO=nobody ctx
	ran_nothing
	same "$image" "$first"
}

@test "ENV, WORKDIR, USER and SHELL change the RUN that follows" {
	needs_boxes
	load_busybox
	for line in "ENV A=1" "ENV A=2" "WORKDIR /tmp" "USER nobody" 'SHELL ["/bin/busybox", "sh", "-c"]'; do
		context <<-EOF
			FROM busybox
			RUN echo first >/first
			$line
			RUN true
		EOF
		build ctx
		works grep -Fx "ran RUN true" "$T/steps"
		build ctx
		works grep -Fx "cached RUN true" "$T/steps"
		works grep -Fx "cached RUN echo first >/first" "$T/steps"
	done
	# what changes only the configuration changes no step
	for line in "LABEL a=b" "CMD true" "EXPOSE 80" "STOPSIGNAL TERM" "MAINTAINER me"; do
		context <<-EOF
			FROM busybox
			RUN echo first >/first
			$line
			RUN echo second >/second
		EOF
		build ctx
		[ "$line" = "LABEL a=b" ] || ran_nothing
	done
}

@test "stages that the target does not need do not run" {
	needs_boxes
	load_busybox
	context <<-'EOF'
		FROM busybox AS unused
		RUN exit 1
		FROM unknown.invalid/none:1 AS unreachable
		RUN exit 1
		FROM busybox AS wanted
		RUN echo wanted >/wanted
		FROM unused
		COPY --from=wanted /wanted /
	EOF
	build --target wanted ctx
	steps_are "ran RUN echo wanted >/wanted"
}

@test "--no-cache runs all, --no-cache-filter the steps of a stage" {
	needs_boxes
	load_busybox
	context <<-'EOF'
		FROM busybox AS make
		RUN echo made >/made
		FROM busybox
		COPY --from=make /made /
		RUN echo done >/done
	EOF
	build ctx
	first=$image
	build --no-cache ctx
	steps_are "ran RUN echo made >/made" "ran COPY --from=make /made /" "ran RUN echo done >/done"
	build ctx
	ran_nothing
	first=$image
	build --no-cache-filter make ctx
	steps_are "ran RUN echo made >/made" "cached COPY --from=make /made /" "cached RUN echo done >/done"
	same "$image" "$first"
	build ctx
	ran_nothing
}

@test "what follows a step that changed the same files in the same way is cached" {
	needs_boxes
	load_busybox
	for say in "echo same" "printf 'same\\n'" "echo different"; do
		context <<-EOF
			FROM busybox
			RUN $say >/out
			RUN cat /out >/result
		EOF
		build ctx
		echo "$say: $(grep -c ^ran "$T/steps")"
	done >"$T/counts"
	same_text "$T/counts" "echo same: 2
printf 'same\n': 1
echo different: 2"
}

@test "a failed step is not remembered" {
	needs_boxes
	load_busybox
	context <<-'EOF'
		FROM busybox
		RUN echo fine >/fine
		RUN --mount=type=cache,target=/c if [ -e /c/again ]; then echo now >/now; else touch /c/again; exit 5; fi
	EOF
	fails 8 prog build ctx
	build ctx
	steps_are "cached RUN echo fine >/fine" \
		"ran RUN --mount=type=cache,target=/c if [ -e /c/again ]; then echo now >/now; else touch /c/again; exit 5; fi"
}

@test "--explain names the input that differs" {
	needs_boxes
	load_busybox
	context <<-'EOF'
		FROM busybox
		ARG WHO=nobody
		COPY one /
		RUN echo $WHO >/who
	EOF
	works prog build --progress plain --explain ctx
	works prog build --progress plain --explain ctx
	stderr_lacks "not cached"
	works prog build --progress plain --explain --build-arg WHO=me ctx
	stderr_has "not cached: "
	stderr_has "WHO=me"
	stderr_lacks "content of what is copied"
	echo changed >ctx/one
	works prog build --progress plain --explain ctx
	stderr_has "not cached: content of what is copied"
	sed -i 's/echo /printf %s /' ctx/Dockerfile
	works prog build --progress plain --explain ctx
	stderr_has "printf %s"
	works prog build --progress plain --explain --no-cache ctx
	stderr_has "--no-cache"
}

@test "a base that only metadata follows is not downloaded, but mounted where it is" {
	needs skopeo umoci busybox jq
	registry_start
	layout=$(base busybox)
	works skopeo copy -q --insecure-policy --dest-tls-verify=false "oci:$layout:latest" "docker://$REGISTRY/base/busybox:1"
	layer=$(skopeo inspect --raw "oci:$layout:latest" | jq -r '.layers[0].digest')
	context <<-EOF
		FROM $REGISTRY/base/busybox:1
		ENV A=B
		CMD ["echo", "hello"]
	EOF
	registry_mark
	build -t "$REGISTRY/app:1" --push ctx
	registry_requests >"$T/requests"
	fails 1 grep -E "^GET .*blobs/$layer" "$T/requests"
	fails 1 grep -E "^(PUT|PATCH) .*${layer#sha256:}" "$T/requests"
	works grep -E "^POST /v2/app/blobs/uploads/.*mount=" "$T/requests"
	is_missing "$T/store/blobs/sha256/${layer#sha256:}"
	works skopeo copy -q --insecure-policy --src-tls-verify=false "docker://$REGISTRY/app:1" oci:out:latest
	same "$(skopeo inspect --raw oci:out:latest | jq -r '.layers[0].digest')" "$layer"
	same "$(skopeo inspect --config oci:out:latest | jq -c .config.Cmd)" '["echo","hello"]'
	# again: not even that
	registry_mark
	build -t "$REGISTRY/app:1" --push ctx
	registry_requests >"$T/requests"
	fails 1 grep -E "^POST|^PATCH|^(PUT|GET) .*blobs/" "$T/requests"
	# when a step needs its files they come, and are what they were
	needs_boxes
	echo 'RUN echo needed >/needed' >>ctx/Dockerfile
	build -t "$REGISTRY/app:2" --push ctx
	is_file "$T/store/blobs/sha256/${layer#sha256:}"
	store_is_clean
}
