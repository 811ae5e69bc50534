/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAYERS_DB_FILE_H
#define LAYERS_DB_FILE_H

#include "base/err.h"

/* The database as files of a store. */

#define DB_FILE_NAME "db.sqlite"

/* Into quarantine/, with a warning.  db.lock is held. */
int db_file_set_aside(int root, struct err *err);
/* What is committed survives a power loss. */
int db_file_sync(int root, struct err *err);

#endif
