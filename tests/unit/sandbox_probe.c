/* SPDX-License-Identifier: Apache-2.0 */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/worker.h"
#include "build/sandbox/probe.h"
#include "tests/unit/test.h"

/* Who asks for a network namespace is killed from now on. */
static int
kill_for_networks(void)
{
	struct sock_filter rows[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_unshare, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, CLONE_NEWNET, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { .len = COUNT_OF(rows), .filter = rows };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -1;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0);
}

static const struct probe_fact *
fact(const struct probe *p, const char *name)
{
	for (size_t i = 0; i < p->count; i++)
		if (streq(p->facts[i].name, name))
			return &p->facts[i];
	return NULL;
}

static int
probe_without_networks(void *arg __attribute__((unused)), json_t **result, struct err *err)
{
	const struct probe_fact *f;
	struct probe p;

	if (kill_for_networks() < 0)
		return err_sys(err, "install a filter");
	probe_run(-1, &p);
	f = fact(&p, "network-none");
	if (f != NULL)
		*result = json_pack("[b,s]", f->answer == PROBE_YES, f->detail);
	return 0;
}

TEST(every_fact_is_about_something_that_there_is)
{
	struct probe p;

	probe_run(-1, &p);
	is_true(fact(&p, "mount-api") != NULL);
	is_true(fact(&p, "network-private") == NULL);
}

/* The filter is for good, so it is put on a worker. */
TEST(who_dies_of_a_try_has_not_done_it)
{
	const struct worker_job job = { .name = "asking", .run = probe_without_networks };
	json_t *result = NULL;
	struct err err = { .kind = ERR_NONE };

	works(worker_call(&job, &result, &err));
	if (result == NULL) {
		print_message("# no user namespaces here\n");
		skip();
	}
	is_true(json_is_false(json_array_get(result, 0)));
	same_str(json_string_value(json_array_get(result, 1)), "probe: killed by signal 31");
	json_decref(result);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(every_fact_is_about_something_that_there_is),
		CASE(who_dies_of_a_try_has_not_done_it),
	};

	return RUN(tests);
}
