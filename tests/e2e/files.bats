#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# ls, cat, find, diff: files of images that are not here.
load helpers

# layout DIR TAR...: an OCI layout with one image of these layers, as they are; umask and clock do not count
layout() {
	local dir=$1 digest size layers= file

	shift
	mkdir -p "$dir/blobs/sha256"
	echo '{"imageLayoutVersion":"1.0.0"}' >"$dir/oci-layout"
	for file; do
		digest=$(sha256sum <"$file" | cut -d' ' -f1)
		size=$(stat -c %s "$file")
		cp "$file" "$dir/blobs/sha256/$digest"
		layers="$layers${layers:+,}{\"mediaType\":\"application/vnd.oci.image.layer.v1.tar\",\"digest\":\"sha256:$digest\",\"size\":$size}"
	done
	blob "$dir" '{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}'
	blob "$dir" "{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",\"config\":{\"mediaType\":\"application/vnd.oci.image.config.v1+json\",\"digest\":\"sha256:$digest\",\"size\":$size},\"layers\":[$layers]}"
	echo "{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",\"digest\":\"sha256:$digest\",\"size\":$size}]}" >"$dir/index.json"
}

# blob DIR TEXT: sets digest and size
blob() {
	digest=$(printf %s "$2" | sha256sum | cut -d' ' -f1)
	size=${#2}
	printf %s "$2" >"$1/blobs/sha256/$digest"
}

# layer NAME PATH...: NAME.tar of these paths in the directory NAME
layer() {
	local name=$1

	shift
	(cd "$name" && tar --format=gnu --mtime=@1700000000 --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX \
		--no-recursion -cf "../$name.tar" "$@")
}

# lists LINE...: what was printed
lists() {
	stdout_is "$(printf '%s\n' "$@")"
}

# scene: one, two and three are layers, upon each other
scene() {
	mkdir -p one/etc one/usr/bin one/old two/old two/etc three/usr/bin
	echo alpha >one/etc/conf
	echo tool >one/usr/bin/tool
	ln one/usr/bin/tool one/usr/bin/again
	ln -s usr/bin one/bin
	ln -s ../../../../etc/conf one/usr/bin/up
	echo x >one/old/x
	layer one ./ ./etc ./etc/conf ./usr ./usr/bin ./usr/bin/tool ./usr/bin/again ./usr/bin/up ./bin ./old ./old/x
	touch two/old/.wh..wh..opq two/etc/.wh.gone two/.wh.missing
	echo y >two/old/y
	layer two old old/.wh..wh..opq old/y etc/.wh.gone .wh.missing
	echo changed >three/usr/bin/tool
	layer three usr/bin/tool
}

@test "ls shows the root that the layers make, wherever the image is" {
	local place

	scene
	layout all one.tar two.tar three.tar
	works prog copy oci:all oci-archive:all.tar:a
	works prog copy oci:all docker-archive:docker.tar:a:1
	for place in oci:all oci-archive:all.tar docker-archive:docker.tar; do
		works prog ls -R "$place"
		lists bin etc etc/conf old old/y usr usr/bin usr/bin/again usr/bin/tool usr/bin/up
	done
	works prog ls oci:all /bin/
	lists again tool up
	works prog ls -l oci:all /bin/../bin
	lists '-rw-r--r--     0     0          5 2023-11-14 22:13 again' \
		'-rw-r--r--     0     0          8 2023-11-14 22:13 tool' \
		'lrwxrwxrwx     0     0          0 2023-11-14 22:13 up -> ../../../../etc/conf'
	works prog ls --layers oci:all /usr/bin/tool
	stdout_is "  3 $(sha256sum <three.tar | cut -c1-12) /usr/bin/tool"
	works prog ls --json oci:all /usr/bin/again
	stdout_has '"path":"/usr/bin/again"' '"hardLink":"/usr/bin/tool"' '"size":5' '"layer":1'
	fails 4 prog ls oci:all /old/x
	stderr_is "cooper: oci:all: '/old/x' is not there"
	[ ! -e "$COOPER_ROOT/blobs" ] || [ -z "$(find "$COOPER_ROOT/blobs" -type f)" ]
}

@test "cat gives a file by any of its names, and what a layer below had for a hard link" {
	scene
	layout all one.tar two.tar three.tar
	works prog cat oci:all /bin/tool
	stdout_is changed
	works prog cat oci:all usr/bin/again
	stdout_is tool
	works prog cat oci:all /bin/up /old/y
	lists alpha y
	fails 3 prog cat oci:all /etc
	stderr_has "'/etc' is a directory"
	fails 4 prog cat oci:all /old/x
	works prog ls oci:all
}

@test "cat and diff ask a registry for no more layers than it takes" {
	scene
	layout all one.tar two.tar three.tar
	layout base one.tar two.tar
	registry_start
	works prog copy oci:all "$REGISTRY/a:1"
	works prog copy oci:base "$REGISTRY/a:0"
	registry_mark
	works prog cat "docker://$REGISTRY/a:1" /usr/bin/tool
	stdout_is changed
	registry_requests >requests
	same "$(grep -c "GET /v2/a/blobs/" requests)" 1
	registry_mark
	works prog cat "docker://$REGISTRY/a:1" /old/y
	stdout_is y
	registry_requests >requests
	same "$(grep -c "GET /v2/a/blobs/" requests)" 2
	registry_mark
	fails 1 prog diff "docker://$REGISTRY/a:0" "docker://$REGISTRY/a:1"
	stdout_is "W /usr/bin/tool"
	stderr_has --shared
	registry_requests >requests
	same "$(grep "GET /v2/a/blobs/" requests)" "GET /v2/a/blobs/sha256:$(sha256sum <three.tar | cut -d' ' -f1)"
	fails 1 prog diff --shared "docker://$REGISTRY/a:0" "docker://$REGISTRY/a:1"
	stdout_is "C /usr/bin/tool  size 5 -> 8, digest"
	works prog diff "$REGISTRY/a:1" "oci:all"
	stdout_is_empty
}

@test "what the store knows of a layer is not fetched" {
	scene
	layout all one.tar two.tar three.tar
	registry_start
	works prog copy oci:all "$REGISTRY/a:1"
	works prog pull -q "$REGISTRY/a:1"
	registry_mark
	works prog ls "$REGISTRY/a:1" /old
	stdout_is y
	same "$(registry_requests)" ""
	works prog cat "docker://$REGISTRY/a:1" /old/y
	registry_requests >requests
	! grep /blobs/ requests
}

@test "a layer that is not what its digest says is shown to nobody" {
	local layer

	scene
	head -c 2000000 /dev/zero >three/zeros
	layer three usr/bin/tool zeros
	layout all one.tar two.tar three.tar
	layer=all/blobs/sha256/$(sha256sum <three.tar | cut -d' ' -f1)
	sed -i s/changed/Changed/ "$layer"
	fails 6 prog cat oci:all /usr/bin/tool
	stdout_is_empty
	stderr_has "expected sha256:"
	works prog cat --unverified oci:all /usr/bin/tool
	stdout_is Changed
	fails 6 prog ls oci:all
	stdout_is_empty
	layout other one.tar
	fails 6 prog diff oci:other oci:all
}

@test "find knows the tests of find" {
	scene
	layout all one.tar two.tar three.tar
	works prog find oci:all
	lists / /bin /etc /etc/conf /old /old/y /usr /usr/bin /usr/bin/again /usr/bin/tool /usr/bin/up
	works prog find oci:all /usr -type f -size -6c
	stdout_is /usr/bin/again
	works prog find oci:all bin/ -name 't*' -layer 3
	stdout_is /usr/bin/tool
	works prog find oci:all / -maxdepth 1 ! -type d
	stdout_is /bin
	works prog find --json oci:all / -newer /etc/conf
	stdout_is '[]'
	fails 2 prog find oci:all / -exec rm
	stderr_has "'-exec' is no test"
}

@test "diff says what is added, removed and changed, and in what" {
	mkdir -p a b
	echo same >a/same
	echo same >b/same
	echo 1 >a/changed
	echo 2 >b/changed
	echo gone >a/gone
	echo new >b/new
	ln -s x a/link
	ln -s y b/link
	mkdir b/dir
	layer a same changed gone link
	layer b same changed new link dir
	layout a.oci a.tar
	layout b.oci b.tar
	fails 1 prog diff oci:a.oci oci:b.oci
	lists "C /changed  digest" "A /dir" "D /gone" "C /link  link 'x' -> 'y'" "A /new"
	fails 1 prog diff --json oci:a.oci oci:b.oci
	stdout_has '"change":"changed","path":"/changed","what":["digest"]'
	works prog diff oci:a.oci oci:a.oci
	fails 4 prog diff oci:a.oci oci:none
}

@test "names that would move a cursor are shown and do not" {
	mkdir -p evil
	touch "evil/$(printf 'a\033[2Jb')" "evil/$(printf 'new\nline')"
	ln -s "$(printf '\033]0;title\007')" evil/link
	(cd evil && tar -cf ../evil.tar --mtime=@0 -- *)
	layout evil.oci evil.tar
	works prog ls oci:evil.oci
	lists 'a\x1b[2Jb' link 'new\x0aline'
	works prog ls -l oci:evil.oci
	stdout_has 'link -> \x1b]0;title\x07'
	works prog find oci:evil.oci / -type f -print0
	same "$(tr '\0' '|' <"$T/stdout")" "$(printf '/a\033[2Jb|/new\nline|')"
	works prog ls --json oci:evil.oci
	stdout_has 'a\u001b[2Jb'
}

@test "config and blob give bytes by their digest" {
	local config layer

	scene
	layout all one.tar two.tar
	config=$(grep -o '"config":{[^}]*' all/blobs/sha256/* | grep -o 'sha256:[0-9a-f]*')
	layer=sha256:$(sha256sum <one.tar | cut -d' ' -f1)
	registry_start
	works prog copy oci:all "$REGISTRY/a:1"
	for place in oci:all "docker://$REGISTRY/a:1"; do
		works prog config "$place"
		same "sha256:$(sha256sum <"$T/stdout" | cut -d' ' -f1)" "$config"
		works prog blob get -o got.tar "$place" "$layer"
		works cmp got.tar one.tar
		works prog blob stat "$place" "$layer"
		stdout_has "\"digest\":\"$layer\",\"size\":$(stat -c %s one.tar)"
		fails 4 prog blob stat "$place" "sha256:$(printf %064d 0)"
	done
	works bash -c "echo bytes | '$builddir/cooper' blob put $REGISTRY/other -"
	stdout_is '{"digest":"sha256:'"$(echo bytes | sha256sum | cut -d' ' -f1)"'","size":6}'
	works prog blob get "$REGISTRY/other" "sha256:$(echo bytes | sha256sum | cut -d' ' -f1)"
	stdout_is bytes
	sed -i s/tool/TOOL/ "all/blobs/sha256/${layer#*:}"
	fails 6 prog blob get -o bad.tar oci:all "$layer"
	is_missing bad.tar
	fails 2 prog blob put oci:all one.tar
}

@test "export writes the root as one archive, or nothing" {
	scene
	layout all one.tar two.tar three.tar
	works prog export -o again.tar oci:all
	works prog export -o all.tar oci:all
	works cmp again.tar all.tar
	mkdir root
	works tar -C root -xf all.tar
	works bash -c 'cd root && find . | sort'
	lists . ./bin ./etc ./etc/conf ./old ./old/y ./usr ./usr/bin ./usr/bin/again ./usr/bin/tool ./usr/bin/up
	same "$(cat root/usr/bin/tool root/usr/bin/again root/etc/conf)" "$(printf 'changed\ntool\nalpha')"
	sed -i s/changed/Changed/ "all/blobs/sha256/$(sha256sum <three.tar | cut -d' ' -f1)"
	fails 6 prog export -o bad.tar oci:all
	is_missing bad.tar
	fails 6 bash -c "'$builddir/cooper' export oci:all | cat; exit \${PIPESTATUS[0]}"
	stdout_is_empty
}
