/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BUILD_SECRET_H
#define BUILD_SECRET_H

#include "base/buf.h"
#include "base/err.h"
#include "base/strv.h"

/* secret - what --secret id=name[,src=path|env=variable] gives under a name.  Whoever asks wipes it. */

#define SECRET_MAX 512000 /* bytes, as BuildKit's MaxSecretSize */

/* 1, 0: none of that name was given, -1.  Appends. */
int secret_find(const struct strv *specs, const char *id, struct buf *out, struct err *err);

/* One that becomes a header: without blanks and line ends around it; ERR_INPUT when there are others in it.
 */
int secret_line(const struct strv *specs, const char *id, struct buf *out, struct err *err);

void secret_wipe(struct buf *b); /* back to the empty value */
void auto_secret(struct buf *b);
void secret_wipe_all(struct strv *words); /* the same of headers or an environment */

#endif
