#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
load helpers

@test "pull gets what another program pushed, to the bit" {
	needs skopeo umoci busybox
	registry_start
	layout=$(base busybox)
	works skopeo copy --insecure-policy --dest-tls-verify=false "oci:$layout:latest" "docker://$REGISTRY/busybox:1"
	digest=$(skopeo inspect --tls-verify=false -f '{{.Digest}}' "docker://$REGISTRY/busybox:1")
	works prog pull "$REGISTRY/busybox:1"
	stdout_is "$REGISTRY/busybox:1@$digest"
	same "$(prog inspect -f '{{.Digest}}' "$REGISTRY/busybox:1")" "$digest"
	works prog pull "$REGISTRY/busybox@$digest"
	works prog pull "$REGISTRY/busybox:1"
	store_is_clean
}

@test "push gives what other programs can pull, to the bit" {
	needs skopeo umoci busybox
	registry_start
	load_busybox
	works prog push busybox "$REGISTRY/team/app:2"
	digest=$(prog inspect -f '{{.Digest}}' busybox)
	stdout_is "$REGISTRY/team/app:2@$digest"
	works skopeo inspect --tls-verify=false "docker://$REGISTRY/team/app:2"
	stdout_has "$digest"
	works skopeo copy --insecure-policy --src-tls-verify=false "docker://$REGISTRY/team/app:2" oci:out:latest
	works umoci unpack --rootless --image out:latest bundle
	is_file bundle/rootfs/bin/busybox
	works prog push --digestfile digest busybox "$REGISTRY/team/app:2"
	same "$(cat digest)" "$digest"
}

@test "a short name is what registries.conf says, and is known by its whole name" {
	needs skopeo umoci busybox
	registry_start
	load_busybox
	works prog push busybox "$REGISTRY/team/box:1"
	works prog rmi busybox
	mkdir -p "$HOME/.config/containers"
	printf '[aliases]\n"box" = "%s/team/box"\n' "$REGISTRY" >"$HOME/.config/containers/registries.conf"
	works prog auth explain box
	stdout_has "the short name stands for $REGISTRY/team/box"
	works prog digest box:1
	digest=$(cat "$T/stdout")
	works prog pull box:1
	stdout_is "$REGISTRY/team/box:1@$digest"
	works prog inspect -f '{{.Digest}}' box:1
	stdout_is "$digest"
	printf 'FROM box:1\nLABEL a=b\n' >Dockerfile
	works prog build --pull -q -t app .
	works prog build -q -t app .
	# what is here by that name is meant first, and what is sent is Docker Hub's
	works prog tag app box:1
	printf 'FROM box:1\nLABEL c=d\n' >Dockerfile
	works prog build -q -t app2 .
	works prog inspect app2
	stdout_has '"a": "b"'
}

@test "what the registry does not have is an error of its own kind" {
	registry_start
	fails 4 prog pull "$REGISTRY/nothing:1"
	stderr_has "$REGISTRY/nothing"
	fails 7 prog pull --retry 1 127.0.0.1:1/nothing:1
	stderr_has "127.0.0.1:1"
	works prog images -q
	stdout_is_empty
}

@test "a name that cannot be one is refused before anything is sent" {
	fails 3 prog pull 'UPPER CASE'
	fails 3 prog pull "a@sha256:beef"
	fails 4 prog push nothing 127.0.0.1:1/nothing:1
}

@test "login keeps credentials that pull and push then use, and logout forgets them" {
	registry_start auth
	fails 5 prog pull "$REGISTRY/app:1"
	stderr_has "$REGISTRY"
	fails 5 bash -c "echo wrong | '$builddir/cooper' login -u robot --password-stdin $REGISTRY"
	is_missing "$HOME/.docker/config.json"
	works bash -c "echo sesame | '$builddir/cooper' login -u robot --password-stdin $REGISTRY"
	stdout_is "Login Succeeded"
	same "$(stat -c %a "$HOME/.docker/config.json")" 600
	echo hello >hello
	printf 'FROM scratch\nCOPY hello /\n' >Dockerfile
	works prog build -t "$REGISTRY/app:1" --push .
	works prog rmi --all
	works prog pull "$REGISTRY/app:1"
	works prog logout "$REGISTRY"
	fails 5 prog pull "$REGISTRY/app:1"
	works prog pull --creds robot:sesame "$REGISTRY/app:1"
	fails 4 prog logout "$REGISTRY"
}

@test "Docker Hub has several names, and what only looks like one is another registry" {
	local text

	for text in docker.io https://docker.io https://docker.io/ index.docker.io https://index.docker.io/v1/; do
		fails 4 prog logout --authfile none "$text"
		stderr_has "for docker.io"
	done
	for text in index.docker.io.example.com index.docker.ioexample.com index.docker.io:5000 registry.example.com; do
		fails 4 prog logout --authfile none "https://$text/"
		stderr_is "cooper: no credentials are kept for $text"
	done
	for text in foo https://foo/ foo/bar "" "foo bar.example.com"; do
		fails 3 prog logout --authfile none "$text"
		stderr_has "'$text' is no registry"
	done
}

@test "credentials never appear in what is told" {
	registry_start auth
	fails 5 prog --debug pull --creds robot:verysecret "$REGISTRY/app:1"
	stderr_lacks verysecret
	stderr_lacks "$(printf 'robot:verysecret' | base64)"
}

@test "a blob that a disk has cut short is fetched again by the next pull" {
	local blob

	registry_start
	load_busybox
	works prog push busybox "$REGISTRY/busybox:1"
	works prog rmi --all
	works prog prune --all
	works prog pull "$REGISTRY/busybox:1"
	blob=$(find "$COOPER_ROOT/blobs/sha256" -type f -size +100k)
	chmod u+w "$blob"
	truncate -s 1000 "$blob"
	works prog pull "$REGISTRY/busybox:1"
	store_is_clean
}

# lazy_app: $REGISTRY/app:1 is built and pushed, and its base's layer is at the registry only
lazy_app() {
	load_busybox
	works prog push busybox "$REGISTRY/base:1"
	works prog rmi --all
	works prog prune --all
	printf 'FROM %s/base:1\nENV A=B\n' "$REGISTRY" >Dockerfile
	works prog build -q -t "$REGISTRY/app:1" --push .
	digest=$(prog digest "$REGISTRY/app:1")
	base_is_absent
}

base_is_absent() {
	[ -z "$(find "$COOPER_ROOT/blobs" -type f -size +100k)" ] || explain "unwanted: the base's layer here"
}

@test "an image whose base stayed at its registry is pushed elsewhere" {
	registry_start
	lazy_app
	works prog push "$REGISTRY/app:1" "$REGISTRY/elsewhere/app:2"
	stdout_is "$REGISTRY/elsewhere/app:2@$digest"
	# by another name it is another registry
	works prog push "$REGISTRY/app:1" "localhost:${REGISTRY#*:}/third/app:3"
	stdout_is "localhost:${REGISTRY#*:}/third/app:3@$digest"
	base_is_absent
	works prog --root "$T/other" pull "$REGISTRY/elsewhere/app:2" "$REGISTRY/third/app:3"
	works prog --root "$T/other" check
}

@test "an image whose base stayed at its registry is saved whole" {
	local format

	registry_start
	lazy_app
	for format in docker oci oci-dir; do
		works prog save --format "$format" -o "$format" "$REGISTRY/app:1"
		works prog --root "$T/$format" load -i "$format"
		works prog --root "$T/$format" check
		works prog rmi --all
		works prog prune --all
		works prog build -q -t "$REGISTRY/app:1" --push .
		base_is_absent
	done
	registry_stop || true
	fails 7 prog save --retry 1 -o late "$REGISTRY/app:1"
	[ -z "$(find . -name "late*")" ] || explain "unwanted: part of an archive"
}

layer_types() { # IMAGE: at the registry
	skopeo inspect --raw --tls-verify=false "docker://$1" | jq -r '.layers[].mediaType' | sed 's/.*[.+]//' | sort -u
}

@test "layers that are not compressed become gzip when they are pushed, unless told otherwise" {
	needs skopeo umoci jq busybox
	registry_start
	load_busybox
	works prog save --format docker-archive -o packed.tar busybox
	works prog copy --compression none docker-archive:packed.tar docker-archive:plain.tar:plain:1
	works prog load -i plain.tar
	works prog push plain:1 "$REGISTRY/pushed:1"
	same "$(layer_types "$REGISTRY/pushed:1")" gzip
	works prog push --compression keep plain:1 "$REGISTRY/kept:1"
	same "$(layer_types "$REGISTRY/kept:1")" tar
	works prog copy docker-archive:plain.tar "$REGISTRY/copied:1"
	same "$(layer_types "$REGISTRY/copied:1")" gzip
	works prog copy --compression zstd "$REGISTRY/copied:1" "$REGISTRY/zstd:1"
	same "$(layer_types "$REGISTRY/zstd:1")" zstd
	works prog copy --compression gzip "$REGISTRY/zstd:1" oci:out:latest
	works umoci unpack --rootless --image out:latest bundle
	is_file bundle/rootfs/bin/busybox
	works prog pull "$REGISTRY/zstd:1"
	works prog run --rm "$REGISTRY/zstd:1" true
	store_is_clean
}

@test "what is attached cannot follow an image into another digest" {
	fails 2 prog copy --referrers --compression zstd localhost:1/a:1 localhost:1/b:1
	stderr_has "leave out '--referrers'"
}
