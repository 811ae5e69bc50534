/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/fake.h"

#include <sys/stat.h>

#include "registry/examine.h"
#include "registry/hosts.h"
#include "registry/shortname.h"
#include "tests/unit/table.h"

/* hosts.toml: what it says, and where that leads. */

static void
format_entry(const struct hosts_entry *e, struct buf *out)
{
	size_t i;

	buf_addf(out, "%s://%s:%u%s %s ", e->base.secure ? "https" : "http", e->base.host,
		e->base.port, e->base.target, e->name);
	if (e->capabilities == (HOSTS_PULL | HOSTS_RESOLVE | HOSTS_PUSH))
		buf_adds(out, "all");
	else
		buf_addf(out, "%s%s%s", (e->capabilities & HOSTS_PULL) != 0 ? "pull" : "",
			(e->capabilities & HOSTS_RESOLVE) != 0 ? "+resolve" : "",
			(e->capabilities & HOSTS_PUSH) != 0 ? "push" : "");
	buf_adds(out, e->is_push_said ? "!" : "");
	buf_adds(out, e->is_for_others ? " ns" : "");
	for (i = 0; i < e->authorities.count; i++)
		buf_addf(out, " ca=%s", e->authorities.items[i]);
	if (e->certificate != NULL)
		buf_addf(out, " client=%s,%s", e->certificate, e->key);
	buf_adds(out, e->skip_verify ? " unverified" : "");
	if (e->dial_ms > 0)
		buf_addf(out, " dial=%u", e->dial_ms);
	for (i = 0; i < e->headers.count; i++) {
		char *colon = strchr(e->headers.items[i], ':');

		buf_addf(out, " %.*s:\\%s", (int)(colon - e->headers.items[i]), e->headers.items[i],
			colon + 2);
	}
}

static void
hosts_row(char **fields, size_t count)
{
	AUTO(hosts) struct hosts h = HOSTS_INIT;
	AUTO(buf) struct buf got = BUF_INIT;
	struct err err = { 0 };
	size_t i;
	bool is_error = starts_with(fields[1], "error: ");
	const char *file = is_error ? "f" : "/d/hosts.toml";

	same_int(count, 2);
	if (hosts_parse(fields[0], strlen(fields[0]), file, "r.io", &h, &err) < 0)
		/* only what is ours of the message */
		buf_addf(&got, "error: %.*s", (int)strlen(fields[1]) - (is_error ? 7 : 0), err.msg);
	for (i = 0; i < h.count; i++) {
		buf_adds(&got, i > 0 ? "; " : "");
		format_entry(&h.entries[i], &got);
	}
	same_str(got.data, fields[1]);
	is_true(strstr(err.msg, "u:p@") == NULL);
}

TEST(hosts)
{
	is_true(table_each(TESTDATA "/registry/hosts.tsv", hosts_row) > 40);
}

TEST(docker_hub_is_another_host_and_no_mirror_of_itself)
{
	AUTO(hosts) struct hosts h = HOSTS_INIT;
	struct err err = { 0 };

	works(hosts_parse("", 0, "f", "docker.io", &h, &err));
	same_int(h.count, 1);
	same_str(h.entries[0].name, "registry-1.docker.io");
	is_true(!h.entries[0].is_for_others);
}

static void
write_hosts(struct fake *f, const char *dir, const char *text)
{
	AUTO(free) char *path = xasprintf("%s/certs.d", f->server.dir);
	AUTO(free) char *below = xasprintf("%s/certs.d/%s", f->server.dir, dir);
	AUTO(free) char *name = xasprintf("certs.d/%s/hosts.toml", dir);

	mkdir(path, 0700);
	mkdir(below, 0700);
	server_write(&f->server, name, text);
}

/* Directories go by the host with its port in several ways, and _default is for all. */
TEST(the_directory_is_found)
{
	AUTO(fake) struct fake f;
	AUTO(free) char *dir = NULL;
	struct hosts h = HOSTS_INIT;
	struct err err = { 0 };
	static const struct {
		const char *registry, *dir;
	} rows[] = { { "r.io:5000", "r.io_5000_" }, { "r.io:6000", "r.io:6000" },
		{ "r.io", "r.io" }, { "r.io:7000", "_default" }, { "[::1]:1", "[::1]_1_" },
		{ "[::1]", "[::1]" } };
	size_t i;

	START(&f, "--page", "0");
	dir = xasprintf("%s/certs.d", f.server.dir);
	same_int(hosts_find(dir, "r.io", &h, &err), 0);
	same_int(hosts_find("", "r.io", &h, &err), 0);
	for (i = 0; i < COUNT_OF(rows); i++)
		write_hosts(&f, rows[i].dir, "");
	for (i = 0; i < COUNT_OF(rows); i++) {
		AUTO(free) char *file = xasprintf("%s/%s/hosts.toml", dir, rows[i].dir);

		same_int(hosts_find(dir, rows[i].registry, &h, &err), 1);
		same_str(h.file, file);
		hosts_free(&h);
	}
	write_hosts(&f, "r.io", "a");
	same_int(hosts_find(dir, "r.io", &h, &err), -1);
	is_true(strstr(err.msg, "r.io/hosts.toml: line 1") != NULL);
}

/* f has a hosts.toml for itself, whose text has the port of the mirror for %u. */
static void
open_with(struct fake *f, const char *before, unsigned mirror, const char *after)
{
	AUTO(free) char *dir = xasprintf("127.0.0.1_%u_", f->server.port);
	AUTO(free) char *hosts_dir = xasprintf("%s/certs.d", f->server.dir);
	AUTO(free)
	char *text = xasprintf("%s\nserver = 'http://127.0.0.1:%u'\n[host.'http://127.0.0.1:%u%s\n",
		before, f->server.port, mirror, after);

	write_hosts(f, dir, text);
	session_free(f->session);
	place_free(f->push);
	place_free(f->pull);
	f->session = NULL;
	open_anonymous(&f->server, (struct session_options){ .hosts_dir = hosts_dir }, &f->session);
	f->push = open_at(f->session, &f->server, "a/b", REMOTE_PUSH);
	f->pull = open_at(f->session, &f->server, "a/b", REMOTE_PULL);
}

static void
two(struct fake *f, struct fake *mirror)
{
	struct err err = { 0 };

	START(f, "--show", "x-team");
	START(mirror, "--show", "x-team");
	works(push(f, &err));
	works(push(mirror, &err));
}

static int
gets(const struct fake *f, const char *what)
{
	return asked(f, "main GET", what) + asked(f, "main HEAD", what);
}

TEST(a_mirror_is_asked_first_and_told_for_whom)
{
	AUTO(fake) struct fake f;
	AUTO(fake) struct fake m;
	struct err err = { 0 };
	int before;

	two(&f, &m);
	open_with(&f, "", m.server.port, "'.header]\nx-team = 'a'");
	before = gets(&f, "");
	works(pull(&f, &err));
	is_true(has_layer(&f));
	same_int(gets(&f, ""), before);
	is_true(asked(&m, "ns=127.0.0.1%3A", "x-team=a") >= 3);
	/* nothing is sent there */
	before = asked(&m, "main P", "");
	works(f.push->ops->tag(f.push, "2", &f.root, &err));
	same_int(asked(&m, "main P", ""), before);
	same_int(asked(&f, "x-team=a", ""), 0);
}

TEST(a_mirror_that_does_not_resolve_is_not_asked_for_tags)
{
	AUTO(fake) struct fake f;
	AUTO(fake) struct fake m;
	struct err err = { 0 };
	int before;

	two(&f, &m);
	open_with(&f, "", m.server.port, "']\ncapabilities = ['pull']");
	before = gets(&f, "/blobs/");
	works(pull(&f, &err));
	same_int(gets(&m, "/manifests/1 "), 0);
	same_int(gets(&m, "/manifests/1?"), 0);
	same_int(gets(&f, "/manifests/1"), 1);
	same_int(gets(&f, "/blobs/"), before);
	is_true(has_layer(&f));
}

TEST(a_mirror_that_only_resolves_gives_no_bytes)
{
	AUTO(fake) struct fake f;
	AUTO(fake) struct fake m;
	struct err err = { 0 };
	int before;

	two(&f, &m);
	open_with(&f, "", m.server.port, "']\ncapabilities = ['resolve']");
	before = gets(&m, "/blobs/");
	works(pull(&f, &err));
	same_int(gets(&m, "/manifests/1?"), 1);
	same_int(gets(&m, "/blobs/"), before);
}

TEST(a_mirror_that_fails_is_passed_over)
{
	AUTO(fake) struct fake f;
	AUTO(fake) struct fake m;
	struct err err = { 0 };

	START(&f, "--page", "0");
	START(&m, "--rule", "GET . status=404");
	works(push(&f, &err));
	open_with(&f, "", m.server.port, "']\ndial_timeout = '2s'");
	works(pull(&f, &err));
	is_true(has_layer(&f));
	open_with(&f, "", 1, "']\ndial_timeout = '2s'");
	works(pull(&f, &err));
}

TEST(a_mirror_gets_no_secret_that_was_said_for_the_registry)
{
	AUTO(fake) struct fake f;
	AUTO(fake) struct fake m;
	AUTO(free) char *hosts_dir = NULL;
	struct err err = { 0 };

	START(&f, "--show", "authorization");
	START(&m, "--show", "authorization");
	works(push(&f, &err));
	open_with(&f, "", m.server.port, "']");
	hosts_dir = xasprintf("%s/certs.d", f.server.dir);
	session_free(f.session);
	place_free(f.push);
	place_free(f.pull);
	f.session = NULL;
	open_anonymous(&f.server,
		(struct session_options){ .hosts_dir = hosts_dir, .registry_token = "sesame" },
		&f.session);
	f.push = open_at(f.session, &f.server, "a/b", REMOTE_PUSH);
	f.pull = open_at(f.session, &f.server, "a/b", REMOTE_PULL);
	works(pull(&f, &err));
	is_true(asked(&m, "main HEAD", "/manifests/1") > 0);
	same_int(asked(&m, "authorization=", ""), 0);
	is_true(asked(&f, "authorization=Bearer", "") > 0);
}

TEST(a_path_may_be_all_there_is_before_the_repository)
{
	AUTO(fake) struct fake f;
	AUTO(fake) struct fake m;
	AUTO(place) struct place *to = NULL;
	struct descriptor copied = { 0 };
	struct err err = { 0 };
	int before;

	START(&f, "--page", "0");
	START(&m, "--page", "0");
	works(push(&f, &err));
	to = open_at(m.session, &m.server, "cache/hub/a/b", REMOTE_PUSH);
	works(place_copy(m.memory, to, &m.root, NULL, &copied, &err));
	works(to->ops->tag(to, "1", &m.root, &err));
	open_with(&f, "", m.server.port, "/v2/cache/hub']\noverride_path = true");
	before = gets(&f, "");
	works(pull(&f, &err));
	same_int(gets(&f, ""), before);
}

TEST(pushes_go_to_a_mirror_only_where_that_is_said)
{
	AUTO(fake) struct fake f;
	AUTO(fake) struct fake m;
	struct err err = { 0 };

	START(&f, "--page", "0");
	START(&m, "--page", "0");
	open_with(&f, "", m.server.port, "']\ncapabilities = ['push']");
	works(push(&f, &err));
	same_int(asked(&f, "main P", ""), 0);
	works(pull(&m, &err));
}

TEST(nothing_is_pushed_to_a_server_that_is_not_for_that)
{
	AUTO(fake) struct fake f;
	AUTO(free) char *hosts_dir = NULL;
	AUTO(free) char *text = NULL;
	struct place *p = NULL;
	struct ref ref;
	struct err err = { 0 };

	START(&f, "--page", "0");
	write_hosts(&f, "_default", "capabilities = ['pull', 'resolve']");
	hosts_dir = xasprintf("%s/certs.d", f.server.dir);
	session_free(f.session);
	f.session = NULL;
	open_anonymous(&f.server, (struct session_options){ .hosts_dir = hosts_dir }, &f.session);
	text = xasprintf("127.0.0.1:%u/a/b", f.server.port);
	works(ref_parse(text, &ref, &err));
	same_int(remote_open(f.session, &ref, REMOTE_PUSH, &p, &err), -1);
	same_int(err.kind, ERR_DENIED);
	is_true(strstr(err.msg, "nothing is written to") != NULL);
}

TEST(a_rule_of_registries_conf_is_all_that_counts)
{
	AUTO(fake) struct fake f;
	AUTO(free) char *hosts_dir = NULL;
	AUTO(free) char *conf = NULL;
	AUTO(free) char *file = NULL;
	struct place *p = NULL;
	struct ref ref;
	struct err err = { 0 };

	START(&f, "--page", "0");
	write_hosts(&f, "_default", "a");
	hosts_dir = xasprintf("%s/certs.d", f.server.dir);
	conf = xasprintf("[[registry]]\nprefix='127.0.0.1:%u/a'\nblocked=true\n", f.server.port);
	server_write(&f.server, "r.conf", conf);
	file = xasprintf("%s/r.conf", f.server.dir);
	session_free(f.session);
	f.session = NULL;
	open_anonymous(&f.server,
		(struct session_options){ .hosts_dir = hosts_dir, .registries_conf = file },
		&f.session);
	free(steal(&file));
	file = xasprintf("127.0.0.1:%u/a/b", f.server.port);
	works(ref_parse(file, &ref, &err));
	same_int(remote_open(f.session, &ref, REMOTE_PULL, &p, &err), -1);
	same_int(err.kind, ERR_DENIED);
	works(ref_parse("127.0.0.1:1/b/b", &ref, &err));
	same_int(remote_open(f.session, &ref, REMOTE_PULL, &p, &err), -1);
	is_true(strstr(err.msg, "_default/hosts.toml: line 1") != NULL);
}

/* "what grade text" of the rows that have these words, with '|' between. */
static void
examine(struct fake *f, const char *const *words, const char *wanted)
{
	AUTO(examine) struct examine e = EXAMINE_INIT;
	AUTO(free) char *text = xasprintf("127.0.0.1:%u/a/b:1", f->server.port);
	AUTO(buf) struct buf got = BUF_INIT;
	struct err err = { 0 };
	struct ref ref;
	size_t i, k;

	works(ref_parse(text, &ref, &err));
	is_true(examine_registry(f->session, &ref, true, &e, &err) >= 0);
	for (i = 0; i < e.count; i++) {
		is_true(strstr(e.rows[i].text, "secret") == NULL);
		for (k = 0; words[k] != NULL; k++)
			if (streq(e.rows[i].what, words[k]))
				buf_addf(&got, "%s%d %s", got.len > 0 ? "|" : "",
					(int)e.rows[i].grade, e.rows[i].text);
	}
	same_str(got.data, wanted);
}

TEST(an_examination_says_what_a_registry_asks_for_and_can_do)
{
	AUTO(fake) struct fake f;

	start_with(&f, (struct session_options)USER,
		(const char *const[]){ "--auth", "basic", "--referrers", "--rule",
			"HEAD /manifests/ header=RateLimit-Limit:100;w=21600 "
			"header=RateLimit-Remaining:97;w=21600",
			NULL });
	session_free(f.session);
	f.session = NULL;
	open_session((struct session_options)USER, &f.session);
	examine(&f,
		(const char *const[]){
			"credentials", "authentication", "rate limit", "referrers", NULL },
		"0 a password of user, from the command line|0 basic: accepted|"
		"0 97;w=21600 left of 100;w=21600|0 the registry lists them");
	session_free(f.session);
	f.session = NULL;
	open_anonymous(&f.server, (struct session_options)SESSION_OPTIONS_INIT, &f.session);
	examine(&f, (const char *const[]){ "credentials", "authentication", NULL },
		"1 none: anonymous|2 required, and there are no credentials");
}

TEST(an_examination_tries_the_mirrors)
{
	AUTO(fake) struct fake f;
	AUTO(fake) struct fake m;
	AUTO(free) char *wanted = NULL;

	START(&f, "--page", "0");
	START(&m, "--page", "0");
	open_with(&f, "", m.server.port, "']\ncapabilities = ['pull']");
	wanted = xasprintf("0 127.0.0.1:%u: 200, not asked what tags mean|"
			   "1 the registry does not list them; the tag sha256-<hex> is used",
		m.server.port);
	examine(&f, (const char *const[]){ "mirror", "referrers", NULL }, wanted);
}

static void
open_short(struct fake *f, const char *mode, unsigned first, unsigned second)
{
	AUTO(free)
	char *conf = xasprintf("%s\nunqualified-search-registries = "
			       "['127.0.0.1:%u/a', '127.0.0.1:%u/a']\n",
		mode, first, second);
	AUTO(free) char *file = xasprintf("%s/r.conf", f->server.dir);

	server_write(&f->server, "r.conf", conf);
	session_free(f->session);
	place_free(f->push);
	place_free(f->pull);
	f->push = f->pull = NULL;
	f->session = NULL;
	open_anonymous(
		&f->server, (struct session_options){ .registries_conf = file }, &f->session);
}

TEST(a_short_name_is_the_first_registrys_that_has_it)
{
	AUTO(fake) struct fake f;
	AUTO(fake) struct fake other;
	AUTO(free) char *wanted = NULL;
	struct ref ref;
	struct err err = { 0 };

	START(&f, "--page", "0");
	START(&other, "--page", "0");
	works(push(&other, &err));
	wanted = xasprintf("127.0.0.1:%u", other.server.port);
	open_short(&f, "", f.server.port, other.server.port);
	works(ref_parse("b:1", &ref, &err));
	works(shortname_find(f.session, &ref, &err));
	same_str(ref.host, wanted);
	same_str(ref.repository, "a/b");
	same_str(ref.tag, "1");
	works(ref_parse("b:none", &ref, &err));
	same_int(shortname_find(f.session, &ref, &err), -1);
	same_int(err.kind, ERR_NOTFOUND);
	same_str(ref.host, "docker.io");
	is_true(starts_with(err.msg, "none of 127.0.0.1:"));
}

TEST(a_registry_that_fails_ends_the_search_for_a_short_name)
{
	AUTO(fake) struct fake f;
	AUTO(fake) struct fake other;
	struct ref ref;
	struct err err = { 0 };

	START(&f, "--rule", "* . status=500");
	START(&other, "--page", "0");
	works(push(&other, &err));
	open_short(&f, "", f.server.port, other.server.port);
	works(ref_parse("b:1", &ref, &err));
	same_int(shortname_find(f.session, &ref, &err), -1);
	same_int(err.kind, ERR_REMOTE);
}

TEST(a_short_name_that_may_be_several_is_refused_where_that_is_enforced)
{
	AUTO(fake) struct fake f;
	struct ref ref;
	struct err err = { 0 };

	START(&f, "--page", "0");
	works(push(&f, &err));
	open_short(&f, "short-name-mode = 'enforcing'", f.server.port, f.server.port);
	works(ref_parse("b:1", &ref, &err));
	same_int(shortname_find(f.session, &ref, &err), -1);
	same_int(err.kind, ERR_INPUT);
	is_true(strstr(err.msg, "say which (short-name-mode is enforcing") != NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(hosts),
		CASE(docker_hub_is_another_host_and_no_mirror_of_itself),
		CASE(the_directory_is_found),
		CASE(a_mirror_is_asked_first_and_told_for_whom),
		CASE(a_mirror_that_does_not_resolve_is_not_asked_for_tags),
		CASE(a_mirror_that_only_resolves_gives_no_bytes),
		CASE(a_mirror_that_fails_is_passed_over),
		CASE(a_mirror_gets_no_secret_that_was_said_for_the_registry),
		CASE(a_path_may_be_all_there_is_before_the_repository),
		CASE(pushes_go_to_a_mirror_only_where_that_is_said),
		CASE(nothing_is_pushed_to_a_server_that_is_not_for_that),
		CASE(a_short_name_is_the_first_registrys_that_has_it),
		CASE(a_registry_that_fails_ends_the_search_for_a_short_name),
		CASE(a_short_name_that_may_be_several_is_refused_where_that_is_enforced),
		CASE(an_examination_says_what_a_registry_asks_for_and_can_do),
		CASE(an_examination_tries_the_mirrors),
		CASE(a_rule_of_registries_conf_is_all_that_counts),
	};

	return RUN(tests);
}
