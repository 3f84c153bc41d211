/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The file behind registry/sqlite.h: how it is opened, and the checks. */
#pragma once

#include <glib.h>
#include <sqlite3.h>

typedef enum {
    REGISTRY_SQLITE_CHECK = 1 << 0,   /* checks the whole file: reads all of it */
    REGISTRY_SQLITE_UPGRADE = 1 << 1, /* upgrades to this version (registry/sqlite-schema.h) */
} RegistrySqliteOpen;

/* A database for one thread at a time; errors as registry_sqlite_open. The caller closes it. When
 * the disk allows no change, it is opened only for look-ups, and *ret_reason, which the caller
 * frees, is the system's reason; otherwise NULL. */
sqlite3 *registry_sqlite_file_open(const char *path, RegistrySqliteOpen how, char **ret_reason,
                                   GError **error);

/* What the last failed call on DB means. Always FALSE. */
gboolean registry_sqlite_file_error(sqlite3 *db, const char *path, GError **error);

/* Why that call failed; in the system's words when the system was the cause. */
const char *registry_sqlite_file_reason(sqlite3 *db);
