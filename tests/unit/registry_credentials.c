/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "registry/credentials.h"
#include "tests/unit/servers.h"

static void
auto_server(struct server *s)
{
	server_stop(s);
}

/* "user:password id=... token=... from ..." */
static void
show(const struct credential *c, struct buf *out)
{
	if (credential_is_anonymous(c))
		buf_adds(out, "anonymous");
	if (c->username != NULL)
		buf_addf(out, "%s:%s", c->username, c->password != NULL ? c->password : "");
	if (c->identity_token != NULL)
		buf_addf(out, " id=%s", c->identity_token);
	if (c->registry_token != NULL)
		buf_addf(out, " token=%s", c->registry_token);
	if (c->source != NULL)
		buf_addf(out, " from %s", c->source);
}

static void
check(const char *document, const char *host, const char *repository, const char *wanted)
{
	AUTO(credential) struct credential c = CREDENTIAL_INIT;
	AUTO(buf) struct buf got = BUF_INIT;
	AUTO(json) json_t *doc = NULL;
	struct err err = { 0 };

	works(json_parse(document, strlen(document), &doc, &err));
	if (credentials_search(doc, "f", false, host, repository, NULL, &c, &err) < 0)
		buf_addf(&got, "error: %s", err.msg);
	else
		show(&c, &got);
	same_str(got.data, wanted);
}

#define A "{\"auth\":\"YTox\"}" /* a:1 */
#define B "{\"auth\":\"Yjoy\"}" /* b:2 */

TEST(the_most_specific_key_wins)
{
	static const char both[] = "{\"auths\":{\"r.io\":" A ",\"r.io/ns\":" B "}}";

	check(both, "r.io", "other/x", "a:1 from f, 'r.io'");
	check(both, "r.io", "ns/x", "b:2 from f, 'r.io/ns'");
	check(both, "r.io", "ns", "b:2 from f, 'r.io/ns'");
	check(both, "r.io", "nsx/y", "a:1 from f, 'r.io'");
	check(both, "r.io:5000", "ns", "anonymous");
	check(both, "s.io", "ns", "anonymous");
}

TEST(urls_as_keys_count_by_their_host)
{
	check("{\"auths\":{\"https://r.io\":" A "}}", "r.io", "x", "a:1 from f, 'https://r.io'");
	check("{\"auths\":{\"http://r.io/v1/\":" A "}}", "r.io", "x",
		"a:1 from f, 'http://r.io/v1/'");
	check("{\"auths\":{\"r.io/v2/\":" A "}}", "r.io", "x", "a:1 from f, 'r.io/v2/'");
	check("{\"auths\":{\"r.io/ns\":" A "}}", "r.io", "x", "anonymous");
	check("{\"auths\":{\"https://r.io.evil\":" A "}}", "r.io", "x", "anonymous");
}

TEST(docker_hub_has_one_key_with_many_names)
{
	static const char *const keys[] = { "https://index.docker.io/v1/", "docker.io",
		"index.docker.io", "registry-1.docker.io" };
	size_t i;

	for (i = 0; i < COUNT_OF(keys); i++) {
		AUTO(free) char *document = xasprintf("{\"auths\":{\"%s\":" A "}}", keys[i]);
		AUTO(free) char *wanted = xasprintf("a:1 from f, '%s'", keys[i]);

		check(document, "docker.io", "library/alpine", wanted);
	}
	check("{\"auths\":{\"https://index.docker.io/v1/\":" A "}}", "r.io", "x", "anonymous");
}

TEST(entries_of_every_kind)
{
	check("{\"auths\":{\"r\":{\"auth\":\"YTpiOmM=\"}}}", "r", "", "a:b:c from f, 'r'");
	check("{\"auths\":{\"r\":{\"auth\":\"YTpiAAA=\"}}}", "r", "", "a:b from f, 'r'");
	check("{\"auths\":{\"r\":{\"username\":\"u\",\"password\":\"p\"}}}", "r", "",
		"u:p from f, 'r'");
	check("{\"auths\":{\"r\":{\"identitytoken\":\"t\"}}}", "r", "", " id=t from f, 'r'");
	check("{\"auths\":{\"r\":{\"auth\":\"YTox\",\"identitytoken\":\"t\"}}}", "r", "",
		"a:1 id=t from f, 'r'");
	check("{\"auths\":{\"r\":{\"registrytoken\":\"t\"}}}", "r", "", " token=t from f, 'r'");
	check("{\"auths\":{\"r\":{}}}", "r", "", "anonymous");
	check("{\"auths\":{\"r\":{\"auth\":\"bm9jb2xvbg==\"}}}", "r", "", "anonymous");
	check("{\"auths\":null}", "r", "", "anonymous");
	check("{}", "r", "", "anonymous");
}

TEST(nonsense_is_named_but_never_shown)
{
	check("{\"auths\":{\"r\":{\"auth\":\"!secret!\"}}}", "r", "",
		"error: f: 'auth' of 'r' is not base64");
	check("{\"auths\":{\"r\":7}}", "r", "", "error: f: the entry of 'r' is not an object");
	check("{\"auths\":{\"r\":{\"auth\":7}}}", "r", "", "error: f: 'r': 'auth' is not a string");
	check("{\"auths\":[]}", "r", "", "error: f: 'auths' is not an object");
	check("[]", "r", "", "error: f: it is not a JSON object");
}

TEST(a_helper_is_a_name_and_must_be_there)
{
	static const char *const names[] = { "../../tmp/evil", "x; rm", "-h", "/bin/sh", ".",
		"a b" };
	size_t i;

	for (i = 0; i < COUNT_OF(names); i++) {
		AUTO(free) char *document = xasprintf("{\"credHelpers\":{\"r\":\"%s\"}}", names[i]);

		check(document, "r", "",
			"error: f: the name of a credential helper is not letters and digits");
	}
	check("{\"credsStore\":\"cooper-has-none\"}", "r", "",
		"error: credential helper 'docker-credential-cooper-has-none' (from f) is not in "
		"PATH");
	check("{\"credHelpers\":{\"r\":\"\"}}", "r", "", "anonymous");
}

/* A directory that is HOME and PATH, with nothing else set that matters. */
static void
set_home(struct server *home)
{
	static const char *const names[] = { "DOCKER_AUTH_CONFIG", "REGISTRY_AUTH_FILE",
		"XDG_CONFIG_HOME", "DOCKER_CONFIG" };
	AUTO(free) char *path = NULL;
	AUTO(free) char *command = NULL;
	size_t i;

	server_dir(home);
	for (i = 0; i < COUNT_OF(names); i++)
		unsetenv(names[i]);
	setenv("HOME", home->dir, 1);
	setenv("XDG_RUNTIME_DIR", home->dir, 1);
	command = xasprintf("mkdir -p %s/.docker %s/.config/containers %s/containers", home->dir,
		home->dir, home->dir);
	same_int(system(command), 0);
	path = xasprintf("%s:/usr/bin:/bin", home->dir);
	setenv("PATH", path, 1);
}

static void
write_helper(struct server *home, const char *name, const char *script)
{
	AUTO(free) char *path = xasprintf("%s/%s", home->dir, name);

	server_write(home, name, script);
	same_int(chmod(path, 0755), 0);
}

static void
check_find(const char *host, const char *wanted)
{
	AUTO(credential) struct credential c = CREDENTIAL_INIT;
	AUTO(buf) struct buf got = BUF_INIT;
	struct err err = { 0 };

	if (credentials_find(NULL, host, "a/b", NULL, &c, &err) < 0)
		buf_addf(&got, "error: %s", err.msg);
	else
		show(&c, &got);
	same_str(got.data, wanted);
}

TEST(files_are_searched_in_order)
{
	AUTO(server) struct server home = { 0 };
	AUTO(strv) struct strv trail = STRV_INIT;
	AUTO(credential) struct credential c = CREDENTIAL_INIT;
	AUTO(free) char *all = NULL;
	struct err err;

	set_home(&home);
	check_find("r.io", "anonymous");
	server_write(&home, ".dockercfg", "{\"r.io\":" A "}");
	check_find("r.io", "a:1 from ~/.dockercfg, 'r.io'");
	server_write(&home, ".docker/config.json", "{\"auths\":{\"r.io\":" B "}}");
	check_find("r.io", "b:2 from ~/.docker/config.json, 'r.io'");
	server_write(&home, ".config/containers/auth.json", "{\"auths\":{\"r.io\":" A "}}");
	check_find("r.io", "a:1 from ~/.config/containers/auth.json, 'r.io'");
	server_write(&home, "containers/auth.json", "{\"auths\":{\"r.io/a\":" B "}}");
	check_find("r.io", "b:2 from ~/containers/auth.json, 'r.io/a'");
	setenv("DOCKER_AUTH_CONFIG", "{\"auths\":{\"r.io\":" A "}}", 1);
	check_find("r.io", "a:1 from $DOCKER_AUTH_CONFIG, 'r.io'");
	setenv("DOCKER_AUTH_CONFIG", "{nonsense", 1);
	check_find("r.io", "b:2 from ~/containers/auth.json, 'r.io/a'");
	unsetenv("DOCKER_AUTH_CONFIG");
	works(credentials_find(NULL, "s.io", "", &trail, &c, &err));
	all = strv_join(&trail, "\n");
	same_str(all, "~/containers/auth.json: nothing for 's.io'\n"
		      "~/.config/containers/auth.json: nothing for 's.io'\n"
		      "~/.docker/config.json: nothing for 's.io'\n"
		      "~/.dockercfg: nothing for 's.io'\n"
		      "nothing was found: anonymous");
}

TEST(helpers_are_asked_by_their_protocol)
{
	AUTO(server) struct server home = { 0 };

	set_home(&home);
	write_helper(&home, "docker-credential-good",
		"#!/bin/sh\ntest \"$1\" = get || exit 9\nread -r url\n"
		"printf '{\"ServerURL\":\"%s\",\"Username\":\"u\",\"Secret\":\"s-%s\"}' \"$url\" "
		"\"$url\"\n");
	write_helper(&home, "docker-credential-token",
		"#!/bin/sh\ncat >/dev/null\necho '{\"Username\":\"<token>\",\"Secret\":\"t\"}'\n");
	write_helper(&home, "docker-credential-none",
		"#!/bin/sh\ncat >/dev/null\necho 'credentials not found in native keychain'; exit "
		"1\n");
	write_helper(&home, "docker-credential-bad",
		"#!/bin/sh\ncat >/dev/null\nprintf 'broken \\033[31m' >&2; exit 3\n");
	write_helper(&home, "docker-credential-text", "#!/bin/sh\ncat >/dev/null\necho s3cret\n");
	server_write(&home, ".docker/config.json",
		"{\"auths\":{\"r.io\":{}},\"credsStore\":\"good\",\"credHelpers\":{\"t.io\":"
		"\"token\",\"n.io\":\"none\","
		"\"b.io\":\"bad\",\"x.io\":\"text\"}}");
	check_find("r.io", "u:s-r.io from ~/.docker/config.json, helper 'good' for 'r.io'");
	check_find("docker.io", "u:s-https://index.docker.io/v1/ from ~/.docker/config.json, "
				"helper 'good' for 'docker.io'");
	check_find("t.io", "<token>: id=t from ~/.docker/config.json, helper 'token' for 't.io'");
	check_find("b.io", "error: credential helper 'docker-credential-bad' (from "
			   "~/.docker/config.json) ended with status 3: "
			   "broken ?[31m");
	check_find("x.io", "error: credential helper 'docker-credential-text' (from "
			   "~/.docker/config.json) does not answer in "
			   "JSON");
	check_find("n.io", "u:s-n.io from ~/.docker/config.json, helper 'good' for 'n.io'");
}

TEST(helpers_in_the_working_directory_are_not_run)
{
	AUTO(server) struct server home = { 0 };

	set_home(&home);
	write_helper(&home, "docker-credential-good",
		"#!/bin/sh\necho '{\"Username\":\"u\",\"Secret\":\"s\"}'\n");
	server_write(&home, ".docker/config.json", "{\"credsStore\":\"good\"}");
	same_int(chdir(home.dir), 0);
	setenv("PATH", ":.:/usr/bin:/bin", 1);
	check_find("r.io", "error: credential helper 'docker-credential-good' (from "
			   "~/.docker/config.json) is not in PATH");
	same_int(chdir("/"), 0);
}

TEST(login_writes_what_docker_reads_and_keeps_the_rest)
{
	AUTO(server) struct server home = { 0 };
	AUTO(buf) struct buf text = BUF_INIT;
	AUTO(free) char *path = NULL;
	struct credential c = { .username = (char *)"a", .password = (char *)"1" };
	struct stat st;
	struct err err = { 0 };

	set_home(&home);
	path = xasprintf("%s/.docker/config.json", home.dir);
	server_write(&home, ".docker/config.json",
		"{\"HttpHeaders\":{\"X\":\"1\"},\"auths\":{\"s.io\":{\"auth\":\"Yjoy\"}}}");
	works(credentials_store(NULL, "r.io", &c, &err));
	works(credentials_store(NULL, "docker.io", &c, &err));
	check_find("r.io", "a:1 from ~/.docker/config.json, 'r.io'");
	check_find("s.io", "b:2 from ~/.docker/config.json, 's.io'");
	check_find("docker.io", "a:1 from ~/.docker/config.json, 'https://index.docker.io/v1/'");
	works(file_read(AT_FDCWD, path, 10000, &text, &err));
	is_true(strstr(text.data, "HttpHeaders") != NULL);
	same_int(stat(path, &st), 0);
	same_int(st.st_mode & 0777, 0600);
	same_int(credentials_erase(NULL, "r.io", &err), 1);
	same_int(credentials_erase(NULL, "r.io", &err), 0);
	check_find("r.io", "anonymous");
	same_int(credentials_erase(NULL, "docker.io", &err), 1);
	check_find("docker.io", "anonymous");
	check_find("s.io", "b:2 from ~/.docker/config.json, 's.io'");
}

TEST(login_makes_the_file_and_its_directory)
{
	AUTO(server) struct server home = { 0 };
	AUTO(free) char *path = NULL;
	struct credential c = { .username = (char *)"a", .identity_token = (char *)"t" };
	struct stat st;
	struct err err = { 0 };

	set_home(&home);
	path = xasprintf("%s/new/dir/auth.json", home.dir);
	setenv("REGISTRY_AUTH_FILE", path, 1);
	works(credentials_store(NULL, "r.io", &c, &err));
	check_find("r.io", " id=t from ~/new/dir/auth.json, 'r.io'");
	same_int(stat(path, &st), 0);
	same_int(st.st_mode & 0777, 0600);
	unsetenv("REGISTRY_AUTH_FILE");
}

TEST(login_goes_through_a_link_and_into_a_helper)
{
	AUTO(server) struct server home = { 0 };
	AUTO(free) char *link = NULL;
	AUTO(free) char *target = NULL;
	AUTO(buf) struct buf text = BUF_INIT;
	struct credential c = { .username = (char *)"a", .password = (char *)"1" };
	struct stat st;
	struct err err = { 0 };

	set_home(&home);
	link = xasprintf("%s/.docker/config.json", home.dir);
	target = xasprintf("%s/real.json", home.dir);
	server_write(&home, "real.json", "{}");
	same_int(symlink("../real.json", link), 0);
	works(credentials_store(NULL, "r.io", &c, &err));
	same_int(lstat(link, &st), 0);
	is_true(S_ISLNK(st.st_mode));
	check_find("r.io", "a:1 from ~/.docker/config.json, 'r.io'");
	write_helper(&home, "docker-credential-keep", "#!/bin/sh\ncat >\"$HOME/kept-$1\"\n");
	server_write(&home, "real.json", "{\"credsStore\":\"keep\"}");
	works(credentials_store(NULL, "s.io", &c, &err));
	AUTO(free) char *kept = xasprintf("%s/kept-store", home.dir);
	works(file_read(AT_FDCWD, kept, 1000, &text, &err));
	same_str(text.data, "{\"ServerURL\":\"s.io\",\"Username\":\"a\",\"Secret\":\"1\"}");
	buf_clear(&text);
	works(file_read(AT_FDCWD, target, 1000, &text, &err));
	is_true(strstr(text.data, "s.io") != NULL && strstr(text.data, "YTox") == NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(the_most_specific_key_wins),
		CASE(urls_as_keys_count_by_their_host),
		CASE(docker_hub_has_one_key_with_many_names),
		CASE(entries_of_every_kind),
		CASE(nonsense_is_named_but_never_shown),
		CASE(a_helper_is_a_name_and_must_be_there),
		CASE(files_are_searched_in_order),
		CASE(helpers_are_asked_by_their_protocol),
		CASE(helpers_in_the_working_directory_are_not_run),
		CASE(login_writes_what_docker_reads_and_keeps_the_rest),
		CASE(login_makes_the_file_and_its_directory),
		CASE(login_goes_through_a_link_and_into_a_helper),
	};

	return RUN(tests);
}
