/* SPDX-License-Identifier: Apache-2.0 */
#include "build/evaluate_inside.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

/* evaluate_copy - COPY and ADD become a step: where their sources are, and what of them. */

static void
copy_history(const struct instruction *in, const char *dest, struct buf *out)
{
	const struct copy_options *c = &in->copy;

	buf_adds(out, instruction_name(in->kind));
	if (c->parents)
		buf_adds(out, " --parents");
	if (c->chown != NULL)
		buf_addf(out, " --chown=%s", c->chown);
	if (c->chmod != NULL)
		buf_addf(out, " --chmod=%s", c->chmod);
	for (size_t i = 0; i < c->sources.count; i++)
		buf_addf(out, " %s", c->sources.items[i]);
	for (size_t i = 0; i < c->file_count; i++)
		buf_addf(out, " <<%s", c->files[i].name);
	buf_addf(out, " %s # buildkit", dest);
}

/* --checksum and --keep-git-dir of ADD, where they mean something. */
static int
fetch_options(const struct copy_options *c, struct fetch *f, struct err *err)
{
	struct digest digest;

	if (c->keep_git_dir >= 0)
		f->git.keep_git_dir = c->keep_git_dir > 0;
	if (c->checksum == NULL)
		return 0;
	if (f->kind != FETCH_GIT) {
		if (digest_parse(c->checksum, &digest, err) < 0)
			return err_in(err, "--checksum");
		if (!starts_with(c->checksum, "sha256:"))
			return err_set(err, ERR_INPUT, "--checksum: only sha256 is known for URLs");
		f->checksum = xstrdup(c->checksum);
		return 0;
	}
	if (f->git.commit != NULL && !streq(f->git.commit, c->checksum))
		return err_set(err, ERR_INPUT, "checksum is given twice");
	if (!git_url_is_commit(c->checksum))
		return err_set(err, ERR_INPUT,
			"--checksum '%s': of a repository it is 7 to 64 hex digits of a commit",
			c->checksum);
	free(f->git.commit);
	f->git.commit = xstrdup(c->checksum);
	return 0;
}

static int
resolve_sources(struct evaluation *e, struct plan_step *s, struct err *err)
{
	struct copy_options *c = &s->in->copy;

	s->fetches = xcalloc(c->sources.count, sizeof *s->fetches);
	for (size_t i = 0; i < c->sources.count; i++) {
		AUTO(fetch) struct fetch *f = NULL;
		int remote = fetch_of_source(c->sources.items[i], &f, err);

		if (remote < 0)
			return -1;
		if (remote == 0) {
			if (e->plan->lint != NULL && c->from == NULL)
				lint_copy_ignored(e->plan->lint, e->raw, c->sources.items[i],
					e->plan->ignore);
			continue;
		}
		if (!s->is_add)
			return err_set(err, ERR_INPUT, "source can't be a %s for COPY",
				f->kind == FETCH_GIT ? "git ref" : "URL");
		if (fetch_options(c, f, err) < 0)
			return -1;
		s->fetches[s->fetch_count++] =
			(struct step_fetch){ i, plan_fetch(e->plan, steal(&f)) };
	}
	if (c->checksum == NULL)
		return 0;
	if (c->sources.count != 1)
		return err_set(err, ERR_INPUT, "checksum can't be specified for multiple sources");
	return s->fetch_count == 1
		       ? 0
		       : err_set(err, ERR_INPUT, "checksum requires HTTP(S) or Git source");
}

int
evaluate_copy(struct evaluation *e, struct err *err)
{
	struct copy_options *c = &e->in->copy;
	AUTO(buf) struct buf by = BUF_INIT;
	struct origin from = { .kind = ORIGIN_CONTEXT };
	struct plan_step *s;

	if (c->from != NULL && plan_origin(e->plan, e->stage->index, c->from, true, &from, err) < 0)
		return -1;
	s = evaluate_step(e, STEP_COPY);
	c = &s->in->copy;
	s->from = from;
	s->is_add = s->in->kind == INSTRUCTION_ADD;
	if (resolve_sources(e, s, err) < 0)
		return -1;
	if (c->chown != NULL) {
		s->has_owner = true;
		if (owner_parse(c->chown, &s->owner, err) < 0)
			return err_in(err, "--chown");
	}
	if (c->chmod != NULL) {
		s->has_mode = true;
		if (mode_parse(c->chmod, &s->mode, err) < 0)
			return -1;
	}
	s->dest = streq(c->dest, ".") || streq(c->dest, "") ? evaluate_path(e->stage, "./")
							    : evaluate_path(e->stage, c->dest);
	copy_history(s->in, c->dest, &by);
	evaluate_noted(e, s, by.data);
	return 0;
}
