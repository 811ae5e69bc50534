#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
load helpers

@test "a build without a context says what is missing" {
	fails 2 prog build
	stderr_is "cooper: build wants <context>; see 'cooper build --help'"
	stdout_is_empty
	fails 4 prog build nowhere
	stderr_has "nowhere"
}

@test "metadata and COPY need no isolation" {
	mkdir ctx
	echo hello >ctx/hello
	cat >ctx/Dockerfile <<-'EOF'
		FROM scratch
		COPY hello /greetings/
		ENV A=1 B=two
		LABEL key=value
		WORKDIR /greetings
		CMD ["/bin/true"]
	EOF
	works prog build -t app:1 ctx
	digest=$(cat "$T/stdout")
	works prog inspect -f '{{.Digest}} {{json .Config.Env}} {{.Config.WorkingDir}} {{json .Config.Labels}}' app:1
	stdout_has "$digest"
	stdout_has '"A=1"'
	stdout_has '"B=two"'
	stdout_has '/greetings {"key":"value"}'
	works prog build -o type=local,dest=out ctx
	same "$(cat out/greetings/hello)" hello
	store_is_clean
}

@test "the same inputs give the same image, in another store as well" {
	mkdir ctx
	echo hello >ctx/hello
	printf 'FROM scratch\nCOPY hello /\n' >ctx/Dockerfile
	works prog build ctx
	first=$(cat "$T/stdout")
	works prog --root "$T/store2" build ctx
	stdout_is "$first"
}

@test "two stages, RUN and COPY --from, cached the second time" {
	needs_boxes
	load_busybox
	mkdir ctx
	echo source >ctx/source
	cat >ctx/Dockerfile <<-'EOF'
		FROM busybox AS make
		ARG WHO=nobody
		COPY source /src/
		RUN tr a-z A-Z </src/source >/made && echo "for $WHO" >>/made
		FROM busybox AS unused
		RUN false
		FROM busybox
		COPY --from=make --chown=33:44 --chmod=640 /made /made
		RUN cat /made
	EOF
	works prog build -t app --build-arg WHO=me --progress plain ctx
	first=$(cat "$T/stdout")
	stderr_has " SOURCE"
	stderr_has " for me"
	stderr_lacks "RUN false"
	works prog build -t app --build-arg WHO=me --progress plain ctx
	stdout_is "$first"
	stderr_has "CACHED"
	stderr_lacks " SOURCE"
	works prog run app stat -c '%u:%g %a' /made
	stdout_is "33:44 640"
	works prog build -t app --build-arg WHO=you --progress plain ctx
	differ "$(cat "$T/stdout")" "$first"
	stderr_has " for you"
	store_is_clean
}

@test "a step that fails ends the build, says where, and leaves nothing" {
	needs_boxes
	load_busybox
	printf 'FROM busybox\nRUN echo before; exit 3\n' >Dockerfile
	fails 8 prog build -t app .
	stdout_is_empty
	stderr_has "Dockerfile:2"
	stderr_has "before"
	fails 4 prog inspect app
	store_is_clean
	printf 'FROM busybox\nRUN echo before\n' >Dockerfile
	works prog build -t app .
}

@test "mistakes in a Dockerfile are told with file and line" {
	printf 'FROM scratch\nCOPPY a b\n' >Dockerfile
	fails 3 prog build .
	stderr_has "Dockerfile:2"
	stderr_has "COPY"
	printf 'FROM scratch\nCOPY missing /\n' >Dockerfile
	fails 4 prog build . || fails 3 prog build .
	stderr_has "Dockerfile:2"
	stderr_has "missing"
	printf 'COPY a /\n' >Dockerfile
	fails 3 prog build .
	stderr_has "Dockerfile:1"
	rm Dockerfile
	fails 4 prog build . || fails 3 prog build .
	stderr_has "Dockerfile"
}

@test "a Dockerfile may come from stdin" {
	works bash -c "echo 'FROM scratch
LABEL a=b' | '$builddir/cooper' build -t x -"
	works prog inspect -f '{{json .Config.Labels}}' x
	stdout_is '{"a":"b"}'
}

@test "an image without a name goes by its digest, until it is pruned" {
	printf 'FROM scratch\nLABEL a=b\n' >Dockerfile
	works prog build .
	digest=$(cat "$T/stdout")
	works prog inspect -f '{{json .Config.Labels}}' "$digest"
	stdout_is '{"a":"b"}'
	works prog images
	stdout_has "<none>"
	works prog tag "$digest" named:1
	works prog prune --all
	works prog inspect -f '{{json .RepoTags}}' "$digest"
	stdout_is '["named:1"]'
	works prog build .
	works prog rmi named:1
	works prog inspect -f '{{json .RepoTags}}' "$digest"
	stdout_is '[]'
	works prog prune --all
	fails 4 prog inspect "$digest"
}

@test "what is ignored is not copied" {
	mkdir ctx
	echo 1 >ctx/kept
	echo 2 >ctx/dropped
	printf 'dropped\nDockerfile\n.dockerignore\n' >ctx/.dockerignore
	printf 'FROM scratch\nCOPY . /\n' >ctx/Dockerfile
	works prog build -o out ctx
	is_file out/kept
	is_missing out/dropped
	is_missing out/Dockerfile
}

@test "outputs: archives that others read, tars and directories" {
	needs skopeo
	mkdir ctx
	echo hello >ctx/hello
	printf 'FROM scratch\nCOPY hello /\nCMD ["/hello"]\n' >ctx/Dockerfile
	works prog build -t app:1 -o type=oci,dest=oci.tar ctx
	works skopeo inspect oci-archive:oci.tar
	works prog build -t app:1 -o type=docker,dest=docker.tar ctx
	works skopeo inspect docker-archive:docker.tar
	works prog build -o type=tar,dest=root.tar ctx
	works tar -tf root.tar
	stdout_has hello
	works bash -c "'$builddir/cooper' build -q -o - ctx | tar -xO hello"
	stdout_is hello
	works prog load -i docker.tar
	stdout_is "Loaded image: docker.io/library/app:1"
}

@test "iidfile, metadata file and quiet" {
	printf 'FROM scratch\nLABEL a=b\n' >Dockerfile
	works prog build -q --iidfile id --metadata-file meta.json -t app:1 .
	stderr_is_empty
	same "$(cat "$T/stdout")" "$(prog inspect -f '{{.Id}}' app:1)"
	same "$(cat id)" "$(prog inspect -f '{{.Id}}' app:1)"
	works grep -F "$(prog inspect -f '{{.Digest}}' app:1)" meta.json
	works grep -F '"image.name"' meta.json
}

@test "build and push at once; what is pushed is what others pull" {
	needs_boxes
	needs skopeo
	registry_start
	load_busybox
	printf 'FROM busybox\nRUN echo built >/built\n' >Dockerfile
	works prog build -t "$REGISTRY/demo:1" --push .
	digest=$(cat "$T/stdout")
	same "$(skopeo inspect --tls-verify=false -f '{{.Digest}}' "docker://$REGISTRY/demo:1")" "$digest"
}

@test "steps that need no others run at the same time" {
	needs_boxes
	load_busybox
	mkdir ctx
	# each waits for the other's file in a shared cache directory
	cat >ctx/Dockerfile <<-'EOF'
		FROM busybox AS a
		RUN --mount=type=cache,target=/meet touch /meet/a; n=0; until [ -e /meet/b ]; do n=$((n + 1)); [ $n -lt 600 ] || exit 1; usleep 100000; done; touch /a
		FROM busybox AS b
		RUN --mount=type=cache,target=/meet touch /meet/b; n=0; until [ -e /meet/a ]; do n=$((n + 1)); [ $n -lt 600 ] || exit 1; usleep 100000; done; touch /b
		FROM busybox
		COPY --from=a /a /
		COPY --from=b /b /
	EOF
	works prog build ctx
}

@test "an interrupted build ends soon, leaves no process, and works when tried again" {
	needs_boxes
	load_busybox
	printf 'FROM busybox\nRUN echo started; exec sleep %s\n' "$NAP" >Dockerfile
	# a shell gives what it puts in the background no SIGINT
	env --default-signal=INT "$builddir/cooper" build -t app --progress plain . >"$T/stdout" 2>"$T/stderr" 3>&- &
	pid=$!
	until grep -q " started" "$T/stderr"; do
		kill -0 "$pid" || explain "it ended too soon"
	done
	kill -INT "$pid"
	status=0
	wait "$pid" || status=$?
	command="build, interrupted"
	same "$status" 130
	# it and its box are gone
	! is_napping || explain "a process is left"
	store_is_clean
	printf 'FROM busybox\nRUN echo started\n' >Dockerfile
	works prog build -t app .
}
