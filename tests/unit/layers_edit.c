/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "layers/edit.h"
#include "layers/index_edit.h"
#include "tests/unit/table.h"

/* "option value|option value" */
static void
take(const char *text, struct edit *e, struct platform *platform, struct strv *kept)
{
	AUTO(strv) struct strv parts = STRV_INIT;
	struct err err = { 0 };

	strv_split(&parts, text, "|");
	for (size_t i = 0; i < parts.count; i++) {
		char *space = strchr(parts.items[i], ' ');
		const struct {
			const char *name;
			struct strv *list;
			const char **text;
		} rows[] = {
			{ "env", &e->env, NULL },
			{ "label", &e->labels, NULL },
			{ "port", &e->exposed_ports, NULL },
			{ "volume", &e->volumes, NULL },
			{ "entrypoint", &e->entrypoint, NULL },
			{ "cmd", &e->cmd, NULL },
			{ "user", NULL, &e->user },
			{ "workdir", NULL, &e->working_dir },
			{ "stop-signal", NULL, &e->stop_signal },
			{ "author", NULL, &e->author },
		};

		is_true(space != NULL);
		*space = '\0';
		if (streq(parts.items[i], "platform")) {
			works(platform_parse(space + 1, platform, &err));
			e->platform = platform;
		}
		for (size_t r = 0; r < COUNT_OF(rows); r++) {
			if (!streq(parts.items[i], rows[r].name))
				continue;
			strv_add(kept, space + 1);
			if (rows[r].list != NULL)
				strv_add(rows[r].list, space + 1);
			else
				*rows[r].text = kept->items[kept->count - 1];
		}
	}
}

static void
edit_free(struct edit *e)
{
	strv_free(&e->env);
	strv_free(&e->labels);
	strv_free(&e->exposed_ports);
	strv_free(&e->volumes);
	strv_free(&e->entrypoint);
	strv_free(&e->cmd);
}

static int
run_config(json_t *doc, const char *edits, struct buf *got, struct err *err)
{
	struct edit e = { .user = NULL };
	struct platform platform;
	AUTO(strv) struct strv kept = STRV_INIT;
	AUTO(strv) struct strv steps = STRV_INIT;
	AUTO(free) char *joined = NULL;
	int done;

	take(edits, &e, &platform, &kept);
	done = edit_config(doc, &e, &steps, err);
	edit_free(&e);
	joined = strv_join(&steps, "; ");
	buf_addf(got, "%s ", joined);
	return done;
}

static int
run_index(const char *verb, json_t *doc, const char *edits, struct err *err)
{
	AUTO(strv) struct strv words = STRV_INIT;
	AUTO(json) json_t *row = NULL;
	struct index_edit e = { .os = NULL };
	int done = 0;

	if (streq(verb, "remove"))
		return index_edit_remove(doc, edits, err);
	if (!streq(verb, "annotate-row")) {
		same_int(json_parse(edits, strlen(edits), &row, err), 0);
		return index_edit_add(doc, row,
			streq(verb, "beside") ? INDEX_EDIT_BESIDE : INDEX_EDIT_REPLACE, err);
	}
	strv_split(&words, edits, "|");
	for (size_t i = 1; i < words.count; i++) {
		char *word = words.items[i];

		if (starts_with(word, "variant "))
			e.variant = word + strlen("variant ");
		else if (starts_with(word, "os-version "))
			e.os_version = word + strlen("os-version ");
		else if (starts_with(word, "arch "))
			e.arch = word + strlen("arch ");
		else if (starts_with(word, "feature "))
			strv_add(&e.os_features, word + strlen("feature "));
		else
			strv_add(&e.annotations, word);
	}
	done = index_edit_annotate(doc, words.items[0], &e, err);
	strv_free(&e.annotations);
	strv_free(&e.os_features);
	return done;
}

static void
row(char **fields, size_t count)
{
	AUTO(json) json_t *doc = NULL;
	AUTO(buf) struct buf got = BUF_INIT;
	AUTO(strv) struct strv edits = STRV_INIT;
	struct err err = { 0 };
	int done;

	same_int(count, 4);
	works(json_parse(fields[2], strlen(fields[2]), &doc, &err));
	if (streq(fields[0], "config")) {
		done = run_config(doc, fields[1], &got, &err);
	} else if (streq(fields[0], "annotate")) {
		strv_split(&edits, fields[1], "|");
		done = edit_annotations(doc, &edits, &err);
	} else if (streq(fields[0], "oci")) {
		done = edit_to_oci(doc, &err);
	} else if (streq(fields[0], "history")) {
		edit_history(doc, "T", "by", streq(fields[1], "empty"));
		done = 0;
	} else {
		done = run_index(fields[0], doc, fields[1], &err);
	}
	if (done < 0)
		buf_clear(&got);
	if (done < 0)
		buf_adds(&got, err.msg);
	else
		json_format(doc, JSON_STYLE_COMPACT, &got);
	same_str(got.data, fields[3]);
}

TEST(documents_are_changed_and_keep_what_is_not_known)
{
	is_true(table_each(TESTDATA "/oci/edit.tsv", row) > 30);
}

TEST(a_layer_is_added_to_both_documents)
{
	AUTO(json) json_t *manifest = json_object();
	AUTO(json) json_t *config = json_object();
	AUTO(buf) struct buf got = BUF_INIT;
	struct digest id;
	struct err err = { 0 };

	digest_of("a", 1, &id);
	works(edit_layer_add(manifest, config, json_string("layer"), &id, &err));
	edit_history(config, "T", "by", false);
	json_format(manifest, JSON_STYLE_COMPACT, &got);
	json_format(config, JSON_STYLE_COMPACT, &got);
	same_str(got.data,
		"{\"layers\":[\"layer\"]}{\"rootfs\":{\"type\":\"layers\",\"diff_ids\":["
		"\"sha256:ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb\"]},"
		"\"history\":[{\"created\":\"T\",\"created_by\":\"by\",\"comment\":\"cooper\"}]}");
	json_array_append_new(json_object_get(manifest, "layers"), json_string("more"));
	fails(edit_layer_add(manifest, config, json_string("layer"), &id, &err),
		"the manifest has 2 layers, and the config tells of 1");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(documents_are_changed_and_keep_what_is_not_known),
		CASE(a_layer_is_added_to_both_documents),
	};

	return RUN(tests);
}
