/* SPDX-License-Identifier: Apache-2.0 */
#include "build/sandbox/network.h"

#include <net/if.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/mem.h"

/* struct landlock_ruleset_attr of Linux 6.12, and LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET */
struct ruleset {
	uint64_t files, ports, scopes;
};
#define SCOPE_ABSTRACT_SOCKETS UINT64_C(1)

int
network_loopback(struct err *err)
{
	AUTO(fd) int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = { .ifr_name = "lo" };

	if (fd < 0 || ioctl(fd, SIOCGIFFLAGS, &request) < 0)
		return err_sys(err, "loopback interface");
	request.ifr_flags |= IFF_UP;
	if (ioctl(fd, SIOCSIFFLAGS, &request) < 0)
		return err_sys(err, "bring the loopback interface up");
	return 0;
}

void
network_hide_sockets(void)
{
	struct ruleset rules = { .scopes = SCOPE_ABSTRACT_SOCKETS };
	AUTO(fd) int fd = (int)syscall(SYS_landlock_create_ruleset, &rules, sizeof rules, 0);

	if (fd >= 0)
		(void)syscall(SYS_landlock_restrict_self, fd, 0);
}
