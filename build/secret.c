/* SPDX-License-Identifier: Apache-2.0 */
#include "build/secret.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "build/dockerfile/csv.h"

void
secret_wipe(struct buf *b)
{
	if (b->room > 0)
		explicit_bzero(b->data, b->room);
	buf_free(b);
}

void
auto_secret(struct buf *b)
{
	secret_wipe(b);
}

void
secret_wipe_all(struct strv *words)
{
	for (size_t i = 0; i < words->count; i++)
		explicit_bzero(words->items[i], strlen(words->items[i]));
	strv_free(words);
}

/* --secret id=x,src=path | id=x,env=NAME | id=x: where the bytes are. */
static int
read_secret(const struct strv *fields, const char *id, struct buf *out, struct err *err)
{
	const char *source = strv_env_get(fields, "src"), *env = strv_env_get(fields, "env");
	const char *type = strv_env_get(fields, "type");

	if (source == NULL)
		source = strv_env_get(fields, "source");
	/* as docker: a variable of the secret's name wins over a file, unless told otherwise */
	if (env == NULL && !streq(type, "file") && getenv(source != NULL ? source : id) != NULL)
		env = source != NULL ? source : id;
	if (env != NULL) {
		const char *value = getenv(env);

		if (value == NULL)
			return err_set(err, ERR_NOTFOUND, "secret %s: the variable %s is not set",
				id, env);
		buf_adds(out, value);
		return 0;
	}
	if (file_read(AT_FDCWD, source != NULL ? source : id, SECRET_MAX, out, err) < 0)
		return err_in(err, "secret %s", id);
	return 0;
}

int
secret_find(const struct strv *specs, const char *id, struct buf *out, struct err *err)
{
	for (size_t i = 0; i < specs->count; i++) {
		AUTO(strv) struct strv fields = STRV_INIT;
		const char *has;

		if (csv_parse(specs->items[i], &fields, err) < 0)
			return err_in(err, "--secret");
		has = strv_env_get(&fields, "id");
		if (has == NULL)
			return err_set(err, ERR_USAGE, "--secret '%s' has no id", specs->items[i]);
		if (streq(has, id))
			return read_secret(&fields, id, out, err) < 0 ? -1 : 1;
	}
	return 0;
}

int
secret_line(const struct strv *specs, const char *id, struct buf *out, struct err *err)
{
	AUTO(secret) struct buf bytes = BUF_INIT;
	int found = secret_find(specs, id, &bytes, err);
	size_t start;

	if (found <= 0)
		return found;
	while (bytes.len > 0 && strchr(" \t\r\n", bytes.data[bytes.len - 1]) != NULL)
		buf_truncate(&bytes, bytes.len - 1);
	start = strspn(bytes.data, " \t\r\n");
	for (size_t i = start; i < bytes.len; i++)
		if ((unsigned char)bytes.data[i] < ' ' || bytes.data[i] == 0x7f)
			return err_set(err, ERR_INPUT, "secret %s: it is more than one line", id);
	buf_add(out, bytes.data + start, bytes.len - start);
	return 1;
}
