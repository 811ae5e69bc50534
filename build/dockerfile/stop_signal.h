/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DOCKERFILE_STOP_SIGNAL_H
#define DOCKERFILE_STOP_SIGNAL_H

#include "base/err.h"

/* stop_signal - the value of STOPSIGNAL: a number other than 0, or a name with or without SIG, in any
 * case, RTMIN+n and RTMAX-n too. */

/* ERR_INPUT "invalid signal: FOO". */
int stop_signal_check(const char *text, struct err *err);

#endif
