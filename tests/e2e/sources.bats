#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
load helpers
load remote

teardown() {
	files_stop
	e2e_teardown
}

# dockerfile LINE...
dockerfile() {
	mkdir -p ctx
	printf '%s\n' "$@" >ctx/Dockerfile
}

# asked: what was asked of the server since the last time, without git's words
asked() {
	sed -E 's/^"([A-Z]+ [^ ?]*).* HTTP[^"]*" ([0-9]+).*/\1 \2/' "$T/files.log" | tail -n +"$((${SEEN:-0} + 1))"
	SEEN=$(wc -l <"$T/files.log")
}

asked_is() {
	asked >"$T/asked"
	same "$(cat "$T/asked")" "$1"
}

content() {
	works prog build -o type=tar,dest=f.tar "$@"
	tar xOf f.tar x
}

@test "what was fetched is asked about, and fetched again when it is another" {
	files_start
	echo one >"$T/www/page"
	touch -d '2020-01-02 03:04:05Z' "$T/www/page"
	dockerfile "FROM scratch" "ADD $FILES/tagged/page /x"
	same "$(content ctx)" one
	asked_is "GET /tagged/page 200"
	same "$(content ctx)" one
	asked_is "GET /tagged/page 304"
	dockerfile "FROM scratch" "ADD $FILES/page /x"
	same "$(content ctx)" one
	same "$(content ctx)" one
	asked_is "GET /page 200
HEAD /page 200"
	# another file of the same length, and older
	echo two >"$T/www/page"
	touch -d '2019-01-02 03:04:05Z' "$T/www/page"
	same "$(content ctx)" two
	asked_is "HEAD /page 200
GET /page 200"
	same "$(content --no-cache ctx)" two
	asked_is "GET /page 200"
	# a file of this moment may change unseen
	echo six >"$T/www/page"
	same "$(content ctx)" six
	same "$(content ctx)" six
	asked_is "HEAD /page 200
GET /page 200
GET /page 200"
	store_is_clean
}

@test "behind a redirect, only the same address is asked whether it is the same" {
	files_start
	echo one >"$T/www/page"
	dockerfile "FROM scratch" "ADD $FILES/hops/1/tagged/page /x"
	same "$(content ctx)" one
	same "$(content ctx)" one
	asked_is "GET /hops/1/tagged/page 302
GET /tagged/page 200
GET /hops/1/tagged/page 302
GET /tagged/page 304"
}

@test "a checksum, or all of a commit, asks nobody" {
	repository
	files_start
	echo one >"$T/www/page"
	sum=$(sha256sum <"$T/www/page" | cut -d' ' -f1)
	dockerfile "FROM scratch" "ADD --checksum=sha256:$sum $FILES/page /x" "ADD $FILES/r.git#$V1 /r" \
		"ADD --checksum=$OTHER $FILES/r.git#other /o"
	works prog build ctx
	first=$(cat "$T/stdout")
	asked >/dev/null
	works prog build ctx
	stdout_is "$first"
	asked_is ""
	works prog prune --all
	works prog check
	store_is_clean
}

@test "a repository is fetched when its ref is at a commit that is not there yet" {
	repository
	files_start
	dockerfile "FROM scratch" "ADD $FILES/r.git#main /r/"
	works prog build -o type=tar,dest=f.tar ctx
	same "$(tar xOf f.tar r/one)" one
	asked >/dev/null
	works prog build -o type=tar,dest=f.tar ctx
	same "$(tar xOf f.tar r/one)" one
	asked_is "GET /r.git/info/refs 200
GET /r.git/HEAD 200"
	git -C "$T/www/r.git" update-ref refs/heads/main "$OTHER"
	git -C "$T/www/r.git" update-server-info
	works prog build -o type=tar,dest=f.tar ctx
	same "$(tar xOf f.tar r/one)" other
	asked >"$T/asked"
	grep -q objects "$T/asked"
	git -C "$T/www/r.git" update-ref refs/heads/main "$V1"
	git -C "$T/www/r.git" update-server-info
	works prog build -o type=tar,dest=f.tar ctx
	same "$(tar xOf f.tar r/one)" one
	asked >"$T/asked"
	! grep -q objects "$T/asked" || false
	# as a context; the tag and the branch are one commit
	works prog build --build-context "v=$FILES/r.git#v1" -f - -o type=tar,dest=f.tar "$FILES/r.git#main" <<-'EOF'
		FROM scratch
		COPY one /x
		COPY --from=v one /y
	EOF
	same "$(tar xOf f.tar y)" one
	asked >"$T/asked"
	! grep -q objects "$T/asked" || false
	store_is_clean
}

@test "a Dockerfile at a URL, and one of the caller's for a context from elsewhere" {
	files_start
	mkdir ctx other
	echo f >ctx/f
	echo secret >ctx/no
	printf 'FROM scratch\nCOPY . /\n' >"$T/www/Build.docker"
	printf 'no\n' >ctx/.dockerignore
	printf 'f\n' >Build.docker.dockerignore
	works prog build -f "$FILES/Build.docker" -o type=tar,dest=f.tar ctx
	same "$(tar tf f.tar | sort | tr '\n' ' ')" ".dockerignore f "
	printf 'FROM scratch\nCOPYY . /\n' >"$T/www/Build.docker"
	fails 3 prog build -f "$FILES/Build.docker" ctx
	stderr_has "Build.docker:2"
	run_kept prog build -f "$FILES/none" ctx
	stderr_has "Dockerfile: $FILES/none: invalid response status 404"
	fails 2 prog build -f "$FILES/r.git" ctx
	stderr_has "a repository is no Dockerfile"
	tar -C ctx -cf "$T/www/ctx.tar" f
	printf 'FROM scratch\nCOPY f /mine\n' >other/Dockerfile
	works prog build -f "$PWD/other/Dockerfile" -o type=tar,dest=f.tar "$FILES/ctx.tar"
	same "$(tar tf f.tar)" mine
	fails 4 prog build -f other/Dockerfile "$FILES/ctx.tar"
	stderr_has "'other/Dockerfile' is not in the context"
}

@test "secrets open what is private, and are nowhere afterwards" {
	repository
	files_start
	host=${FILES#http://}
	echo one >"$T/www/page"
	echo 'Bearer t0psecret' >"$T/www/bearer.auth"
	echo 'Digest t0psecret' >"$T/www/header.auth"
	printf 'basic %s\n' "$(printf 'x-access-token:t0psecret' | base64)" >"$T/www/git.auth"
	dockerfile "FROM scratch" "ADD $FILES/private/bearer/page /x" "ADD $FILES/private/git/r.git#v1 /r/"
	echo t0psecret >token
	run_kept prog build ctx
	[ "$status" -ne 0 ] || explain "wanted: a failure"
	works prog --debug build --secret id=HTTP_AUTH_TOKEN_127.0.0.1,src=token \
		--secret "id=GIT_AUTH_TOKEN.$host,src=token" -t app -o type=image ctx
	cat "$T/stdout" "$T/stderr" >all
	works prog history app
	cat "$T/stdout" >>all
	! grep -q -e t0psecret -e "$(base64 <token | cut -c1-8)" all || false
	! grep -rqa -e t0psecret -e eC1hY2Nlc3MtdG9rZW4 "$COOPER_ROOT" || false
	# one for all hosts is not for plain http
	works prog prune --all
	run_kept prog build --secret id=HTTP_AUTH_TOKEN_127.0.0.1,src=token --secret id=GIT_AUTH_TOKEN,src=token ctx
	[ "$status" -ne 0 ] || explain "wanted: a failure"
	dockerfile "FROM scratch" "ADD $FILES/private/header/page /x"
	printf 'Digest t0psecret\n' >header
	same "$(content --secret id=HTTP_AUTH_HEADER_127.0.0.1,src=header ctx)" one
	printf 'a\nb' >header
	fails 3 prog build --no-cache --secret id=HTTP_AUTH_HEADER_127.0.0.1,src=header ctx
	stderr_has "it is more than one line"
	# not to where a redirect leads
	printf 'Digest t0psecret\n' >header
	dockerfile "FROM scratch" "ADD $FILES/away/http://localhost:${FILES##*:}/private/header/page /x"
	run_kept prog build --secret id=HTTP_AUTH_HEADER_127.0.0.1,src=header ctx
	stderr_has "401"
	store_is_clean
}
