# SPDX-License-Identifier: Apache-2.0
# remote - files and repositories on the loopback, for ADD and contexts

# files_start: $T/www is at $FILES
files_start() {
	local port

	needs python3
	mkdir -p "$T/www"
	mkfifo "$T/files.fifo"
	python3 "$srcdir/tests/fake/files.py" "$T/www" >"$T/files.fifo" 2>/dev/null 3>&- &
	FILES_PID=$!
	exec 9<"$T/files.fifo"
	read -r -t 20 port <&9
	cat <&9 >"$T/files.log" 3>&- &
	exec 9<&-
	FILES=http://127.0.0.1:$port
}

files_stop() {
	[ -z "$FILES_PID" ] || kill "$FILES_PID" 2>/dev/null
	FILES_PID=
}

# repository: $T/www/r.git, with the commit $V1 (tag v1, branch main) and after it $OTHER (branch other)
repository() {
	needs git
	local git="git -c user.name=a -c user.email=a@example.com -c init.defaultBranch=main"

	mkdir -p "$T/www"
	(
		cd "$T/www"
		export GIT_CONFIG_GLOBAL=/dev/null GIT_AUTHOR_DATE=1600000000Z GIT_COMMITTER_DATE=1600000000Z
		git -c init.defaultBranch=main init -q work
		cd work
		mkdir -p sub/deep
		echo one >one
		echo two >sub/deep/two
		ln -s / sub/proj
		ln -s one link
		chmod 755 one
		git add -A
		$git commit -qm first
		git tag v1
		git checkout -q -b other
		echo other >one
		printf 'FROM scratch\nCOPY one /copied\nCOPY . /all\n' >Dockerfile
		printf 'FROM scratch\nCOPY two /two\n' >sub/deep/Dockerfile
		git add -A
		$git commit -qm second
		git checkout -q main
		git clone -q --bare . ../r.git 2>/dev/null
		git -C ../r.git update-server-info
		git rev-parse v1 other >"$T/commits"
	)
	V1=$(sed -n 1p "$T/commits")
	OTHER=$(sed -n 2p "$T/commits")
}
