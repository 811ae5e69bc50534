#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
load helpers

image() {
	mkdir -p root
	echo hello >root/hello
	tar -C root --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -cf small.tar .
	works prog import --cmd /hello small.tar small:1
}

@test "save and load give the same image in each format" {
	image
	digest=$(prog inspect -f '{{.Digest}}' small:1)
	for format in docker oci oci-dir; do
		works prog save --format "$format" -o "saved.$format" small:1
		works prog rmi small:1
		works prog load -i "saved.$format"
		stdout_is "Loaded image: docker.io/library/small:1"
		same "$(prog inspect -f '{{.Digest}}' small:1)" "$digest"
	done
	store_is_clean
}

@test "an archive has the same bytes each time, and passes through pipes" {
	image
	works prog save -o one.tar small:1
	prog save small:1 | cat >two.tar
	works cmp one.tar two.tar
	works prog rmi small:1
	cat one.tar | works prog load
	gzip one.tar
	works prog load -i one.tar.gz
	stdout_is "Loaded image: docker.io/library/small:1"
}

@test "skopeo reads what save writes, and load what skopeo writes" {
	needs skopeo
	image
	works prog save -o docker.tar small:1
	works prog save --format oci -o oci.tar small:1
	works prog save --format oci-dir -o layout small:1
	works skopeo inspect docker-archive:docker.tar
	works skopeo inspect oci-archive:oci.tar
	works skopeo inspect oci:layout
	works skopeo copy --insecure-policy docker-archive:docker.tar docker-archive:again.tar:small:2
	works skopeo copy --insecure-policy oci-archive:oci.tar oci-archive:again-oci.tar:small:3
	works prog load -i again.tar
	stdout_is "Loaded image: docker.io/library/small:2"
	works prog load -i again-oci.tar
	stdout_is "Loaded image: docker.io/library/small:3"
	# docker's format has no compressed layers, but they unpack to the same
	same "$(prog inspect -f '{{json .RootFS}}' small:2)" "$(prog inspect -f '{{json .RootFS}}' small:1)"
	same "$(prog inspect -f '{{.Digest}}' small:3)" "$(prog inspect -f '{{.Digest}}' small:1)"
	store_is_clean
}

@test "several images share one archive" {
	image
	works prog tag small:1 small:2
	works prog import -e B=2 small.tar other:1
	works prog save -o all.tar small:1 small:2 other:1
	works prog rmi --all
	works prog load -i all.tar
	stdout_is "Loaded image: docker.io/library/small:1
Loaded image: docker.io/library/small:2
Loaded image: docker.io/library/other:1"
}

@test "what is no archive is refused, and nothing is left" {
	echo "no archive" >bad
	fails 3 prog load -i bad || fails 6 prog load -i bad
	tar -cf empty.tar --files-from /dev/null
	fails 3 prog load -i empty.tar
	tar -cf other.tar bad
	fails 3 prog load -i other.tar
	stderr_has "cooper import"
	fails 4 prog load -i missing.tar
	fails 4 prog save -o out.tar missing
	is_missing out.tar
	works prog images -q
	stdout_is_empty
}

@test "a file that is not there is named once" {
	fails 4 prog load -i none.tar
	stderr_is "cooper: 'none.tar': No such file or directory"
}

@test "a layer that is not what its digest says is refused" {
	image
	works prog save --format oci-dir -o layout small:1
	layer=$(prog inspect -f '{{index .Layers 0}}' small:1 | sed 's/.*sha256:\([0-9a-f]*\).*/\1/')
	chmod u+w "layout/blobs/sha256/$layer"
	printf 'x' | dd of="layout/blobs/sha256/$layer" bs=1 seek=20 conv=notrunc 2>/dev/null
	works prog rmi small:1
	fails 6 prog load -i layout
	stderr_has "$layer"
	works prog images -q
	stdout_is_empty
	store_is_clean
}

@test "an import is dated by SOURCE_DATE_EPOCH, which must be a time" {
	local epoch

	echo hello >hello
	tar -cf small.tar hello
	for epoch in abc 12x ' ' 99999999999999999999 999999999999; do
		fails 2 env SOURCE_DATE_EPOCH="$epoch" "$builddir/cooper" import small.tar small:1
		stderr_has "SOURCE_DATE_EPOCH '$epoch' is not a number of seconds"
	done
	works env SOURCE_DATE_EPOCH=86400 "$builddir/cooper" import small.tar small:1
	same "$(prog inspect -f '{{.Created}}' small:1)" 1970-01-02T00:00:00Z
	# empty is as if it were not there, as to a build
	works env SOURCE_DATE_EPOCH= "$builddir/cooper" import small.tar small:1
	differ "$(prog inspect -f '{{.Created}}' small:1)" 1970-01-01T00:00:00Z
}
