/* SPDX-License-Identifier: Apache-2.0 */
#include "build/dockerfile/heredoc.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "build/dockerfile/expand.h"

void
heredoc_free(struct heredoc *h)
{
	free(h->name);
	free(h->content);
	*h = (struct heredoc){ .name = NULL };
}

void
heredoc_list_free(struct heredoc *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		heredoc_free(&list[i]);
	free(list);
}

static size_t
count_quotes(const char *text)
{
	size_t count = 0;

	for (; *text != '\0'; text++)
		count += *text == '\'' || *text == '"';
	return count;
}

/* digits "<<" [-] blanks word, whose word holds no '<'; the word, or NULL. */
static const char *
split(const char *word, unsigned *fd, bool *chomp)
{
	unsigned number = 0;

	while (*word >= '0' && *word <= '9') {
		number = number > 100000000 ? number : number * 10 + (unsigned)(*word - '0');
		word++;
	}
	if (word[0] != '<' || word[1] != '<')
		return NULL;
	word += 2;
	*chomp = *word == '-';
	if (*chomp)
		word++;
	word += strspn(word, " \t\n\v\f\r");
	*fd = number;
	return *word != '\0' && strchr(word, '<') == NULL ? word : NULL;
}

int
heredoc_parse(const char *word, struct heredoc *out, struct err *err)
{
	AUTO(expansion) struct expansion bare = EXPANSION_INIT;
	AUTO(expansion) struct expansion raw = EXPANSION_INIT;
	struct expand_vars nothing = expand_vars_env(NULL);
	struct heredoc h = { .name = NULL };
	const char *rest = split(word, &h.fd, &h.chomp);

	if (rest == NULL)
		return 0;
	if (expand(rest, '\\', EXPAND_KEEP_UNSET, &nothing, &bare, err) < 0)
		return -1;
	if (bare.words.count != 1)
		return 0;
	if (expand(rest, '\\', EXPAND_KEEP_UNSET | EXPAND_RAW_QUOTES, &nothing, &raw, err) < 0)
		return -1;
	if (raw.words.count != 1)
		return err_set(
			err, ERR_INPUT, "delimiter of a heredoc is more than one word: %s", rest);
	/* quotes that went away were those around some part of the delimiter */
	h.expand = count_quotes(bare.words.items[0]) == count_quotes(raw.words.items[0]);
	h.name = xstrdup(bare.words.items[0]);
	*out = h;
	return 1;
}

int
heredoc_find(const char *line, struct heredoc **out, size_t *out_count, struct err *err)
{
	AUTO(expansion) struct expansion e = EXPANSION_INIT;
	struct expand_vars nothing = expand_vars_env(NULL);
	struct heredoc *list = NULL;
	size_t count = 0, room = 0;
	struct err ignored;

	*out = NULL;
	*out_count = 0;
	if (strstr(line, "<<") == NULL)
		return 0;
	if (expand(line, '\\', EXPAND_RAW_QUOTES | EXPAND_RAW_ESCAPES | EXPAND_KEEP_UNSET, &nothing,
		    &e, &ignored) < 0)
		return 0;
	for (size_t i = 0; i < e.words.count; i++) {
		struct heredoc h;
		int found = heredoc_parse(e.words.items[i], &h, err);

		if (found > 0 && count < HEREDOCS_MAX) {
			list = grow(list, count, &room, sizeof *list);
			list[count++] = h;
		} else if (found != 0) {
			if (found > 0) {
				heredoc_free(&h);
				err_set(err, ERR_INPUT, "more than %d heredocs", HEREDOCS_MAX);
			}
			heredoc_list_free(list, count);
			return -1;
		}
	}
	*out = list;
	*out_count = count;
	return 0;
}

void
heredoc_chomp(const char *content, size_t len, struct buf *out)
{
	size_t at = 0;

	while (at < len) {
		const char *newline;
		size_t end;

		while (at < len && content[at] == '\t')
			at++;
		newline = memchr(content + at, '\n', len - at);
		end = newline != NULL ? (size_t)(newline - content) + 1 : len;
		buf_add(out, content + at, end - at);
		at = end;
	}
}

int
heredoc_check_name(const struct heredoc *h, struct err *err)
{
	if (h->name[0] != '\0' && strchr(h->name, '/') == NULL && !streq(h->name, ".") &&
		!streq(h->name, ".."))
		return 0;
	return err_set(err, ERR_INPUT,
		"heredoc '%s' cannot be a file: its name must be one without '/'", h->name);
}
