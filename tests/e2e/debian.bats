#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The main job: a Debian base from a registry, packages installed in it, pushed, and run by others.  It needs the
# distribution's packages over the network, as mmdebstrap and apt do.
load helpers

# The base is made as root, once; everybody may read it.
debian_base() {
	if [ ! -e "$builddir/base-images/debian.oci" ]; then
		needs_root
		needs mmdebstrap
	fi
	needs umoci skopeo
	layout=$(base debian) || skip "mmdebstrap could not make a Debian: no package mirror in reach"
}

# What apt needs to know here: the host's sources, without which a mirror that is only known to the host is not found.
apt_context() {
	mkdir -p ctx/apt
	cp -r /etc/apt/sources.list /etc/apt/sources.list.d /etc/apt/apt.conf.d ctx/apt/ 2>/dev/null || :
	rm -f ctx/apt/apt.conf.d/*docker* ctx/apt/apt.conf.d/*listchanges* ctx/apt/apt.conf.d/*reportbug*
	cat >ctx/Dockerfile <<-EOF
		FROM $REGISTRY/debian:1 AS make
		COPY apt /etc/apt/
		RUN apt-get update -q && apt-get install -y -q --no-install-recommends hello openssh-client
		RUN hello >/greeting && chown www-data:www-data /greeting
		FROM $REGISTRY/debian:1
		COPY --from=make /usr/bin/hello /usr/bin/
		COPY --from=make --chown=33:33 /greeting /var/lib/greeting
		COPY --from=make /usr/bin/ssh-agent /usr/bin/
		USER www-data
		CMD ["cat", "/var/lib/greeting"]
	EOF
}

@test "Debian from a registry, apt-get install, push; others pull and run it" {
	needs_boxes
	debian_base
	registry_start
	works skopeo copy --quiet --insecure-policy --dest-tls-verify=false "oci:$layout:latest" "docker://$REGISTRY/debian:1"
	apt_context
	works prog build --progress plain -t "$REGISTRY/demo:1" --push ctx
	digest=$(cat "$T/stdout")
	works skopeo inspect --tls-verify=false "docker://$REGISTRY/demo:1"
	stdout_has "$digest"
	# the base's layer is the one that was pushed, to the bit
	base_layer=$(skopeo inspect --tls-verify=false --raw "docker://$REGISTRY/debian:1" | jq -r '.layers[0].digest')
	same "$(skopeo inspect --tls-verify=false --raw "docker://$REGISTRY/demo:1" | jq -r '.layers[0].digest')" "$base_layer"
	# ids and set-group-id bits survived
	works prog run "$REGISTRY/demo:1" stat -c '%U:%G' /var/lib/greeting
	stdout_is "www-data:www-data"
	works prog run "$REGISTRY/demo:1"
	stdout_has "Hello, world!"
	works skopeo copy --quiet --insecure-policy --src-tls-verify=false "docker://$REGISTRY/demo:1" oci:out:latest
	rootless=$([ "$(id -u)" -eq 0 ] || echo --rootless)
	# shellcheck disable=SC2086 # an option or nothing
	works umoci unpack $rootless --image out:latest bundle
	is_file bundle/rootfs/usr/bin/hello
	# cached: nothing is done, and the same comes out
	works prog build --progress plain -t "$REGISTRY/demo:1" ctx
	stdout_is "$digest"
	stderr_lacks "Setting up"
	store_is_clean
}

@test "podman runs what was pushed" {
	needs_boxes
	needs_root
	needs podman skopeo
	debian_base
	registry_start
	works prog load -i "$layout"
	printf 'FROM debian\nRUN echo built >/built && chown 33:33 /built\nCMD ["stat", "-c", "%%u", "/built"]\n' >Dockerfile
	works prog tag "$(prog images -q)" debian
	works prog build -t "$REGISTRY/demo:1" --push .
	works podman --root "$T/podman" --runroot "$T/podman-run" --storage-driver vfs run --rm --tls-verify=false \
		--network none --cgroups disabled --ulimit nofile=1024:1024 --ulimit nproc=1024:1024 "$REGISTRY/demo:1"
	stdout_is 33
	podman --root "$T/podman" --runroot "$T/podman-run" --storage-driver vfs system reset --force >/dev/null 2>&1 || :
}
