#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The main job: two stages on a Debian from a registry, with packages of the distribution, built and pushed in one go;
# then other programs look at it, unpack it and run it.  tests/check.sh runs this as root and as a user.
load helpers
load consumers

# Packages that exercise owners: ssh-agent is set-group-id, ping has a file capability, www-data owns a file.
main_context() {
	mkdir -p ctx/apt
	# a mirror that only the host knows
	cp -r /etc/apt/sources.list /etc/apt/sources.list.d ctx/apt/ 2>/dev/null || :
	echo "made here" >ctx/source
	cat >ctx/Dockerfile <<-EOF
		FROM $REGISTRY/debian:1 AS make
		COPY apt /etc/apt/
		RUN apt-get update -q && apt-get install -y -q --no-install-recommends hello
		COPY source /src/
		RUN { hello && cat /src/source; } >/greeting && chown www-data:www-data /greeting
		FROM $REGISTRY/debian:1
		COPY apt /etc/apt/
		RUN apt-get update -q \\
		 && apt-get install -y -q --no-install-recommends libcap2-bin iputils-ping openssh-client \\
		 && rm -rf /var/lib/apt/lists/*
		COPY --from=make /greeting /var/lib/greeting
		ENV LANG=C.UTF-8
		CMD ["cat", "/var/lib/greeting"]
	EOF
}

# tar_facts LAYOUT: "path mode uid:gid capability" of what matters, in the layers as they were pushed
tar_facts() {
	python3 - "$1" <<-'EOF'
		import json, sys, tarfile
		def blob(digest): return sys.argv[1] + "/blobs/" + digest.replace(":", "/")
		index = json.load(open(sys.argv[1] + "/index.json"))
		manifest = json.load(open(blob(index["manifests"][0]["digest"])))
		for layer in manifest["layers"][1:]:
		    for m in tarfile.open(blob(layer["digest"])):
		        capability = m.pax_headers.get("SCHILY.xattr.security.capability", "")
		        print(m.name, oct(m.mode), "%d:%d" % (m.uid, m.gid), capability.encode("utf-8", "surrogateescape").hex() or "-")
	EOF
}

# owners LAYOUT BUNDLE: those of the ids inside, wherever it was built
owners() {
	local group

	group=$(sed -n 's/^_\?ssh:[^:]*:\([0-9]*\):.*/\1/p' "$2/rootfs/etc/group")
	tar_facts "$1" >"$T/facts"
	works grep -E "^(usr/)?bin/ssh-agent 0o2755 0:$group -$" "$T/facts"
	# version 2, effective, CAP_NET_RAW, no root id of a namespace
	works grep -E "^(usr/)?bin/ping 0o755 0:0 0100000200200000" "$T/facts"
	works grep -E "^var/lib/greeting 0o644 33:33 -$" "$T/facts"
	# nothing of the box itself
	fails 1 grep -E "^(dev/.|proc/.|sys/.|etc/(resolv.conf|hosts|hostname) )" "$T/facts"
}

@test "Debian, two stages, apt-get install, push; then skopeo, umoci, runc and podman" {
	needs_boxes
	needs skopeo umoci runc podman jq python3
	debian_base
	registry_start
	works skopeo copy -q --insecure-policy --dest-tls-verify=false "oci:$layout:latest" "docker://$REGISTRY/debian:1"
	main_context
	works prog build --progress plain -t "$REGISTRY/demo:1" --push ctx
	digest=$(cat "$T/stdout")

	works skopeo inspect --tls-verify=false "docker://$REGISTRY/demo:1"
	stdout_has "$digest"
	base_layer=$(skopeo inspect --tls-verify=false --raw "docker://$REGISTRY/debian:1" | jq -r '.layers[0].digest')
	same "$(skopeo inspect --tls-verify=false --raw "docker://$REGISTRY/demo:1" | jq -r '.layers[0].digest')" "$base_layer"
	works skopeo copy -q --insecure-policy --src-tls-verify=false "docker://$REGISTRY/demo:1" oci:out:latest
	same "sha256:$(sha256sum "out/blobs/sha256/${base_layer#sha256:}" | cut -d ' ' -f 1)" "$base_layer"
	umoci_unpack out:latest bundle
	owners out bundle
	runc_run bundle
	stdout_is "Hello, world!
made here"
	podman_run "$REGISTRY/demo:1" sh -c 'cat /var/lib/greeting; stat -c %U:%G:%a /var/lib/greeting /usr/bin/ssh-agent; echo $LANG'
	stdout_has "Hello, world!"
	stdout_has "www-data:www-data:644"
	stdout_has "ssh:2755"
	stdout_has "C.UTF-8"
	works prog run "$REGISTRY/demo:1"
	stdout_is "Hello, world!
made here"

	# the second time all is cached, and nothing but the name is sent
	registry_mark
	works prog build --progress plain -t "$REGISTRY/demo:1" --push ctx
	stdout_is "$digest"
	cp "$T/stderr" "$T/progress"
	fails 1 grep -E '^#[0-9]+ [0-9.]+ ' "$T/progress"
	registry_requests >"$T/requests"
	works grep "PUT /v2/demo/manifests/1" "$T/requests"
	fails 1 grep -E "^(POST|PATCH)|^(PUT|GET) .*/blobs/" "$T/requests"
	store_is_clean
}
