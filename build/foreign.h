/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BUILD_FOREIGN_H
#define BUILD_FOREIGN_H

#include "base/err.h"
#include "layers/oci.h"

/* foreign - programs of another architecture, which the kernel runs where binfmt_misc knows how. */

#define FOREIGN_BINFMT "/proc/sys/fs/binfmt_misc"

/* After a program of a root for that platform could not be executed: what is missing on this machine, in place
 * of the kernel's bare reason.  dir: FOREIGN_BINFMT.  Returns -1; err stays as it is when the platform is this
 * machine's own, or the reason is another. */
int foreign_explain(const struct platform *platform, const char *dir, struct err *err);

#endif
