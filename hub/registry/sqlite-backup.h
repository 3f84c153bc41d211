/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Backups of a registry in SQLite: a plain database with the same tables, and a table `backup` that
 * holds a SHA-256 of all that is in them: a key whose bits have turned is no damage to SQLite. Any
 * thread; waits for the disk. Errors as registry_sqlite_open. */
#pragma once

#include <glib.h>

/* Copies the registry PATH, which a hub may be changing meanwhile, as it is at one moment, into the
 * new FILE of mode 0600. FILE is there whole or not at all; FILE.part may be left of one that was
 * killed. G_FILE_ERROR_EXIST when there is something of that name. */
gboolean registry_sqlite_backup(const char *path, const char *file, GError **error);

/* Puts what is in the backup FILE in the place of the registry PATH, which nobody may have open.
 * FILE is checked first, as private_file_check, for its checksum and as registry_sqlite_open.
 * *ret_kept, which the caller frees, is where the former registry is now, or NULL when there was
 * none. On failure PATH is as it was. */
gboolean
registry_sqlite_restore(const char *file, const char *path, char **ret_kept, GError **error);
