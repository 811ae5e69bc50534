#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
load helpers
load remote

teardown() {
	files_stop
	e2e_teardown
}

# files_of DOCKERFILE...: the files of the image as lines of tar
files_of() {
	mkdir -p ctx
	printf '%s\n' "$@" >ctx/Dockerfile
	works prog build -o type=tar,dest=files.tar ctx
	tar --numeric-owner --utc --full-time -tvf files.tar | sed -E 's/ +/ /g' >"$T/stdout"
}

fails_with() {
	local text=$1

	shift
	mkdir -p ctx
	printf '%s\n' "$@" >ctx/Dockerfile
	run_kept prog build ctx
	[ "$status" -ne 0 ] || explain "wanted: a failure"
	stderr_has "$text"
}

@test "ADD of a URL: 0600, Last-Modified, the name of the last part of its path" {
	files_start
	echo page >"$T/www/the page.txt"
	touch -d '2020-01-02 03:04:05Z' "$T/www/the page.txt"
	files_of "FROM scratch" "ADD $FILES/the%20page.txt?x=1#part /dir/" "ADD $FILES/the%20page.txt /dir/name" \
		"ADD --chmod=644 --chown=3:4 $FILES/the%20page.txt /mode"
	stdout_is "drwxr-xr-x 0/0 0 2023-11-14 22:13:20 dir/
-rw------- 0/0 5 2020-01-02 03:04:05 dir/name
-rw------- 0/0 5 2020-01-02 03:04:05 dir/the page.txt
-rw-r--r-- 3/4 5 2020-01-02 03:04:05 mode"
}

@test "ADD of a URL twice is fetched again and cached when it is the same" {
	files_start
	echo page >"$T/www/page"
	mkdir ctx
	printf 'FROM scratch\nADD %s/page /\n' "$FILES" >ctx/Dockerfile
	works prog build ctx
	first=$(cat "$T/stdout")
	works prog build --progress plain ctx
	stdout_is "$first"
	stderr_has CACHED
	echo new >"$T/www/page"
	works prog build --progress plain ctx
	stderr_lacks CACHED
	differ "$(cat "$T/stdout")" "$first"
}

@test "a checksum is held against what came" {
	files_start
	echo page >"$T/www/page"
	sum=$(sha256sum <"$T/www/page" | cut -d' ' -f1)
	files_of "FROM scratch" "ADD --checksum=sha256:$sum $FILES/page /"
	echo more >>"$T/www/page"
	files_of "FROM scratch" "ADD --checksum=sha256:$sum $FILES/page /"
	works prog prune --all
	fails_with "digest mismatch" "FROM scratch" "ADD --checksum=sha256:$sum $FILES/page /"
	stderr_has "Dockerfile:2: ADD: "
	fails_with "--checksum" "FROM scratch" "ADD --checksum=sha256:12 $FILES/page /"
	fails_with "checksum can't be specified for multiple sources" "FROM scratch" \
		"ADD --checksum=sha256:$sum $FILES/page $FILES/page /d/"
	touch ctx/f
	fails_with "checksum requires HTTP(S) or Git source" "FROM scratch" "ADD --checksum=sha256:$sum f /"
}

@test "redirects are followed, ten of them, and only outwards" {
	files_start
	echo page >"$T/www/page"
	files_of "FROM scratch" "ADD $FILES/hops/10/page /d/"
	stdout_has " d/page"
	fails_with "more than 10 redirects" "FROM scratch" "ADD $FILES/hops/11/page /d/"
	fails_with "neither http:// nor https://" "FROM scratch" "ADD $FILES/away/file:///etc/passwd /d/"
	fails_with "more private" "FROM scratch" "ADD $FILES/away/http://169.254.169.254/ /d/"
}

@test "what cannot be fetched is told with file and line" {
	files_start
	fails_with "Dockerfile:2: ADD: $FILES/none: invalid response status 404" "FROM scratch" "ADD $FILES/none /"
	fails_with "source can't be a URL for COPY" "FROM scratch" "COPY $FILES/none /"
	fails_with "source can't be a git ref for COPY" "FROM scratch" "COPY $FILES/none.git /"
}

@test "an archive from a URL is unpacked when asked" {
	files_start
	mkdir -p tree/d
	echo f >tree/d/f
	chmod 640 tree/d/f
	chmod 750 tree/d
	tar --owner=5 --group=6 --mtime=@1500000000 -C tree -czf "$T/www/x.tgz" d
	touch -d @1600000000 "$T/www/x.tgz"
	files_of "FROM scratch" "ADD $FILES/x.tgz /plain/" "ADD --unpack=true $FILES/x.tgz /unpacked/"
	stdout_is "drwxr-xr-x 0/0 0 2023-11-14 22:13:20 plain/
-rw------- 0/0 $(stat -c %s "$T/www/x.tgz") 2020-09-13 12:26:40 plain/x.tgz
drwxr-xr-x 0/0 0 2023-11-14 22:13:20 unpacked/
drwxr-x--- 5/6 0 2017-07-14 02:40:00 unpacked/d/
-rw-r----- 5/6 2 2017-07-14 02:40:00 unpacked/d/f"
}

@test "ADD of a repository: a branch, a tag, a commit, a directory of it" {
	repository
	files_start
	files_of "FROM scratch" "ADD $FILES/r.git /head" "ADD $FILES/r.git#v1:sub/deep /deep" \
		"ADD $FILES/r.git#$V1 /commit" "ADD $FILES/r.git?branch=other&subdir=sub/deep /query"
	stdout_is "drwxr-xr-x 0/0 0 2023-11-14 22:13:20 commit/
lrwxrwxrwx 0/0 0 2020-09-13 12:26:40 commit/link -> one
-rwxr-xr-x 0/0 4 2020-09-13 12:26:40 commit/one
drwxr-xr-x 0/0 0 2020-09-13 12:26:40 commit/sub/
drwxr-xr-x 0/0 0 2020-09-13 12:26:40 commit/sub/deep/
-rw-r--r-- 0/0 4 2020-09-13 12:26:40 commit/sub/deep/two
lrwxrwxrwx 0/0 0 2020-09-13 12:26:40 commit/sub/proj -> /
drwxr-xr-x 0/0 0 2023-11-14 22:13:20 deep/
-rw-r--r-- 0/0 4 2020-09-13 12:26:40 deep/two
drwxr-xr-x 0/0 0 2023-11-14 22:13:20 head/
lrwxrwxrwx 0/0 0 2020-09-13 12:26:40 head/link -> one
-rwxr-xr-x 0/0 4 2020-09-13 12:26:40 head/one
drwxr-xr-x 0/0 0 2020-09-13 12:26:40 head/sub/
drwxr-xr-x 0/0 0 2020-09-13 12:26:40 head/sub/deep/
-rw-r--r-- 0/0 4 2020-09-13 12:26:40 head/sub/deep/two
lrwxrwxrwx 0/0 0 2020-09-13 12:26:40 head/sub/proj -> /
drwxr-xr-x 0/0 0 2023-11-14 22:13:20 query/
-rw-r--r-- 0/0 27 2020-09-13 12:26:40 query/Dockerfile
-rw-r--r-- 0/0 4 2020-09-13 12:26:40 query/two"
}

@test "the .git directory stays when asked, and a commit can be demanded" {
	repository
	files_start
	files_of "FROM scratch" "ADD --keep-git-dir=true $FILES/r.git#v1 /r"
	stdout_has " r/.git/HEAD"
	files_of "FROM scratch" "ADD --checksum=${V1:0:12} $FILES/r.git#v1 /r"
	stdout_lacks ".git/"
	fails_with "expected checksum to match $OTHER, got $V1" "FROM scratch" \
		"ADD --checksum=$OTHER $FILES/r.git#v1 /r"
}

@test "a ref is no option, a subdir leads nowhere else" {
	repository
	files_start
	fails_with "invalid git ref '--upload-pack=x'" "FROM scratch" "ADD $FILES/r.git#--upload-pack=x /r"
	fails_with "there is no ref 'nope'" "FROM scratch" "ADD $FILES/r.git#nope /r"
	fails_with "subdir 'sub/proj': Not a directory" "FROM scratch" "ADD $FILES/r.git#main:sub/proj /r"
	fails_with "leads out of the repository" "FROM scratch" "ADD $FILES/r.git#main:../x /r"
	fails_with "unexpected query" "FROM scratch" "ADD $FILES/r.git?x=y /r"
}

@test "git runs with nothing of the caller's, and no hook of anybody's" {
	repository
	files_start
	mkdir -p "$HOME" hooks
	printf '#!/bin/sh\ntouch %s/ran\n' "$T" >hooks/post-checkout
	chmod 755 hooks/post-checkout
	printf '[core]\n\thooksPath = %s/hooks\n[url "file://%s/www/"]\n\tinsteadOf = %s/\n' \
		"$PWD" "$T" "$FILES" >"$HOME/.gitconfig"
	files_of "FROM scratch" "ADD $FILES/r.git /r"
	is_missing "$T/ran"
	grep -q r.git "$T/files.log"
}

# submodule URL: a repository $T/www/super.git that has $T/www/r.git's commit v1 at part, under that address
submodule() {
	(
		cd "$T/www"
		export GIT_CONFIG_GLOBAL=/dev/null GIT_AUTHOR_DATE=1600000000Z GIT_COMMITTER_DATE=1600000000Z
		rm -rf super super.git
		git -c init.defaultBranch=main init -q super
		cd super
		printf '[submodule "part"]\n\tpath = part\n\turl = %s\n' "$1" >.gitmodules
		git update-index --add --cacheinfo "160000,$V1,part"
		git add .gitmodules
		git -c user.name=a -c user.email=a@example.com commit -qm super
		git clone -q --bare . ../super.git 2>/dev/null
		git -C ../super.git update-server-info
	)
}

@test "submodules are checked out, unless told otherwise, and never from files of this machine" {
	repository
	files_start
	submodule ../r.git
	files_of "FROM scratch" "ADD $FILES/super.git /s" "ADD $FILES/super.git?submodules=0 /flat"
	stdout_has " s/part/one"
	stdout_lacks " s/part/.git"
	stdout_lacks " flat/part/one"
	submodule "file://$T/www/r.git"
	fails_with "transport 'file' not allowed" "FROM scratch" "ADD $FILES/super.git /again"
}
