/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The schema of a registry in SQLite, and the way from an older one to it. */
#pragma once

#include <glib.h>
#include <sqlite3.h>

#define REGISTRY_SQLITE_APPLICATION 0x53747268 /* "Strh" */
#define REGISTRY_SQLITE_VERSION 2

/* The schema's version of a database that says that it is a registry. 0 with an error: it is none,
 * or of a version that this program does not know. Errors as registry_sqlite_open. */
gint64 registry_sqlite_schema_version(sqlite3 *db, const char *path, GError **error);

/* Makes all tables in an empty database. */
gboolean registry_sqlite_schema_create(sqlite3 *db, const char *path, GError **error);

/* Nothing when DB is of this version. Otherwise the registry as it was is kept in PATH.vN first,
 * where N is its version, so that the program that made it can go on from there; then each step is
 * one transaction. With KEEP FALSE nothing is kept. */
gboolean
registry_sqlite_schema_upgrade(sqlite3 *db, const char *path, gboolean keep, GError **error);
