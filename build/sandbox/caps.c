/* SPDX-License-Identifier: Apache-2.0 */
#include "build/sandbox/caps.h"

#include <errno.h>
#include <linux/capability.h>
#include <strings.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/mem.h"

/* by number */
static const char *const names[] = {
	"CHOWN",
	"DAC_OVERRIDE",
	"DAC_READ_SEARCH",
	"FOWNER",
	"FSETID",
	"KILL",
	"SETGID",
	"SETUID",
	"SETPCAP",
	"LINUX_IMMUTABLE",
	"NET_BIND_SERVICE",
	"NET_BROADCAST",
	"NET_ADMIN",
	"NET_RAW",
	"IPC_LOCK",
	"IPC_OWNER",
	"SYS_MODULE",
	"SYS_RAWIO",
	"SYS_CHROOT",
	"SYS_PTRACE",
	"SYS_PACCT",
	"SYS_ADMIN",
	"SYS_BOOT",
	"SYS_NICE",
	"SYS_RESOURCE",
	"SYS_TIME",
	"SYS_TTY_CONFIG",
	"MKNOD",
	"LEASE",
	"AUDIT_WRITE",
	"AUDIT_CONTROL",
	"SETFCAP",
	"MAC_OVERRIDE",
	"MAC_ADMIN",
	"SYSLOG",
	"WAKE_ALARM",
	"BLOCK_SUSPEND",
	"AUDIT_READ",
	"PERFMON",
	"BPF",
	"CHECKPOINT_RESTORE",
};

static int
find(const char *name, uint64_t *bits, struct err *err)
{
	const char *bare = strncasecmp(name, "CAP_", 4) == 0 ? name + 4 : name;

	if (strcasecmp(bare, "ALL") == 0) {
		*bits = CAPS_ALL;
		return 0;
	}
	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (strcasecmp(bare, names[i]) == 0) {
			*bits = UINT64_C(1) << i;
			return 0;
		}
	return err_set(err, ERR_INPUT,
		"there is no capability '%s' (see capabilities(7), or say ALL)", name);
}

int
caps_add(const char *name, uint64_t *mask, struct err *err)
{
	uint64_t bits;

	if (find(name, &bits, err) < 0)
		return -1;
	*mask |= bits;
	return 0;
}

int
caps_drop(const char *name, uint64_t *mask, struct err *err)
{
	uint64_t bits;

	if (find(name, &bits, err) < 0)
		return -1;
	*mask &= ~bits;
	return 0;
}

int
caps_bound(uint64_t mask)
{
	for (unsigned long cap = 0; cap < 64; cap++) {
		if ((mask >> cap & 1) != 0)
			continue;
		/* EINVAL: this kernel has no more */
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0)
			return errno == EINVAL ? 0 : -1;
	}
	return 0;
}

static int
set(uint64_t permitted, uint64_t effective)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2] = {
		{ .effective = (uint32_t)effective, .permitted = (uint32_t)permitted },
		{ .effective = (uint32_t)(effective >> 32),
			.permitted = (uint32_t)(permitted >> 32) },
	};

	return (int)syscall(SYS_capset, &header, data);
}

/* asking for more than is permitted fails as a whole */
static int
permitted_now(uint64_t *out)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &header, data) < 0)
		return -1;
	*out = data[0].permitted | (uint64_t)data[1].permitted << 32;
	return 0;
}

int
caps_keep(uint64_t mask)
{
	uint64_t now;

	if (permitted_now(&now) < 0 || set(now & mask, now & mask) < 0)
		return -1;
	/* fails only where the kernel has no ambient set */
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	return 0;
}

int
caps_use(uint64_t mask)
{
	uint64_t now;

	return permitted_now(&now) < 0 ? -1 : set(now, now & mask);
}
