/* SPDX-License-Identifier: Apache-2.0 */
#include "build/dockerfile/expand.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "build/dockerfile/quote.h"
#include "build/dockerfile/shell_pattern.h"
#include "build/dockerfile/utf8.h"

/* One reader walks the text from left to right; each construct takes its own characters and appends
 * what it stands for.  Only the outermost level cares where words end. */

#define QUOTED_MAX 256 /* bytes of the text in an error */

struct words {
	struct strv *list; /* NULL: nobody asks */
	struct buf word;
	bool inside;
};

struct reader {
	const char *text;
	size_t len, at;
	char escape;
	unsigned flags;
	bool raw_escapes;
	unsigned depth;
	const struct expand_vars *vars;
	struct expansion *out;
	struct err *err;
};

#define NO_STOP '\0'

static const char *
get_from_env(const void *arg, const char *name)
{
	return strv_env_get(arg, name);
}

static const char *
get_nothing(const void *arg __attribute__((unused)), const char *name __attribute__((unused)))
{
	return NULL;
}

struct expand_vars
expand_vars_env(const struct strv *env)
{
	return (struct expand_vars){ .get = env != NULL ? get_from_env : get_nothing, .arg = env };
}

void
expansion_free(struct expansion *e)
{
	free(e->text);
	strv_free(&e->words);
	strv_free(&e->used);
	strv_free(&e->undefined);
	*e = (struct expansion)EXPANSION_INIT;
}

void
auto_expansion(struct expansion *e)
{
	expansion_free(e);
}

static void
end_word(struct words *w)
{
	if (w->word.len == 0)
		return;
	strv_addn(w->list, w->word.data, w->word.len);
	buf_clear(&w->word);
	w->inside = false;
}

/* Bytes that belong to a word whatever they are. */
static void
add_raw(struct words *w, const char *bytes, size_t len)
{
	if (w->list == NULL)
		return;
	buf_add(&w->word, bytes, len);
	w->inside = true;
}

/* Bytes that are split at blanks. */
static void
add_split(struct words *w, const char *bytes, size_t len)
{
	size_t width;

	for (size_t at = 0; w->list != NULL && at < len; at += width) {
		uint32_t c = utf8_next(bytes + at, len - at, &width);

		if (!utf8_is_space(c))
			add_raw(w, bytes + at, width);
		else if (w->inside)
			end_word(w);
	}
}

static char
peek(const struct reader *r)
{
	return r->at < r->len ? r->text[r->at] : '\0';
}

static bool
at_end(const struct reader *r)
{
	return r->at >= r->len;
}

static int
fail(struct reader *r, const char *what)
{
	return err_set(r->err, ERR_INPUT, "%s", what);
}

static int
add(struct reader *r, struct buf *out, const char *bytes, size_t len)
{
	if (out->len > EXPAND_SIZE_MAX || len > EXPAND_SIZE_MAX - out->len)
		return fail(r, "result of an expansion is larger than 1048576 bytes");
	buf_add(out, bytes, len);
	return 0;
}

/* The next character as it is. */
static int
add_next(struct reader *r, struct buf *out)
{
	size_t width = utf8_width(r->text + r->at, r->len - r->at);

	if (add(r, out, r->text + r->at, width) < 0)
		return -1;
	r->at += width;
	return 0;
}

static void
note(struct strv *names, const char *name)
{
	if (names->count < EXPAND_NAMES_MAX && !strv_has(names, name))
		strv_add(names, name);
}

static const char *
get(struct reader *r, const char *name)
{
	const char *value = r->vars->get(r->vars->arg, name);

	note(value != NULL ? &r->out->used : &r->out->undefined, name);
	return value;
}

/* A name: digits, or one special parameter, or letters, digits and '_'. */
static void
read_name(struct reader *r, struct buf *name)
{
	size_t start = r->at, width;
	bool number = false;

	while (!at_end(r)) {
		uint32_t c = utf8_next(r->text + r->at, r->len - r->at, &width);

		if (r->at == start && utf8_is_digit(c))
			number = true;
		else if (r->at == start && c < 0x80 && strchr("@*#?-$!", (int)c) != NULL) {
			r->at++;
			break;
		}
		if (number ? !utf8_is_digit(c)
			   : !utf8_is_letter(c) && !utf8_is_digit(c) && c != '_')
			break;
		r->at += width;
	}
	buf_add(name, r->text + start, r->at - start);
}

static int read_until(
	struct reader *r, char stop, bool raw_escapes, struct buf *out, struct words *words);

/* The word of ${name...word}, up to stop; missing: what to say when it does not end. */
static int
read_operand(struct reader *r, char stop, bool raw_escapes, const char *missing, struct buf *out)
{
	struct words none = { .list = NULL, .word = BUF_INIT };

	if (r->depth >= EXPAND_DEPTH_MAX)
		return fail(r, "substitutions are nested too deeply");
	r->depth++;
	if (read_until(r, stop, raw_escapes, out, &none) < 0)
		return at_end(r) ? fail(r, missing) : -1;
	r->depth--;
	return 0;
}

static int
bad_modifier(struct reader *r, const char *modifier)
{
	return err_set(r->err, ERR_INPUT, "unsupported modifier (%s) in substitution", modifier);
}

/* ${name:?word} of a name that is not set, or empty. */
static int
demand(struct reader *r, const char *name, const char *value, bool null_is_unset, const char *word)
{
	const char *what =
		value == NULL ? "is not allowed to be unset" : "is not allowed to be empty";

	if (value != NULL && !(null_is_unset && *value == '\0'))
		return 0;
	return err_set(r->err, ERR_INPUT, "%s: %s", name, *word != '\0' ? word : what);
}

/* ${name:-word} and its like; modifier is what stands between name and word. */
static int
substitute_word(struct reader *r, const char *name, const char *modifier, struct buf *out)
{
	AUTO(buf) struct buf word = BUF_INIT;
	bool null_is_unset = modifier[0] == ':';
	char kind = null_is_unset ? modifier[1] : modifier[0];
	bool cuts = kind == '#' || kind == '%';
	bool greedy;
	const char *value;

	if (null_is_unset && cuts)
		return bad_modifier(r, modifier);
	if (read_operand(r, '}', cuts, "syntax error: missing '}'", &word) < 0)
		return -1;
	value = get(r, name);
	if (value == NULL && (r->flags & EXPAND_KEEP_UNSET) != 0) {
		buf_addf(out, "${%s%s%s}", name, modifier, word.data);
		return 0;
	}
	switch (kind) {
	case '-':
		if (value == NULL || (null_is_unset && *value == '\0'))
			value = word.data;
		return add(r, out, value, strlen(value));
	case '+':
		if (value == NULL || (null_is_unset && *value == '\0'))
			return 0;
		return add(r, out, word.data, word.len);
	case '?':
		if (demand(r, name, value, null_is_unset, word.data) < 0)
			return -1;
		return add(r, out, value, strlen(value));
	case '#':
	case '%':
		greedy = word.data[0] == kind;
		return shell_pattern_cut(
			word.data + greedy, value != NULL ? value : "", kind, greedy, out, r->err);
	default:
		return bad_modifier(r, modifier);
	}
}

/* ${name/pattern/replacement}, behind the first '/'. */
static int
substitute_pattern(struct reader *r, const char *name, struct buf *out)
{
	AUTO(buf) struct buf pattern = BUF_INIT;
	AUTO(buf) struct buf replacement = BUF_INIT;
	bool all = peek(r) == '/';
	const char *value;

	if (all)
		r->at++;
	if (read_operand(r, '/', true, "syntax error: missing '/' in ${}", &pattern) < 0 ||
		read_operand(r, '}', true, "syntax error: missing '}'", &replacement) < 0)
		return -1;
	value = get(r, name);
	if (value == NULL && (r->flags & EXPAND_KEEP_UNSET) != 0) {
		buf_addf(out, "${%s/%s/%s}", name, pattern.data, replacement.data);
		return 0;
	}
	return shell_pattern_replace(
		pattern.data, value != NULL ? value : "", replacement.data, all, out, r->err);
}

/* Behind "${". */
static int
read_braces(struct reader *r, struct buf *out)
{
	AUTO(buf) struct buf name = BUF_INIT;
	AUTO(buf) struct buf modifier = BUF_INIT;
	const char *value;

	if (at_end(r))
		return fail(r, "syntax error: missing '}'");
	if (strchr("{}:", peek(r)) != NULL)
		return fail(r, "syntax error: bad substitution");
	read_name(r, &name);
	if (at_end(r))
		return fail(r, "syntax error: missing '}'");
	if (peek(r) == '}') {
		r->at++;
		value = get(r, name.data);
		if (value == NULL && (r->flags & EXPAND_KEEP_UNSET) != 0) {
			buf_addf(out, "${%s}", name.data);
			return 0;
		}
		return value != NULL ? add(r, out, value, strlen(value)) : 0;
	}
	if (peek(r) == '/') {
		r->at++;
		return substitute_pattern(r, name.data, out);
	}
	if (peek(r) == ':') {
		add_next(r, &modifier);
		if (!at_end(r))
			add_next(r, &modifier);
	} else {
		add_next(r, &modifier);
		if (strchr("+-?#%", modifier.data[0]) == NULL)
			return bad_modifier(r, modifier.data);
	}
	return substitute_word(r, name.data, modifier.data, out);
}

static int
read_dollar(struct reader *r, struct buf *out)
{
	AUTO(buf) struct buf name = BUF_INIT;
	const char *value;

	r->at++;
	if (peek(r) == '{') {
		r->at++;
		return read_braces(r, out);
	}
	read_name(r, &name);
	if (name.len == 0)
		return add(r, out, "$", 1);
	value = get(r, name.data);
	if (value == NULL && (r->flags & EXPAND_KEEP_UNSET) != 0) {
		buf_addf(out, "$%s", name.data);
		return 0;
	}
	return value != NULL ? add(r, out, value, strlen(value)) : 0;
}

static int
read_single_quotes(struct reader *r, struct buf *out)
{
	const char *start = r->text + r->at;
	const char *end = memchr(start + 1, '\'', r->len - r->at - 1);
	size_t raw = (r->flags & EXPAND_RAW_QUOTES) != 0;

	if (end == NULL) {
		r->at = r->len;
		return fail(
			r, "unexpected end of statement while looking for matching single-quote");
	}
	r->at += (size_t)(end - start) + 1;
	return add(r, out, start + 1 - raw, (size_t)(end - start) - 1 + 2 * raw);
}

static int
read_double_quotes(struct reader *r, struct buf *out)
{
	bool raw = (r->flags & EXPAND_RAW_QUOTES) != 0;

	r->at++;
	if (raw)
		buf_addc(out, '"');
	while (!at_end(r)) {
		char c = peek(r);

		if (c == '"') {
			r->at++;
			return raw ? add(r, out, "\"", 1) : 0;
		}
		if (c == '$') {
			if (read_dollar(r, out) < 0)
				return -1;
			continue;
		}
		if (c == r->escape) {
			char next = r->at + 1 < r->len ? r->text[r->at + 1] : '\0';

			if (r->raw_escapes)
				buf_addc(out, c);
			/* before anything else the escape stays; at the end it goes */
			if (next == '"' || next == '$' || next == r->escape || next == '\0')
				r->at++;
			if (at_end(r))
				break;
		}
		if (add_next(r, out) < 0)
			return -1;
	}
	return fail(r, "unexpected end of statement while looking for matching double-quote");
}

/* "<<" keeps the blanks behind it, so that "<< EOF" is one word. */
static int
read_less(struct reader *r, struct buf *out)
{
	size_t start = r->at++;

	if (peek(r) == '<') {
		r->at++;
		while (peek(r) == ' ' || peek(r) == '\t' || peek(r) == '\r')
			r->at++;
	}
	return add(r, out, r->text + start, r->at - start);
}

/* An ordinary character, or an escape and the one that it frees. */
static int
read_plain(struct reader *r, struct buf *out, struct words *words)
{
	size_t start = out->len;

	if (peek(r) != r->escape) {
		if (add_next(r, out) < 0)
			return -1;
		add_split(words, out->data + start, out->len - start);
		return 0;
	}
	if (r->raw_escapes)
		buf_addc(out, r->escape);
	r->at++;
	if (!at_end(r) && add_next(r, out) < 0)
		return -1;
	if (out->len > start)
		add_raw(words, out->data + start, out->len - start);
	return 0;
}

static int
read_one(struct reader *r, struct buf *out, struct words *words)
{
	size_t start = out->len;
	bool quotes = (r->flags & EXPAND_NO_QUOTES) == 0;
	char c = peek(r);
	int result;

	if (c == '$')
		result = read_dollar(r, out);
	else if (c == '<')
		result = read_less(r, out);
	else if (c == '\'' && quotes)
		result = read_single_quotes(r, out);
	else if (c == '"' && quotes)
		result = read_double_quotes(r, out);
	else
		return read_plain(r, out, words);
	/* what a pattern made was not counted yet */
	if (result < 0 || add(r, out, "", 0) < 0)
		return -1;
	if (c == '$')
		add_split(words, out->data + start, out->len - start);
	else
		add_raw(words, out->data + start, out->len - start);
	return 0;
}

static int
read_until(struct reader *r, char stop, bool raw_escapes, struct buf *out, struct words *words)
{
	bool before = r->raw_escapes;

	r->raw_escapes = raw_escapes;
	while (!at_end(r)) {
		if (stop != NO_STOP && peek(r) == stop) {
			r->at++;
			r->raw_escapes = before;
			return 0;
		}
		if (read_one(r, out, words) < 0)
			return -1;
		if (words->list != NULL && words->list->count > EXPAND_WORDS_MAX)
			return fail(r, "more than 65536 words");
	}
	if (stop != NO_STOP)
		return err_set(r->err, ERR_INPUT,
			"unexpected end of statement while looking for matching %c", stop);
	r->raw_escapes = before;
	return 0;
}

int
expand(const char *text, char escape, unsigned flags, const struct expand_vars *vars,
	struct expansion *out, struct err *err)
{
	AUTO(expansion) struct expansion result = EXPANSION_INIT;
	AUTO(buf) struct buf whole = BUF_INIT;
	struct words words = { .list = &result.words, .word = BUF_INIT };
	struct reader r = { .text = text,
		.len = strlen(text),
		.escape = escape,
		.flags = flags,
		.vars = vars,
		.out = &result,
		.err = err };
	int failed;

	if (r.len > EXPAND_SIZE_MAX)
		return err_set(
			err, ERR_INPUT, "text to expand is larger than %d bytes", EXPAND_SIZE_MAX);
	failed = read_until(&r, NO_STOP, (flags & EXPAND_RAW_ESCAPES) != 0, &whole, &words);
	end_word(&words);
	buf_free(&words.word);
	if (failed < 0) {
		AUTO(buf) struct buf quoted = BUF_INIT;

		quote_add(&quoted, text, QUOTED_MAX);
		return err_in(err, "failed to process %s", quoted.data);
	}
	result.text = buf_steal(&whole);
	expansion_free(out);
	*out = result;
	result = (struct expansion)EXPANSION_INIT;
	return 0;
}

static void
note_undefined(const struct expansion *e, struct strv *undefined)
{
	for (size_t i = 0; undefined != NULL && i < e->undefined.count; i++)
		note(undefined, e->undefined.items[i]);
}

static int
expand_text(const char *text, char escape, unsigned flags, const struct expand_vars *vars,
	char **out, struct strv *undefined, struct err *err)
{
	AUTO(expansion) struct expansion e = EXPANSION_INIT;

	if (expand(text, escape, flags, vars, &e, err) < 0)
		return -1;
	note_undefined(&e, undefined);
	*out = steal(&e.text);
	return 0;
}

int
expand_word(const char *text, char escape, const struct expand_vars *vars, char **out,
	struct strv *undefined, struct err *err)
{
	return expand_text(text, escape, 0, vars, out, undefined, err);
}

int
expand_heredoc(const char *text, const struct expand_vars *vars, char **out, struct strv *undefined,
	struct err *err)
{
	return expand_text(text, '\\', EXPAND_NO_QUOTES, vars, out, undefined, err);
}

int
expand_words(const char *text, char escape, const struct expand_vars *vars, struct strv *out,
	struct strv *undefined, struct err *err)
{
	AUTO(expansion) struct expansion e = EXPANSION_INIT;

	if (expand(text, escape, 0, vars, &e, err) < 0)
		return -1;
	note_undefined(&e, undefined);
	strv_add_all(out, &e.words);
	return 0;
}
