#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
load helpers

@test "two platforms give an index, each image with its own variables and files" {
	needs python3
	mkdir ctx
	touch ctx/f
	echo ignored >ctx/.dockerignore
	touch ctx/ignored
	printf 'FROM scratch\nARG TARGETARCH TARGETVARIANT TARGETPLATFORM\nLABEL p=$TARGETPLATFORM\n' >ctx/Dockerfile
	printf 'COPY . /$TARGETARCH$TARGETVARIANT/\n' >>ctx/Dockerfile
	works prog build --platform linux/amd64,linux/arm/v7 -o type=oci,dest=o.tar ctx
	works python3 - o.tar <<-'END'
		import gzip, io, json, sys, tarfile
		tar = tarfile.open(sys.argv[1])
		blob = lambda d: tar.extractfile("blobs/" + d.replace(":", "/")).read()
		index = json.loads(blob(json.load(tar.extractfile("index.json"))["manifests"][0]["digest"]))
		for m in index["manifests"]:
		    manifest = json.loads(blob(m["digest"]))
		    config = json.loads(blob(manifest["config"]["digest"]))
		    layer = tarfile.open(fileobj=io.BytesIO(gzip.decompress(blob(manifest["layers"][0]["digest"]))))
		    print("/".join(m["platform"][k] for k in ("os", "architecture", "variant") if k in m["platform"]),
		          config["architecture"], config.get("variant"), config["config"]["Labels"], sorted(layer.getnames()))
	END
	stdout_is "linux/amd64 amd64 None {'p': 'linux/amd64'} ['amd64', 'amd64/.dockerignore', 'amd64/Dockerfile', 'amd64/f']
linux/arm/v7 arm v7 {'p': 'linux/arm/v7'} ['armv7', 'armv7/.dockerignore', 'armv7/Dockerfile', 'armv7/f']"
}

@test "files of two platforms are two directories" {
	mkdir ctx
	printf 'FROM scratch\nARG TARGETARCH\nCOPY Dockerfile /$TARGETARCH\n' >ctx/Dockerfile
	works prog build --platform linux/amd64,linux/arm64 -o type=local,dest=out ctx
	is_file out/linux_amd64/amd64
	is_file out/linux_arm64/arm64
}

@test "a program of a foreign architecture that the kernel cannot run is told" {
	needs_boxes
	needs busybox python3
	[ ! -e /proc/sys/fs/binfmt_misc/qemu-s390x ] || skip "this machine runs s390x"
	mkdir -p ctx/bin
	# a header of s390x before something else
	python3 -c 'import sys; b = bytearray(64); b[:7] = b"\x7fELF\x02\x02\x01"; b[17] = 2; b[19] = 22; b[23] = 1
sys.stdout.buffer.write(b)' >ctx/bin/sh
	chmod 755 ctx/bin/sh
	printf 'FROM scratch\nCOPY bin /bin\nRUN true\n' >ctx/Dockerfile
	run_kept prog build --platform linux/s390x ctx
	[ "$status" -ne 0 ]
	stderr_has "Dockerfile:3: RUN: "
	stderr_has "program for linux/s390x"
	stderr_has "register qemu-s390x with binfmt_misc"
}
