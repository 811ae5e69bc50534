#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# as-user.sh [--no-range] COMMAND [ARGUMENT]...
#
# Runs the command, found by its path, as a user made for it: a home of its own, a clean environment,
# and (unless --no-range) 65536 subordinate ids.  The user, its home and its processes are gone
# afterwards.  Needs root; exit status 77 with a reason where that cannot be.
set -u
range=yes
if [ "${1-}" = --no-range ]; then
	range=no
	shift
fi
if [ "$(id -u)" != 0 ]; then
	echo "as-user.sh: needs root to make a user" >&2
	exit 77
fi
for program in useradd userdel setpriv; do
	command -v $program >/dev/null || { echo "as-user.sh: $program is not installed" >&2; exit 77; }
done

# short enough for utmp, and not two at a time
user=coop$$
home=$(mktemp -d /tmp/$user.XXXXXX) || exit 77
if [ $range = no ]; then
	set -- "$@"
	extra="-K SUB_UID_COUNT=0 -K SUB_GID_COUNT=0"
else
	extra=
fi

clean() {
	trap '' HUP INT TERM
	# files of the range belong to other ids
	rm -rf "$home"
	userdel "$user" 2>/dev/null
	# userdel leaves these where it was built without them
	for file in /etc/subuid /etc/subgid; do
		if grep -q "^$user:" $file 2>/dev/null; then
			sed -i "/^$user:/d" $file
		fi
	done
}
trap 'clean; exit 130' HUP INT TERM

# system users get no range by themselves
useradd $extra -M -N -d "$home" -s /bin/sh "$user" || { rm -rf "$home"; exit 77; }
if [ $range = yes ] && ! grep -q "^$user:" /etc/subuid; then
	usermod --add-subuids 300000-365535 --add-subgids 300000-365535 "$user" || { clean; exit 77; }
fi
if [ $range = no ]; then
	sed -i "/^$user:/d" /etc/subuid /etc/subgid
fi
chown "$user" "$home"
chmod 700 "$home"
uid=$(id -u "$user")
gid=$(id -g "$user")
cd "$home" || exit 77
env -i PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin HOME="$home" USER="$user" LOGNAME="$user" \
	LC_ALL=C TMPDIR="$home" srcdir="${srcdir-}" builddir="${builddir-}" \
	setpriv --reuid "$uid" --regid "$gid" --clear-groups -- "$@"
status=$?
cd /
clean
exit $status
