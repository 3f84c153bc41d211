/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The file behind registry/sqlite.h: how it is opened, the checks, and copies of it, page by page.
 * Any thread; waits for the disk. */
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

/* Makes FILE, empty and of mode 0600, and opens it. G_FILE_ERROR_EXIST when it exists already. */
sqlite3 *registry_sqlite_new_file(const char *file, GError **error);

/* Copies in one step, so that the copy is of one moment while others go on writing. FILE: the file
 * of TO, for the error. */
gboolean registry_sqlite_copy(sqlite3 *from, sqlite3 *to, const char *file, GError **error);

/* Copies FROM into FILE, replacing what was there. FILE is never there in part. */
gboolean registry_sqlite_keep(sqlite3 *from, const char *file, GError **error);

/* Removes PATH and the files that SQLite keeps beside it: SQLite would take a log that is left for
 * that of the next file. */
void registry_sqlite_remove(const char *path);

/* After this, what was renamed or linked in PATH's folder survives a power cut. */
gboolean registry_sqlite_sync_folder(const char *path, GError **error);

static inline void
registry_sqlite_close(sqlite3 *db)
{
    (void)sqlite3_close(db);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(sqlite3, registry_sqlite_close)
