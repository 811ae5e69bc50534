#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
load helpers

# a root file system of one file
small_tar() {
	mkdir root
	echo hello >root/hello
	tar -C root --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -cf small.tar .
}

@test "an empty store has no images" {
	works prog images
	stdout_is "REPOSITORY   TAG   IMAGE ID   CREATED   SIZE"
	works prog images -q
	stdout_is_empty
}

@test "import makes an image that inspect describes" {
	small_tar
	works prog import --cmd /hello -e A=1 --label l=m small.tar small:1
	stdout_has "sha256:"
	works prog inspect -f '{{json .RepoTags}} {{json .Config.Cmd}} {{json .Config.Env}} {{.Created}}' small:1
	stdout_is '["small:1"] ["/hello"] ["A=1"] 2023-11-14T22:13:20Z'
	works prog images --format json
	stdout_has '"Repository":"small","Tag":"1"'
	store_is_clean
}

@test "the same archive gives the same image, compressed or not" {
	small_tar
	works prog import small.tar one
	first=$(cat "$T/stdout")
	works prog import - two <small.tar
	differ "$first" "" # its history names stdin
	same "$(prog inspect -f '{{json .RootFS}}' one)" "$(prog inspect -f '{{json .RootFS}}' two)"
	gzip -k small.tar
	works prog import small.tar.gz three
	same "$(prog inspect -f '{{json .Layers}}' one)" "$(prog inspect -f '{{json .Layers}}' three)"
}

@test "import refuses what is no archive, and leaves nothing" {
	echo "no tar" >bad.tar
	fails 3 prog import bad.tar bad || fails 6 prog import bad.tar bad
	stderr_has "bad.tar"
	works prog images -q
	stdout_is_empty
	fails 4 prog import missing.tar
	store_is_clean
}

@test "an image has as many names as it is given" {
	small_tar
	works prog import small.tar small:1
	works prog tag small:1 other localhost:5000/a/b:c
	works prog images -q
	id=$(cat "$T/stdout")
	works prog inspect -f '{{json .RepoTags}}' "$id"
	stdout_is '["small:1","other:latest","localhost:5000/a/b:c"]' ||
		stdout_is '["other:latest","small:1","localhost:5000/a/b:c"]'
	fails 3 prog rmi "$id"
	stderr_has "has 3 names"
	works prog rmi small:1
	stdout_is "Untagged: docker.io/library/small:1"
	works prog rmi -f "$id"
	works prog images -q
	stdout_is_empty
}

@test "the data goes with the last name" {
	small_tar
	works prog import small.tar small:1
	differ "$(find "$COOPER_ROOT/blobs" -type f | wc -l)" 0
	works prog rmi small:1
	same "$(find "$COOPER_ROOT/blobs" -type f | wc -l)" 0
}

@test "what is not there is said by name" {
	fails 4 prog inspect nowhere
	stderr_is "cooper: 'nowhere' is not in the store; 'cooper images' lists what is"
	fails 4 prog tag nowhere x
	fails 4 prog rmi nowhere
	works prog rmi -f nowhere
	fails 3 prog inspect 'UPPER CASE'
}

@test "history has the newest first" {
	small_tar
	works prog import -m "made by hand" small.tar small:1
	works prog history --format json small:1
	stdout_has '"Comment":"made by hand"'
	works prog history small:1
	stdout_has "made by hand"
}

@test "a blob that changed is found, and repair says what was lost" {
	small_tar
	works prog import small.tar small:1
	blob=$(find "$COOPER_ROOT/blobs" -type f -size +0 | head -n 1)
	chmod u+w "$blob"
	printf 'x' | dd of="$blob" bs=1 seek=0 conv=notrunc 2>/dev/null
	fails 6 prog check
	stdout_has "problem: blob"
	fails 6 prog check --repair || works prog check --repair
}

@test "a store of a newer version is refused" {
	works prog images
	chmod u+w "$COOPER_ROOT/version"
	echo 999999 >"$COOPER_ROOT/version"
	fails 3 prog images
	stderr_has "newer"
}

@test "a directory that is no store is not made one" {
	mkdir "$COOPER_ROOT"
	chmod 700 "$COOPER_ROOT"
	echo mine >"$COOPER_ROOT/letter"
	fails 3 prog images
	is_file "$COOPER_ROOT/letter"
}
