#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Who has one id builds the image that somebody with a range builds.
load helpers

# build_as [--no-range] DIR: the Dockerfile there as a user made for it; what is in the image, as lines without times
build_as() {
	local range=$1
	shift
	"$srcdir/tests/e2e/as-user.sh" $range /bin/sh -c '
		c=$builddir/cooper
		$c load -q -i "$1" >/dev/null 2>log && $c tag "$($c images -q | head -n 1)" busybox >>log 2>&1 &&
			SOURCE_DATE_EPOCH=1700000000 $c build -o type=tar,dest=f.tar "$2" >>log 2>&1 || { cat log; exit 1; }
		python3 "$srcdir/tests/e2e/list-tar.py" <f.tar' sh "$layout" "$1" | awk '{ $3 = ""; print }' | grep -v " bin/\| bin$\|/tmp$"
}

@test "owners, users, set-id bits and links of every layer are the same with one id" {
	[ "$(id -u)" = 0 ] || skip "makes users, which needs root"
	needs busybox umoci useradd setpriv python3
	export builddir srcdir
	layout=$(base busybox)
	chmod 755 "$T" "$T/work"
	mkdir -m 755 ctx
	echo copied >ctx/file
	cat >ctx/Dockerfile <<-'EOF'
		FROM busybox AS made
		RUN printf 'app:x:1000:1001::/:/bin/sh\n' >>/etc/passwd && printf 'app:x:1001:\nextra:x:50:app\n' >>/etc/group
		COPY --chown=12:34 file /from/file
		RUN mkdir -p /d/shared && chown 0:8 /d/shared && chmod 2775 /d/shared && echo x >/d/shared/f && mkdir /d/shared/d && \
			touch /d/a && chown 33:44 /d/a && chmod 6755 /d/a && ln /d/a /d/b && ln -s a /d/l && chown -h 5:6 /d/l && \
			ln -s a /d/kept && chown -h 7:8 /d/kept && mkfifo /d/p && chown 1 /d/p
		USER app
		RUN touch /tmp/mine && mkdir /tmp/dir && ln -s x /tmp/dir/l && id >/tmp/id
		USER root
		RUN cd /d && stat -c '%n %u:%g %a' * shared/* /from/* /tmp/dir/* /tmp/* >/seen && mv l moved && mv a a2 && chmod g+w /tmp/mine && \
			cp -a /d/shared /copy && chown 0:0 b && rm p && touch p
		FROM busybox
		COPY --from=made /d /x
		COPY --from=made /tmp /y
		COPY --from=made /seen /
		RUN stat -c '%n %u:%g %a' /x/* /x/shared/* /y/dir/* >/seen2 && mkdir /z && mv /x/kept /z/
	EOF
	build_as --no-range "$PWD/ctx" >"$T/one" || { cat "$T/one"; false; }
	build_as "" "$PWD/ctx" >"$T/range" || { cat "$T/range"; false; }
	diff "$T/range" "$T/one"
	grep -q '5:6 .*x/moved' "$T/one"
	grep -q '1000:1001 .*y/dir/l' "$T/one"
	grep -q '7:8 .*z/kept' "$T/one"
}
