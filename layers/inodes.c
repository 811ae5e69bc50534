/* SPDX-License-Identifier: Apache-2.0 */
#include "layers/inodes.h"

#include <stdlib.h>

#include "base/mem.h"

struct inode_row {
	dev_t dev;
	ino_t ino;
	char *path;
};

void
inodes_free(struct inodes *i)
{
	for (size_t k = 0; k < i->slots; k++)
		free(i->rows[k].path);
	free(i->rows);
	*i = (struct inodes)INODES_INIT;
}

/* The row of this file, or the free one where it belongs. */
static struct inode_row *
find(const struct inodes *i, dev_t dev, ino_t ino)
{
	uint64_t hash = ((uint64_t)ino ^ (uint64_t)dev << 40) * UINT64_C(0x9e3779b97f4a7c15);
	size_t at = (size_t)(hash >> 20) & (i->slots - 1);

	while (i->rows[at].path != NULL && (i->rows[at].ino != ino || i->rows[at].dev != dev))
		at = (at + 1) & (i->slots - 1);
	return &i->rows[at];
}

static void
grow_table(struct inodes *i)
{
	struct inodes larger = { .count = i->count, .slots = i->slots > 0 ? i->slots * 2 : 64 };

	larger.rows = xcalloc(larger.slots, sizeof *larger.rows);
	for (size_t k = 0; k < i->slots; k++)
		if (i->rows[k].path != NULL)
			*find(&larger, i->rows[k].dev, i->rows[k].ino) = i->rows[k];
	free(i->rows);
	*i = larger;
}

const char *
inodes_add(struct inodes *i, dev_t dev, ino_t ino, const char *path)
{
	struct inode_row *row;

	if (i->count * 2 >= i->slots)
		grow_table(i);
	row = find(i, dev, ino);
	if (row->path != NULL)
		return row->path;
	*row = (struct inode_row){ dev, ino, xstrdup(path) };
	i->count++;
	return NULL;
}
