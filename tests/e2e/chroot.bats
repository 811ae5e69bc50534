# SPDX-License-Identifier: Apache-2.0
# A chroot has no user namespaces of its own to give (user_namespaces(7)): cooper makes itself a root first.

load helpers.bash

# in_chroot CMD...: with everything of this machine below a directory that is no mount point
in_chroot() {
	local enter="unshare --mount --pid --fork --kill-child --propagation private"

	[ "$(id -u)" -eq 0 ] || enter="$enter --user --map-root-user"
	mkdir -p "$T/outer"
	$enter sh -c '
		outer=$1
		shift
		mount -t tmpfs outer "$outer" && mkdir -p "$outer/inner/proc" || exit 99
		for d in /*; do
			case $d in /proc) continue ;; esac
			if [ -L "$d" ]; then cp -P "$d" "$outer/inner$d"
			elif [ -d "$d" ]; then mkdir "$outer/inner$d" && mount --rbind "$d" "$outer/inner$d" || exit 99
			fi
		done
		mount -t proc proc "$outer/inner/proc" || exit 99
		exec chroot "$outer/inner" "$@"' sh "$T/outer" "$@"
}

@test "a build with RUN works in a chroot" {
	load_busybox
	printf 'FROM busybox\nWORKDIR /w\nRUN id -u >uid && ls / | grep -c proc >>uid\n' >Dockerfile
	works in_chroot "$builddir/cooper" --root "$COOPER_ROOT" build -t chrooted "$T/work"
	works prog run chrooted cat /w/uid
	stdout_is "0
1"
	store_is_clean
}

@test "in a chroot the working directory stays what it was" {
	load_busybox
	printf 'FROM busybox\nRUN true\n' >Dockerfile
	works in_chroot sh -c "cd $T/work && exec $builddir/cooper --root ../store build -t chrooted ."
	works prog inspect chrooted
}

@test "volumes can be mounted in a chroot" {
	load_busybox
	mkdir -m 777 shared
	works in_chroot "$builddir/cooper" --root "$COOPER_ROOT" run -v "$T/work/shared:/shared" busybox touch /shared/file
	is_file shared/file
}
