#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Dockerfiles as people write them, on a minimal Debian.
load helpers
load consumers

setup_debian() {
	needs_boxes
	debian_base
	works prog load -i "$layout"
	works prog tag "$(prog images -q | head -n 1)" debian:stable
	mkdir ctx
	mkdir ctx/apt
	# a mirror that only the host knows
	cp -r /etc/apt/sources.list /etc/apt/sources.list.d ctx/apt/ 2>/dev/null || :
}

@test "a C program with cmake, packages through cache mounts, a small image at the end" {
	setup_debian
	mkdir ctx/src
	printf '#include <stdio.h>\nint main(void) { puts("built " WHO); return 0; }\n' >ctx/src/main.c
	printf 'cmake_minimum_required(VERSION 3.13)\nproject(app C)\nadd_executable(app main.c)\ntarget_compile_definitions(app PRIVATE WHO="${WHO}")\ntarget_link_options(app PRIVATE -static)\ninstall(TARGETS app)\n' >ctx/src/CMakeLists.txt
	printf 'build\n*.o\n' >ctx/.dockerignore
	cat >ctx/Dockerfile <<-'EOF'
		# syntax=docker/dockerfile:1
		ARG DEBIAN=stable
		FROM debian:${DEBIAN} AS tools
		COPY apt /etc/apt/
		RUN rm -f /etc/apt/apt.conf.d/docker-clean
		RUN --mount=type=cache,target=/var/cache/apt,sharing=locked \
		    --mount=type=cache,target=/var/lib/apt,sharing=locked \
		    apt-get update -q && apt-get install -y -q --no-install-recommends cmake make gcc libc6-dev
		FROM tools AS build
		ARG WHO=nobody
		RUN --mount=target=/src,source=src --mount=type=cache,target=/build <<END
		set -e
		cmake -S /src -B /build -DWHO="$WHO" -DCMAKE_INSTALL_PREFIX=/usr
		cmake --build /build
		DESTDIR=/out cmake --install /build
		END
		FROM scratch
		COPY --from=build --chown=10001:10001 --chmod=0555 /out/usr/bin/app /app
		USER 10001
		ENTRYPOINT ["/app"]
	EOF
	works prog build --build-arg WHO=cooper -t app ctx
	works prog run app
	stdout_is "built cooper"
	works prog build --build-arg WHO=cooper -o type=tar,dest=f.tar ctx
	same "$(tar --numeric-owner -tvf f.tar | awk '{ print $1, $2, $6 }')" "-r-xr-xr-x 10001/10001 app"
	works prog build --build-arg WHO=again -t app ctx
	works prog run app
	stdout_is "built again"
}

@test "a static site: pages made by a script, served by busybox" {
	needs_boxes
	load_busybox
	mkdir -p ctx/pages
	printf '# One\nfirst page\n' >ctx/pages/one.md
	printf '# Two\nsecond page\n' >ctx/pages/two.md
	cat >ctx/Dockerfile <<-'EOF'
		FROM busybox AS pages
		WORKDIR /site
		COPY pages/*.md src/
		RUN <<END
		mkdir out
		for page in src/*.md; do
			sed -e 's,^# \(.*\),<h1>\1</h1>,' "$page" >out/$(basename $page .md).html
		done
		END
		FROM busybox
		COPY --from=pages --chown=nobody /site/out /www
		COPY <<-httpd.conf /etc/
			H:/www
			httpd.conf
		USER nobody
		EXPOSE 8080
		HEALTHCHECK --interval=5s CMD wget -q -O- http://127.0.0.1:8080/one.html
		CMD ["httpd", "-f", "-p", "8080", "-h", "/www"]
	EOF
	works prog build -t site ctx
	works prog run site cat /www/one.html /etc/httpd.conf
	stdout_is "<h1>One</h1>
first page
H:/www"
	works prog run site sh -c 'stat -c %U /www/two.html; id -u; httpd -p 8080 -h /www; wget -q -O- http://127.0.0.1:8080/two.html'
	stdout_has "nobody"
	stdout_has "<h1>Two</h1>"
}

# wheel NAME REQUIRES: wheels/NAME-1.0-py3-none-any.whl, a module whose name() is "NAME"
wheel() {
	python3 - "$@" <<-'END'
		import sys, zipfile
		name, requires = sys.argv[1:]
		info = f"{name}-1.0.dist-info"
		files = {
		    f"{name}.py": f"def name():\n    return '{name}'\n",
		    f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n{requires}",
		    f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
		}
		files[f"{info}/RECORD"] = "".join(f"{path},,\n" for path in [*files, f"{info}/RECORD"])
		with zipfile.ZipFile(f"ctx/wheels/{name}-1.0-py3-none-any.whl", "w") as z:
		    for path, text in files.items():
		        z.writestr(path, text)
	END
}

@test "a Python program with wheels that lie beside it" {
	setup_debian
	needs python3
	mkdir ctx/wheels
	wheel inner ''
	wheel outer $'Requires-Dist: inner>=1\n'
	printf 'outer\n' >ctx/requirements.txt
	printf 'import inner, outer\nprint(outer.name(), inner.name())\n' >ctx/main.py
	cat >ctx/Dockerfile <<-'EOF'
		FROM debian:stable AS python
		COPY apt /etc/apt/
		RUN rm -f /etc/apt/apt.conf.d/docker-clean
		RUN --mount=type=cache,target=/var/cache/apt --mount=type=cache,target=/var/lib/apt \
		    apt-get update -q && apt-get install -y -q --no-install-recommends python3 python3-pip
		FROM python AS packages
		WORKDIR /app
		RUN --mount=type=bind,source=wheels,target=/wheels \
		    --mount=type=bind,source=requirements.txt,target=requirements.txt \
		    --mount=type=cache,target=/root/.cache/pip --network=none \
		    pip install --no-index --find-links=/wheels --target=lib -r requirements.txt
		FROM python
		ENV PYTHONPATH=/app/lib PYTHONDONTWRITEBYTECODE=1
		WORKDIR /app
		COPY --link --from=packages /app/lib lib
		COPY --chmod=444 main.py .
		USER nobody
		CMD ["python3", "main.py"]
	EOF
	works prog build -t app ctx
	works prog run app
	stdout_is "outer inner"
	works prog run app sh -c 'ls /app; ls -d /wheels /root/.cache 2>/dev/null || true'
	stdout_is "lib
main.py"
}

@test "packages of Debian: the lists stay out of the image" {
	setup_debian
	cat >ctx/Dockerfile <<-'EOF'
		FROM debian:stable
		COPY apt /etc/apt/
		ARG DEBIAN_FRONTEND=noninteractive
		RUN apt-get update -q \
		 && apt-get install -y -q --no-install-recommends hello \
		 && rm -rf /var/lib/apt/lists/*
		CMD ["hello"]
	EOF
	works prog build -t hello ctx
	works prog run hello
	stdout_has "Hello, world!"
	works prog run hello sh -c 'ls /var/lib/apt/lists | wc -l; env | grep -c DEBIAN_FRONTEND || true'
	stdout_is "0
0"
}

@test "a Node program whose packages come through the registry" {
	setup_debian
	needs npm
	npm ping >/dev/null 2>&1 || skip "no package registry can be reached"
	printf '{ "name": "app", "version": "1.0.0", "dependencies": { "is-odd": "3.0.1" } }\n' >ctx/package.json
	printf 'console.log(require("is-odd")(3))\n' >ctx/index.js
	printf 'node_modules\n' >ctx/.dockerignore
	cat >ctx/Dockerfile <<-'EOF'
		FROM debian:stable AS node
		COPY apt /etc/apt/
		RUN apt-get update -q && apt-get install -y -q --no-install-recommends nodejs npm ca-certificates
		WORKDIR /app
		COPY package.json ./
		RUN --mount=type=cache,target=/root/.npm --mount=type=secret,id=npmrc,target=/root/.npmrc \
		    --mount=type=secret,id=ca,target=/run/ca.pem \
		    NODE_EXTRA_CA_CERTS=/run/ca.pem npm install --omit=dev
		COPY . .
		CMD ["node", "index.js"]
	EOF
	npm config get registry | sed 's/^/registry=/' >npmrc
	# so is an authority that only the host knows
	works prog build --secret id=npmrc,src=npmrc \
		--secret "id=ca,src=${NODE_EXTRA_CA_CERTS:-/etc/ssl/certs/ca-certificates.crt}" -t app ctx
	works prog run app
	stdout_is true
}
