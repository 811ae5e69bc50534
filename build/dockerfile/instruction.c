/* SPDX-License-Identifier: Apache-2.0 */
#include "build/dockerfile/instruction.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "build/dockerfile/lint.h"
#include "build/dockerfile/suggest.h"

static const char *const names[INSTRUCTION_COUNT] = {
	[INSTRUCTION_ADD] = "ADD",
	[INSTRUCTION_ARG] = "ARG",
	[INSTRUCTION_CMD] = "CMD",
	[INSTRUCTION_COPY] = "COPY",
	[INSTRUCTION_ENTRYPOINT] = "ENTRYPOINT",
	[INSTRUCTION_ENV] = "ENV",
	[INSTRUCTION_EXPOSE] = "EXPOSE",
	[INSTRUCTION_FROM] = "FROM",
	[INSTRUCTION_HEALTHCHECK] = "HEALTHCHECK",
	[INSTRUCTION_LABEL] = "LABEL",
	[INSTRUCTION_MAINTAINER] = "MAINTAINER",
	[INSTRUCTION_ONBUILD] = "ONBUILD",
	[INSTRUCTION_RUN] = "RUN",
	[INSTRUCTION_SHELL] = "SHELL",
	[INSTRUCTION_STOPSIGNAL] = "STOPSIGNAL",
	[INSTRUCTION_USER] = "USER",
	[INSTRUCTION_VOLUME] = "VOLUME",
	[INSTRUCTION_WORKDIR] = "WORKDIR",
};

const char *
instruction_name(enum instruction_kind kind)
{
	return names[kind];
}

int
instruction_kind_of(const char *name, size_t len)
{
	for (int i = 0; i < INSTRUCTION_COUNT; i++)
		if (strlen(names[i]) == len && strncasecmp(names[i], name, len) == 0)
			return i;
	return -1;
}

char *
instruction_suggest(const char *name)
{
	const char *nearest = suggest(name, names, COUNT_OF(names), true);
	char *out;
	bool upper = false;

	if (nearest == NULL)
		return NULL;
	for (const char *p = name; *p != '\0'; p++)
		upper |= isupper((unsigned char)*p) != 0;
	out = xstrdup(nearest);
	/* "Rnu" is no more upper than lower: the names are what they are called in lower case then
	 */
	for (const char *p = name; *p != '\0' && upper; p++)
		upper = islower((unsigned char)*p) == 0;
	for (char *p = out; *p != '\0' && !upper; p++)
		*p = (char)tolower((unsigned char)*p);
	return out;
}

const struct flag *
instruction_flag(const struct instruction *in, const char *name)
{
	for (size_t i = 0; i < in->flag_count; i++)
		if (streq(in->flags[i].name, name))
			return &in->flags[i];
	return NULL;
}

/* --- life ------------------------------------------------------------------------------------- */

static void
clear_copy(struct copy_options *c)
{
	free(c->from);
	free(c->chown);
	free(c->chmod);
	free(c->checksum);
	free(c->dest);
	strv_free(&c->exclude);
	strv_free(&c->sources);
	heredoc_list_free(c->files, c->file_count);
}

static void
clear_run(struct run_options *r)
{
	strv_free(&r->mount_texts);
	strv_free(&r->devices);
	for (size_t i = 0; i < r->mount_count; i++)
		mount_free(&r->mounts[i]);
	free(r->mounts);
}

void
instruction_clear(struct instruction *in)
{
	free(in->name);
	free(in->text);
	free(in->trigger);
	strv_free(&in->comments);
	strv_free(&in->words);
	lint_config_free(&in->lint);
	for (size_t i = 0; i < in->flag_count; i++) {
		free(in->flags[i].name);
		free(in->flags[i].value);
	}
	free(in->flags);
	for (size_t i = 0; i < in->pair_count; i++) {
		free(in->pairs[i].name);
		free(in->pairs[i].value);
		free(in->pairs[i].comment);
	}
	free(in->pairs);
	heredoc_list_free(in->heredocs, in->heredoc_count);
	clear_copy(&in->copy);
	clear_run(&in->run);
	strv_free(&in->health.test);
	*in = (struct instruction){ .kind = in->kind };
}

void
instruction_free(struct instruction *in)
{
	if (in == NULL)
		return;
	instruction_clear(in);
	free(in);
}

void
auto_instruction(struct instruction **in)
{
	instruction_free(*in);
	*in = NULL;
}

/* --- copies ----------------------------------------------------------------------------------- */

static char *
copy_text(const char *text)
{
	return text != NULL ? xstrdup(text) : NULL;
}

static struct strv
copy_list(const struct strv *from)
{
	struct strv out = STRV_INIT;

	strv_add_all(&out, from);
	return out;
}

static struct heredoc *
copy_heredocs(const struct heredoc *from, size_t count)
{
	struct heredoc *out = count > 0 ? xcalloc(count, sizeof *out) : NULL;

	for (size_t i = 0; i < count; i++) {
		out[i] = from[i];
		out[i].name = copy_text(from[i].name);
		out[i].content = xmalloc(from[i].len + 1);
		if (from[i].len > 0)
			memcpy(out[i].content, from[i].content, from[i].len);
		out[i].content[from[i].len] = '\0';
	}
	return out;
}

static void
copy_flags_and_pairs(const struct instruction *in, struct instruction *out)
{
	out->flag_room = in->flag_count;
	out->flags = in->flag_count > 0 ? xcalloc(in->flag_count, sizeof *out->flags) : NULL;
	for (size_t i = 0; i < in->flag_count; i++) {
		out->flags[i] = in->flags[i];
		out->flags[i].name = copy_text(in->flags[i].name);
		out->flags[i].value = copy_text(in->flags[i].value);
	}
	out->pairs = in->pair_count > 0 ? xcalloc(in->pair_count, sizeof *out->pairs) : NULL;
	for (size_t i = 0; i < in->pair_count; i++) {
		out->pairs[i] = in->pairs[i];
		out->pairs[i].name = copy_text(in->pairs[i].name);
		out->pairs[i].value = copy_text(in->pairs[i].value);
		out->pairs[i].comment = copy_text(in->pairs[i].comment);
	}
}

static void
copy_options(const struct instruction *in, struct instruction *out)
{
	struct copy_options *c = &out->copy;
	struct run_options *r = &out->run;

	c->from = copy_text(in->copy.from);
	c->chown = copy_text(in->copy.chown);
	c->chmod = copy_text(in->copy.chmod);
	c->checksum = copy_text(in->copy.checksum);
	c->dest = copy_text(in->copy.dest);
	c->exclude = copy_list(&in->copy.exclude);
	c->sources = copy_list(&in->copy.sources);
	c->files = copy_heredocs(in->copy.files, in->copy.file_count);
	r->mount_texts = copy_list(&in->run.mount_texts);
	r->devices = copy_list(&in->run.devices);
	r->mounts =
		in->run.mount_count > 0 ? xcalloc(in->run.mount_count, sizeof *r->mounts) : NULL;
	for (size_t i = 0; i < in->run.mount_count; i++) {
		const struct mount *m = &in->run.mounts[i];

		r->mounts[i] = *m;
		r->mounts[i].from = copy_text(m->from);
		r->mounts[i].source = copy_text(m->source);
		r->mounts[i].target = copy_text(m->target);
		r->mounts[i].id = copy_text(m->id);
		r->mounts[i].env = copy_text(m->env);
	}
}

struct instruction *
instruction_copy(const struct instruction *in)
{
	struct instruction *out = xmemdup(in, sizeof *in);

	out->name = copy_text(in->name);
	out->text = copy_text(in->text);
	out->trigger = copy_text(in->trigger);
	out->comments = copy_list(&in->comments);
	out->words = copy_list(&in->words);
	lint_config_copy(&in->lint, &out->lint);
	copy_flags_and_pairs(in, out);
	out->heredocs = copy_heredocs(in->heredocs, in->heredoc_count);
	copy_options(in, out);
	out->health.test = copy_list(&in->health.test);
	return out;
}

/* --- what a shell gets ------------------------------------------------------------------------ */

char *
instruction_shell_text(const struct instruction *in, bool *script)
{
	AUTO(buf) struct buf out = BUF_INIT;
	struct heredoc only;
	struct err ignored;

	*script = false;
	if (in->is_json)
		return NULL;
	if (in->heredoc_count == 1 && in->words.count == 1 &&
		heredoc_parse(in->words.items[0], &only, &ignored) > 0) {
		const struct heredoc *h = &in->heredocs[0];

		heredoc_free(&only);
		if (h->chomp)
			heredoc_chomp(h->content, h->len, &out);
		else
			buf_add(&out, h->content, h->len);
		*script = starts_with(out.data, "#!");
		return buf_steal(&out);
	}
	if (in->words.count > 0)
		buf_adds(&out, in->words.items[0]);
	for (size_t i = 0; i < in->heredoc_count; i++) {
		buf_addc(&out, '\n');
		buf_add(&out, in->heredocs[i].content, in->heredocs[i].len);
		buf_adds(&out, in->heredocs[i].name);
	}
	return buf_steal(&out);
}
