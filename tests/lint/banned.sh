#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Calls and words that have no place in the rooms.
# shellcheck source=tests/lint/tap.sh
. "$(dirname "$0")/tap.sh"

# words, what instead
banned() {
	cat <<-'END'
		strcpy|strcat|strncpy|strncat|stpcpy|sprintf|vsprintf|gets a struct buf, or snprintf
		strtok|strtok_r strcspn, or strv_split
		atoi|atol|atoll|atof strtoull with all its checks
		system|popen proc_run
		alloca struct buf
		exit|quick_exit return an error; only cmd/main ends the process
		perror|gethostbyname|gethostbyaddr|tmpnam|tempnam|mktemp|rand|srand|vfork nothing
		goto AUTO() and an early return
		setjmp|longjmp|asprintf|vasprintf|malloc|calloc|realloc|strdup|strndup the x-allocators
		printf|puts|putchar|fprintf|fputs|vprintf|vfprintf|fputc|putc an event; only cmd/ prints
	END
}

# a path without a directory descriptor: a stranger may have put a link into it
path_calls() {
	echo 'open|open64|creat|fopen|freopen|opendir|stat|lstat|stat64|lstat64|access|mkdir|rmdir|rename|unlink' \
		'remove|chmod|chown|lchown|symlink|link|mknod|mkfifo|readlink|realpath|chdir|truncate|utimes' \
		'ftw|nftw|scandir|mkstemp|mkdtemp|statvfs|statfs|getxattr|setxattr|listxattr' |
		tr ' ' '|'
}

# file (a pattern), calls, reason: a new row needs one too
allowed() {
	cat <<-'END'
		base/mem\.c malloc|calloc|realloc|vasprintf the x-allocators themselves
		base/proc\.c open /dev/null
		layers/store\.c open|mkdir|lstat the store's own directory, named by the user
		registry/place_layout\.c open|mkdir a layout's directory, named by the user
		registry/(credentials|host|helper)\.c open|stat|access files of the user's configuration and of /etc
		build/sandbox/call_owner\.c getxattr|setxattr attributes of a file that is open, by its name in /proc; inside the box, the box's
		build/sandbox/[a-z_]+\.c open|readlink|stat|access|chdir the kernel's own files, by fixed names; inside the box, the box's
		cmd/[a-z_]+\.c open|stat files that the command line names
	END
}

lint() {
	banned >"$scratch/banned"
	allowed >"$scratch/allowed"
	list=$(sources "$1")
	# shellcheck disable=SC2086
	[ -z "$list" ] || (cd "$1" && awk -f "$lint_dir/code.awk" $list) |
		awk -v banned="$scratch/banned" -v allowed="$scratch/allowed" -v paths="$(path_calls)" '
	function is_allowed(file, word,    i, part) {
		for (i = 1; i <= rows; i++) {
			split(row[i], part, " ")
			if (file ~ "^" part[1] "$" && word ~ "^(" part[2] ")$")
				return 1
		}
		return 0
	}
	function instead_of(word) {
		if (word in instead)
			return instead[word]
		return "the *at call beneath a directory, or base/path"
	}
	BEGIN {
		while ((getline line < banned) > 0) {
			count = split(substr(line, 1, index(line, " ") - 1), word, "|")
			for (i = 1; i <= count; i++)
				instead[word[i]] = substr(line, index(line, " ") + 1)
			call = call substr(line, 1, index(line, " ") - 1) "|"
		}
		while ((getline line < allowed) > 0)
			row[++rows] = line
		call = "(^|[^A-Za-z0-9_.>])(" call paths ")[ \t]*\\("
	}
	{
		at = index($0, ":")
		file = substr($0, 1, at - 1)
		rest = substr($0, at + 1)
		line = substr(rest, 1, index(rest, ":") - 1)
		rest = substr(rest, index(rest, ":") + 1)
	}
	rest ~ /\/\// { print file ":" line ": a comment of two slashes is never committed" }
	rest ~ /(^|[^A-Za-z0-9_])goto[ \t]/ { print file ":" line ": goto: instead: " instead["goto"] }
	rest ~ /^[ \t]*#/ { next }
	{
		while (match(rest, call)) {
			name = substr(rest, RSTART, RLENGTH)
			rest = substr(rest, RSTART + RLENGTH)
			gsub(/[^A-Za-z0-9_]/, "", name)
			if (!is_allowed(file, name))
				print file ":" line ": " name "(): instead: " instead_of(name)
		}
	}'
}

finds_nothing "no banned call, no path without a directory" lint "$root"
echo 'void f(char *a) { strcpy(a, "strcat("); }' | plant base/a.c
finds "a banned call is found" lint '^base/a.c:1: strcpy(): instead: a struct buf'
printf '/* exit(\n * exit(1) */\nint f(void) { /* exit(2) */ exit(3); }\n' | plant layers/a.c
finds "an exit is found after comments" lint '^layers/a.c:3: exit(): '
printf 'int f(void) {\n\treturn open("/etc/passwd", O_RDONLY);\n}\n' | plant registry/a.c
finds "a path without a directory is found" lint '^registry/a.c:2: open(): instead: the \*at call'
echo 'int a; // b' | plant cmd/a.c
finds "a comment of two slashes is found" lint '^cmd/a.c:1: a comment of two slashes'
printf 'int f(void)\n{\n\tgoto out;\n}\n' | plant build/a.c
finds "a goto is found" lint '^build/a.c:3: goto'
echo 'void f(void) { printf("a"); }' | plant build/sandbox/a.c
finds "printing below the door is found" lint '^build/sandbox/a.c:1: printf(): '
cat <<'END' | plant layers/a.c
/* strcpy( and // http://a */
static int f(const char *s, struct ops *o) { return streq(s, "exit(1); // \" goto x; '"); }
static int g(void) { _exit(1); o->open(1); o.rename(2); unlinkat(1, "a", 0); c = '"'; d = '//'; }
static int blob_open(int a), reopen(int a);
END
clean "comments, texts, members and longer names are not found" lint
done_testing
