/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/base64.h"

#include <stdint.h>
#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void
base64_encode(const void *bytes, size_t len, struct buf *out)
{
	const unsigned char *b = bytes;
	uint32_t group;
	size_t i, n;

	for (i = 0; i < len; i += 3) {
		n = len - i < 3 ? len - i : 3;
		group = (uint32_t)b[i] << 16 | (n > 1 ? (uint32_t)b[i + 1] << 8 : 0) |
			(n > 2 ? b[i + 2] : 0);
		buf_addc(out, alphabet[group >> 18]);
		buf_addc(out, alphabet[group >> 12 & 63]);
		buf_addc(out, n > 1 ? alphabet[group >> 6 & 63] : '=');
		buf_addc(out, n > 2 ? alphabet[group & 63] : '=');
	}
}

int
base64_decode(const char *text, size_t len, struct buf *out)
{
	static const unsigned shifts[] = { 0, 0, 4, 2 }; /* bits that belong to the next byte */
	uint32_t group = 0;
	size_t i, start = out->len, digits = 0, padding = 0;
	const char *digit;

	for (i = 0; i < len; i++) {
		if (text[i] == '\n' || text[i] == '\r')
			continue;
		if (text[i] == '=' && digits > 1 && padding < 2) {
			padding++;
			continue;
		}
		digit = text[i] != '\0' && padding == 0 ? strchr(alphabet, text[i]) : NULL;
		if (digit == NULL) {
			buf_truncate(out, start);
			return -1;
		}
		group = group << 6 | (uint32_t)(digit - alphabet);
		digits++;
		if (digits % 4 != 1)
			buf_addc(out, (char)(group >> shifts[digits % 4] & 0xff));
	}
	if (digits % 4 == 1) {
		buf_truncate(out, start);
		return -1;
	}
	return 0;
}
