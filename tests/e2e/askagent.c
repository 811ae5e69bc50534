/* SPDX-License-Identifier: Apache-2.0 */
/* askagent TEXT - sends TEXT to the socket that SSH_AUTH_SOCK names, and prints what comes back.  Linked
 * statically: it runs in a root that has nothing else. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int
main(int argc, char **argv)
{
	const char *path = getenv("SSH_AUTH_SOCK");
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	char reply[256];
	ssize_t n;

	if (argc != 2 || path == NULL || fd < 0)
		return 2;
	snprintf(at.sun_path, sizeof at.sun_path, "%s", path);
	if (connect(fd, (const struct sockaddr *)(const void *)&at, sizeof at) < 0) {
		perror(path);
		return 1;
	}
	if (write(fd, argv[1], strlen(argv[1])) < 0)
		return 1;
	n = read(fd, reply, sizeof reply);
	if (n > 0)
		printf("%.*s\n", (int)n, reply);
	return n > 0 ? 0 : 1;
}
