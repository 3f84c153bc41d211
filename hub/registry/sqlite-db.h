/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An open database behind registry/sqlite.h, and what each job does to it. One thread at a time. */
#pragma once

#include "hub/registry/job.h"
#include "hub/registry/sqlite.h"

#include <sqlite3.h>

typedef struct RegistrySqliteDb RegistrySqliteDb;

/* Takes DB, also when it fails. */
RegistrySqliteDb *registry_sqlite_db_new(sqlite3 *db, const char *path, GError **error);
void registry_sqlite_db_free(RegistrySqliteDb *self); /* NULL is fine */

/* Does what JOB asks and puts the answer into it, with a `message` where there is more to say than
 * the code does. A change is one transaction. It is durable when the code is REGISTRY_OK. */
RegistryCode registry_sqlite_db_run(RegistrySqliteDb *self, RegistryJob *job);

gboolean registry_sqlite_db_writes(RegistryJobKind kind);

/* Moves the changes in the log into the file, and empties the log. FALSE when that is not possible
 * now: somebody is reading, or the disk is full. */
gboolean registry_sqlite_db_fold(RegistrySqliteDb *self);

/* The message for the user when the disk takes no change. REASON: the system's. Caller frees. */
char *registry_storage_message(const char *path, const char *reason);
