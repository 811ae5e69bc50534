/* SPDX-License-Identifier: Apache-2.0 */
#include "build/sandbox/ids.h"

#include <sched.h>
#include <sys/mount.h>

static int
run_inside(void *arg, json_t **result, struct err *err)
{
	const struct ids_job *job = arg;

	if (ids_enter(job->userns_fd, err) < 0)
		return -1;
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return err_sys(err, "make a mount namespace");
	return job->run(job->arg, result, err);
}

void
ids_job_inside(int userns_fd, struct worker_job *job, struct ids_job *inside)
{
	*inside = (struct ids_job){ userns_fd, job->run, job->arg };
	job->run = run_inside;
	job->arg = inside;
}

int
ids_call(int userns_fd, const struct worker_job *job, json_t **result, struct err *err)
{
	struct worker_job changed = *job;
	struct ids_job inside;

	ids_job_inside(userns_fd, &changed, &inside);
	return worker_call(&changed, result, err);
}
