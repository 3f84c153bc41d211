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

typedef enum {
    REGISTRY_SINCE_DEVICE_ADDED,
    REGISTRY_SINCE_DEVICE_KEYS, /* it has other keys */
    REGISTRY_SINCE_DEVICE_REMOVED,
    REGISTRY_SINCE_USER_ADDED,
    REGISTRY_SINCE_USER_KEYS,
    REGISTRY_SINCE_USER_REMOVED,
    REGISTRY_SINCE_INVITED,
    REGISTRY_SINCE_KINDS,
} RegistrySinceKind;

/* MODULE NULL: the device, user or invitation itself. */
typedef void (*RegistrySince)(RegistrySinceKind kind, const char *name, const char *module,
                              void *data);

/* Calls FUNC with each difference between the registry PATH, which a hub may change meanwhile, and
 * the one that the last upgrade kept beside it, kind by kind. *ret_kept, which the caller frees, is
 * the latter's path; NULL, and FALSE with STREAMD_ERROR_NOT_FOUND: there is none. */
gboolean registry_sqlite_since_upgrade(const char *path, RegistrySince func, void *data,
                                       char **ret_kept, GError **error);

/* Replaces the registry PATH, which nobody may have open, by the backup FILE. FILE is checked
 * first: as private_file_check does, for its checksum, and as registry_sqlite_open does. *ret_kept,
 * which the caller frees, is where the former registry is now; NULL: there was none. On failure
 * PATH is as it was. */
gboolean
registry_sqlite_restore(const char *file, const char *path, char **ret_kept, GError **error);
