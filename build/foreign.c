/* SPDX-License-Identifier: Apache-2.0 */
#include "build/foreign.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/buf.h"
#include "base/file.h"

#define ENTRY_MAX 4096

/* Go's names and qemu's. */
static const struct {
	const char *arch, *qemu;
} machines[] = {
	{ "386", "i386" },
	{ "amd64", "x86_64" },
	{ "arm", "arm" },
	{ "arm64", "aarch64" },
	{ "loong64", "loongarch64" },
	{ "mips64", "mips64" },
	{ "mips64le", "mips64el" },
	{ "ppc64le", "ppc64le" },
	{ "riscv64", "riscv64" },
	{ "s390x", "s390x" },
};

static const char *
qemu_name(const char *arch)
{
	for (size_t i = 0; i < COUNT_OF(machines); i++)
		if (streq(machines[i].arch, arch))
			return machines[i].qemu;
	return arch;
}

int
foreign_explain(const struct platform *platform, const char *dir, struct err *err)
{
	AUTO(buf) struct buf text = BUF_INIT, name = BUF_INIT, here = BUF_INIT;
	const char *qemu = qemu_name(platform->arch);
	AUTO(free) char *entry = xasprintf("%s/qemu-%s", dir, qemu);
	struct platform host;
	struct err ignored;
	int status = err->status;

	platform_host(&host);
	if (err->kind != ERR_STEP || streq(host.arch, platform->arch) ||
		(strstr(err->msg, "not a program for this machine") == NULL &&
			strstr(err->msg, strerror(ENOENT)) == NULL))
		return -1;
	platform_format(platform, &name);
	platform_format(&host, &here);
	if (file_read(AT_FDCWD, entry, ENTRY_MAX, &text, &ignored) < 0) {
		err_set(err, ERR_STEP,
			"this is a program for %s, this machine is %s, and the kernel has no "
			"emulator for it: register qemu-%s with binfmt_misc (flag F), for instance "
			"by "
			"installing qemu-user-static",
			name.data, here.data, qemu);
	} else if (starts_with(text.data, "disabled")) {
		err_set(err, ERR_STEP,
			"this is a program for %s, this machine is %s, and the emulator is "
			"disabled: "
			"echo 1 >%s",
			name.data, here.data, entry);
	} else if (strstr(text.data, "flags: ") != NULL &&
		   strchr(strstr(text.data, "flags: ") + 7, 'F') == NULL) {
		err_set(err, ERR_STEP,
			"this is a program for %s, this machine is %s, and the emulator was "
			"registered "
			"without flag F, so it is looked for inside the image: register it again",
			name.data, here.data);
	}
	err->status = status;
	return -1;
}
