/* SPDX-License-Identifier: Apache-2.0 */
/* askagent TEXT - sends TEXT to the socket that SSH_AUTH_SOCK names, and prints what comes back; without TEXT it
 * asks a real agent for its keys, whose comments can be read in what it prints.  Linked statically: it runs
 * in a root that has nothing else. */
#include <ctype.h>
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
	const char *text = argc == 2 ? argv[1] : "\0\0\0\1\13";
	char reply[4096];
	ssize_t n;

	if (argc > 2 || path == NULL || fd < 0)
		return 2;
	snprintf(at.sun_path, sizeof at.sun_path, "%s", path);
	if (connect(fd, (const struct sockaddr *)(const void *)&at, sizeof at) < 0) {
		perror(path);
		return 1;
	}
	if (write(fd, text, argc == 2 ? strlen(text) : 5) < 0)
		return 1;
	n = read(fd, reply, sizeof reply);
	for (ssize_t i = 0; i < n; i++)
		putchar(isprint((unsigned char)reply[i]) ? reply[i] : '.');
	if (n > 0)
		putchar('\n');
	return n > 0 ? 0 : 1;
}
