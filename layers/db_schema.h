/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAYERS_DB_SCHEMA_H
#define LAYERS_DB_SCHEMA_H

/* The tables of a store's database, version 1. */
extern const char db_schema[];
/* A query that counts those that are there. */
extern const char db_schema_count[];
#define DB_SCHEMA_TABLES 7

#endif
