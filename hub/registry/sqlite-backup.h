/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Backups of a registry in SQLite. A backup is a plain database with the same tables, and a table
 * `backup` with a SHA-256 of all their content: SQLite does not notice when bits of a key have
 * changed. Any thread; waits for the disk. Errors as registry_sqlite_open. */
#pragma once

#include <glib.h>

/* Copies the registry PATH, as it is at one moment, into the new FILE of mode 0600. A hub may
 * change PATH meanwhile. FILE is complete or does not exist; a backup that was killed may leave
 * FILE.part. G_FILE_ERROR_EXIST when there is something of that name. */
gboolean registry_sqlite_backup(const char *path, const char *file, GError **error);

/* Replaces the registry PATH, which nobody may have open, by the backup FILE. FILE is checked
 * first: as private_file_check does, for its checksum, and as registry_sqlite_open does. *ret_kept,
 * which the caller frees, is where the former registry is now; NULL: there was none. On failure
 * PATH is as it was. */
gboolean
registry_sqlite_restore(const char *file, const char *path, char **ret_kept, GError **error);
