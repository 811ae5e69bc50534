/* SPDX-License-Identifier: Apache-2.0 */
#include "build/dockerfile/instruction.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

/* Which words of which instruction variables may stand in: BuildKit's Expand methods, and EXPOSE.
 */

struct expander {
	char escape;
	const struct expand_vars *vars;
	struct strv *undefined;
	struct err *err;
};

static int
expand_field(struct expander *x, char **field)
{
	char *value = NULL;

	if (*field == NULL)
		return 0;
	if (expand_word(*field, x->escape, x->vars, &value, x->undefined, x->err) < 0)
		return -1;
	free(*field);
	*field = value;
	return 0;
}

static int
expand_list(struct expander *x, struct strv *list)
{
	for (size_t i = 0; i < list->count; i++)
		if (expand_field(x, &list->items[i]) < 0)
			return -1;
	return 0;
}

static int
expand_body(struct expander *x, struct heredoc *h)
{
	char *value = NULL;

	if (!h->expand)
		return 0;
	if (memchr(h->content, '\0', h->len) != NULL)
		return err_set(x->err, ERR_INPUT,
			"heredoc %s holds a zero byte: quote its delimiter to take it as it is",
			h->name);
	if (expand_heredoc(h->content, x->vars, &value, x->undefined, x->err) < 0)
		return -1;
	free(h->content);
	h->content = value;
	h->len = strlen(value);
	return 0;
}

static int
expand_copy(struct expander *x, struct instruction *in)
{
	struct copy_options *c = &in->copy;

	if (expand_field(x, &c->chown) < 0 || expand_field(x, &c->chmod) < 0 ||
		expand_field(x, &c->checksum) < 0 || expand_list(x, &c->sources) < 0 ||
		expand_field(x, &c->dest) < 0)
		return -1;
	for (size_t i = 0; i < c->file_count; i++)
		if (expand_body(x, &c->files[i]) < 0)
			return -1;
	return 0;
}

static int
expand_pairs(struct expander *x, struct instruction *in)
{
	for (size_t i = 0; i < in->pair_count; i++)
		if (expand_field(x, &in->pairs[i].name) < 0 ||
			expand_field(x, &in->pairs[i].value) < 0)
			return -1;
	return 0;
}

static int
expand_expose(struct expander *x, struct instruction *in)
{
	AUTO(strv) struct strv words = STRV_INIT;

	for (size_t i = 0; i < in->words.count; i++)
		if (expand_words(in->words.items[i], x->escape, x->vars, &words, x->undefined,
			    x->err) < 0)
			return -1;
	strv_free(&in->words);
	in->words = words;
	words = (struct strv)STRV_INIT;
	return 0;
}

static int
expand_run(struct expander *x, struct instruction *in)
{
	struct run_options *r = &in->run;

	if (r->mounts != NULL || r->mount_texts.count == 0)
		return 0;
	r->mounts = xcalloc(r->mount_texts.count, sizeof *r->mounts);
	for (size_t i = 0; i < r->mount_texts.count; i++) {
		if (mount_parse(r->mount_texts.items[i], x->escape, x->vars, &r->mounts[i],
			    x->undefined, x->err) < 0)
			return -1;
		r->mount_count++;
	}
	return 0;
}

static int
expand_words_field(struct expander *x, struct instruction *in)
{
	return expand_list(x, &in->words);
}

static int (*const expanders[INSTRUCTION_COUNT])(struct expander *x, struct instruction *in) = {
	[INSTRUCTION_ADD] = expand_copy,
	[INSTRUCTION_COPY] = expand_copy,
	[INSTRUCTION_ENV] = expand_pairs,
	[INSTRUCTION_EXPOSE] = expand_expose,
	[INSTRUCTION_LABEL] = expand_pairs,
	[INSTRUCTION_RUN] = expand_run,
	[INSTRUCTION_STOPSIGNAL] = expand_words_field,
	[INSTRUCTION_USER] = expand_words_field,
	[INSTRUCTION_VOLUME] = expand_words_field,
	[INSTRUCTION_WORKDIR] = expand_words_field,
};

int
instruction_expand(const struct instruction *in, char escape, const struct expand_vars *vars,
	struct instruction **out, struct strv *undefined, struct err *err)
{
	AUTO(instruction) struct instruction *copy = instruction_copy(in);
	struct expander x = { .escape = escape, .vars = vars, .undefined = undefined, .err = err };

	if (expanders[in->kind] != NULL && expanders[in->kind](&x, copy) < 0)
		return -1;
	*out = steal(&copy);
	return 0;
}
