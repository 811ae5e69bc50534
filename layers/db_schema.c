/* SPDX-License-Identifier: Apache-2.0 */
#include "layers/db_schema.h"

/* Layer ids start at a random number, so that an id remembered by a process from before a rebuild
 * means nothing in the new database, instead of another layer. */
const char db_schema[] =
	"CREATE TABLE names(name TEXT NOT NULL PRIMARY KEY, digest TEXT NOT NULL,"
	" descriptor TEXT NOT NULL, changed INTEGER NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE trees(id TEXT NOT NULL PRIMARY KEY, boot TEXT, size INTEGER NOT NULL);"
	"CREATE INDEX trees_boot ON trees(boot) WHERE boot IS NOT NULL;"
	"CREATE TABLE layers(id INTEGER PRIMARY KEY AUTOINCREMENT, diff_id TEXT, diff_size INTEGER,"
	" content TEXT, tree TEXT, listing TEXT);"
	"CREATE INDEX layers_diff_id ON layers(diff_id) WHERE diff_id IS NOT NULL;"
	"CREATE INDEX layers_tree ON layers(tree) WHERE tree IS NOT NULL;"
	"CREATE TABLE layer_blobs(layer INTEGER NOT NULL, digest TEXT NOT NULL,"
	" media_type TEXT NOT NULL, size INTEGER NOT NULL, PRIMARY KEY(layer, digest)) WITHOUT "
	"ROWID;"
	"CREATE INDEX layer_blobs_digest ON layer_blobs(digest);"
	"CREATE TABLE sources(digest TEXT NOT NULL, ref TEXT NOT NULL, used INTEGER NOT NULL,"
	" PRIMARY KEY(digest, ref)) WITHOUT ROWID;"
	"CREATE TABLE records(key TEXT NOT NULL PRIMARY KEY, kind TEXT, value TEXT NOT NULL,"
	" layers TEXT, blobs TEXT, used INTEGER NOT NULL);"
	"CREATE INDEX records_kind ON records(kind, used);"
	"CREATE TABLE notes(kind TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL,"
	" PRIMARY KEY(kind, key)) WITHOUT ROWID;";

const char db_schema_count[] =
	"SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name IN"
	" ('names', 'trees', 'layers', 'layer_blobs', 'sources', 'records', 'notes')";
