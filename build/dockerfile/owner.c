/* SPDX-License-Identifier: Apache-2.0 */
#include "build/dockerfile/owner.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define ID_MAX (UINT32_MAX - 1) /* the last one means "leave as it is" to chown(2) */

void
owner_free(struct owner *o)
{
	free(o->user.name);
	free(o->group.name);
	*o = (struct owner)OWNER_INIT;
}

void
auto_owner(struct owner *o)
{
	owner_free(o);
}

static int
parse_part(const char *text, size_t len, struct owner_part *out, struct err *err)
{
	uint64_t id = 0;
	size_t i = 0;

	for (i = 0; i < len && text[i] >= '0' && text[i] <= '9' && id <= ID_MAX; i++)
		id = id * 10 + (uint64_t)(text[i] - '0');
	if (id > ID_MAX)
		return err_set(err, ERR_INPUT, "'%.*s' is larger than any user or group id",
			(int)(len < 64 ? len : 64), text);
	out->is_number = i == len;
	out->id = (uint32_t)id;
	if (len == 4 && memcmp(text, "root", 4) == 0) {
		out->is_number = true;
		out->id = 0;
	}
	out->name = xstrndup(text, len);
	return 0;
}

int
owner_parse(const char *text, struct owner *out, struct err *err)
{
	AUTO(owner) struct owner o = OWNER_INIT;
	size_t user_len = strcspn(text, ":");
	const char *group = text[user_len] == ':' ? text + user_len + 1 : NULL;

	if (user_len == 0)
		return err_set(
			err, ERR_INPUT, "owner '%s' has no user: it should be user[:group]", text);
	if (group != NULL && strchr(group, ':') != NULL)
		return err_set(err, ERR_INPUT, "owner '%s' has more parts than user:group", text);
	if (parse_part(text, user_len, &o.user, err) < 0)
		return -1;
	if (group != NULL && *group != '\0' && parse_part(group, strlen(group), &o.group, err) < 0)
		return -1;
	owner_free(out);
	*out = o;
	o = (struct owner)OWNER_INIT;
	return 0;
}
