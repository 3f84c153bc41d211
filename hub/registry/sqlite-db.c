/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/registry/sqlite-db.h"

#include "hub/registry/sqlite-file.h"

#include <string.h>

#define DEVICE_COLUMNS                                                                             \
    "id, module, enabled, primary_key, secondary_key, generation_id, etag, created"
#define POLICY_COLUMNS "name, rights, primary_key, secondary_key, created"

typedef enum {
    SQL_BEGIN,
    SQL_COMMIT,
    SQL_ROLLBACK,
    SQL_GET_DEVICE,
    SQL_LIST_DEVICES,
    SQL_COUNT_MODULES,
    SQL_ADD_DEVICE,
    SQL_REMOVE_DEVICE,
    SQL_SET_ENABLED,
    SQL_GET_POLICY,
    SQL_LIST_POLICIES,
    SQL_COUNT_POLICIES,
    SQL_ADD_POLICY,
    SQL_REMOVE_POLICY,
    SQL_STATEMENTS,
} Statement;

/* The last column of a device: a module is admitted only when its device is enabled too. */
#define ADMITTED                                                                                   \
    ", enabled AND (module = '' OR EXISTS (SELECT 1 FROM device AS own"                            \
    " WHERE own.id = device.id AND own.module = '' AND own.enabled))"

static const char *const statement_texts[SQL_STATEMENTS] = {
    [SQL_BEGIN] = "BEGIN IMMEDIATE",
    [SQL_COMMIT] = "COMMIT",
    [SQL_ROLLBACK] = "ROLLBACK",
    [SQL_GET_DEVICE] =
        "SELECT " DEVICE_COLUMNS ADMITTED " FROM device WHERE id = ?1 AND module = ?2",
    [SQL_LIST_DEVICES] = "SELECT " DEVICE_COLUMNS ADMITTED
                         " FROM device WHERE (id, module) > (?1, ?2) ORDER BY id, module LIMIT ?3",
    [SQL_COUNT_MODULES] = "SELECT count(*), sum(module = '') FROM device WHERE id = ?1",
    [SQL_ADD_DEVICE] = "INSERT INTO device (" DEVICE_COLUMNS ") VALUES (?1,?2,?3,?4,?5,?6,?7,?8)",
    [SQL_REMOVE_DEVICE] = "DELETE FROM device WHERE id = ?1 AND (module = ?2 OR ?2 = '')",
    [SQL_SET_ENABLED] = "UPDATE device SET enabled = ?3, etag = ?4 WHERE id = ?1 AND module = ?2",
    [SQL_GET_POLICY] = "SELECT " POLICY_COLUMNS " FROM policy WHERE name = ?1",
    [SQL_LIST_POLICIES] = "SELECT " POLICY_COLUMNS " FROM policy ORDER BY name LIMIT ?1",
    [SQL_COUNT_POLICIES] = "SELECT count(*) FROM policy",
    [SQL_ADD_POLICY] = "INSERT INTO policy (" POLICY_COLUMNS ") VALUES (?1,?2,?3,?4,?5)",
    [SQL_REMOVE_POLICY] = "DELETE FROM policy WHERE name = ?1",
};

struct RegistrySqliteDb {
    char *path;
    sqlite3 *db;
    sqlite3_stmt *statements[SQL_STATEMENTS];
    gboolean writing; /* the job that is under way does */
};

typedef RegistryCode (*JobFunc)(RegistrySqliteDb *self, RegistryJob *job);

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

static RegistryCode
sqlite_job_fail(RegistrySqliteDb *self, RegistryJob *job)
{
    RegistryCode code = code_of_failure(self->db, self->writing);

    g_clear_pointer(&job->message, g_free);
    if (code == REGISTRY_FAILED)
        job->message = g_strdup_printf("%s: %s", self->path, sqlite3_errmsg(self->db));
    if (code == REGISTRY_STORAGE)
        job->message = registry_storage_message(self->path, registry_sqlite_file_reason(self->db));
    return code;
}

/* Resets the statement as well, and forgets what was bound: keys do not stay there. */
static void
statement_done(sqlite3_stmt *statement)
{
    (void)sqlite3_reset(statement);
    (void)sqlite3_clear_bindings(statement);
}

/* Runs a statement that gives no rows. */
static gboolean
statement_run(RegistrySqliteDb *self, Statement which)
{
    sqlite3_stmt *statement = self->statements[which];
    int result = sqlite3_step(statement);

    statement_done(statement);
    return result == SQLITE_DONE;
}

static void
bind_text(sqlite3_stmt *statement, int index, const char *text)
{
    (void)sqlite3_bind_text(statement, index, text ? text : "", -1, SQLITE_STATIC);
}

static void
bind_key(sqlite3_stmt *statement, int index, const RegistryKey *key)
{
    (void)sqlite3_bind_blob(statement, index, key->bytes, (int)key->len, SQLITE_STATIC);
}

static char *
column_text(sqlite3_stmt *statement, int column)
{
    return g_strdup((const char *)sqlite3_column_text(statement, column));
}

static void
column_key(sqlite3_stmt *statement, int column, RegistryKey *ret)
{
    const void *bytes = sqlite3_column_blob(statement, column);
    int len = sqlite3_column_bytes(statement, column);

    ret->len = (gsize)CLAMP(len, 0, REGISTRY_KEY_MAX);
    if (ret->len)
        memcpy(ret->bytes, bytes, ret->len);
}

static RegistryDevice *
column_device(sqlite3_stmt *row)
{
    RegistryDevice *device = g_new0(RegistryDevice, 1);
    g_autofree char *module = column_text(row, 1);

    device->id = column_text(row, 0);
    device->module = module && *module ? g_steal_pointer(&module) : NULL;
    device->enabled = sqlite3_column_int(row, 2) != 0;
    column_key(row, 3, &device->primary);
    column_key(row, 4, &device->secondary);
    device->generation_id = (guint64)sqlite3_column_int64(row, 5);
    device->etag = (guint64)sqlite3_column_int64(row, 6);
    device->created = sqlite3_column_int64(row, 7);
    device->admitted = sqlite3_column_int(row, 8) != 0;
    return device;
}

static RegistryPolicy *
column_policy(sqlite3_stmt *row)
{
    RegistryPolicy *policy = g_new0(RegistryPolicy, 1);

    policy->name = column_text(row, 0);
    policy->rights = (RegistryRights)sqlite3_column_int(row, 1);
    column_key(row, 2, &policy->primary);
    column_key(row, 3, &policy->secondary);
    policy->created = sqlite3_column_int64(row, 4);
    return policy;
}

/* Puts the stored record in the place of the one that names it. */
static RegistryCode
read_device(RegistrySqliteDb *self, RegistryJob *job)
{
    sqlite3_stmt *statement = self->statements[SQL_GET_DEVICE];
    RegistryDevice *found = NULL;
    int result;

    bind_text(statement, 1, job->device->id);
    bind_text(statement, 2, job->device->module);
    result = sqlite3_step(statement);
    if (result == SQLITE_ROW)
        found = column_device(statement);
    statement_done(statement);
    if (!found)
        return result == SQLITE_DONE ? REGISTRY_NOT_FOUND : sqlite_job_fail(self, job);
    registry_device_free(job->device);
    job->device = found;
    return REGISTRY_OK;
}

static RegistryCode
list_devices(RegistrySqliteDb *self, RegistryJob *job)
{
    sqlite3_stmt *statement = self->statements[SQL_LIST_DEVICES];
    int result;

    job->devices = g_ptr_array_new_with_free_func((GDestroyNotify)registry_device_free);
    bind_text(statement, 1, job->device->id);
    bind_text(statement, 2, job->device->module);
    (void)sqlite3_bind_int64(statement, 3, (gint64)job->limit + 1);
    while ((result = sqlite3_step(statement)) == SQLITE_ROW && job->devices->len < job->limit)
        g_ptr_array_add(job->devices, column_device(statement));
    statement_done(statement);
    job->more = result == SQLITE_ROW;
    return job->more || result == SQLITE_DONE ? REGISTRY_OK : sqlite_job_fail(self, job);
}

/* A module needs its device, and there may be so many. */
static RegistryCode
check_module(RegistrySqliteDb *self, RegistryJob *job)
{
    sqlite3_stmt *statement = self->statements[SQL_COUNT_MODULES];
    gint64 count = 0, own = 0;
    int result;

    bind_text(statement, 1, job->device->id);
    result = sqlite3_step(statement);
    if (result == SQLITE_ROW) {
        count = sqlite3_column_int64(statement, 0);
        own = sqlite3_column_int64(statement, 1);
    }
    statement_done(statement);
    if (result != SQLITE_ROW)
        return sqlite_job_fail(self, job);
    if (own == 0)
        return REGISTRY_NOT_FOUND;
    return count - own < REGISTRY_MODULES_MAX ? REGISTRY_OK : REGISTRY_LIMIT;
}

static RegistryCode
add_device(RegistrySqliteDb *self, RegistryJob *job)
{
    sqlite3_stmt *statement = self->statements[SQL_ADD_DEVICE];
    const RegistryDevice *device = job->device;
    RegistryCode code = device->module ? check_module(self, job) : REGISTRY_OK;

    if (code != REGISTRY_OK)
        return code;
    bind_text(statement, 1, device->id);
    bind_text(statement, 2, device->module);
    (void)sqlite3_bind_int(statement, 3, device->enabled ? 1 : 0);
    bind_key(statement, 4, &device->primary);
    bind_key(statement, 5, &device->secondary);
    (void)sqlite3_bind_int64(statement, 6, (gint64)device->generation_id);
    (void)sqlite3_bind_int64(statement, 7, (gint64)device->etag);
    (void)sqlite3_bind_int64(statement, 8, device->created);
    if (!statement_run(self, SQL_ADD_DEVICE))
        return sqlite_job_fail(self, job);
    return read_device(self, job);
}

static RegistryCode
remove_device(RegistrySqliteDb *self, RegistryJob *job)
{
    sqlite3_stmt *statement = self->statements[SQL_REMOVE_DEVICE];
    RegistryCode code = read_device(self, job);

    if (code != REGISTRY_OK)
        return code;
    bind_text(statement, 1, job->device->id);
    bind_text(statement, 2, job->device->module);
    return statement_run(self, SQL_REMOVE_DEVICE) ? REGISTRY_OK : sqlite_job_fail(self, job);
}

static RegistryCode
set_enabled(RegistrySqliteDb *self, RegistryJob *job)
{
    sqlite3_stmt *statement = self->statements[SQL_SET_ENABLED];

    bind_text(statement, 1, job->device->id);
    bind_text(statement, 2, job->device->module);
    (void)sqlite3_bind_int(statement, 3, job->device->enabled ? 1 : 0);
    (void)sqlite3_bind_int64(statement, 4, (gint64)job->device->etag);
    if (!statement_run(self, SQL_SET_ENABLED))
        return sqlite_job_fail(self, job);
    return read_device(self, job); /* not there: nothing was updated either */
}

static RegistryCode
read_policy(RegistrySqliteDb *self, RegistryJob *job)
{
    sqlite3_stmt *statement = self->statements[SQL_GET_POLICY];
    RegistryPolicy *found = NULL;
    int result;

    bind_text(statement, 1, job->policy->name);
    result = sqlite3_step(statement);
    if (result == SQLITE_ROW)
        found = column_policy(statement);
    statement_done(statement);
    if (!found)
        return result == SQLITE_DONE ? REGISTRY_NOT_FOUND : sqlite_job_fail(self, job);
    registry_policy_free(job->policy);
    job->policy = found;
    return REGISTRY_OK;
}

static RegistryCode
list_policies(RegistrySqliteDb *self, RegistryJob *job)
{
    sqlite3_stmt *statement = self->statements[SQL_LIST_POLICIES];
    int result;

    job->policies = g_ptr_array_new_with_free_func((GDestroyNotify)registry_policy_free);
    (void)sqlite3_bind_int64(statement, 1, job->limit);
    while ((result = sqlite3_step(statement)) == SQLITE_ROW)
        g_ptr_array_add(job->policies, column_policy(statement));
    statement_done(statement);
    return result == SQLITE_DONE ? REGISTRY_OK : sqlite_job_fail(self, job);
}

static RegistryCode
check_policies(RegistrySqliteDb *self, RegistryJob *job)
{
    sqlite3_stmt *statement = self->statements[SQL_COUNT_POLICIES];
    int result = sqlite3_step(statement);
    gint64 count = result == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : 0;

    statement_done(statement);
    if (result != SQLITE_ROW)
        return sqlite_job_fail(self, job);
    return count < REGISTRY_POLICIES_MAX ? REGISTRY_OK : REGISTRY_LIMIT;
}

static RegistryCode
add_policy(RegistrySqliteDb *self, RegistryJob *job)
{
    sqlite3_stmt *statement = self->statements[SQL_ADD_POLICY];
    const RegistryPolicy *policy = job->policy;
    RegistryCode code = check_policies(self, job);

    if (code != REGISTRY_OK)
        return code;
    bind_text(statement, 1, policy->name);
    (void)sqlite3_bind_int(statement, 2, (int)policy->rights);
    bind_key(statement, 3, &policy->primary);
    bind_key(statement, 4, &policy->secondary);
    (void)sqlite3_bind_int64(statement, 5, policy->created);
    return statement_run(self, SQL_ADD_POLICY) ? REGISTRY_OK : sqlite_job_fail(self, job);
}

static RegistryCode
remove_policy(RegistrySqliteDb *self, RegistryJob *job)
{
    RegistryCode code = read_policy(self, job);

    if (code != REGISTRY_OK)
        return code;
    bind_text(self->statements[SQL_REMOVE_POLICY], 1, job->policy->name);
    return statement_run(self, SQL_REMOVE_POLICY) ? REGISTRY_OK : sqlite_job_fail(self, job);
}

static const struct {
    JobFunc func;
    gboolean writes;
} job_funcs[REGISTRY_JOB_KINDS] = {
    [REGISTRY_LOOKUP_DEVICE] = {read_device, FALSE},
    [REGISTRY_LIST_DEVICES] = {list_devices, FALSE},
    [REGISTRY_ADD_DEVICE] = {add_device, TRUE},
    [REGISTRY_REMOVE_DEVICE] = {remove_device, TRUE},
    [REGISTRY_SET_ENABLED] = {set_enabled, TRUE},
    [REGISTRY_LOOKUP_POLICY] = {read_policy, FALSE},
    [REGISTRY_LIST_POLICIES] = {list_policies, FALSE},
    [REGISTRY_ADD_POLICY] = {add_policy, TRUE},
    [REGISTRY_REMOVE_POLICY] = {remove_policy, TRUE},
};

/* One transaction. BEGIN IMMEDIATE takes the write lock first, so that only BEGIN can be busy. */
static RegistryCode
job_write(RegistrySqliteDb *self, RegistryJob *job, JobFunc func)
{
    RegistryCode code;

    self->writing = TRUE;
    if (!statement_run(self, SQL_BEGIN))
        return sqlite_job_fail(self, job);
    code = func(self, job);
    if (code == REGISTRY_OK && !statement_run(self, SQL_COMMIT))
        code = sqlite_job_fail(self, job);
    /* After some failures SQLite has rolled back by itself. */
    if (!sqlite3_get_autocommit(self->db))
        (void)statement_run(self, SQL_ROLLBACK);
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

/* Nobody waits for readers: another time will do. */
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
