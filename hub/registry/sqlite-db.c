/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/registry/sqlite-db.h"

#include "hub/registry/sqlite-file.h"
#include "hub/registry/sqlite-private.h"

#include <string.h>

#define DEVICE_OWN                                                                                 \
    "id, module, enabled, primary_key, secondary_key, generation_id, etag, created, comment"
#define DEVICE_COLUMNS DEVICE_OWN ", tags"
/* A module has the tags of its device. */
#define DEVICE_READ                                                                                \
    DEVICE_OWN ", CASE module WHEN '' THEN tags ELSE (SELECT own.tags FROM device AS own"          \
               " WHERE own.id = device.id AND own.module = '') END"
/* The column behind the last one: whether it waits for approval. */
#define WAITING                                                                                    \
    ", NOT enabled AND module = '' AND EXISTS (SELECT 1 FROM enrollment"                           \
    " WHERE enrollment.id = device.id)"
#define POLICY_COLUMNS "name, rights, primary_key, secondary_key, created, scope"
#define INVITATION_COLUMNS                                                                         \
    "name, kind, key, subject, module, scope, rights, tags, ids, approve, uses, expires, created"
#define INVITATION_READ                                                                            \
    "SELECT " INVITATION_COLUMNS ", used, revoked FROM invitation JOIN invitation_use USING "      \
    "(name)"

/* After the columns: a module is admitted only when its device is enabled too. Of the last three,
 * the first two are NULL for who has keys, and without a rekey. */
#define ADMITTED                                                                                   \
    ", enabled AND (module = '' OR EXISTS (SELECT 1 FROM device AS own"                            \
    " WHERE own.id = device.id AND own.module = '' AND own.enabled))"                              \
    ", (SELECT auth FROM device_auth AS way"                                                       \
    " WHERE way.id = device.id AND way.module = device.module)"                                    \
    ", (SELECT printf('%d %d %d %d', state, which, asked, confirmed) FROM rekey"                   \
    " WHERE rekey.id = device.id AND rekey.module = device.module)" WAITING

/* Behind that what was seen of it: sqlite-device.c has their number. */
#define FACTS                                                                                      \
    ", -unseen, address, client, refused, refusal, messages, message_bytes, messages_since"
#define WITH_FACTS " LEFT JOIN device_seen ON of_device = id AND of_module = module"

static const char *const statement_texts[SQL_STATEMENTS] = {
    [SQL_BEGIN] = "BEGIN IMMEDIATE",
    [SQL_COMMIT] = "COMMIT",
    [SQL_ROLLBACK] = "ROLLBACK",
    [SQL_GET_DEVICE] = "SELECT " DEVICE_READ ADMITTED FACTS " FROM device" WITH_FACTS
                       " WHERE id = ?1 AND module = ?2",
    [SQL_LIST_DEVICES] = "SELECT " DEVICE_READ ADMITTED FACTS " FROM device" WITH_FACTS
                         " WHERE (id, module) > (?1, ?2) ORDER BY id, module LIMIT ?3",
    [SQL_LIST_TAGGED] =
        "SELECT " DEVICE_READ ADMITTED FACTS " FROM (SELECT id AS tagged FROM device_tag"
        " WHERE tag = ?4 AND id >= ?1) CROSS JOIN device ON id = tagged" WITH_FACTS
        " WHERE (id, module) > (?1, ?2) ORDER BY tagged, module LIMIT ?3",
    [SQL_LIST_SEEN] = "SELECT " DEVICE_READ ADMITTED FACTS " FROM (SELECT * FROM device_seen"
                      " WHERE (unseen, of_device, of_module) > (?4, ?1, ?2)"
                      " ORDER BY unseen, of_device, of_module LIMIT ?3)"
                      " CROSS JOIN device ON id = of_device AND module = of_module"
                      " ORDER BY unseen, of_device, of_module",
    /* Unknown devices have no row, so nothing is stored of them. */
    [SQL_WRITE_FACTS] = "UPDATE device_seen SET unseen = min(unseen, -?3),"
                        " address = iif(?4 = '', address, ?4), client = iif(?5 = '', client, ?5),"
                        " refused = max(refused, ?6), refusal = iif(?7 = '', refusal, ?7),"
                        " messages = messages + ?8, message_bytes = message_bytes + ?9,"
                        " messages_since = iif(messages_since = 0, ?10, messages_since)"
                        " WHERE of_device = ?1 AND of_module = ?2",
    [SQL_COUNT_MODULES] = "SELECT count(*), sum(module = '') FROM device WHERE id = ?1",
    [SQL_ADD_DEVICE] =
        "INSERT INTO device (" DEVICE_COLUMNS ") VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10)",
    [SQL_REMOVE_DEVICE] = "DELETE FROM device WHERE id = ?1 AND (module = ?2 OR ?2 = '')",
    [SQL_SET_ENABLED] = "UPDATE device SET enabled = ?3, etag = ?4 WHERE id = ?1 AND module = ?2",
    [SQL_EDIT_DEVICE] =
        "UPDATE device SET comment = ?2, tags = ?3, etag = ?4 WHERE id = ?1 AND module = ''",
    [SQL_IMPORT_DEVICE] = "UPDATE device SET enabled = ?3, primary_key = ?4, secondary_key = ?5,"
                          " etag = ?6, comment = ?7, tags = ?8 WHERE id = ?1 AND module = ?2",
    [SQL_WRITE_DEVICE] = "UPDATE device SET enabled = ?3, primary_key = ?4, secondary_key = ?5,"
                         " etag = ?6 WHERE id = ?1 AND module = ?2",
    [SQL_COUNT_DEVICES] = "SELECT count(*), total(enabled) FROM device WHERE module = ''",
    [SQL_ADD_TAG] = "INSERT INTO device_tag (tag, id) VALUES (?1, ?2)",
    [SQL_CLEAR_TAGS] = "DELETE FROM device_tag WHERE id = ?1",
    [SQL_PUT_AUTH] = "INSERT OR REPLACE INTO device_auth (id, module, auth) VALUES (?1, ?2, ?3)",
    [SQL_CLEAR_AUTH] = "DELETE FROM device_auth WHERE id = ?1 AND module = ?2",
    [SQL_SET_ETAG] = "UPDATE device SET etag = ?3 WHERE id = ?1 AND module = ?2",
    [SQL_GET_POLICY] = "SELECT " POLICY_COLUMNS " FROM policy WHERE name = ?1",
    [SQL_LIST_POLICIES] = "SELECT " POLICY_COLUMNS " FROM policy ORDER BY name LIMIT ?1",
    [SQL_COUNT_POLICIES] = "SELECT count(*) FROM policy",
    [SQL_ADD_POLICY] = "INSERT INTO policy (" POLICY_COLUMNS ") VALUES (?1,?2,?3,?4,?5,?6)",
    [SQL_REMOVE_POLICY] = "DELETE FROM policy WHERE name = ?1",
    [SQL_EDIT_POLICY] = "UPDATE policy SET scope = ?2 WHERE name = ?1",
    [SQL_SET_DEVICE_KEYS] = "UPDATE device SET primary_key = ?3, secondary_key = ?4, etag = ?5"
                            " WHERE id = ?1 AND module = ?2",
    [SQL_SET_POLICY_KEYS] =
        "UPDATE policy SET primary_key = ?2, secondary_key = ?3 WHERE name = ?1",
    [SQL_PUT_REKEY] = "INSERT OR REPLACE INTO rekey"
                      " (id, module, state, which, asked, confirmed, former)"
                      " VALUES (?1,?2,?3,?4,?5,?6,?7)",
    [SQL_GET_FORMER] = "SELECT former FROM rekey WHERE id = ?1 AND module = ?2",
    [SQL_LIST_REKEYS] = "SELECT id, module, confirmed FROM rekey WHERE confirmed > 0"
                        " ORDER BY confirmed LIMIT ?1",
    [SQL_GET_INVITATION] = INVITATION_READ " WHERE name = ?1",
    [SQL_LIST_INVITATIONS] = INVITATION_READ " ORDER BY name LIMIT ?1",
    [SQL_COUNT_INVITATIONS] = "SELECT count(*) FROM invitation",
    [SQL_CLOSED_INVITATION] =
        "SELECT name FROM invitation JOIN invitation_use USING (name)"
        " WHERE revoked OR used >= uses OR (expires > 0 AND expires < ?1) ORDER BY created LIMIT 1",
    [SQL_ADD_INVITATION] = "INSERT INTO invitation (" INVITATION_COLUMNS
                           ") VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13)",
    [SQL_ADD_INVITATION_USE] = "INSERT INTO invitation_use (name, used, revoked) VALUES (?1, 0, 0)",
    [SQL_REMOVE_INVITATION] = "DELETE FROM invitation WHERE name = ?1",
    [SQL_REMOVE_INVITATION_USE] = "DELETE FROM invitation_use WHERE name = ?1",
    [SQL_REVOKE_INVITATION] = "UPDATE invitation_use SET revoked = 1 WHERE name = ?1",
    [SQL_USE_INVITATION] = "UPDATE invitation_use SET used = used + 1 WHERE name = ?1",
    [SQL_ADD_WAITING] = "INSERT INTO enrollment (id, invitation) VALUES (?1, ?2)",
    [SQL_NOTE_DEVICE_KNOWN] =
        "INSERT INTO known_device (id, module, serial) SELECT id, module, ?3 FROM device"
        " WHERE id = ?1 AND module = ?2 AND ?4 = 0"
        " ON CONFLICT (id, module) DO UPDATE SET serial = excluded.serial"
        " WHERE excluded.serial > serial",
    [SQL_NOTE_USER_KNOWN] =
        "INSERT INTO known_user (name, serial, plain) SELECT name, ?3, ?4 FROM policy"
        " WHERE name = ?1 AND ?2 = ''"
        " ON CONFLICT (name) DO UPDATE SET serial = max(serial, excluded.serial),"
        " plain = max(plain, excluded.plain)"
        " WHERE excluded.serial > serial OR excluded.plain > plain",
    [SQL_LIST_DEVICES_KNOWN] =
        "SELECT id, module, coalesce((SELECT serial FROM known_device AS known"
        " WHERE known.id = device.id AND known.module = device.module), 0), 0 FROM device"
        " WHERE (id, module) > (?1, ?2) ORDER BY id, module LIMIT ?3",
    [SQL_LIST_USERS_KNOWN] = "SELECT name, '', serial, plain FROM known_user ORDER BY name",
};

/* What the last failed call means; its text stays with the connection until the next one. */
static RegistryCode
code_of_failure(sqlite3 *db, gboolean writes)
{
    switch (sqlite3_errcode(db) & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return REGISTRY_BUSY;
    case SQLITE_CONSTRAINT:
        return REGISTRY_EXISTS;
    case SQLITE_FULL:
    case SQLITE_READONLY:
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
        return writes ? REGISTRY_STORAGE : REGISTRY_FAILED;
    default:
        return REGISTRY_FAILED;
    }
}

RegistryCode
registry_sqlite_fail(RegistrySqliteDb *self, RegistryJob *job)
{
    RegistryCode code = code_of_failure(self->db, self->writing);

    g_clear_pointer(&job->message, g_free);
    if (code == REGISTRY_FAILED)
        job->message = g_strdup_printf("%s: %s", self->path, sqlite3_errmsg(self->db));
    if (code == REGISTRY_STORAGE)
        job->message = registry_storage_message(self->path, registry_sqlite_file_reason(self->db));
    return code;
}

/* Resets the statement, and forgets what was bound: keys must not stay there. */
void
registry_sqlite_done(sqlite3_stmt *statement)
{
    (void)sqlite3_reset(statement);
    (void)sqlite3_clear_bindings(statement);
}

/* Runs a statement that gives no rows. */
gboolean
registry_sqlite_run(RegistrySqliteDb *self, RegistrySqlStatement which)
{
    sqlite3_stmt *statement = self->statements[which];
    int result = sqlite3_step(statement);

    registry_sqlite_done(statement);
    return result == SQLITE_DONE;
}

void
registry_sqlite_bind_text(sqlite3_stmt *statement, int index, const char *text)
{
    (void)sqlite3_bind_text(statement, index, text ? text : "", -1, SQLITE_STATIC);
}

void
registry_sqlite_bind_key(sqlite3_stmt *statement, int index, const RegistryKey *key)
{
    (void)sqlite3_bind_blob(statement, index, key->bytes, (int)key->len, SQLITE_STATIC);
}

char *
registry_sqlite_text(sqlite3_stmt *statement, int column)
{
    return g_strdup((const char *)sqlite3_column_text(statement, column));
}

void
registry_sqlite_key(sqlite3_stmt *statement, int column, RegistryKey *ret)
{
    const void *bytes = sqlite3_column_blob(statement, column);
    int len = sqlite3_column_bytes(statement, column);

    ret->len = (gsize)CLAMP(len, 0, REGISTRY_KEY_MAX);
    if (ret->len)
        memcpy(ret->bytes, bytes, ret->len);
}

typedef RegistryCode (*JobFunc)(RegistrySqliteDb *self, RegistryJob *job);

static const struct {
    JobFunc func;
    gboolean writes;
} job_funcs[REGISTRY_JOB_KINDS] = {
    [REGISTRY_LOOKUP_DEVICE] = {registry_sqlite_read_device, FALSE},
    [REGISTRY_LIST_DEVICES] = {registry_sqlite_list_devices, FALSE},
    [REGISTRY_ADD_DEVICE] = {registry_sqlite_add_device, TRUE},
    [REGISTRY_REMOVE_DEVICE] = {registry_sqlite_remove_device, TRUE},
    [REGISTRY_SET_ENABLED] = {registry_sqlite_set_enabled, TRUE},
    [REGISTRY_EDIT_DEVICE] = {registry_sqlite_edit_device, TRUE},
    [REGISTRY_SET_AUTH] = {registry_sqlite_set_auth, TRUE},
    [REGISTRY_WRITE_DEVICE] = {registry_sqlite_write_device, TRUE},
    [REGISTRY_COUNT_DEVICES] = {registry_sqlite_count_devices, FALSE},
    [REGISTRY_WRITE_FACTS] = {registry_sqlite_write_facts, TRUE},
    [REGISTRY_LOOKUP_POLICY] = {registry_sqlite_read_policy, FALSE},
    [REGISTRY_LIST_POLICIES] = {registry_sqlite_list_policies, FALSE},
    [REGISTRY_ADD_POLICY] = {registry_sqlite_add_policy, TRUE},
    [REGISTRY_REMOVE_POLICY] = {registry_sqlite_remove_policy, TRUE},
    [REGISTRY_EDIT_POLICY] = {registry_sqlite_edit_policy, TRUE},
    [REGISTRY_IMPORT_DEVICES] = {registry_sqlite_import_devices, TRUE},
    [REGISTRY_NEW_DEVICE_KEYS] = {registry_sqlite_new_device_keys, TRUE},
    [REGISTRY_NEW_POLICY_KEYS] = {registry_sqlite_new_policy_keys, TRUE},
    [REGISTRY_REKEY] = {registry_sqlite_rekey, TRUE},
    [REGISTRY_LIST_REKEYS] = {registry_sqlite_list_rekeys, FALSE},
    [REGISTRY_LOOKUP_INVITATION] = {registry_sqlite_read_invitation, FALSE},
    [REGISTRY_LIST_INVITATIONS] = {registry_sqlite_list_invitations, FALSE},
    [REGISTRY_ADD_INVITATION] = {registry_sqlite_add_invitation, TRUE},
    [REGISTRY_REVOKE_INVITATION] = {registry_sqlite_revoke_invitation, TRUE},
    [REGISTRY_ENROLL] = {registry_sqlite_enroll, TRUE},
    [REGISTRY_APPROVE_DEVICE] = {registry_sqlite_approve_device, TRUE},
    [REGISTRY_NOTE_DEVICE_KNOWN] = {registry_sqlite_note_device_known, TRUE},
    [REGISTRY_NOTE_USER_KNOWN] = {registry_sqlite_note_user_known, TRUE},
    [REGISTRY_LIST_DEVICES_KNOWN] = {registry_sqlite_list_devices_known, FALSE},
    [REGISTRY_LIST_USERS_KNOWN] = {registry_sqlite_list_users_known, FALSE},
};

/* One transaction. BEGIN IMMEDIATE takes the write lock first, so that only BEGIN can be busy. */
static RegistryCode
job_write(RegistrySqliteDb *self, RegistryJob *job, JobFunc func)
{
    RegistryCode code;

    self->writing = TRUE;
    if (!registry_sqlite_run(self, SQL_BEGIN))
        return registry_sqlite_fail(self, job);
    code = func(self, job);
    if (code == REGISTRY_OK && !registry_sqlite_run(self, SQL_COMMIT))
        code = registry_sqlite_fail(self, job);
    /* After some failures SQLite has rolled back by itself. */
    if (!sqlite3_get_autocommit(self->db))
        (void)registry_sqlite_run(self, SQL_ROLLBACK);
    return code;
}

RegistryCode
registry_sqlite_db_run(RegistrySqliteDb *self, RegistryJob *job)
{
    JobFunc func = job_funcs[job->kind].func;

    self->writing = FALSE;
    return job_funcs[job->kind].writes ? job_write(self, job, func) : func(self, job);
}

gboolean
registry_sqlite_db_writes(RegistryJobKind kind)
{
    return job_funcs[kind].writes;
}

/* Does not wait for readers: it can be done another time. */
gboolean
registry_sqlite_db_fold(RegistrySqliteDb *self)
{
    int result;

    (void)sqlite3_busy_timeout(self->db, 0);
    result = sqlite3_wal_checkpoint_v2(self->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    (void)sqlite3_busy_timeout(self->db, REGISTRY_SQLITE_BUSY_MS);
    return result == SQLITE_OK;
}

void
registry_sqlite_db_free(RegistrySqliteDb *self)
{
    if (!self)
        return;
    for (guint i = 0; i < SQL_STATEMENTS; i++)
        (void)sqlite3_finalize(self->statements[i]);
    (void)sqlite3_close(self->db);
    g_free(self->path);
    g_free(self);
}

RegistrySqliteDb *
registry_sqlite_db_new(sqlite3 *db, const char *path, GError **error)
{
    RegistrySqliteDb *self = g_new0(RegistrySqliteDb, 1);

    self->db = db;
    self->path = g_strdup(path);
    for (guint i = 0; i < SQL_STATEMENTS; i++)
        if (sqlite3_prepare_v3(db, statement_texts[i], -1, SQLITE_PREPARE_PERSISTENT,
                               &self->statements[i], NULL) != SQLITE_OK) {
            (void)registry_sqlite_file_error(db, path, error);
            registry_sqlite_db_free(self);
            return NULL;
        }
    return self;
}
