/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The file behind registry/sqlite.h: its schema and versions, and the checks when it is opened. */
#pragma once

#include <glib.h>
#include <sqlite3.h>

/* A database for one thread at a time; with CHECK checked as a whole, and upgraded; errors as
 * registry_sqlite_open. The caller closes it. Where the disk allows no change it is opened for
 * look-ups alone, and *ret_reason, which the caller frees, is the system's reason; else NULL. */
sqlite3 *
registry_sqlite_file_open(const char *path, gboolean check, char **ret_reason, GError **error);

/* What the last failed call on DB means. Always FALSE. */
gboolean registry_sqlite_file_error(sqlite3 *db, const char *path, GError **error);

/* Why that call failed, in the system's words where it was the system. */
const char *registry_sqlite_file_reason(sqlite3 *db);
