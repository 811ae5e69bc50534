/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/credentials.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "registry/base64.h"
#include "registry/helper.h"
#include "registry/ref.h"

/* The file that login changes.  It is replaced as a whole while its directory is locked, so two
 * logins at once both stay; where it is a link, what the link means is replaced. */

#define LINKS_MAX 8

void
credentials_login_file(const char *auth_file, struct buf *out)
{
	const char *only = getenv("REGISTRY_AUTH_FILE"), *docker = getenv("DOCKER_CONFIG");
	const char *home = getenv("HOME");

	if (auth_file != NULL)
		buf_adds(out, auth_file);
	else if (only != NULL && only[0] != '\0')
		buf_adds(out, only);
	else if (docker != NULL && docker[0] != '\0')
		buf_addf(out, "%s/config.json", docker);
	else
		buf_addf(out, "%s/.docker/config.json", home != NULL ? home : "");
}

struct login {
	char *path; /* of the file itself, not of a link */
	int lock;
	json_t *document;
};

static void
auto_login(struct login *l)
{
	free(l->path);
	json_decref(l->document);
	if (l->lock >= 0)
		close(l->lock);
}

static int
make_parents(const char *path, struct err *err)
{
	AUTO(free) char *dir = xstrdup(path);
	char *slash;

	for (slash = strchr(dir + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdirat(AT_FDCWD, dir, 0700) < 0 && errno != EEXIST)
			return err_sys(err, "make directory '%s'", dir);
		*slash = '/';
	}
	return 0;
}

/* The file that a link means, which may not be there yet. */
static char *
follow_links(const char *path)
{
	char *file = xstrdup(path), target[PATH_MAX];
	unsigned links;
	ssize_t len;

	for (links = 0; links < LINKS_MAX; links++) {
		AUTO(free) char *link = file;

		len = readlinkat(AT_FDCWD, link, target, sizeof target - 1);
		if (len <= 0) {
			link = NULL;
			break;
		}
		file = target[0] == '/' ? xstrndup(target, (size_t)len)
					: xasprintf("%.*s/%.*s", (int)path_dir_len(link), link,
						  (int)len, target);
	}
	return file;
}

static int
open_login(const char *auth_file, struct login *l, struct err *err)
{
	AUTO(buf) struct buf path = BUF_INIT;
	AUTO(buf) struct buf text = BUF_INIT;
	AUTO(free) char *dir = NULL;

	credentials_login_file(auth_file, &path);
	l->path = follow_links(path.data);
	if (make_parents(l->path, err) < 0)
		return -1;
	dir = xstrndup(l->path, path_dir_len(l->path));
	l->lock = openat(AT_FDCWD, dir[0] != '\0' ? dir : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (l->lock < 0 || flock(l->lock, LOCK_EX) < 0)
		return err_sys(err, "lock '%s'", dir);
	if (file_read(AT_FDCWD, l->path, CREDENTIALS_FILE_MAX, &text, err) < 0 &&
		err->kind != ERR_NOTFOUND)
		return -1;
	if (text.len == 0)
		l->document = json_object();
	else if (json_parse(text.data, text.len, &l->document, err) < 0)
		return err_in(err, "%s", l->path);
	if (!json_is_object(l->document))
		return err_set(err, ERR_INPUT, "%s: it is not a JSON object", l->path);
	return 0;
}

static int
write_login(const struct login *l, struct err *err)
{
	AUTO(buf) struct buf text = BUF_INIT;

	json_format(l->document, JSON_STYLE_INDENT, &text);
	buf_addc(&text, '\n');
	return file_write(AT_FDCWD, l->path, text.data, text.len, 0600, FILE_SYNC, err);
}

/* Lent; NULL: secrets stand in the file itself. */
static int
find_helper(const struct login *l, const char *host, const char **out, struct err *err)
{
	json_t *helpers = NULL;

	if (json_get_object(l->document, "credHelpers", &helpers, err) < 0 ||
		json_get_string(l->document, "credsStore", out, err) < 0 ||
		(helpers != NULL && json_get_string(helpers, host, out, err) < 0))
		return err_in(err, "%s", l->path);
	if (*out != NULL && (*out)[0] == '\0')
		*out = NULL;
	return 0;
}

static json_t *
entry_of(const struct credential *c)
{
	json_t *entry = json_object();
	AUTO(buf) struct buf pair = BUF_INIT;
	AUTO(buf) struct buf text = BUF_INIT;

	if (c->identity_token != NULL) {
		json_object_set_new(entry, "identitytoken", json_text(c->identity_token));
		return entry;
	}
	buf_addf(&pair, "%s:%s", c->username, c->password != NULL ? c->password : "");
	base64_encode(pair.data, pair.len, &text);
	json_object_set_new(entry, "auth", json_text(text.data));
	explicit_bzero(pair.data, pair.len);
	explicit_bzero(text.data, text.len);
	return entry;
}

static int
get_auths(const struct login *l, json_t **out, struct err *err)
{
	if (json_get_object(l->document, "auths", out, err) < 0)
		return err_in(err, "%s", l->path);
	if (*out == NULL) {
		*out = json_object();
		json_object_set_new(l->document, "auths", *out);
	}
	return 0;
}

static const char *
key_of(const char *host)
{
	return streq(host, REF_HOST_DOCKER_HUB) ? CREDENTIALS_HUB_KEY : host;
}

int
credentials_store(
	const char *auth_file, const char *host, const struct credential *c, struct err *err)
{
	AUTO(login) struct login l = { .lock = -1 };
	const char *helper = NULL;
	json_t *auths = NULL;

	if (open_login(auth_file, &l, err) < 0 || find_helper(&l, host, &helper, err) < 0 ||
		get_auths(&l, &auths, err) < 0)
		return -1;
	if (helper != NULL && helper_store(helper, l.path, key_of(host), c, err) < 0)
		return -1;
	/* an empty entry says that somebody has logged in */
	json_object_set_new(auths, key_of(host), helper != NULL ? json_object() : entry_of(c));
	return write_login(&l, err);
}

int
credentials_erase(const char *auth_file, const char *host, struct err *err)
{
	AUTO(login) struct login l = { .lock = -1 };
	const char *helper = NULL;
	json_t *auths = NULL;
	bool had;

	if (open_login(auth_file, &l, err) < 0 || find_helper(&l, host, &helper, err) < 0 ||
		get_auths(&l, &auths, err) < 0)
		return -1;
	had = json_object_get(auths, key_of(host)) != NULL || json_object_get(auths, host) != NULL;
	if (helper != NULL && helper_erase(helper, l.path, key_of(host), err) < 0)
		return -1;
	json_object_del(auths, key_of(host));
	json_object_del(auths, host);
	if (had && write_login(&l, err) < 0)
		return -1;
	return had;
}
