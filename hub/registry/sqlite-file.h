/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The file behind registry/sqlite.h: its schema and versions, and the checks when it is opened. */
#pragma once

#include <glib.h>
#include <sqlite3.h>

/* A checked and upgraded database for one thread at a time; errors as registry_sqlite_open. The
 * caller closes it. */
sqlite3 *registry_sqlite_file_open(const char *path, GError **error);

/* What the last failed call on DB means. Always FALSE. */
gboolean registry_sqlite_file_error(sqlite3 *db, const char *path, GError **error);
