/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BUILD_SANDBOX_SECCOMP_TABLE_H
#define BUILD_SANDBOX_SECCOMP_TABLE_H

#include <stdbool.h>
#include <stdint.h>

/* seccomp_table - what the filter allows, by name.  Names of other architectures are skipped where
 * they mean nothing. */

/* always; ends with NULL */
extern const char *const seccomp_always[];

/* calls that are younger than some libseccomp; one number on every architecture; ends with NULL */
struct seccomp_number {
	const char *name;
	int number;
	bool is_allowed;
};
extern const struct seccomp_number seccomp_numbers[];

/* allowed with one of these capabilities (a mask); ends with NULL */
struct seccomp_capable {
	const char *name;
	uint64_t caps;
};
extern const struct seccomp_capable seccomp_capable[];

#endif
