#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
load helpers
load remote

teardown() {
	files_stop
	e2e_teardown
}

@test "a repository is a context: its Dockerfile, another branch, a directory of it" {
	repository
	files_start
	works prog build -o type=tar,dest=f.tar "$FILES/r.git#other"
	same "$(tar xOf f.tar copied)" other
	tar tf f.tar >names
	! grep -q .git names || false
	works prog build -o type=tar,dest=f.tar "$FILES/r.git?branch=other&subdir=sub/deep"
	same "$(tar xOf f.tar two)" two
	works prog build -o type=tar,dest=f.tar --build-arg BUILDKIT_CONTEXT_KEEP_GIT_DIR=1 "$FILES/r.git#other"
	tar tf f.tar >names
	grep -q all/.git/HEAD names
	fails 4 prog build "$FILES/r.git#main"
	stderr_has "there is no Dockerfile or Containerfile in the context"
	fails 4 prog build "$FILES/r.git#main:none"
	stderr_has "subdir 'none'"
	fails 3 prog build "$FILES/r.git#-x"
	stderr_has "invalid git ref '-x'"
	store_is_clean
}

@test "an archive at a URL is a context, and so is a Dockerfile" {
	files_start
	mkdir ctx
	echo f >ctx/f
	printf 'FROM scratch\nCOPY f /f\n' >ctx/Dockerfile
	printf 'FROM scratch\nCOPY f /other\n' >ctx/other
	tar -C ctx -czf "$T/www/context" .
	works prog build -o type=tar,dest=f.tar "$FILES/context"
	same "$(tar tf f.tar)" f
	works prog build -o type=tar,dest=f.tar -f other "$FILES/context"
	same "$(tar tf f.tar)" other
	printf 'FROM scratch\nLABEL a=b\n' >"$T/www/text"
	works prog build -t labelled "$FILES/text"
	works prog inspect -f '{{json .Config.Labels}}' labelled
	stdout_is '{"a":"b"}'
	run_kept prog build "$FILES/none"
	stderr_has "context: $FILES/none: invalid response status 404"
	store_is_clean
}

@test "named contexts: a repository, an archive, a directory; they replace stages and images" {
	repository
	files_start
	mkdir ctx dir tree
	echo t >tree/t
	tar -C tree -cf "$T/www/t.tar" t
	echo d >dir/d
	cat >ctx/Dockerfile <<-'EOF'
		FROM scratch AS stage
		COPY nothing /
		FROM scratch
		COPY --from=repo sub/deep/two /
		COPY --from=tar t /
		COPY --from=stage d /
		COPY --from=alpine d /image
	EOF
	works prog build --build-context "repo=$FILES/r.git#v1" --build-context "tar=$FILES/t.tar" \
		--build-context stage=dir --build-context alpine=dir -o type=tar,dest=f.tar ctx
	same "$(tar tf f.tar | sort | tr '\n' ' ')" "d image t two "
	fails 2 prog build --build-context "repo=target:x" --build-context tar=dir ctx
	stderr_has "there is no such stage"
}

@test "files are a base: a directory, an archive, a repository, another stage" {
	repository
	files_start
	mkdir -p ctx dir/sub
	echo d >dir/sub/d
	echo x >dir/x
	echo x >dir/.dockerignore
	ln -s sub/d dir/link
	chmod 750 dir/sub
	tar -C dir -cf "$T/www/d.tar" sub
	printf 'FROM base\nCOPY --from=base link /copy\nCMD ["/x"]\n' >ctx/Dockerfile
	works prog build --build-context base=dir -t app ctx
	works prog inspect -f '{{json .Config.Cmd}}' app
	stdout_is '["/x"]'
	works prog build --build-context base=dir -o type=tar,dest=f.tar ctx
	same "$(tar tf f.tar | sort | tr '\n' ' ')" ".dockerignore copy link sub/ sub/d "
	tar tvf f.tar >list
	grep -q "^drwxr-x--- 0/0 .* sub/" list
	works prog build --build-context base=dir -t app ctx
	stderr_has "CACHED"
	printf 'FROM base\n' >ctx/Dockerfile
	works prog build --build-context "base=$FILES/d.tar" -o type=tar,dest=f.tar ctx
	same "$(tar tf f.tar | sort | tr '\n' ' ')" "sub/ sub/d "
	works prog build --build-context "base=$FILES/r.git#v1:sub" -o type=tar,dest=f.tar ctx
	tar tf f.tar >names
	grep -q deep/two names
	printf 'FROM base AS app\nCOPY Dockerfile /g\nFROM scratch AS files\nCOPY Dockerfile /f\n' >ctx/Dockerfile
	works prog build --target app --build-context base=target:files -o type=tar,dest=f.tar ctx
	same "$(tar tf f.tar | sort | tr '\n' ' ')" "f g "
	store_is_clean
}

@test "an image of an OCI layout is a base, with layers that no registry has" {
	needs busybox skopeo umoci
	layout=$(base busybox)
	printf 'FROM base\nRUN echo run >/x\n' >Dockerfile
	works prog build -t one --build-context "base=oci-layout://$layout:latest" .
	works prog run --rm one cat /x
	stdout_is run
	printf 'FROM base\nENV A=b\n' >Dockerfile
	works prog --root other build -t two --build-context "base=oci-layout://$layout" .
	works prog --root other save --format oci-archive -o two.tar two
	works skopeo inspect oci-archive:two.tar
	store_is_clean
}

@test "the ignore file of the main context, of a named one, and beside the Dockerfile" {
	mkdir ctx named
	touch ctx/a ctx/b ctx/c named/a named/b
	echo a >ctx/.dockerignore
	echo b >ctx/Other.dockerignore
	echo b >named/.dockerignore
	printf 'FROM scratch\nCOPY . /\nCOPY --from=n . /n/\n' >ctx/Dockerfile
	cp ctx/Dockerfile ctx/Other
	works prog build --build-context n=named -o type=tar,dest=f.tar ctx
	same "$(tar tf f.tar | grep -v / | sort | tr '\n' ' ')" ".dockerignore Dockerfile Other Other.dockerignore b c "
	same "$(tar tf f.tar | grep n/ | sort | tr '\n' ' ')" "n/ n/.dockerignore n/a "
	works prog build --build-context n=named -f ctx/Other -o type=tar,dest=f.tar ctx
	same "$(tar tf f.tar | grep -v / | sort | tr '\n' ' ')" ".dockerignore Dockerfile Other Other.dockerignore a c "
}

@test "a link in the context does not empty it" {
	mkdir ctx
	echo f >ctx/f
	ln -s f ctx/link
	printf 'FROM scratch\nCOPY link /l\nCOPY f /f\n' >ctx/Dockerfile
	works prog build -o type=tar,dest=f.tar ctx
	same "$(tar tf f.tar | tr '\n' ' ')" "f l "
}
