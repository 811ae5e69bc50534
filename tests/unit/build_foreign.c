/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "build/foreign.h"

/* What is said with this entry of binfmt_misc; NULL: none. */
static void
explain(const char *entry, const char *arch, struct err *err)
{
	char dir[] = "/tmp/cooper-foreign-XXXXXX";
	struct platform p = { .arch = "" };
	AUTO(fd) int fd = -1;
	struct err ignored;

	is_true(mkdtemp(dir) != NULL);
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	works_at(platform_parse(arch, &p, &ignored), ignored.msg, "platform", __FILE__, __LINE__);
	if (entry != NULL)
		is_true(file_write(fd, "qemu-s390x", entry, strlen(entry), 0644, FILE_NO_SYNC,
				&ignored) == 0);
	same_int(foreign_explain(&p, dir, err), -1);
	unlinkat(fd, "qemu-s390x", 0);
	rmdir(dir);
}

static void
refuse(struct err *err)
{
	err_set(err, ERR_STEP, "exec /bin/sh: it is not a program for this machine");
	err->status = 126;
}

static void
what_is_missing_is_said(void **state)
{
	struct err err;

	(void)state;
	refuse(&err);
	explain(NULL, "linux/s390x", &err);
	is_true(strstr(err.msg, "program for linux/s390x") != NULL);
	is_true(strstr(err.msg, "register qemu-s390x with binfmt_misc") != NULL);
	same_int(err.status, 126);
	refuse(&err);
	explain("disabled\ninterpreter /usr/bin/qemu-s390x\nflags: F\n", "linux/s390x", &err);
	is_true(strstr(err.msg, "the emulator is disabled") != NULL);
	refuse(&err);
	explain("enabled\ninterpreter /usr/bin/qemu-s390x\nflags: OC\n", "linux/s390x", &err);
	is_true(strstr(err.msg, "without flag F") != NULL);
}

static void
other_reasons_stay(void **state)
{
	struct err err;

	(void)state;
	refuse(&err);
	explain("enabled\ninterpreter /usr/bin/qemu-s390x\nflags: OCF\n", "linux/s390x", &err);
	same_str(err.msg, "exec /bin/sh: it is not a program for this machine");
	err_set(&err, ERR_STEP, "exec /bin/sh: Permission denied");
	explain(NULL, "linux/s390x", &err);
	same_str(err.msg, "exec /bin/sh: Permission denied");
}

static void
our_own_platform_needs_no_emulator(void **state)
{
	AUTO(buf) struct buf name = BUF_INIT;
	struct platform host;
	struct err err;

	(void)state;
	platform_host(&host);
	platform_format(&host, &name);
	refuse(&err);
	explain(NULL, name.data, &err);
	same_str(err.msg, "exec /bin/sh: it is not a program for this machine");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_missing_is_said),
		cmocka_unit_test(other_reasons_stay),
		cmocka_unit_test(our_own_platform_needs_no_emulator),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
