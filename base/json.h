/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/strv.h"

/* json - documents by way of jansson, which nobody else calls to parse or print.
 *
 * Documents from outside: at most JSON_DEPTH_MAX levels, no duplicate keys, UTF-8 only, no \u0000, and
 * sized by the caller's named limit before they come here.  Look-ups name the member that failed. */

#define JSON_DEPTH_MAX 64

void auto_json(json_t **value); /* AUTO(json) json_t *doc = NULL; */

/* Any value, not only an object or array.  ERR_INPUT says line and column. */
int json_parse(const char *bytes, size_t len, json_t **out, struct err *err);
/* What json_format() of this very program made: a worker's result, which may hold a document.  (Not
 * reals of 2^63 and more: Go prints them as whole numbers.) */
int json_parse_own(const char *bytes, size_t len, json_t **out, struct err *err);

/* Members of object o (NULL or null: an empty one).  A member that is missing or null: *out is
 * untouched, 0 is returned (1 when it was there).  One of another type: -1, ERR_INPUT
 * "'<name>' is not a string". */
int json_get_string(const json_t *o, const char *name, const char **out, struct err *err); /* lent */
int json_get_uint(const json_t *o, const char *name, uint64_t *out, struct err *err);
int json_get_bool(const json_t *o, const char *name, bool *out, struct err *err);
int json_get_object(const json_t *o, const char *name, json_t **out, struct err *err);     /* lent */
int json_get_array(const json_t *o, const char *name, json_t **out, struct err *err);      /* lent */
int json_get_strv(const json_t *o, const char *name, struct strv *out, struct err *err);   /* added */

/* Values from strings of any bytes: what is not UTF-8 is replaced by U+FFFD. */
json_t *json_text(const char *s);
json_t *json_strv(const struct strv *v);

/* Appends the value's text.  COMPACT is Go's json.Marshal: no blanks, <, >, & and U+2028/9 escaped
 * as \u003c..., members in their order of insertion.  INDENT is json.MarshalIndent with two blanks,
 * likewise escaped. */
enum json_style { JSON_STYLE_COMPACT, JSON_STYLE_INDENT, JSON_STYLE_SORTED /* compact, keys sorted by bytes */ };
void json_format(const json_t *value, enum json_style style, struct buf *out);

#endif
