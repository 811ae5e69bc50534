#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Whatever is written - archives, tars, directories, files about the build - others read it, and find the same in it.
load helpers
load consumers

# An image with what gets lost: links, owners, modes, long names, removed files, an empty directory.
scene() {
	load_busybox
	mkdir -p ctx/sub/empty
	echo one >ctx/one
	echo plain >ctx/sub/plain
	ln -s plain ctx/sub/link
	echo deep >"ctx/sub/$(printf 'n%.0s' $(seq 1 150))"
	cat >ctx/Dockerfile <<-'EOF'
		FROM busybox
		RUN mkdir /gone && echo x >/gone/x && echo y >/removed
		COPY --chown=33:44 --chmod=640 one /owned
		COPY sub /sub/
		RUN ln /owned /sub/hard && rm -r /gone /removed && mkdir -p /sub/made && chmod 2755 /sub/made
		ENV A=B
		USER nobody
		WORKDIR /sub
		CMD ["cat", "/sub/link"]
	EOF
	works prog build -q -t app:1 ctx
	id=$(prog inspect -f '{{.Id}}' app:1)
	digest=$(prog inspect -f '{{.Digest}}' app:1)
}

# facts ROOT: what an unpacked root has
facts() {
	(cd "$1" && find . -mindepth 1 \( -type d -printf '%P %y %m\n' -o -printf '%P %y %m %s %l %n\n' \) | grep -v "^\(dev\|proc\|sys\)/" | sort)
}

# same_root BUNDLE: as the one that umoci made from what was saved by skopeo
same_root() {
	facts "$1" >"$T/facts.got"
	works diff "$T/facts.wanted" "$T/facts.got"
}

reference() {
	works prog save --format oci-dir -o reference app:1
	umoci_unpack reference:1 reference.bundle
	facts reference.bundle/rootfs >"$T/facts.wanted"
	works grep -E "^owned f 640 4  2$" "$T/facts.wanted"
	works grep -E "^sub/made d 2755$" "$T/facts.wanted"
	fails 1 grep -E "^(gone|removed)" "$T/facts.wanted"
}

# oci_is_whole ARCHIVE: skopeo and umoci take it, and it is the image
oci_is_whole() {
	works skopeo inspect "oci-archive:$1"
	stdout_has "$digest"
	rm -rf layout bundle
	mkdir layout
	tar -C layout -xf "$1"
	umoci_unpack "layout:$(umoci ls --layout layout | head -n 1)" bundle
	same_root bundle/rootfs
}

docker_is_whole() {
	works skopeo inspect "docker-archive:$1"
	same "$(skopeo inspect --config "docker-archive:$1" | jq -c .config.Cmd)" '["cat","/sub/link"]'
	rm -rf layout bundle
	works skopeo copy -q --insecure-policy "docker-archive:$1" oci:layout:x
	umoci_unpack layout:x bundle
	same_root bundle/rootfs
}

@test "oci and docker archives, to files and to stdout" {
	needs_boxes
	needs skopeo umoci jq
	scene
	reference
	works prog build -q -t app:1 -o type=oci,dest=oci.tar ctx
	oci_is_whole oci.tar
	prog build -q -t app:1 -o type=oci,dest=- ctx >oci-stdout.tar
	works cmp oci.tar oci-stdout.tar
	works prog build -q -t app:1 -o type=docker,dest=docker.tar ctx
	docker_is_whole docker.tar
	prog build -q -t app:1 -o type=docker ctx >docker-stdout.tar
	works cmp docker.tar docker-stdout.tar
	works prog build -q -t app:1 -o type=oci,tar=false,dest=dir ctx
	works skopeo inspect oci:dir:1
	stdout_has "$digest"
	store_is_clean
}

@test "podman loads and runs what was saved" {
	needs_boxes
	needs podman runc umoci
	scene
	works prog save -o docker.tar app:1
	works pod load -q -i docker.tar
	podman_run localhost/app:1 sh -c 'id -u; pwd; cat link; stat -c "%u:%g %a %h" /owned' ||
		podman_run docker.io/library/app:1 sh -c 'id -u; pwd; cat link; stat -c "%u:%g %a %h" /owned'
	stdout_has "65534"
	stdout_has "/sub"
	stdout_has "33:44 640 2"
	works prog save --format oci -o oci.tar app:1
	works pod load -q -i oci.tar
}

@test "a tar and a directory have the files" {
	needs_boxes
	needs umoci skopeo
	scene
	reference
	works prog build -q -o type=tar,dest=root.tar ctx
	mkdir root
	tar -C root -xpf root.tar
	same_root root
	prog build -q -o - ctx | works cmp - root.tar
	works tar --numeric-owner -tvf root.tar owned
	stdout_has "33/44"
	works prog build -q -o type=local,dest=out ctx
	same "$(readlink out/sub/link)" plain
	same "$(cat out/sub/link)" plain
	same "$(cat out/owned)" one
	same "$(stat -c '%u %h' out/owned)" "$(id -u) 2"
	is_missing out/gone
	# again, into what is there already
	echo mine >out/mine
	works prog build -q -o out ctx
	same "$(cat out/mine)" mine
	same "$(cat out/owned)" one
}

@test "files about the build" {
	needs_boxes
	needs jq
	scene
	works prog build --iidfile id --metadata-file meta.json -t app:1 -t other:2 ctx
	stdout_is "$digest"
	same "$(cat id)" "$id"
	same "$(jq -r '."containerimage.digest"' meta.json)" "$digest"
	same "$(jq -r '."containerimage.config.digest"' meta.json)" "$id"
	works jq -e '."image.name" | test("app:1") and test("other:2")' meta.json
	# of a build that fails nothing is said
	printf 'FROM busybox\nRUN false\n' >ctx/Dockerfile
	rm id meta.json
	fails 8 prog build -q --iidfile id --metadata-file meta.json ctx
	is_missing id
	is_missing meta.json
}

@test "save and load, there and back, by ourselves and by others" {
	needs_boxes
	needs skopeo umoci jq
	scene
	reference
	works prog save -o docker.tar app:1
	docker_is_whole docker.tar
	works prog save --format oci -o oci.tar app:1
	oci_is_whole oci.tar
	works skopeo copy -q --insecure-policy docker-archive:docker.tar docker-archive:docker2.tar:app:2
	works skopeo copy -q --insecure-policy oci-archive:oci.tar oci-archive:oci2.tar:app:3
	for archive in docker oci docker2 oci2; do
		works prog --root "$T/store-$archive" load -i "$archive.tar"
		name=$(sed -n 's/^Loaded image: //p' "$T/stdout")
		same "$(prog --root "$T/store-$archive" inspect -f '{{json .RootFS}}' "$name")" \
			"$(prog inspect -f '{{json .RootFS}}' app:1)"
		works prog --root "$T/store-$archive" check
		works prog --root "$T/store-$archive" run --rm "$name"
		stdout_is plain
	done
	same "$(prog --root "$T/store-oci" inspect -f '{{.Digest}}' app:1)" "$digest"
	same "$(prog --root "$T/store-docker" inspect -f '{{.Digest}}' app:1)" "$digest"
	for archive in docker oci docker2 oci2; do
		prog --root "$T/store-$archive" rmi --all >/dev/null
		prog --root "$T/store-$archive" prune --all >/dev/null
	done
	store_is_clean
}

@test "several outputs of one build" {
	needs skopeo
	mkdir ctx
	echo hello >ctx/hello
	printf 'FROM scratch\nCOPY hello /\n' >ctx/Dockerfile
	works prog build -q -t app:1 -o type=oci,dest=oci.tar -o type=tar,dest=root.tar -o type=local,dest=out ctx
	works skopeo inspect oci-archive:oci.tar
	works tar -tf root.tar hello
	same "$(cat out/hello)" hello
}

@test "a pipe that is an output stays one, and gets the bytes" {
	mkdir ctx
	echo hello >ctx/hello
	printf 'FROM scratch\nCOPY hello /\n' >ctx/Dockerfile
	mkfifo pipe
	for type in tar oci docker; do
		works prog build -q -t app:1 -o "type=$type,dest=$type.tar" ctx
		timeout 60 cat pipe >got.tar 3>&- &
		works timeout 60 "$builddir/cooper" build -q -t app:1 -o "type=$type,dest=pipe" ctx
		[ -p pipe ] || explain "the pipe is gone"
		wait $!
		works cmp "$type.tar" got.tar
	done
	same "$(ls -A)" "$(printf 'ctx\ndocker.tar\ngot.tar\noci.tar\npipe\ntar.tar')"
}
