/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

int
main(void)
{
	printf("cooper %s\n", COOPER_VERSION);
	return 0;
}
