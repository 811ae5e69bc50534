/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/semver.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define DIGITS_MAX 18

/* Up to three numbers between dots; wild: x and * end them.  What follows, or NULL. */
static const char *
read_numbers(const char *text, bool wild, struct semver *out)
{
	for (;;) {
		size_t digits = strspn(text, "0123456789");

		if (wild && (*text == 'x' || *text == 'X' || *text == '*')) {
			text++;
			while (text[0] == '.' && text[1] != '\0' && strchr("xX*", text[1]) != NULL)
				text += 2;
			return text;
		}
		if (digits == 0 || digits > DIGITS_MAX || out->count == 3)
			return NULL;
		out->numbers[out->count++] = strtoull(text, NULL, 10);
		text += digits;
		if (*text != '.')
			return text;
		text++;
	}
}

static bool
read_version(const char *text, bool wild, struct semver *out)
{
	struct semver v = { .count = 0 };

	if ((text[0] == 'v' || text[0] == 'V') && text[1] >= '0' && text[1] <= '9')
		text++;
	text = read_numbers(text, wild, &v);
	if (text == NULL || (*text != '\0' && *text != '-'))
		return false;
	if (*text == '-') {
		if (text[1] == '\0' || strlen(text + 1) > SEMVER_TEXT_MAX)
			return false;
		memcpy(v.pre, text + 1, strlen(text + 1) + 1);
	}
	*out = v;
	return true;
}

bool
semver_parse(const char *text, struct semver *out)
{
	return read_version(text, false, out);
}

/* Identifiers between dots: numbers by value and before words, words by bytes. */
static int
compare_pre(const char *a, const char *b)
{
	if (a[0] == '\0' || b[0] == '\0')
		return (a[0] == '\0') - (b[0] == '\0');
	for (;;) {
		size_t a_len = strcspn(a, "."), b_len = strcspn(b, ".");
		bool a_number = strspn(a, "0123456789") == a_len && a_len <= DIGITS_MAX;
		bool b_number = strspn(b, "0123456789") == b_len && b_len <= DIGITS_MAX;
		int order = 0;

		if (a_number && b_number) {
			unsigned long long x = strtoull(a, NULL, 10), y = strtoull(b, NULL, 10);

			order = (x > y) - (x < y);
		} else if (a_number != b_number) {
			order = a_number ? -1 : 1;
		} else {
			order = memcmp(a, b, a_len < b_len ? a_len : b_len);
			order = order != 0 ? order : (a_len > b_len) - (a_len < b_len);
		}
		a += a_len;
		b += b_len;
		if (order != 0 || *a == '\0' || *b == '\0')
			return order != 0 ? order : (*a != '\0') - (*b != '\0');
		a++;
		b++;
	}
}

int
semver_compare(const struct semver *a, const struct semver *b)
{
	for (size_t i = 0; i < 3; i++)
		if (a->numbers[i] != b->numbers[i])
			return a->numbers[i] > b->numbers[i] ? 1 : -1;
	return compare_pre(a->pre, b->pre);
}

/* The first version behind all that begin with the first `kept` numbers. */
static struct semver
behind(const struct semver *v, unsigned kept)
{
	struct semver next = { .count = 3 };

	for (unsigned i = 0; i < kept; i++)
		next.numbers[i] = v->numbers[i];
	next.numbers[kept - 1]++;
	return next;
}

/* The version after one: "1.2.3" is followed by what is said to be before "1.2.3" in no order, so a
 * pre-release's successor is itself with one more identifier. */
static struct semver
after(const struct semver *v)
{
	struct semver next = *v;

	if (v->count < 3)
		return behind(v, v->count);
	if (v->pre[0] == '\0') {
		next.numbers[2]++;
		memcpy(next.pre, "0", 2);
	} else if (strlen(v->pre) + 2 <= SEMVER_TEXT_MAX) {
		memcpy(next.pre + strlen(v->pre), ".0", 3);
	}
	return next;
}

static void
set_low(struct semver_part *p, struct semver v)
{
	p->has_low = true;
	p->low = v;
}

static void
set_high(struct semver_part *p, struct semver v)
{
	p->has_high = true;
	p->high = v;
}

/* ^ keeps the first number that is not zero, ~ the first two. */
static unsigned
kept_by(char op, const struct semver *v)
{
	unsigned kept = 1;

	if (op == '~')
		return v->count < 2 ? 1 : 2;
	while (kept < v->count && v->numbers[kept - 1] == 0)
		kept++;
	return kept;
}

static void
set_bounds(struct semver_part *p, const char *op, const struct semver *v)
{
	if (streq(op, "^") || streq(op, "~")) {
		set_low(p, *v);
		set_high(p, behind(v, kept_by(op[0], v)));
	} else if (streq(op, ">=")) {
		set_low(p, *v);
	} else if (streq(op, ">")) {
		set_low(p, after(v));
	} else if (streq(op, "<")) {
		set_high(p, *v);
	} else if (streq(op, "<=")) {
		set_high(p, after(v));
	} else {
		set_low(p, *v);
		set_high(p, after(v));
		p->is_negated = streq(op, "!=");
	}
}

static int
add_part(struct semver_range *r, const char *text, bool begins, struct err *err)
{
	char op[3] = "";
	size_t len = strspn(text, "=!<>^~");
	struct semver v = { .count = 0 };
	struct semver_part p = { .begins = begins };
	static const char *const ops[] = { "", "=", "!=", ">", ">=", "<", "<=", "^", "~" };
	bool is_op = false;

	if (len < sizeof op)
		memcpy(op, text, len);
	for (size_t i = 0; i < COUNT_OF(ops); i++)
		is_op = is_op || (len == strlen(ops[i]) && streq(op, ops[i]));
	text += len;
	text += strspn(text, " ");
	if (!is_op || !read_version(text, true, &v) || (v.count == 0 && len > 0))
		return err_set(err, ERR_INPUT, "'%s' is not a version, as >=1.2 or 1.x", text);
	if (r->count == SEMVER_PARTS_MAX)
		return err_set(err, ERR_INPUT, "a range has at most %d parts", SEMVER_PARTS_MAX);
	if (v.count > 0)
		set_bounds(&p, op, &v);
	p.allows_pre = v.pre[0] != '\0';
	r->parts[r->count++] = p;
	return 0;
}

int
semver_range_parse(const char *text, struct semver_range *out, struct err *err)
{
	struct semver_range r = { .count = 0 };
	const char *at = text;
	bool begins = true;

	for (;;) {
		size_t len, parted = strcspn(at, ",|"), start = strspn(at, " ");
		AUTO(free) char *word = NULL;

		start = start < parted ? start : parted;
		for (len = parted - start; len > 0 && at[start + len - 1] == ' ';)
			len--;
		word = xstrndup(at + start, len);
		if (add_part(&r, word, begins, err) < 0)
			return err_in(err, "'%s'", text);
		at += parted;
		if (*at == '\0')
			break;
		begins = *at == '|';
		/* one bar alone is nobody's: it must not pass for a comma */
		if (begins && *++at != '|')
			return err_set(
				err, ERR_INPUT, "'%s': alternatives stand around '||'", text);
		at++;
	}
	*out = r;
	return 0;
}

static bool
part_has(const struct semver_part *p, const struct semver *v)
{
	bool inside = (!p->has_low || semver_compare(v, &p->low) >= 0) &&
		      (!p->has_high || semver_compare(v, &p->high) < 0);

	return inside != p->is_negated;
}

bool
semver_range_has(const struct semver_range *range, const char *tag)
{
	struct semver v;
	bool all = false, allows_pre = false;

	if (!semver_parse(tag, &v))
		return false;
	for (unsigned i = 0; i < range->count; i++) {
		const struct semver_part *p = &range->parts[i];

		if (p->begins) {
			if (all && (allows_pre || v.pre[0] == '\0'))
				return true;
			all = true;
			allows_pre = false;
		}
		all = all && part_has(p, &v);
		allows_pre = allows_pre || p->allows_pre;
	}
	return all && (allows_pre || v.pre[0] == '\0');
}
