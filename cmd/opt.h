/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMD_OPT_H
#define CMD_OPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/strv.h"

/* opt - a typed row per option: it parses, prints help, completes, and makes the man page.
 *
 * A row names a field of the command's own struct, so no option is a global, and a row whose type
 * does not match its field does not compile.
 *
 * What is understood: --name=value, --name value, -n value, -nvalue, -n=value, bundles (-it), "--"
 * before what is no option, --flag=true|false, and --no-flag for every OPT_BOOL that is not
 * named "no-..." itself.  Names are never abbreviated. */

enum opt_kind {
	OPT_KIND_END,
	OPT_KIND_STR,
	OPT_KIND_STRV,
	OPT_KIND_BOOL,
	OPT_KIND_UINT,
	OPT_KIND_SIZE,
	OPT_KIND_ENUM,
	OPT_KIND_TRISTATE,
};

struct opt_word {
	const char *name; /* NULL ends the list */
	int value;
};

struct opt {
	enum opt_kind kind;
	char letter;      /* 0: none */
	const char *name;
	size_t offset;
	const char *arg;  /* what its value is called, for help */
	const char *help;
	const struct opt_word *words; /* ENUM, TRISTATE */
	int bare;                     /* TRISTATE: its value without "=word" */
};

/* offsetof(type, field), if the field is of this type */
#define OPT_OFFSET(type, field, wanted)                                               \
	(offsetof(type, field) +                                                      \
		0 * sizeof(char[__builtin_types_compatible_p(                         \
					__typeof__(((type *)0)->field), wanted)       \
				? 1                                                   \
				: -1]))
/* Enumerations differ in type, and are all of the size of an int. */
#define OPT_OFFSET_ENUM(type, field) \
	(offsetof(type, field) + 0 * sizeof(char[sizeof(((type *)0)->field) == sizeof(int) ? 1 : -1]))

/* The last one wins; lent from argv. */
#define OPT_STR(letter, name, type, field, arg, help) \
	{ OPT_KIND_STR, letter, name, OPT_OFFSET(type, field, const char *), arg, help, NULL, 0 }
/* Each one is added. */
#define OPT_STRV(letter, name, type, field, arg, help) \
	{ OPT_KIND_STRV, letter, name, OPT_OFFSET(type, field, struct strv), arg, help, NULL, 0 }
#define OPT_BOOL(letter, name, type, field, help) \
	{ OPT_KIND_BOOL, letter, name, OPT_OFFSET(type, field, bool), NULL, help, NULL, 0 }
#define OPT_UINT(letter, name, type, field, arg, help) \
	{ OPT_KIND_UINT, letter, name, OPT_OFFSET(type, field, unsigned), arg, help, NULL, 0 }
/* Bytes; k, m, g, t (with or without "b" or "ib") multiply by powers of 1024. */
#define OPT_SIZE(letter, name, type, field, arg, help) \
	{ OPT_KIND_SIZE, letter, name, OPT_OFFSET(type, field, uint64_t), arg, help, NULL, 0 }
/* One of the words. */
#define OPT_ENUM(letter, name, type, field, words, arg, help) \
	{ OPT_KIND_ENUM, letter, name, OPT_OFFSET_ENUM(type, field), arg, help, words, 0 }
/* One of the words behind '=', or bare; "=true" and "=1" are bare as well, "=false" and "=0" are 0. */
#define OPT_TRISTATE(letter, name, type, field, words, bare, arg, help) \
	{ OPT_KIND_TRISTATE, letter, name, OPT_OFFSET_ENUM(type, field), arg, help, words, bare }
#define OPT_END \
	{ OPT_KIND_END, 0, NULL, 0, NULL, NULL, NULL, 0 }

/* Rows, and the struct that they fill. */
struct opt_set {
	const struct opt *rows;
	void *values;
};

/* Parses argv into the sets; what is no option is added to args.  With first_ends, options end at the
 * first of those (for `run`, whose words after the image belong to the program).  ERR_USAGE
 * otherwise. */
int opt_parse(const struct opt_set *sets, size_t set_count, bool first_ends,
	const char *const *argv,
	struct strv *args, struct err *err);
/* Frees what OPT_STRV rows collected. */
void opt_free(const struct opt_set *sets, size_t set_count);

bool opt_takes_value(const struct opt *row);
/* The options as lines of at most OPT_HELP_COLUMNS columns. */
#define OPT_HELP_COLUMNS 80
void opt_help(const struct opt *rows, struct buf *out);
/* Words of text, filled to lines; the first begins at column `at`, all others are indented by indent;
 * '\n' in text begins a new line.  Ends with a newline. */
void opt_fill(const char *text, size_t at, size_t indent, struct buf *out);

#endif
