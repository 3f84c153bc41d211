/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Registry in SQLite: one file, with a thread of its own (only registry/sqlite*.c use sqlite3.h).
 *
 * WAL with synchronous=FULL: a change that was answered with REGISTRY_OK survives a power cut. For
 * REGISTRY_SQLITE_FOLD a change is only in the log (FILE-wal), after that in the file itself. When
 * the registry is closed there is no log.
 *
 * When the disk is full, read-only or failing, look-ups go on, even after a start on such a disk.
 * Changes are REGISTRY_STORAGE until the disk takes one again. While another process holds the
 * database, a change waits REGISTRY_SQLITE_BUSY_MS on that thread and is then REGISTRY_BUSY;
 * look-ups go on. */
#pragma once

#include "hub/registry/registry.h"

#define REGISTRY_SQLITE_BUSY_MS 2000
/* A job that waited longer than this for its turn is REGISTRY_BUSY at once. */
#define REGISTRY_SQLITE_PATIENCE (5 * G_TIME_SPAN_SECOND)
/* How long a change may be in the log only. */
#define REGISTRY_SQLITE_FOLD G_TIME_SPAN_SECOND

/* Makes an empty registry, readable by the owner only. Any thread; waits for the disk.
 * G_FILE_ERROR_EXIST when there is something of that name. */
gboolean registry_sqlite_create(const char *path, GError **error);

/* Reads and checks all of the registry, also beside a hub that changes it. *ret_older: it is of an
 * older version. *ret_reason, which the caller frees: why the disk takes no changes, or NULL. Any
 * thread; waits for the disk. Errors as registry_sqlite_open. */
gboolean
registry_sqlite_examine(const char *path, gboolean *ret_older, char **ret_reason, GError **error);

/* Opens, checks and, if it is of an older version, upgrades the registry. Main thread; waits for
 * the disk. Errors name the file and the reason: G_FILE_ERROR when it cannot be opened,
 * STREAMD_ERROR_DENIED when others can read it, STREAMD_ERROR_INVALID when it is not a registry, is
 * damaged, or is of a later version. */
Registry *registry_sqlite_open(const char *path, GError **error);
