# SPDX-License-Identifier: Apache-2.0
# C without its comments and literals: each line stays a line, "..." becomes "", and a comment of two
# slashes becomes just those, so that it can be found.  Prints FILE:LINE:code.
FNR == 1 { comment = 0 }
{
	rest = $0
	code = ""
	while (rest != "") {
		if (comment) {
			at = index(rest, "*/")
			if (at == 0)
				break
			rest = substr(rest, at + 2)
			comment = 0
			code = code " "
		} else if (match(rest, /["']|\/\*|\/\//)) {
			code = code substr(rest, 1, RSTART - 1)
			sign = substr(rest, RSTART, RLENGTH)
			rest = substr(rest, RSTART + RLENGTH)
			if (sign == "/*") {
				comment = 1
			} else if (sign == "//") {
				code = code "//"
				break
			} else {
				literal = sign == "\"" ? "^([^\"\\\\]|\\\\.)*\"" : "^([^'\\\\]|\\\\.)*'"
				code = code sign sign
				rest = match(rest, literal) ? substr(rest, RLENGTH + 1) : ""
			}
		} else {
			code = code rest
			rest = ""
		}
	}
	print FILENAME ":" FNR ":" code
}
