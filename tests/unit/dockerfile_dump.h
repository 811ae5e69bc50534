/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_DOCKERFILE_DUMP_H
#define TESTS_UNIT_DOCKERFILE_DUMP_H

#include <inttypes.h>

#include "base/buf.h"
#include "build/dockerfile/parse.h"
#include "build/dockerfile/quote.h"

/* dockerfile_dump - what the parser found, as text: everything that is not as by default. */

static inline void
dump_text(const char *label, const char *text, struct buf *out)
{
	if (text == NULL)
		return;
	buf_addf(out, " %s=", label);
	quote_add(out, text, (size_t)-1);
}

static inline void
dump_list(const char *label, const struct strv *list, struct buf *out)
{
	if (list->count == 0)
		return;
	buf_addf(out, " %s", label);
	for (size_t i = 0; i < list->count; i++) {
		buf_adds(out, i == 0 ? "[" : " ");
		quote_add(out, list->items[i], (size_t)-1);
	}
	buf_addc(out, ']');
}

static inline void
dump_heredocs(const char *label, const struct heredoc *list, size_t count, struct buf *out)
{
	for (size_t i = 0; i < count; i++) {
		buf_addf(out, " %s=%s%s%s:", label, list[i].chomp ? "-" : "", list[i].name,
			list[i].expand ? "" : "(raw)");
		if (list[i].fd != 0)
			buf_addf(out, "fd%u:", list[i].fd);
		quote_add(out, list[i].content, (size_t)-1);
	}
}

static inline void
dump_copy(const struct copy_options *c, struct buf *out)
{
	dump_text("from", c->from, out);
	dump_text("chown", c->chown, out);
	dump_text("chmod", c->chmod, out);
	dump_text("checksum", c->checksum, out);
	dump_list("exclude", &c->exclude, out);
	buf_adds(out, c->link ? " link" : "");
	buf_adds(out, c->parents ? " parents" : "");
	if (c->unpack >= 0)
		buf_addf(out, " unpack=%d", c->unpack);
	if (c->keep_git_dir >= 0)
		buf_addf(out, " keep-git-dir=%d", c->keep_git_dir);
	dump_list("sources", &c->sources, out);
	dump_heredocs("file", c->files, c->file_count, out);
	dump_text("dest", c->dest, out);
}

static inline void
dump_mount(const struct mount *m, struct buf *out)
{
	buf_addf(out, " mount(%s", mount_kind_name(m->kind));
	dump_text("from", m->from, out);
	dump_text("source", m->source, out);
	dump_text("target", m->target, out);
	dump_text("id", m->id, out);
	dump_text("env", m->env, out);
	buf_adds(out, m->read_only ? " ro" : " rw");
	buf_adds(out, m->required ? " required" : "");
	if (m->sharing_given)
		buf_addf(out, " sharing=%d", (int)m->sharing);
	if (m->size != 0)
		buf_addf(out, " size=%" PRId64, m->size);
	if (m->mode_given)
		buf_addf(out, " mode=%o", m->mode);
	if (m->uid_given)
		buf_addf(out, " uid=%u", m->uid);
	if (m->gid_given)
		buf_addf(out, " gid=%u", m->gid);
	buf_addc(out, ')');
}

static inline void
dump_run(const struct run_options *r, struct buf *out)
{
	static const char *const networks[] = { "default", "none", "host" };

	dump_list("mounts", &r->mount_texts, out);
	for (size_t i = 0; i < r->mount_count; i++)
		dump_mount(&r->mounts[i], out);
	if (r->network_given)
		buf_addf(out, " network=%s", networks[r->network]);
	buf_adds(out, r->security == RUN_INSECURE ? " insecure" : "");
	dump_list("devices", &r->devices, out);
}

static inline void
dump_health(const struct health *h, struct buf *out)
{
	dump_list("test", &h->test, out);
	if (h->interval != 0)
		buf_addf(out, " interval=%" PRId64, h->interval);
	if (h->timeout != 0)
		buf_addf(out, " timeout=%" PRId64, h->timeout);
	if (h->start_period != 0)
		buf_addf(out, " start-period=%" PRId64, h->start_period);
	if (h->start_interval != 0)
		buf_addf(out, " start-interval=%" PRId64, h->start_interval);
	if (h->retries != 0)
		buf_addf(out, " retries=%d", h->retries);
}

static inline void
dump_instruction(const struct instruction *in, struct buf *out)
{
	buf_adds(out, instruction_name(in->kind));
	buf_adds(out, in->is_json ? " exec" : "");
	dump_list("words", &in->words, out);
	for (size_t i = 0; i < in->pair_count; i++) {
		const struct pair *p = &in->pairs[i];

		buf_addc(out, ' ');
		quote_add(out, p->name, (size_t)-1);
		if (p->value != NULL) {
			buf_adds(out, p->legacy ? " " : "=");
			quote_add(out, p->value, (size_t)-1);
		}
		if (p->comment != NULL)
			dump_text("comment", p->comment, out);
	}
	dump_heredocs("heredoc", in->heredocs, in->heredoc_count, out);
	if (in->kind == INSTRUCTION_ADD || in->kind == INSTRUCTION_COPY)
		dump_copy(&in->copy, out);
	if (in->kind == INSTRUCTION_RUN)
		dump_run(&in->run, out);
	if (in->kind == INSTRUCTION_HEALTHCHECK)
		dump_health(&in->health, out);
	dump_text("trigger", in->trigger, out);
}

static inline void
dump_line(const struct instruction *in, const char *indent, struct buf *out)
{
	buf_addf(out, "%s%d", indent, in->line_start);
	if (in->line_end != in->line_start)
		buf_addf(out, "-%d", in->line_end);
	buf_adds(out, ": ");
	dump_instruction(in, out);
	dump_list("comments", &in->comments, out);
	buf_addc(out, '\n');
}

static inline void
dump_dockerfile(const struct dockerfile *d, struct buf *out)
{
	buf_addf(out, "escape %c\n", d->directives.escape);
	if (d->directives.syntax != NULL)
		buf_addf(out, "syntax %s (line %d)\n", d->directives.syntax, d->directives.syntax_line);
	if (d->directives.check != NULL)
		buf_addf(out, "check %s (line %d)\n", d->directives.check, d->directives.check_line);
	for (size_t i = 0; i < d->meta_arg_count; i++)
		dump_line(d->meta_args[i], "", out);
	for (size_t i = 0; i < d->stage_count; i++) {
		const struct stage *s = &d->stages[i];

		buf_addf(out, "stage %zu base=%s", i, s->base);
		dump_text("name", s->name, out);
		dump_text("platform", s->platform, out);
		dump_text("comment", s->comment, out);
		buf_addc(out, '\n');
		dump_line(s->from, "  ", out);
		for (size_t j = 0; j < s->count; j++)
			dump_line(s->items[j], "  ", out);
	}
	for (size_t i = 0; i < d->empty_continuation_count; i++)
		buf_addf(out, "empty continuation before line %d\n", d->empty_continuations[i]);
}

#endif
