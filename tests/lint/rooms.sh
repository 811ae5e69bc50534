#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Who may include whom.  A room knows itself and what stands below it; a foreign library has its
# doorkeepers.
# shellcheck source=tests/lint/tap.sh
. "$(dirname "$0")/tap.sh"

rooms() {
	cat <<-'END'
		base base
		layers base layers
		registry base layers registry
		build/dockerfile base build/dockerfile
		build/sandbox base layers build/sandbox
		build base layers registry build/dockerfile build/sandbox build
		cmd base layers registry build/dockerfile build/sandbox build cmd
	END
}

# header (a pattern), files (patterns)
libraries() {
	cat <<-'END'
		curl/.* registry/http[a-z_]*\.[ch]
		openssl/.* layers/digest\.c registry/signature\.c
		archive(_entry)?\.h layers/archive[a-z_]*\.c
		dlfcn\.h base/late\.c
		libdeflate\.h layers/codec_gzip[a-z_]*\.c
		isa-l/.* layers/codec_gzip[a-z_]*\.c
		zlib\.h layers/codec_gzip[a-z_]*\.c
		zstd(_errors)?\.h layers/codec_zstd\.c
		sqlite3\.h layers/db\.c
		jansson\.h base/json\.[ch] base/worker\.h base/worker_wire\.h
		seccomp\.h build/sandbox/seccomp\.c
	END
}

# what the C library and the kernel bring, and everybody may use
system_headers() {
	cat <<-'END'
		(arpa|asm|linux|net|netinet|netpacket|sys)/.*
		assert|byteswap|ctype|dirent|elf|endian|errno|fcntl|fnmatch|getopt|glob|grp|inttypes
		langinfo|limits|locale|math|netdb|poll|pthread|pty|pwd|regex|sched|semaphore|setjmp|signal
		stdalign|stdarg|stdatomic|stdbool|stddef|stdint|stdio|stdlib|string|strings|stdnoreturn
		syslog|termios|threads|time|unistd|utime|wchar|wctype|immintrin|cpuid|ucontext
	END
}

lint() {
	rooms >"$scratch/rooms"
	libraries >"$scratch/libraries"
	headers=$(system_headers | sed '1d' | tr '\n' '|' | sed 's/|$//')
	folders=$(system_headers | sed -n '1p')
	list=$(sources "$1")
	[ -n "$list" ] || return 0
	# shellcheck disable=SC2086
	(cd "$1" && awk -v rooms="$scratch/rooms" -v libraries="$scratch/libraries" \
		-v system_re="^($folders|($headers)[.]h)\$" '
	function room_of(path,    i, best) {
		best = ""
		for (i in may)
			if (index(path, i "/") == 1 && length(i) > length(best))
				best = i
		return best
	}
	function quoted(header,    to) {
		to = room_of(header)
		if (to == "")
			print FILENAME ":" FNR ": \"" header "\" is in no room"
		else if (index(" " may[room] " ", " " to " ") == 0)
			print FILENAME ":" FNR ": " room " may not know " to " (\"" header "\")"
	}
	function foreign(header,    i, k, n, files, text) {
		if (header ~ system_re)
			return
		for (i = 1; i <= count; i++) {
			n = split(library[i], files, " ")
			if (header !~ "^" files[1] "$")
				continue
			for (k = 2; k <= n; k++)
				if (FILENAME ~ "^" files[k] "$")
					return
			text = substr(library[i], length(files[1]) + 2)
			gsub(/\\/, "", text)
			print FILENAME ":" FNR ": <" header "> is for " text " only"
			return
		}
		print FILENAME ":" FNR ": <" header "> has no doorkeeper"
	}
	BEGIN {
		while ((getline line < rooms) > 0) {
			from = line
			sub(/ .*/, "", from)
			sub(/^[^ ]* /, "", line)
			may[from] = line
		}
		while ((getline line < libraries) > 0)
			library[++count] = line
	}
	/^[ \t]*#[ \t]*include/ {
		room = room_of(FILENAME)
		header = $0
		sub(/^[^"<]*["<]/, "", header)
		sub(/[">].*/, "", header)
		if ($0 ~ /include[ \t]*"/)
			quoted(header)
		else
			foreign(header)
	}' $list)
}

finds_nothing "rooms know only themselves and those below, libraries have their doorkeepers" lint "$root"
echo '#include "layers/tar.h"' | plant base/err.c
finds "looking up is found" lint '^base/err.c:1: base may not know layers'
echo '#include "registry/ref.h"' | plant build/sandbox/box.c
finds "the sandbox does not know the registry" lint '^build/sandbox/box.c:1: build/sandbox may not know'
echo '#include "layers/digest.h"' | plant build/dockerfile/lex.h
finds "the language does not know the material" lint '^build/dockerfile/lex.h:1:'
echo '#include "cmd/opt.h"' | plant build/solve.c
finds "the workshop does not know the door" lint '^build/solve.c:1: build may not know cmd'
echo '#include "tests/unit/test.h"' | plant cmd/opt.c
finds "no room knows the tests" lint '^cmd/opt.c:1: "tests/unit/test.h" is in no room'
echo '#include "err.h"' | plant base/err.c
finds "an include says the room" lint '^base/err.c:1: "err.h" is in no room'
printf 'int a;\n#  include <curl/curl.h>\n' | plant build/plan.c
finds "a library has one doorkeeper" lint '^build/plan.c:2: <curl/curl.h> is for registry/http'
echo '#include <jansson.h>' | plant registry/ref.h
finds "JSON comes by way of base/json.h" lint '^registry/ref.h:1: <jansson.h> is for base/json'
echo '#include <leftpad.h>' | plant layers/tar.c
finds "a new library needs a row" lint '^layers/tar.c:1: <leftpad.h> has no doorkeeper'
printf '#include <stdio.h>\n#include <sys/stat.h>\n#include "base/err.h"\n#include "build/sandbox/box.h"\n' |
	plant build/solve.c
printf '#include <jansson.h>\n' | plant base/json.h
clean "what is allowed is not found" lint
done_testing
