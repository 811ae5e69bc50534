#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
load helpers

# checked LINE...: a Dockerfile of these lines is checked; without the excerpts
checked() {
	mkdir -p ctx
	printf '%s\n' "$@" >ctx/Dockerfile
	run_kept prog build --check ctx
}

@test "a file that is fine" {
	checked "FROM scratch" "LABEL a=b"
	same "$status" 0
	stdout_is "Check complete, no warnings found."
}

@test "a warning: rule, address, text, lines; status 1" {
	checked "FROM scratch" "CMD echo hi"
	same "$status" 1
	stdout_is "Check complete, 1 warning has been found!

WARNING: JSONArgsRecommended - https://docs.docker.com/go/dockerfile/rule/json-args-recommended/
JSON arguments recommended for CMD to prevent unintended behavior related to OS signals
Dockerfile:2
--------------------
   1 |     FROM scratch
   2 | >>> CMD echo hi
   3 |     
--------------------"
	stderr_is_empty
}

@test "rules that need the build: each with its text" {
	mkdir ctx
	echo ignored >ctx/.dockerignore
	touch ctx/ignored
	while IFS='|' read -r lines text; do
		printf "$lines" >ctx/Dockerfile
		fails 1 prog build --check ctx
		stdout_has "$text"
	done <<-'END'
		FROM scratch\nCOPY ignored /\n|Attempting to Copy file "ignored" that is excluded by .dockerignore
		FROM scratch\nADD ignored /\n|Attempting to Add file "ignored" that is excluded by .dockerignore
		FROM scratch\nCMD ["a"]\nCMD ["b"]\n|Multiple CMD instructions should not be used in the same stage because only the last one will be used
		FROM scratch\nENTRYPOINT ["a"]\nENTRYPOINT ["b"]\n|Multiple ENTRYPOINT instructions
		FROM scratch\nHEALTHCHECK NONE\nHEALTHCHECK NONE\n|Multiple HEALTHCHECK instructions
		FROM scratch\nLABEL a=$nothing\n|Usage of undefined variable '$nothing'
		FROM scratch\nENV PASS=1\nLABEL a=$PAS\n|Usage of undefined variable '$PAS' (did you mean $PASS?)
		FROM scratch\nWORKDIR rel\n|Relative workdir "rel" can have unexpected results if the base image changes
		FROM scratch\nENV A b\n|"ENV key=value" should be used instead of legacy "ENV key value" format
		FROM scratch\nARG TOKEN\n|Do not use ARG or ENV instructions for sensitive data (ARG "TOKEN")
		FROM --platform=linux/arm64 scratch\n|FROM --platform flag should not use constant value "linux/arm64"
		FROM --platform=$TARGETPLATFORM scratch\n|Setting platform to predefined $TARGETPLATFORM in FROM is redundant
		FROM scratch\nEXPOSE 80/TCP\n|Defined protocol '80/TCP' in EXPOSE instruction should be lowercase
		FROM scratch\nEXPOSE 1.2.3.4:80:80\n|EXPOSE instruction should not define an IP address or host-port mapping, found '1.2.3.4:80:80'
		ARG TAG\nFROM busybox:${TAG}\n|Default value for ARG busybox:${TAG} results in empty or invalid base image name
		FROM scratch AS Upper\n|Stage name 'Upper' should be lowercase
		FROM scratch\nMAINTAINER me\n|Maintainer instruction is deprecated in favor of using label
	END
}

@test "a base for another platform is told" {
	mkdir ctx
	printf 'FROM scratch\nLABEL a=b\n' >ctx/Dockerfile
	works prog build --platform linux/s390x -t other ctx
	printf 'FROM other\n' >ctx/Dockerfile
	run_kept prog build --check --platform linux/amd64 ctx
	same "$status" 1
	stdout_has 'Base image other was pulled with platform "linux/s390x", expected "linux/amd64" for current build'
}

@test "all stages are checked, or those of a target" {
	checked "FROM scratch AS a" "CMD one" "FROM scratch" "CMD two"
	same "$status" 1
	same "$(grep -c '^WARNING' "$T/stdout")" 2
	run_kept prog build --check --target a ctx
	same "$(grep -c '^WARNING' "$T/stdout")" 1
}

@test "a comment or an argument can say what not to look at" {
	checked "# check=skip=JSONArgsRecommended" "FROM scratch" "CMD one"
	same "$status" 0
	checked "FROM scratch" "# check=skip=JSONArgsRecommended" "CMD one"
	same "$status" 0
	checked "FROM scratch" "CMD one"
	works prog build --check --build-arg BUILDKIT_DOCKERFILE_CHECK=skip=all ctx
	checked "# check=error=true" "FROM scratch" "CMD one"
	fails 3 prog build ctx
	stderr_has "lint violation found for rules: JSONArgsRecommended"
}

@test "what cannot be built is part of the answer" {
	checked "FROM scratch" "CMD one" "COPY --from=later /x /" "FROM scratch AS later"
	same "$status" 1
	stdout_has "ERROR: Dockerfile:3: COPY: cannot copy from stage"
	checked "FROM scratch" "RNU true"
	same "$status" 1
	stdout_has "ERROR: Dockerfile:2: unknown instruction: RNU (did you mean RUN?)"
}

@test "a check as JSON" {
	needs python3
	checked "FROM scratch" "CMD echo hi"
	fails 1 prog build --call=check,format=json ctx
	cp "$T/stdout" answer
	works python3 - answer <<-'END'
		import base64, json, sys
		d = json.load(open(sys.argv[1]))
		w = d["warnings"][0]
		print(w["ruleName"], w["detail"], w["location"], d["sources"][0]["filename"])
		print(base64.b64decode(d["sources"][0]["data"]).decode(), end="")
	END
	stdout_is "JSONArgsRecommended JSON arguments recommended for CMD to prevent unintended behavior related to OS signals {'ranges': [{'start': {'line': 2}, 'end': {'line': 2}}]} Dockerfile
FROM scratch
CMD echo hi"
}

@test "targets: what can be named, with what the comments say" {
	mkdir ctx
	cat >ctx/Dockerfile <<-'EOF'
		# build makes the binary
		FROM scratch AS build
		FROM scratch AS longer-name
		FROM build
	EOF
	works prog build --call=targets ctx
	stdout_is "TARGET        DESCRIPTION
build         makes the binary
longer-name   
(default)     "
	works prog build --call=targets,format=json ctx
	stdout_has '"base": "build"'
	stdout_has '"default": true'
}

@test "outline: arguments, secrets and agents of a target" {
	mkdir ctx
	cat >ctx/Dockerfile <<-'EOF'
		ARG BASE=scratch
		ARG UNUSED=x
		FROM scratch AS other
		ARG NOT_NEEDED
		# app is what runs
		FROM $BASE AS app
		# VERSION to build
		ARG VERSION=1.2
		ARG EMPTY
		RUN --mount=type=secret,id=token,required --mount=type=secret,id=other --mount=type=ssh true
	EOF
	works prog build --call=outline --build-arg VERSION=3 ctx
	stdout_is "TARGET:      app
DESCRIPTION: is what runs

BUILD ARG   VALUE     DESCRIPTION
BASE        scratch   
VERSION     3         to build
EMPTY                 

SECRET   REQUIRED
token    true
other    

SSH       REQUIRED
default   
"
	works prog build --call=outline,format=json ctx
	stdout_has '"name": "token"'
	stdout_has '"required": true'
	fails 2 prog build --call=nothing ctx
	stderr_has "--call: there is no 'nothing'"
}

@test "a build argument that nothing declares is told, with what may have been meant" {
	mkdir ctx
	printf 'FROM scratch\nARG VERSION\n' >ctx/Dockerfile
	works prog build --build-arg VERSOIN=1 ctx
	stderr_has "--build-arg VERSOIN: no ARG in Dockerfile declares it (did you mean VERSION?)"
	works prog build --build-arg HTTP_PROXY=x --build-arg VERSION=1 ctx
	stderr_lacks "declares it"
}

@test "warnings are told once, whatever the number of platforms" {
	mkdir ctx
	printf 'FROM scratch\nCMD one\n' >ctx/Dockerfile
	works prog build --platform linux/amd64,linux/arm64 ctx
	same "$(grep -c JSONArgsRecommended "$T/stderr")" 1
}
