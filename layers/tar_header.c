/* SPDX-License-Identifier: Apache-2.0 */
#include "layers/tar_header.h"

#include <string.h>

#include "layers/tar.h"

bool
tar_block_is_zero(const void *block)
{
	static const char zeros[TAR_BLOCK];

	return memcmp(block, zeros, TAR_BLOCK) == 0;
}

/* Two's complement, big end first.  The first byte is 0x80 or 0xff, so that every writer's numbers
 * are read and none is read in two ways. */
static int
base256_parse(const unsigned char *field, size_t size, int64_t *out)
{
	bool negative = field[0] == 0xff;
	uint64_t number = negative ? UINT64_MAX : 0;
	size_t i;

	if (!negative && field[0] != 0x80)
		return -1;
	for (i = 1; i < size; i++) {
		if (i + 8 < size && field[i] != (negative ? 0xff : 0))
			return -1;
		number = number << 8 | field[i];
	}
	if ((number >> 63 != 0) != negative)
		return -1;
	*out = (int64_t)number;
	return 0;
}

int
tar_number_parse(const char *field, size_t size, int64_t *out)
{
	size_t i = 0;
	uint64_t number = 0;

	if (field[0] & 0x80)
		return base256_parse((const unsigned char *)field, size, out);
	while (i < size && field[i] == ' ')
		i++;
	for (; i < size && field[i] >= '0' && field[i] <= '7'; i++)
		number = number << 3 | (uint64_t)(field[i] - '0');
	for (; i < size; i++)
		if (field[i] != ' ' && field[i] != '\0')
			return -1;
	*out = (int64_t)number;
	return 0;
}

bool
tar_number_format(char *field, size_t size, uint64_t number)
{
	size_t i = size - 1;
	bool fits = number >> (3 * i) == 0;

	if (!fits)
		number = 0;
	field[i] = '\0';
	while (i-- > 0) {
		field[i] = (char)('0' + (number & 7));
		number >>= 3;
	}
	return fits;
}

/* The field itself counts as blanks. */
static unsigned
sum(const struct tar_header *h)
{
	const unsigned char *bytes = (const unsigned char *)h;
	unsigned total = 0;
	size_t i;

	for (i = 0; i < TAR_BLOCK; i++)
		total += bytes[i];
	for (i = 0; i < sizeof h->checksum; i++)
		total += (unsigned)' ' - (unsigned char)h->checksum[i];
	return total;
}

/* Some writers of old summed signed characters: each byte above 127 counts 256 less. */
static unsigned
signed_sum(const struct tar_header *h)
{
	const unsigned char *bytes = (const unsigned char *)h;
	unsigned total = sum(h);
	size_t i;

	for (i = 0; i < TAR_BLOCK; i++)
		if (bytes[i] > 127 && (i < offsetof(struct tar_header, checksum) ||
					      i >= offsetof(struct tar_header, type)))
			total -= 256;
	return total;
}

bool
tar_checksum_is_right(const struct tar_header *h)
{
	int64_t wanted;

	if (tar_number_parse(h->checksum, sizeof h->checksum, &wanted) < 0)
		return false;
	return wanted == (int64_t)sum(h) || wanted == (int64_t)(int)signed_sum(h);
}

void
tar_checksum_set(struct tar_header *h)
{
	tar_number_format(h->checksum, sizeof h->checksum - 1, sum(h));
	h->checksum[7] = ' ';
}

bool
tar_sniff(const void *bytes, size_t len)
{
	return len >= TAR_BLOCK && !tar_block_is_zero(bytes) && tar_checksum_is_right(bytes);
}
