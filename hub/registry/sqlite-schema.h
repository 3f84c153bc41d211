/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The schema of a registry in SQLite, and the upgrade from older ones. */
#pragma once

#include <glib.h>
#include <sqlite3.h>

#define REGISTRY_SQLITE_APPLICATION 0x53747268 /* "Strh" */
#define REGISTRY_SQLITE_VERSION 2

/* The version of the schema, for a database that is marked as a registry. 0 with an error: it is
 * not marked, or this program does not know its version. Errors as registry_sqlite_open. */
gint64 registry_sqlite_schema_version(sqlite3 *db, const char *path, GError **error);

/* Makes all tables in an empty database. */
gboolean registry_sqlite_schema_create(sqlite3 *db, const char *path, GError **error);

/* Does nothing when DB is of this version. Otherwise it first keeps the old registry as PATH.vN,
 * where N is its version, so that the program of that version can still use it. Then each step is
 * one transaction. KEEP FALSE: nothing is kept. */
gboolean
registry_sqlite_schema_upgrade(sqlite3 *db, const char *path, gboolean keep, GError **error);
