# SPDX-License-Identifier: Apache-2.0
# The sandbox against hostile roots and programs.  Runs as whoever runs it: root, a user with an id
# range, a user with one id (sandbox_user.sh, sandbox_one.sh).  Letters and numbers are the cases of
# the threat model.  After each test a canary outside must be as it was.
bats_require_minimum_version 1.5.0

setup_file() {
	export BOXRUN=${builddir:?}/tests/e2e/boxrun BOXCASE=$builddir/tests/e2e/boxcase BOXUSER=$builddir/tests/e2e/boxuser
	export SPACE=$(mktemp -d "${TMPDIR:-/tmp}/cooper-box-XXXXXX")
	chmod 711 "$SPACE" # a user namespace of root is not root to it
	umask 022
	make_root "$SPACE/base"
	give "$SPACE/base"
}

teardown_file() {
	# what the ids of a range own, only a box's root may remove
	[ "$(id -u)" = 0 ] || "$BOXRUN" --lower "$SPACE/base" --mount "bind:/tmp:$SPACE" sh -c 'rm -rf /tmp/test-*'
	chmod -R u+rwx "$SPACE"
	rm -rf "$SPACE"
}

make_root() {
	mkdir -p "$1"/{bin,dev,etc,proc,root,sys,tmp}
	cp "$(command -v busybox)" "$1/bin/busybox"
	for name in sh ls cat id mount umount stat touch mkdir rm mv ps sleep kill hostname env pwd ip \
		grep readlink chown chmod head wc cut ln tail yes setsid mktemp ulimit; do
		ln -s busybox "$1/bin/$name"
	done
	cp "$BOXCASE" "$1/bin/boxcase"
	cp "$BOXUSER" "$1/bin/boxuser"
	printf 'root:x:0:0:root:/root:/bin/sh\napp:x:1000:1001::/home/app:/bin/sh\n' >"$1/etc/passwd"
	printf 'root:x:0:\napp:x:1001:\nextra:x:50:app\nother:x:51:\n' >"$1/etc/group"
	chmod 1777 "$1/tmp"
}

# the box's root owns it
give() { "$BOXRUN" --chown "$1"; }

setup() {
	T=$(mktemp -d "$SPACE/test-XXXXXX")
	chmod 711 "$T"
	mkdir "$T/canary" "$T/scratch" "$T/top"
	echo sing >"$T/canary/bird"
	give "$T/top"
	before=$(fingerprint)
}

fingerprint() { (cd "$T/canary" && ls -lnRA --time-style=full-iso . && cat bird); }

teardown() {
	[ "$(fingerprint)" = "$before" ]
}

# a box on $T/top over the base, with a fresh upper each time: $T/upper/
box() {
	local scratch
	scratch=$(mktemp -d "$T/scratch/XXXXXX")
	chmod 755 "$scratch"
	ln -sfn "$scratch/upper" "$T/upper"
	"$BOXRUN" --lower "$T/top" --lower "$SPACE/base" --scratch "$scratch" --net host "$@"
}

is_one_id() { [ "$("$BOXRUN" --lower "$SPACE/base" wc -l /proc/self/uid_map | cut -d' ' -f1)" = 1 ] && [ "$(id -u)" != 0 ]; }

# whatever the machine's clock says, within 10 s
until_gone() {
	for _ in $(seq 200); do
		"$@" || return 0
		sleep 0.05
	done
	return 1
}

@test "a program runs, its status and streams are its own" {
	run --separate-stderr box sh -c 'echo out; echo err >&2; exit 7'
	[ "$status" = 7 ]; [ "$output" = out ]; [ "$stderr" = err ]
	run box sh -c 'kill -9 $$; exit 4' # the first process of a namespace cannot be killed from inside
	[ "$status" = 4 ]
	run box --init sh -c 'kill -9 $$'
	[ "$status" = 137 ]
}

@test "what cannot be started says why" {
	run -127 box /no/such
	[ "$output" = "boxrun: exec /no/such: No such file or directory" ]
	run -127 box nothere
	[[ "$output" = *"nothere: it is in none of the directories of PATH"* ]]
	printf '#!/bin/bash\n' >"$T/script"; chmod 755 "$T/script"
	run -127 box --mount "bind:/script:$T/script" /script
	[ "$output" = "boxrun: exec /script: its interpreter '/bin/bash' is not in the root" ]
	run box /etc/passwd
	[ "$status" = 126 ]
}

@test "HOME, PATH, hostname and working directory" {
	run box sh -c 'echo $HOME; hostname; pwd'
	[ "$output" = "$(printf '/root\nbuildkitsandbox\n/')" ]
	run box --cwd /made/for/it --hostname name --env HOME=/x sh -c 'echo $HOME; hostname; pwd; stat -c %a:%u:%g .'
	[ "$output" = "$(printf '/x\nname\n/made/for/it\n755:0:0')" ]
	[ -d "$T/upper/made/for/it" ]
	run box --cwd made pwd
	[ "$status" = 125 ]
}

@test "mounts: bind, read-only bind, tmpfs, file; no trace of their points is left" {
	mkdir "$T/shared"; echo hi >"$T/shared/f"; give "$T/shared"
	run box --mount "bind:/a/b:$T/shared" --mount "bind:/ro:$T/shared:ro" --mount tmpfs:/cache:65536 \
		--mount file:/run/secrets/token:s3cret:ro --resolv 'nameserver 192.0.2.1' --left \
		sh -c 'cat /a/b/f /ro/f /run/secrets/token /etc/resolv.conf; touch /a/b/g; touch /ro/h; echo x >/run/secrets/token
			head -c 100000 /dev/zero >/cache/big; stat -c "%a %s" /run/secrets/token /cache/big'
	[[ "$output" = *"hi"*"hi"*"s3cretnameserver 192.0.2.1"* ]]
	[[ "$output" = *"/ro/h: Read-only file system"* ]]
	[[ "$output" = *"400 6"*"644 65536" ]]
	[ -e "$T/shared/g" ]; [ ! -e "$T/shared/h" ]
	[ -z "$(ls -A "$T/upper/")" ]
}

@test "what a program writes beside a mount point stays, the point does not" {
	run box --mount file:/run/secrets/token:x sh -c 'echo mine >/run/secrets/mine; touch /etc/new'
	[ "$status" = 0 ]
	[ "$(cd "$T/upper" && find . -type f | sort | tr '\n' ' ')" = "./etc/new ./run/secrets/mine " ]
}

@test "a root of several directories, read-only without an upper" {
	run "$BOXRUN" --lower "$T/top" --lower "$SPACE/base" sh -c 'cat /etc/passwd; touch /x'
	[[ "$output" = *"Read-only file system"* ]]
	run "$BOXRUN" --lower "$SPACE/base" sh -c 'touch /x'
	[[ "$output" = *"Read-only file system"* ]]
}

@test "a root of the upper alone" {
	mkdir "$T/scratch/one"
	make_root "$T/scratch/one/upper"; give "$T/scratch/one/upper"
	run "$BOXRUN" --scratch "$T/scratch/one" --mount file:/run/x/y:z sh -c 'cat /run/x/y; touch /made'
	[ "$status" = 0 ]; [ "$output" = z ]
	[ -e "$T/scratch/one/upper/made" ]; [ ! -e "$T/scratch/one/upper/run" ]
}

@test "older kernels: every fall-back is taken" {
	for without in openat2 fsopen fsopen,open_tree,move_mount,mount_setattr mount_setattr layer-fds \
		close_range,pidfd_open,landlock_create_ruleset; do
		run box --without $without --mount file:/run/secrets/x:y --mount tmpfs:/t sh -c 'cat /run/secrets/x; touch /new; ls /..'
		echo "$without: $output"
		[ "$status" = 0 ]
		[[ "$output" = y*bin*tmp* ]]
		[ "$(ls -A "$T/upper/")" = new ]
	done
}

# bats test_tags=root
@test "older kernels: a bind keeps the flags that it had outside" {
	[ "$(id -u)" = 0 ] || skip "only root mounts outside"
	mkdir "$T/quiet"
	for without in landlock_create_ruleset mount_setattr fsopen,open_tree,move_mount,mount_setattr; do
		run unshare -m sh -c 'mount -t tmpfs -o nosuid,nodev,noexec,mode=755 quiet "$1/quiet" && shift && exec "$@"' sh "$T" \
			"$BOXRUN" --without $without --lower "$SPACE/base" --mount "bind:/tmp:$T/quiet:ro" grep " /tmp " /proc/self/mounts
		echo "$without: $output"
		[ "$status" = 0 ]
		[[ "$output" = *" /tmp tmpfs ro,nosuid,nodev,noexec"* ]]
	done
}

@test "a root that cannot be stacked: the reason is of the attempt that this kernel understands" {
	for without in landlock_create_ruleset layer-fds; do
		run "$BOXRUN" --without $without --lower "$SPACE/base" --lower "$SPACE/base" true
		echo "$without: $output"
		[ "$status" = 125 ]
		[[ "$output" = *"Too many levels of symbolic links"* ]]
	done
}

@test "root that may not mount outside takes along what only it can open" {
	mkdir -m 700 "$T/secret"; mkdir "$T/secret/lower" "$T/secret/cache"; mkdir -m 711 "$T/secret/tree"
	echo low >"$T/secret/lower/f"; give "$T/secret/lower"; give "$T/secret/cache"
	without=
	if [ "$(id -u)" = 0 ]; then without="setpriv --bounding-set -sys_admin --inh-caps -sys_admin"; fi
	run $without "$BOXRUN" --lower "$T/secret/lower" --lower "$SPACE/base" --scratch "$T/secret/tree" \
		--mount "bind:/cache:$T/secret/cache" sh -c 'cat /f; echo x >/cache/y; echo z >/new'
	echo "$output"
	[ "$status" = 0 ]; [ "$output" = low ]
	[ -e "$T/secret/cache/y" ]; [ -e "$T/secret/tree/upper/new" ]
}

@test "no network but loopback, which is up" {
	run "$BOXRUN" --lower "$SPACE/base" sh -c 'ls /sys/class/net; ip -o addr'
	[[ "$output" = lo* ]]; [[ "$output" = *"127.0.0.1/8"* ]]; [[ "$output" != *eth* ]]
}

@test "ulimits: set, refused above the hard limit, no core files by default" {
	run box sh -c 'ulimit -c'
	[ "$output" = 0 ]
	run box --ulimit nofile=100:200 sh -c 'ulimit -Sn; ulimit -Hn'
	[ "$output" = "$(printf '100\n200')" ]
	ulimit -n 4096
	run box --ulimit nofile=9999 true
	if [ "$(id -u)" != 0 ]; then
		[ "$status" = 125 ]; [[ "$output" = *"above this user's hard limit, which is 4096"* ]]
	fi
	run box --ulimit nofil=1 true
	[ "$status" = 125 ]
}

@test "A1 working directory by a leaked descriptor" {
	for n in 3 4 5 7 9 10 11 12 15 20 33; do
		run "$BOXRUN" --leak --lower "$SPACE/base" --cwd "/proc/self/fd/$n" cat "../../../../../../../../$T/canary/bird"
		[ "$status" != 0 ]; [[ "$output" != *sing* ]]
	done
}

@test "A2 no descriptors but three" {
	run box --leak sh -c 'ls /proc/self/fd | wc -l; for n in $(ls /proc/$$/fd); do echo $n; done'
	# ls's own directory is the fourth of the first line
	[[ "$output" = "4"* ]]
	! grep -qE '^([5-9]|[0-9]{2,})$' <<<"$output"
}

@test "A3 working directory through links to processes" {
	ln -s /proc/1/cwd "$T/top/w1"; ln -s /proc/self/cwd/.. "$T/top/w2"; ln -s "/proc/self/root/$T" "$T/top/w3"
	give "$T/top"
	for w in /w1 /w2 /w3; do
		run box --cwd $w cat "../../../../../$T/canary/bird"
		[ "$status" != 0 ]; [[ "$output" != *sing* ]]
	done
}

@test "A4 the program that starts boxes cannot be overwritten" {
	sum=$(sha256sum "$BOXRUN")
	printf '#!/proc/self/exe\n' >"$T/entry"; chmod 755 "$T/entry"
	run ! box --mount "bind:/entry:$T/entry" /entry
	run box sh -c 'for p in /proc/[0-9]*; do echo x >$p/exe; done'
	[ "$sum" = "$(sha256sum "$BOXRUN")" ]
}

@test "A5 the image's /dev/null is not used" {
	for kind in link fifo directory file; do
		rm -rf "$T/top/dev"; mkdir "$T/top/dev"
		case $kind in
		link) ln -s "$T/canary/bird" "$T/top/dev/null" ;;
		fifo) mkfifo "$T/top/dev/null" ;;
		directory) mkdir "$T/top/dev/null" ;;
		file) echo x >"$T/top/dev/null" ;;
		esac
		give "$T/top"
		run box sh -c 'stat -c "%F %t:%T" /dev/null; echo x >/dev/null; cat /proc/keys /proc/timer_list | wc -c; echo x >/proc/sys/kernel/hostname'
		echo "$output"
		[[ "$output" = "character special file 1:3"*0*"Read-only file system"* ]]
	done
}

@test "A6 the image's /dev/pts and /dev/console are not used" {
	mkdir "$T/top/dev"; ln -s /proc "$T/top/dev/pts"; ln -s /proc/sysrq-trigger "$T/top/dev/console"; give "$T/top"
	run box sh -c 'stat -f -c %t /dev/pts; stat -c %F /dev/pts; ls /dev/pts; ls -l /dev/console'
	[[ "$output" = "1cd1"*directory*ptmx*"No such file"* ]]
}

@test "A7 a pretended /proc is refused or covered" {
	ln -s "$T/canary" "$T/top/proc"; give "$T/top"
	run box true
	[ "$status" = 125 ]; [[ "$output" = *"/proc in the root is not a directory"* ]]
	rm "$T/top/proc"; mkdir -p "$T/top/proc/self/attr"; echo 'x' >"$T/top/proc/self/attr/exec"; give "$T/top"
	run box sh -c 'stat -f -c %t /proc; ls /proc/self/attr; ls /proc | head -1'
	[[ "$output" = "9fa0"* ]]; [[ "$output" = *"1" ]]
}

@test "A8 /dev and /sys as links lead nowhere" {
	for target in "$T/canary" "../../../../../../$T/canary"; do
		for name in dev sys; do
			rm -rf "$T/top/dev" "$T/top/sys"; ln -s "$target" "$T/top/$name"; give "$T/top"
			run box true
			[ "$status" = 125 ]; [[ "$output" = *"/$name in the root is not a directory"* ]]
		done
	done
	rm -rf "$T/top/sys" "$T/top/dev"; mkdir "$T/top/dev"
	for name in shm mqueue pts; do ln -s "$T/canary" "$T/top/dev/$name"; done
	give "$T/top"
	run box sh -c 'touch /dev/shm/x /dev/mqueue/y'
	[ "$status" = 0 ]
}

@test "A8 mount points follow the image's links inside the root only" {
	ln -s "$T/canary" "$T/top/out"; ln -s ../../../../../../etc "$T/top/up"; mkdir "$T/top/etc"
	ln -s ../run/stub/resolv.conf "$T/top/etc/resolv.conf"; give "$T/top"
	run box --mount "tmpfs:/out" --mount file:/out/x:y --mount file:/up/z:w --resolv inside \
		sh -c 'cat /etc/z /etc/resolv.conf; cat '"$T/canary/x"
	[ "$status" = 0 ]; [ "$output" = "winsidey" ]
	[ -z "$(ls -A "$T/upper/")" ]
}

@test "A10 control groups cannot be written" {
	run box sh -c 'find /sys/fs/cgroup -maxdepth 2 -name cgroup.procs | head -1 | while read f; do echo 1 >$f; done; touch /sys/fs/cgroup/x'
	[ "$status" != 0 ]; [[ "$output" = *"Read-only file system"* ]]
	run "$BOXRUN" --lower "$SPACE/base" sh -c 'touch /sys/fs/cgroup/x /sys/x'
	[ "$status" != 0 ]
}

@test "A11 A17 no mounts, no way around the covers" {
	run box sh -c 'mount -t cgroup -o rdma x /tmp; umount /proc/keys; umount -l /proc; rm /proc/keys; mv /proc/keys /tmp
		mount --bind /tmp /proc/keys; mount -o remount,rw /sys; mount -o remount,rw /proc/sys; cat /proc/keys'
	[ "$status" = 0 ]
	! grep -v 'ermission\|not permitted\|Read-only\|busy\|No such' <<<"$output" || false
	for name in mount umount unshare-user unshare-mount clone-user setns open_tree fsopen; do
		run box boxcase call $name
		[ "$output" = EPERM ]
	done
}

@test "A12 capabilities are docker's fourteen, none inherited" {
	run box grep '^Cap' /proc/self/status
	[ "$output" = "$(printf 'CapInh:\t%s\nCapPrm:\t%s\nCapEff:\t%s\nCapBnd:\t%s\nCapAmb:\t%s' \
		0000000000000000 00000000a80425fb 00000000a80425fb 00000000a80425fb 0000000000000000)" ]
	run box --cap-drop ALL --cap-add chown grep '^Cap' /proc/self/status
	[[ "$output" = *"CapBnd:"?"0000000000000001"* ]]
	run box --nnp grep NoNewPrivs /proc/self/status
	[[ "$output" = *1 ]]
	run box grep NoNewPrivs /proc/self/status
	[[ "$output" = *0 ]]
}

@test "A12 a user other than root has no capabilities" {
	if is_one_id; then
		run box --user app true
		[ "$status" = 125 ]; [[ "$output" = *"user 1000:1001 has no id in this box"* ]]
		return
	fi
	run box --user app grep '^Cap[PEA]' /proc/self/status
	! grep -q '[1-9a-f]$' <<<"$(cut -f2 <<<"$output")"
}

@test "A13 groups of a user" {
	if is_one_id; then
		run box --user root:extra true
		[ "$status" = 125 ]; [[ "$output" = *"has no id in this box"* ]]
		return
	fi
	run box --user app sh -c 'id -u; id -g; id -G; echo $HOME'
	[ "$output" = "$(printf '1000\n1001\n1001 50\n/home/app')" ]
	run box --user app:other sh -c 'id -u; id -G'
	[ "$output" = "$(printf '1000\n51')" ]
	run box --user 1000 id -G
	[ "$output" = "1001 50" ]
	run box --user 4242 sh -c 'id -u; id -G; echo $HOME'
	[ "$output" = "$(printf '4242\n0\n/')" ]
	run box --user 4242:4343 sh -c 'id -u; id -G'
	[ "$output" = "$(printf '4242\n4343')" ]
}

@test "A14 users that are not users" {
	for user in 4294967296 4294967295 -1 2147483648 00x0 1: :1 0x0 : "$(head -c 200 /dev/zero | tr '\0' 9)" nobodyhere app:nogroup; do
		run box --user "$user" id -u
		echo "$user: $output"
		[ "$status" = 125 ]
	done
	run box --user '' id -u
	[ "$output" = 0 ]
}

@test "A15 passwd files that are not files" {
	mkdir "$T/top/etc"
	for kind in sparse large fifo directory link; do
		rm -rf "$T/top/etc/passwd"
		case $kind in
		sparse) truncate -s 8G "$T/top/etc/passwd" ;;
		large) head -c 11534336 /dev/zero | tr '\0' '\n' >"$T/top/etc/passwd" ;;
		fifo) mkfifo "$T/top/etc/passwd" ;;
		directory) mkdir "$T/top/etc/passwd" ;;
		link) ln -s /proc/kcore "$T/top/etc/passwd" ;;
		esac
		give "$T/top"
		run timeout 10 "$BOXRUN" --lower "$T/top" --lower "$SPACE/base" --user app id
		echo "$kind: $output"
		[ "$status" = 125 ]
	done
}

@test "A16 /etc/passwd as a link stays inside" {
	mkdir "$T/top/etc"
	echo 'spy:x:77:77::/:/bin/sh' >"$T/canary/passwd"; before=$(fingerprint)
	for target in "$T/canary/passwd" "../../../../../../$T/canary/passwd"; do
		rm -f "$T/top/etc/passwd"; ln -s "$target" "$T/top/etc/passwd"; give "$T/top"
		run box --user spy id
		[ "$status" = 125 ]
	done
}

@test "A18 A19 A21 A22 system calls" {
	for name in socket-alg socket-alg-high-bits socket-vsock tiocsti tiocsti-high-bits io_uring userfaultfd \
		keyctl add_key bpf perf_event_open kexec_load open_by_handle_at swapon personality-odd; do
		run box boxcase call $name
		echo "$name $output"
		[ "$output" = EPERM ]
	done
	for name in clone3 unknown; do
		run box boxcase call $name
		[ "$output" = ENOSYS ]
	done
	for name in socket-inet socket-unix personality-ask getppid; do
		run box boxcase call $name
		[ "$output" = ok ]
	done
}

@test "A20 the verdicts of other architectures are the same" {
	[ "$(uname -m)" = x86_64 ] || skip "only x86 has three tables"
	for name in mount umount2 unshare clone keyctl socket-alg; do
		run box boxcase call32 $name
		echo "$name $output"
		[ "$output" = EPERM ] || [ "$output" = ENOSYS ]
	done
	run box boxcase call32 clone3
	[ "$output" = ENOSYS ]
	run box boxcase call x32-getpid
	[ "$output" = ENOSYS ]
	run box boxcase call32 getppid
	[ "$output" = ok ] || [ "$output" = "Function not implemented" ]
}

@test "A23 the builder's environment is out of sight" {
	SECRET_CANARY=sing run box sh -c 'cat /proc/*/environ'
	[[ "$output" != *sing* ]]
}

@test "A25 what a program leaves running is gone" {
	# this file may run several times at once, as several users
	seconds=87$$
	run box sh -c "setsid sleep ${seconds}1 & (setsid sh -c 'trap : TERM HUP; sleep ${seconds}2' &) ; exit 0"
	[ "$status" = 0 ]
	! grep -aqs "sleep.$seconds[12]" /proc/[0-9]*/cmdline
}

# whatever names the program only as an argument, as this grep does, does not begin so
clings() { grep -aqs "^/$mark.cling" /proc/[0-9]*/cmdline; }

@test "A25 nothing outlives a killed worker, whatever it does" {
	mark=mark$$
	cp "$BOXCASE" "$T/$mark"
	box --mount "bind:/$mark:$T/$mark" "/$mark" cling >"$T/out" 3>&- &
	runner=$!
	until_gone sh -c "! grep -q clinging $T/out"
	clings
	worker=$(cat /proc/$runner/task/$runner/children)
	# bats may have put a shell between
	while [ "$(readlink /proc/${worker%% *}/exe)" != "$BOXRUN" ]; do worker=$(cat /proc/${worker%% *}/task/${worker%% *}/children); done
	worker=${worker%% *}
	child=$(cat /proc/$worker/task/$worker/children)
	kill -9 ${child:-$worker}
	until_gone clings
	wait $runner || true
}

@test "A27 abstract sockets of the host are out of reach" {
	grep -q landlock /sys/kernel/security/lsm 2>/dev/null || [ "$("$BOXCASE" landlock)" -ge 6 ] || skip "needs Landlock of Linux 6.12"
	"$BOXCASE" listen "canary$$" >"$T/out" 3>&- &
	listener=$!
	until_gone sh -c "! grep -q listening $T/out"
	[ "$("$BOXCASE" connect "canary$$")" = ok ]
	run box boxcase connect "canary$$"
	kill $listener
	echo "$output"
	[ "$output" = EPERM ]
}

@test "A30 a crash leaves no core file" {
	run box --cwd /tmp sh -c 'boxcase crash; ls /tmp /'
	! grep -q core <<<"$output"
}

@test "A32 with one id, setgroups is given up first" {
	run "$BOXRUN" --one --lower "$SPACE/base" sh -c 'cat /proc/self/setgroups; id -u'
	if [ "$(id -u)" = 0 ] && [ "$status" = 125 ]; then skip "real root has no single-id box here: $output"; fi
	[ "$output" = "$(printf 'deny\n0')" ]
}

@test "A35 undoing mount points goes by inode, not by name" {
	mkdir "$T/top/etc"; echo keep >"$T/top/etc/y"; give "$T/top"
	run box --mount file:/x/y:stub sh -c 'mv /x /moved; ln -s /etc /x'
	[ "$status" = 0 ]
	[ "$(readlink "$T/upper/x")" = /etc ]
	run box --mount file:/x/y:stub sh -c 'mv /x /moved; mkdir -p /x; echo mine >/x/y'
	[ "$(cat "$T/upper/x/y")" = mine ]
}

@test "the insecure mode is for those who were allowed" {
	run box --insecure true
	[ "$status" = 125 ]; [[ "$output" = *"'insecure' was not allowed"* ]]
	run box --insecure --allow grep CapEff /proc/self/status
	[ "$status" = 0 ]; [[ "$output" = *ffffffffff ]]
}

# --- one id, supervised

supervised() {
	local scratch
	scratch=$(mktemp -d "$T/scratch/XXXXXX")
	chmod 755 "$scratch"
	ln -sfn "$scratch/upper" "$T/upper"
	# as the caller alone, who then owns the base
	[ -d "$SPACE/one" ] || make_root "$SPACE/one"
	"$BOXRUN" --one --supervise --lower "$SPACE/one" --scratch "$scratch" --net host "$@"
}

# root that cannot map itself has no such box
needs_one_id() {
	[ "$(id -u)" != 0 ] || "$BOXRUN" --one --lower "$SPACE/base" sh -c : || skip "real root has no single-id box here"
}

@test "with one id, programs find owners and users as with a range" {
	needs_one_id
	run supervised --cwd /tmp/work boxuser all
	[ "$output" = "all as it should be" ]
	is_one_id || run box --cwd /tmp/work boxuser all
	[ "$output" = "all as it should be" ]
}

@test "with one id, a box's user, its devices and its attributes" {
	needs_one_id
	run supervised --user app sh -c 'id; touch /tmp/f; ls -ln /tmp/f; grep Uid /proc/self/status | tr "\t" " "'
	[ "${lines[0]}" = "uid=1000(app) gid=1001(app) groups=50(extra),1001(app)" ]
	[[ "${lines[1]}" = *" 1000 "*" 1001 "* ]]
	[ "${lines[2]}" = "Uid: 0 0 0 0" ]
	run supervised sh -c 'busybox mknod -m 640 /d b 7 9 && chown 0:6 /d && stat -c "%F %a %u:%g %t:%T" /d && busybox mknod /w c 0 0'
	[ "${lines[0]}" = "block special file 640 0:6 7:9" ]; [ "$status" != 0 ]
	run supervised --cap-drop CHOWN --cap-drop SETUID boxuser all
	[[ "$output" = *"chown("* ]] && [[ "$output" = *"setresuid("* ]]
}

@test "with one id, links of a root lead nowhere else" {
	needs_one_id
	run supervised sh -c 'ln -s ../../../../../../../.. /up; ln -s "$1" /out; chown 3:4 /up/out; chown -h 5:6 /out; chown 7:8 "/up$1/bird" "$1/bird"
		chown 9:9 /proc/self/cwd/tmp; stat -c %u:%g /tmp' sh "$T/canary"
	[ "${lines[-1]}" = 9:9 ]
}

@test "with one id, /proc leads to nothing that the box's processes do not have" {
	needs_one_id
	run supervised --init sh -c 'for at in /proc/1/fd /proc/self/../self/fd /dev/fd/../../self/fd; do
		for fd in $(busybox seq 0 40); do busybox mknod $at/$fd/x c 1 3 2>/dev/null && echo made in $at/$fd; done; done
		busybox mknod /proc/1/cwd/y c 1 3 2>/dev/null && echo made in /proc/1/cwd
		busybox mknod /proc/self/root/z c 1 3 && stat -c %F /z; echo ended'
	[ "${lines[0]}" = "character special file" ]; [ "${lines[1]}" = ended ]
}

@test "a box whose supervisor is killed fails, and is not waited for" {
	needs_one_id
	mkfifo "$T/in"
	supervised --stdin sh -c 'echo ready; read x; touch /f; chown 3 /f; echo $?' <"$T/in" >"$T/out" 2>&1 3>&- &
	exec 9>"$T/in"
	until_gone sh -c "! grep -q ready $T/out"
	# boxrun, its worker, and of the worker's two children the one that has no child
	worker=$(pgrep -P "$(pgrep -P $! -x boxrun || echo $!)" -x boxrun)
	for pid in $(pgrep -P "$worker"); do
		pgrep -P "$pid" >/dev/null || kill -9 "$pid"
	done
	echo >&9
	exec 9>&-
	status=0; wait $! || status=$?
	cat "$T/out"
	[ "$status" = 125 ]
	grep -q "supervisor of the box ended before it" "$T/out"
}
