/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/event.h"
#include "base/mem.h"
#include "base/worker.h"
#include "cmd/cmd.h"
#include "cmd/remote_flags.h"
#include "cmd/show.h"
#include "registry/credentials.h"
#include "registry/ref.h"
#include "registry/remote.h"

#define PASSWORD_MAX 65536

struct login_values {
	const char *username, *password;
	bool password_stdin;
	struct remote_flags remote;
};

static const struct login_values login_defaults = { .remote = REMOTE_FLAGS_DEFAULT };

static const struct opt login_options[] = { OPT_STR('u', "username", struct login_values, username,
						    "name", "log in as <name>"),
	OPT_STR('p', "password", struct login_values, password, "text",
		"with this password, which everybody on this machine can see: better is "
		"--password-stdin"),
	OPT_BOOL(0, "password-stdin", struct login_values, password_stdin,
		"read the password from stdin"),
	OPT_BOOL(0, "tls-verify", struct login_values, remote.tls_verify,
		"check certificates (the default); =false allows any, and plain HTTP"),
	OPT_STR(0, "authfile", struct login_values, remote.auth_file, "path",
		"keep the credentials in <path>"),
	OPT_STR(0, "cert-dir", struct login_values, remote.cert_dir, "dir",
		"take CA and client certificates from <dir>"),
	OPT_END };

/* One line of stdin; asked for, and not echoed when it is a secret, where that is a terminal. */
static int
ask(const char *question, bool is_secret, struct buf *out, struct err *err)
{
	struct termios before, quiet;
	bool is_terminal = isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &before) == 0;
	ssize_t n = 0;
	char c;

	if (is_terminal) {
		(void)!write(STDERR_FILENO, question, strlen(question));
		quiet = before;
		quiet.c_lflag &= (tcflag_t)~ECHO;
		if (is_secret)
			tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
	}
	while (out->len < PASSWORD_MAX && (n = read(STDIN_FILENO, &c, 1)) == 1 && c != '\n')
		buf_addc(out, c);
	if (is_terminal && is_secret) {
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
		(void)!write(STDERR_FILENO, "\n", 1);
	}
	if (n < 0)
		return err_sys(err, "read from stdin");
	if (out->len > 0 && out->data[out->len - 1] == '\r')
		buf_truncate(out, out->len - 1);
	return 0;
}

struct job {
	const struct session_options *session;
	const char *host;
};

static int
login_body(void *arg, json_t **result, struct err *err)
{
	const struct job *job = arg;
	AUTO(session) struct session *session = NULL;

	(void)result;
	if (session_open(job->session, &session, err) < 0)
		return -1;
	return remote_login(session, job->host, err);
}

/* "docker.io" for what people call Docker Hub, and hosts as references have them. */
static int
host_parse(const char *text, struct ref *out, struct err *err)
{
	AUTO(free) char *image = NULL;
	const char *host = text;

	if (starts_with(host, "https://"))
		host += strlen("https://");
	else if (starts_with(host, "http://"))
		host += strlen("http://");
	/* of two components the first is a host only if it looks like one */
	image = xasprintf("%.*s/x/a", (int)strcspn(host, "/"), host);
	if (ref_parse(image, out, err) < 0 || !streq(out->repository, "x/a"))
		return err_set(err, ERR_INPUT,
			"'%s' is no registry: give a host like registry.example.com:5000", text);
	return 0;
}

static int
read_credentials(
	const struct login_values *v, struct buf *name, struct buf *password, struct err *err)
{
	if (v->password_stdin && v->password != NULL)
		return err_set(
			err, ERR_USAGE, "--password and --password-stdin exclude each other");
	if (v->password_stdin && v->username == NULL)
		return err_set(err, ERR_USAGE, "--password-stdin wants --username");
	if (v->username != NULL)
		buf_adds(name, v->username);
	else if (ask("Username: ", false, name, err) < 0)
		return -1;
	if (v->password != NULL)
		buf_adds(password, v->password);
	else if (ask("Password: ", true, password, err) < 0)
		return -1;
	if (name->len == 0 || password->len == 0)
		return err_set(err, ERR_USAGE, "a user name and a password are needed");
	return 0;
}

static int
login_run(struct call *call, struct err *err)
{
	const struct login_values *v = call->values;
	const char *text = call->args.count == 0 ? REF_HOST_DOCKER_HUB : call->args.items[0];
	AUTO(buf) struct buf name = BUF_INIT;
	AUTO(buf) struct buf password = BUF_INIT;
	AUTO(buf) struct buf answer = BUF_INIT;
	AUTO(free) char *owned = NULL;
	struct session_options session;
	struct credential kept = CREDENTIAL_INIT;
	struct ref ref;
	int result;

	if (host_parse(text, &ref, err) < 0 ||
		remote_flags_session(&v->remote, &owned, &session, err) < 0 ||
		read_credentials(v, &name, &password, err) < 0 || worker_signals(err) < 0)
		return -1;
	session.username = name.data;
	session.password = password.data;
	{
		struct job job = { &session, ref.host };
		const struct worker_job work = { .name = "login", .run = login_body, .arg = &job };

		if (worker_call(&work, NULL, err) < 0)
			return err_in(err, "login %s", ref.host);
	}
	kept.username = name.data; /* lent for the call */
	kept.password = password.data;
	result = credentials_store(v->remote.auth_file, ref.host, &kept, err);
	explicit_bzero(password.data, password.len);
	if (result < 0)
		return -1;
	buf_adds(&answer, "Login Succeeded\n");
	return show_answer(&answer, err);
}

const struct cmd cmd_login = {
	.name = "login",
	.summary = "keep credentials for a registry",
	.args = "[<registry>]",
	.about = "Asks the registry whether it accepts the credentials, and keeps them where "
		 "docker or podman would: in "
		 "the credential helper that the file names, or in the file itself. Without "
		 "<registry> it is "
		 "docker.io.",
	.example = "  cooper login registry.example.com\n"
		   "  cooper login -u robot --password-stdin registry.example.com <token\n",
	.options = login_options,
	.values_size = sizeof(struct login_values),
	.defaults = &login_defaults,
	.args_max = 1,
	.run = login_run,
};

struct logout_values {
	const char *auth_file;
};

static const struct opt logout_options[] = { OPT_STR(0, "authfile", struct logout_values, auth_file,
						     "path", "forget the credentials in <path>"),
	OPT_END };

static int
logout_run(struct call *call, struct err *err)
{
	const struct logout_values *v = call->values;
	const char *text = call->args.count == 0 ? REF_HOST_DOCKER_HUB : call->args.items[0];
	AUTO(buf) struct buf answer = BUF_INIT;
	struct ref ref;
	int was_there;

	if (host_parse(text, &ref, err) < 0)
		return -1;
	was_there = credentials_erase(v->auth_file, ref.host, err);
	if (was_there < 0)
		return -1;
	if (was_there == 0)
		return err_set(err, ERR_NOTFOUND, "no credentials are kept for %s", ref.host);
	buf_addf(&answer, "Removed login credentials for %s\n", ref.host);
	return show_answer(&answer, err);
}

const struct cmd cmd_logout = {
	.name = "logout",
	.summary = "forget the credentials for a registry",
	.args = "[<registry>]",
	.options = logout_options,
	.values_size = sizeof(struct logout_values),
	.args_max = 1,
	.run = logout_run,
};
