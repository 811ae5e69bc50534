# SPDX-License-Identifier: Apache-2.0
# consumers - other programs that take what cooper wrote, each with what it needs to work in a directory of its own,
# as root or not.

# debian_base: $layout is a minimal Debian as an OCI layout.  It is made as root, once; everybody may read it.
debian_base() {
	if [ ! -e "$builddir/base-images/debian.oci" ]; then
		needs_root
		needs mmdebstrap
	fi
	needs umoci skopeo
	layout=$(base debian) || skip "mmdebstrap could not make a Debian: no package mirror in reach"
}

is_root() {
	[ "$(id -u)" -eq 0 ]
}

# umoci_unpack LAYOUT:TAG BUNDLE
umoci_unpack() {
	# shellcheck disable=SC2046 # an option or nothing
	works umoci unpack $(is_root || echo --rootless) --image "$1" "$2"
	is_file "$2/config.json"
}

# runc_run BUNDLE [ARGUMENT]...: what the bundle says, or another command
runc_run() {
	local bundle=$1 arguments

	shift
	arguments=null
	[ $# -eq 0 ] || arguments=$(jq -n '$ARGS.positional' --args -- "$@")
	jq --argjson a "$arguments" '.process.terminal = false | .process.args = ($a // .process.args)' "$bundle/config.json" \
		>"$bundle/changed"
	mv "$bundle/changed" "$bundle/config.json"
	works runc --root "$T/runc" run --bundle "$bundle" "cooper-test-$$" </dev/null
}

# pod ARGUMENT...: podman with all that it keeps below $T
pod() {
	local driver=overlay

	# an overlay cannot stand on another
	[ "$(stat -f -c %T "$T")" != overlayfs ] || driver=vfs
	mkdir -p -m 700 "$T/run"
	PODMAN_USED=yes
	XDG_RUNTIME_DIR=$T/run podman --root "$T/podman" --runroot "$T/run/podman" --tmpdir "$T/run/libpod" \
		--storage-driver $driver --cgroup-manager cgroupfs --events-backend none --runtime runc "$@"
}

# podman_run IMAGE [ARGUMENT]...
podman_run() {
	works pod run --rm --quiet --tls-verify=false --network host --ulimit nofile=1024:1024 --ulimit nproc=1024:1024 "$@"
}

# consumers_end: what podman leaves running, and files of ids that only it may remove
consumers_end() {
	local pid

	[ -d "$T/podman" ] || return 0
	if ! is_root; then
		pod unshare rm -rf "$T/podman" 2>/dev/null
		for pid in $(cat "$T"/run/libpod/pause.pid "$T"/run/libpod/tmp/pause.pid 2>/dev/null); do
			kill "$pid"
		done
	else
		umount "$T/podman/overlay" 2>/dev/null
	fi
	return 0
}
