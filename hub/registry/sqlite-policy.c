/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Policies in the database behind registry/sqlite.h, and who knows the next authority. */
#include "hub/registry/sqlite-private.h"

/* NULL: the scope cannot be read. Without it the user would reach the whole hub. */
static RegistryPolicy *
column_policy(sqlite3_stmt *row)
{
    g_autofree char *scope = registry_sqlite_text(row, 5);
    g_autoptr(RegistryPolicy) policy = g_new0(RegistryPolicy, 1);

    policy->name = registry_sqlite_text(row, 0);
    policy->rights = (RegistryRights)sqlite3_column_int(row, 1);
    registry_sqlite_key(row, 2, &policy->primary);
    registry_sqlite_key(row, 3, &policy->secondary);
    policy->created = sqlite3_column_int64(row, 4);
    return registry_scope_parse(scope ? scope : "", &policy->scope) ? g_steal_pointer(&policy)
                                                                    : NULL;
}

static RegistryCode
scope_fail(RegistryJob *job, const char *name)
{
    job->message = g_strdup_printf("the scope of user '%s' cannot be read", name);
    return REGISTRY_FAILED;
}

RegistryCode
registry_sqlite_read_policy(RegistrySqliteDb *self, RegistryJob *job)
{
    sqlite3_stmt *statement = self->statements[SQL_GET_POLICY];
    RegistryPolicy *found = NULL;
    int result;

    registry_sqlite_bind_text(statement, 1, job->policy->name);
    result = sqlite3_step(statement);
    if (result == SQLITE_ROW)
        found = column_policy(statement);
    registry_sqlite_done(statement);
    if (!found && result == SQLITE_ROW)
        return scope_fail(job, job->policy->name);
    if (!found)
        return result == SQLITE_DONE ? REGISTRY_NOT_FOUND : registry_sqlite_fail(self, job);
    registry_policy_free(job->policy);
    job->policy = found;
    return REGISTRY_OK;
}

RegistryCode
registry_sqlite_list_policies(RegistrySqliteDb *self, RegistryJob *job)
{
    sqlite3_stmt *statement = self->statements[SQL_LIST_POLICIES];
    int result;

    job->policies = g_ptr_array_new_with_free_func((GDestroyNotify)registry_policy_free);
    (void)sqlite3_bind_int64(statement, 1, job->limit);
    while ((result = sqlite3_step(statement)) == SQLITE_ROW) {
        RegistryPolicy *policy = column_policy(statement);

        if (policy)
            g_ptr_array_add(job->policies, policy);
    }
    registry_sqlite_done(statement);
    return result == SQLITE_DONE ? REGISTRY_OK : registry_sqlite_fail(self, job);
}

static RegistryCode
check_policies(RegistrySqliteDb *self, RegistryJob *job)
{
    sqlite3_stmt *statement = self->statements[SQL_COUNT_POLICIES];
    int result = sqlite3_step(statement);
    gint64 count = result == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : 0;

    registry_sqlite_done(statement);
    if (result != SQLITE_ROW)
        return registry_sqlite_fail(self, job);
    return count < REGISTRY_POLICIES_MAX ? REGISTRY_OK : REGISTRY_LIMIT;
}

RegistryCode
registry_sqlite_add_policy(RegistrySqliteDb *self, RegistryJob *job)
{
    sqlite3_stmt *statement = self->statements[SQL_ADD_POLICY];
    const RegistryPolicy *policy = job->policy;
    g_autofree char *scope = registry_scope_format(policy->scope);
    RegistryCode code = check_policies(self, job);

    if (code != REGISTRY_OK)
        return code;
    registry_sqlite_bind_text(statement, 1, policy->name);
    (void)sqlite3_bind_int(statement, 2, (int)policy->rights);
    registry_sqlite_bind_key(statement, 3, &policy->primary);
    registry_sqlite_bind_key(statement, 4, &policy->secondary);
    (void)sqlite3_bind_int64(statement, 5, policy->created);
    registry_sqlite_bind_text(statement, 6, scope);
    return registry_sqlite_run(self, SQL_ADD_POLICY) ? REGISTRY_OK
                                                     : registry_sqlite_fail(self, job);
}

RegistryCode
registry_sqlite_remove_policy(RegistrySqliteDb *self, RegistryJob *job)
{
    RegistryCode code = registry_sqlite_read_policy(self, job);

    if (code != REGISTRY_OK)
        return code;
    registry_sqlite_bind_text(self->statements[SQL_REMOVE_POLICY], 1, job->policy->name);
    return registry_sqlite_run(self, SQL_REMOVE_POLICY) ? REGISTRY_OK
                                                        : registry_sqlite_fail(self, job);
}

RegistryCode
registry_sqlite_edit_policy(RegistrySqliteDb *self, RegistryJob *job)
{
    RegistryCode code = registry_sqlite_read_policy(self, job);
    g_autofree char *scope = NULL;

    if (code == REGISTRY_OK)
        code = registry_job_edit(job);
    if (code != REGISTRY_OK)
        return code;
    scope = registry_scope_format(job->policy->scope);
    registry_sqlite_bind_text(self->statements[SQL_EDIT_POLICY], 1, job->policy->name);
    registry_sqlite_bind_text(self->statements[SQL_EDIT_POLICY], 2, scope);
    return registry_sqlite_run(self, SQL_EDIT_POLICY) ? REGISTRY_OK
                                                      : registry_sqlite_fail(self, job);
}

RegistryCode
registry_sqlite_new_policy_keys(RegistrySqliteDb *self, RegistryJob *job)
{
    sqlite3_stmt *statement = self->statements[SQL_SET_POLICY_KEYS];
    RegistryCode code = registry_sqlite_read_policy(self, job);

    if (code != REGISTRY_OK)
        return code;
    registry_keys_replace(job->extra, &job->policy->primary, &job->policy->secondary);
    registry_sqlite_bind_text(statement, 1, job->policy->name);
    registry_sqlite_bind_key(statement, 2, &job->policy->primary);
    registry_sqlite_bind_key(statement, 3, &job->policy->secondary);
    return registry_sqlite_run(self, SQL_SET_POLICY_KEYS) ? REGISTRY_OK
                                                          : registry_sqlite_fail(self, job);
}

/* Who knows the next authority: devices and users. */
static RegistryCode
note_known(RegistrySqliteDb *self, RegistryJob *job, RegistrySqlStatement which)
{
    sqlite3_stmt *statement = self->statements[which];
    const RegistryKnown *noted = &((KnownJob *)job->extra)->noted;

    registry_sqlite_bind_text(statement, 1, noted->name);
    registry_sqlite_bind_text(statement, 2, noted->module);
    (void)sqlite3_bind_int64(statement, 3, (gint64)noted->serial);
    (void)sqlite3_bind_int(statement, 4, noted->plain);
    return registry_sqlite_run(self, which) ? REGISTRY_OK : registry_sqlite_fail(self, job);
}

RegistryCode
registry_sqlite_note_device_known(RegistrySqliteDb *self, RegistryJob *job)
{
    return note_known(self, job, SQL_NOTE_DEVICE_KNOWN);
}

RegistryCode
registry_sqlite_note_user_known(RegistrySqliteDb *self, RegistryJob *job)
{
    return note_known(self, job, SQL_NOTE_USER_KNOWN);
}

/* NAME, MODULE, SERIAL, PLAIN of each row. */
static RegistryCode
read_known(RegistrySqliteDb *self, RegistryJob *job, sqlite3_stmt *statement)
{
    KnownJob *known = job->extra;
    int result;

    while ((result = sqlite3_step(statement)) == SQLITE_ROW) {
        const RegistryKnown row = {
            registry_sqlite_text(statement, 0), registry_sqlite_text(statement, 1),
            (guint64)sqlite3_column_int64(statement, 2), sqlite3_column_int(statement, 3) != 0};

        g_array_append_val(known->known, row);
    }
    registry_sqlite_done(statement);
    return result == SQLITE_DONE ? REGISTRY_OK : registry_sqlite_fail(self, job);
}

RegistryCode
registry_sqlite_list_devices_known(RegistrySqliteDb *self, RegistryJob *job)
{
    sqlite3_stmt *statement = self->statements[SQL_LIST_DEVICES_KNOWN];
    KnownJob *known = job->extra;
    RegistryCode code;

    registry_sqlite_bind_text(statement, 1, known->noted.name);
    registry_sqlite_bind_text(statement, 2, known->noted.module);
    (void)sqlite3_bind_int64(statement, 3, (gint64)known->limit + 1);
    code = read_known(self, job, statement);
    known->more = known->known->len > known->limit;
    if (known->more)
        g_array_set_size(known->known, known->limit);
    return code;
}

RegistryCode
registry_sqlite_list_users_known(RegistrySqliteDb *self, RegistryJob *job)
{
    return read_known(self, job, self->statements[SQL_LIST_USERS_KNOWN]);
}
