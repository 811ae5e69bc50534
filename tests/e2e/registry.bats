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
