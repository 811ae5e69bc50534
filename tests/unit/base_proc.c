/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/proc.h"

enum { LIMIT = 1 << 20 };

static int
shell(const char *script, const struct proc_options *o, struct proc_result *r, struct err *err)
{
	const char *const argv[] = { "sh", "-c", script, NULL };

	return proc_run(argv, o, r, err);
}

TEST(output_and_status_come_back)
{
	AUTO(proc_result) struct proc_result r = PROC_RESULT_INIT;
	struct proc_options o = PROC_OPTIONS_INIT;
	struct err err = { 0 };

	o.limit = LIMIT;
	works(shell("echo out; echo err >&2; exit 7", &o, &r, &err));
	same_int(r.status, 7);
	same_int(r.signal, 0);
	same_str(r.out.data, "out\n");
	same_str(r.err.data, "err\n");
}

TEST(a_signal_is_told_apart_from_a_status)
{
	AUTO(proc_result) struct proc_result r = PROC_RESULT_INIT;
	struct proc_options o = PROC_OPTIONS_INIT;
	struct err err = { 0 };

	works(shell("kill -9 $$", &o, &r, &err));
	same_int(r.status, 137);
	same_int(r.signal, 9);
}

TEST(input_environment_and_directory_are_those_given)
{
	static const char *const env[] = { "A=b", "PATH=/bin:/usr/bin", NULL };
	AUTO(proc_result) struct proc_result r = PROC_RESULT_INIT;
	AUTO(fd) int dir = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct proc_options o = PROC_OPTIONS_INIT;
	struct err err = { 0 };

	o.input = "some\0bytes";
	o.input_len = 10;
	o.env = env;
	o.dir = dir;
	o.limit = LIMIT;
	works(shell("cat; echo \"|$A|$HOME|$(pwd)\"", &o, &r, &err));
	same_bytes(r.out.data, r.out.len, "some\0bytes|b||/proc\n", 20);
}

TEST(a_program_that_does_not_read_its_input_hurts_nobody)
{
	AUTO(proc_result) struct proc_result r = PROC_RESULT_INIT;
	AUTO(buf) struct buf much = BUF_INIT;
	struct proc_options o = PROC_OPTIONS_INIT;
	struct err err = { 0 };

	memset(buf_reserve(&much, LIMIT), 'x', LIMIT);
	o.input = much.data;
	o.input_len = LIMIT;
	works(shell("exit 0", &o, &r, &err));
	same_int(r.status, 0);
}

TEST(much_on_both_pipes_does_not_block)
{
	AUTO(proc_result) struct proc_result r = PROC_RESULT_INIT;
	struct proc_options o = PROC_OPTIONS_INIT;
	struct err err = { 0 };

	o.limit = LIMIT;
	works(shell("head -c 900000 /dev/zero >&2; head -c 900000 /dev/zero", &o, &r, &err));
	same_int(r.out.len, 900000);
	same_int(r.err.len, 900000);
}

TEST(more_than_the_limit_is_refused)
{
	AUTO(proc_result) struct proc_result r = PROC_RESULT_INIT;
	struct proc_options o = PROC_OPTIONS_INIT;
	struct err err = { 0 };

	o.limit = 1000;
	fails(shell("while echo y; do :; done", &o, &r, &err),
		"run 'sh': it wrote more than 1000 bytes");
	same_int(err.kind, ERR_INPUT);
	same_int(r.out.len, 0);
}

TEST(a_program_that_is_missing_is_not_found)
{
	static const char *const argv[] = { "no-such-program-here", NULL };
	AUTO(proc_result) struct proc_result r = PROC_RESULT_INIT;
	struct proc_options o = PROC_OPTIONS_INIT;
	struct err err = { 0 };

	fails(proc_run(argv, &o, &r, &err),
		"run 'no-such-program-here': start it: No such file or directory");
	same_int(err.kind, ERR_NOTFOUND);
}

TEST(too_slow_a_program_is_ended)
{
	AUTO(proc_result) struct proc_result r = PROC_RESULT_INIT;
	struct proc_options o = PROC_OPTIONS_INIT;
	struct err err = { 0 };

	o.timeout_ms = 20;
	fails(shell("exec sleep 600", &o, &r, &err), "run 'sh': it did not end within 20 ms");
	same_int(err.kind, ERR_REMOTE);
}

TEST(what_a_program_leaves_behind_is_not_waited_for)
{
	AUTO(proc_result) struct proc_result r = PROC_RESULT_INIT;
	struct proc_options o = PROC_OPTIONS_INIT;
	struct err err = { 0 };

	o.limit = LIMIT;
	works(shell("sleep 600 & echo $!", &o, &r, &err));
	is_true(r.out.len > 1);
	same_int(kill((pid_t)strtol(r.out.data, NULL, 10), SIGKILL), 0);
}

TEST(the_program_gets_default_signals)
{
	AUTO(proc_result) struct proc_result r = PROC_RESULT_INIT;
	struct proc_options o = PROC_OPTIONS_INIT;
	struct err err = { 0 };
	sigset_t blocked, before;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGTERM);
	sigprocmask(SIG_BLOCK, &blocked, &before);
	o.limit = LIMIT;
	works(shell("grep -E '^Sig(Blk|Ign)' /proc/self/status", &o, &r, &err));
	sigprocmask(SIG_SETMASK, &before, NULL);
	signal(SIGPIPE, SIG_DFL);
	/* 32 and 33 are the C library's own, and may come from elsewhere */
	same_int(strtoull(strstr(r.out.data, "SigBlk:\t") + 8, NULL, 16) & 0x7fffffff, 0);
	same_int(strtoull(strstr(r.out.data, "SigIgn:\t") + 8, NULL, 16) & 0x7fffffff, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(output_and_status_come_back),
		CASE(a_signal_is_told_apart_from_a_status),
		CASE(input_environment_and_directory_are_those_given),
		CASE(a_program_that_does_not_read_its_input_hurts_nobody),
		CASE(much_on_both_pipes_does_not_block),
		CASE(more_than_the_limit_is_refused),
		CASE(a_program_that_is_missing_is_not_found),
		CASE(too_slow_a_program_is_ended),
		CASE(what_a_program_leaves_behind_is_not_waited_for),
		CASE(the_program_gets_default_signals),
	};

	return RUN(tests);
}
