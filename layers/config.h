/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAYERS_CONFIG_H
#define LAYERS_CONFIG_H

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "base/strv.h"
#include "layers/digest.h"
#include "layers/oci.h"

/* config - an image's configuration.  (image-spec config.md, and Docker's extra members: Healthcheck,
 * ArgsEscaped, OnBuild, Shell.)  Unknown members are dropped on parse, as BuildKit does; format
 * writes what BuildKit would write, to the byte. */

struct healthcheck {
	struct strv test; /* empty: none is set */
	int64_t interval_ns, timeout_ns, start_period_ns, start_interval_ns;
	int64_t retries;
};

struct history {
	char *created; /* RFC 3339, or NULL */
	char *created_by;
	char *author;
	char *comment;
	bool empty_layer;
};

struct config {
	struct platform platform;
	char *author, *created;
	/* what runs */
	char *user, *working_dir, *stop_signal; /* NULL: not set */
	struct strv env;           /* NAME=value, unique, in order of first setting */
	struct strv entrypoint, cmd, shell, on_build;
	bool has_entrypoint, has_cmd; /* set, even to an empty list */
	struct strv exposed_ports, volumes; /* sorted on format */
	struct strv labels;        /* key=value, unique keys; sorted on format */
	bool args_escaped;
	bool has_healthcheck;
	struct healthcheck healthcheck;
	/* how it was made */
	struct strv os_features;
	struct digest *diff_ids;
	size_t diff_id_count;
	struct history *history;
	size_t history_count;
};

void config_free(struct config *c);
void auto_config(struct config *c);
void config_copy(const struct config *c, struct config *out);
/* Lists that are null, missing or of odd shape: ERR_INPUT only
 * where it could be misread. */
int config_parse(const char *bytes, size_t len, struct config *out, struct err *err);
/* Compact, top-level keys sorted, HTML characters escaped; no newline. */
void config_format(const struct config *c, struct buf *out);

void config_diff_id_add(struct config *c, const struct digest *diff_id);
/* Any of the texts may be NULL. */
void config_history_add(struct config *c, const char *created, const char *created_by,
	const char *comment, bool empty_layer);
/* Digest that names a stack of layers: sha256 over the diff ids.  (image-spec config.md, Layer ChainID) */
void config_chain_id(const struct digest *diff_ids, size_t count, struct digest *out);

#endif
