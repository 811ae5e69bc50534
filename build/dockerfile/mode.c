/* SPDX-License-Identifier: Apache-2.0 */
#include "build/dockerfile/mode.h"

#include <string.h>

#define ALL_RWX 0777
#define ALL_X 0111
#define STICKY 01000
#define SET_IDS 06000
#define STANDARD (ALL_RWX | SET_IDS) /* what "a" and "" stand for: all but the sticky bit */

struct reader {
	const char *at;
	struct mode *out;
	bool full;
};

static void
add(struct reader *r, char op, char copy, mode_t who, mode_t bits)
{
	if (r->out->count == MODE_CHANGES_MAX) {
		r->full = true;
		return;
	}
	r->out->changes[r->out->count++] =
		(struct mode_change){ .op = op, .copy = copy, .who = who, .bits = bits };
}

static mode_t
take_who(struct reader *r)
{
	mode_t who = 0;

	for (;; r->at++) {
		switch (*r->at) {
		case 'a':
			who |= STANDARD;
			break;
		case 'u':
			who |= 04700;
			break;
		case 'g':
			who |= 02070;
			break;
		case 'o':
			who |= 0007;
			break;
		default:
			return who;
		}
	}
}

static mode_t
letter_bits(char c, mode_t who)
{
	bool others_only = who != 0 && (who & ~(mode_t)0007) == 0;

	switch (c) {
	case 'r':
		return 0444;
	case 'w':
		return 0222;
	case 'x':
		return ALL_X;
	case 's':
		return others_only ? 0 : SET_IDS;
	case 't':
		return others_only ? 0 : STICKY;
	default:
		return 0;
	}
}

/* What follows one operator: letters of bits, X, and classes to copy from, in any order.  An "="
 * that has copied from a class clears no more. */
static void
take_perms(struct reader *r, char op, mode_t who)
{
	mode_t bits = 0, x_bits = 0;
	mode_t all = who != 0 ? who : STANDARD;
	bool cleared = false;

	for (;; r->at++) {
		char c = *r->at;

		if (c == 'X') {
			if (op == '-')
				bits |= ALL_X;
			else
				x_bits = ALL_X;
		} else if (c == 'u' || c == 'g' || c == 'o') {
			if (bits != 0)
				add(r, op, 0, all | (bits & STICKY), bits);
			if (x_bits != 0)
				add(r, 'X', 0, all, x_bits);
			add(r, op, c, all, 0);
			bits = x_bits = 0;
			cleared = true;
		} else if (c != '\0' && strchr("rwxst", c) != NULL) {
			bits |= letter_bits(c, who);
		} else {
			break;
		}
	}
	if (bits != 0 || (op == '=' && !cleared))
		add(r, op, 0, all | (bits & STICKY), bits);
	if (x_bits != 0)
		add(r, 'X', 0, all, x_bits);
}

static bool
parse_symbolic(const char *text, struct mode *out)
{
	struct reader r = { .at = text, .out = out };

	for (;;) {
		mode_t who = take_who(&r);

		do {
			char op = *r.at;

			if (op != '+' && op != '-' && op != '=')
				return false;
			r.at++;
			take_perms(&r, op, who);
			if (r.full)
				return false;
		} while (*r.at != '\0' && *r.at != ',');
		if (*r.at == '\0')
			return true;
		r.at++;
	}
}

int
mode_parse(const char *text, struct mode *out, struct err *err)
{
	struct mode m = { .is_octal = true };
	size_t i = 0;

	for (i = 0; text[i] >= '0' && text[i] <= '7' && m.octal <= 07777; i++)
		m.octal = m.octal << 3 | (mode_t)(text[i] - '0');
	if (text[0] >= '0' && text[0] <= '9') {
		if (text[i] != '\0' || m.octal > 07777)
			return err_set(err, ERR_INPUT,
				"invalid chmod parameter: '%s'. it should be octal string and "
				"between 0 and 07777",
				text);
		*out = m;
		return 0;
	}
	m = (struct mode){ .is_octal = false };
	if (!parse_symbolic(text, &m))
		return err_set(err, ERR_INPUT,
			"invalid chmod parameter: '%s'. it should be octal string and between 0 "
			"and 07777, or symbolic as in u=rwX,go=rX",
			text);
	*out = m;
	return 0;
}

/* The rwx of one class, spread over all three. */
static mode_t
spread(mode_t bits, char class)
{
	mode_t one = (class == 'u' ? bits >> 6 : class == 'g' ? bits >> 3 : bits) & 7;

	return one << 6 | one << 3 | one;
}

mode_t
mode_apply(const struct mode *m, mode_t bits, bool is_dir)
{
	mode_t now = bits & 07777;

	if (m->is_octal)
		return m->octal;
	for (size_t i = 0; i < m->count; i++) {
		const struct mode_change *c = &m->changes[i];
		mode_t wanted = c->copy != 0 ? spread(now, c->copy) : c->bits;
		/* a copy leaves the set-id bits of its class alone */
		mode_t cleared = c->copy != 0 ? c->who & ALL_RWX : c->who;

		if (c->op == '=')
			now &= ~cleared;
		if (c->op == '-')
			now &= ~(wanted & c->who);
		else if (c->op != 'X' || is_dir || (bits & ALL_X) != 0)
			now |= wanted & c->who;
	}
	return now;
}
