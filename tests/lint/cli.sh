#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Help and man pages: --help is on stdout and fits 80 columns; an unknown option is on stderr with status 2; the man pages
# are what the rows say, and mandoc (where it is installed) has nothing against them.
: "${builddir:=_build}" "${srcdir:=.}"
prog=$builddir/cooper
pages=$srcdir/cmd/man
commands=$("$prog" __complete "")
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
count=0

check() { # check TITLE STATUS
	count=$((count + 1))
	if [ "$2" -eq 0 ]; then
		echo "ok $count - $1"
	else
		echo "not ok $count - $1"
		sed 's/^/# /' "$out/why"
	fi
}

help_fits() {
	"$prog" "$@" --help >"$out/help" 2>"$out/why" || return 1
	[ ! -s "$out/why" ] || return 1
	awk 'length($0) > 80 { print "too long: " $0; bad = 1 } END { exit bad }' "$out/help" >"$out/why"
}

unknown_is_refused() {
	"$prog" "$@" --quantum >"$out/stdout" 2>"$out/why"
	[ $? -eq 2 ] && [ ! -s "$out/stdout" ] && grep -q "unknown option '--quantum'" "$out/why"
}

page_is_current() { # page_is_current PAGE [COMMAND]
	page=$1
	shift
	"$prog" __man "$@" >"$out/page" 2>"$out/why" || return 1
	diff -u "$pages/$page" "$out/page" >"$out/why" 2>&1 || {
		echo "run: make man" >>"$out/why"
		return 1
	}
}

page_names_options() {
	"$prog" "$@" --help | sed -n 's/^  \(-., \|    \)--\([a-z][a-z-]*\).*/\2/p' | while read -r option; do
		sed 's/\\-/-/g' "$out/page" | grep -q "Fl Fl $option" || echo "not in the man page: --$option"
	done | grep -v -e '--root$' -e '--debug$' -e '--help$' -e '--version$' >"$out/why"
	[ ! -s "$out/why" ]
}

page_is_mdoc() {
	command -v mandoc >/dev/null || return 0
	mandoc -T lint -W warning <"$out/page" >"$out/why" 2>&1
}

total=$(($(echo "$commands" | wc -l) * 5 + 3))
echo "1..$total"
help_fits; check "cooper --help fits" $?
unknown_is_refused; check "cooper refuses an unknown option" $?
page_is_current cooper.1; check "cooper.1 is current" $?
for command in $commands; do
	help_fits "$command"; check "cooper $command --help fits" $?
	unknown_is_refused "$command"; check "cooper $command refuses an unknown option" $?
	page_is_current "cooper-$command.1" "$command"; check "cooper-$command.1 is current" $?
	page_names_options "$command"; check "cooper-$command.1 names all options" $?
	page_is_mdoc; check "cooper-$command.1 is sound" $?
done
