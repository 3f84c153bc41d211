/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Devices in the database behind registry/sqlite.h. */
#include "hub/registry/sqlite-private.h"
#include "hub/registry/write.h"

#include <stdio.h>

/* A text that we do not know lets nobody in: no certificate is trusted, and keys do not count. */
static void
column_auth(sqlite3_stmt *row, int column, RegistryAuth *ret)
{
    g_autofree char *text = registry_sqlite_text(row, column);

    if (text && !registry_auth_parse(text, ret))
        *ret = (RegistryAuth){.kind = REGISTRY_AUTH_THUMBPRINT};
}

/* TEXT NULL: there is none. */
static void
rekey_parse(const char *text, RegistryRekey *ret)
{
    long long asked, confirmed;
    int state, which;

    *ret = (RegistryRekey){0};
    if (!text || sscanf(text, "%d %d %lld %lld", &state, &which, &asked, &confirmed) != 4)
        return;
    ret->state = (RekeyState)state;
    ret->which = (RegistryKeys)which;
    ret->asked = asked;
    ret->confirmed = confirmed;
}

#define FACTS_COLUMNS 8 /* see sqlite-db.c */

static char *
text_or_null(sqlite3_stmt *row, int column)
{
    g_autofree char *text = registry_sqlite_text(row, column);

    return text && *text ? g_steal_pointer(&text) : NULL;
}

static RegistryFacts *
column_facts(sqlite3_stmt *row, const RegistryDevice *device)
{
    RegistryFacts *facts = registry_facts_new(device->id, device->module);
    const int column = sqlite3_column_count(row) - FACTS_COLUMNS;

    facts->seen = sqlite3_column_int64(row, column);
    facts->address = text_or_null(row, column + 1);
    facts->client = text_or_null(row, column + 2);
    facts->refused = sqlite3_column_int64(row, column + 3);
    facts->refusal = text_or_null(row, column + 4);
    facts->messages = (guint64)sqlite3_column_int64(row, column + 5);
    facts->message_bytes = (guint64)sqlite3_column_int64(row, column + 6);
    facts->messages_since = sqlite3_column_int64(row, column + 7);
    return facts;
}

static RegistryDevice *
column_device(sqlite3_stmt *row)
{
    RegistryDevice *device = g_new0(RegistryDevice, 1);
    g_autofree char *module = registry_sqlite_text(row, 1);
    g_autofree char *comment = NULL, *tags = NULL;

    device->id = registry_sqlite_text(row, 0);
    device->module = module && *module ? g_steal_pointer(&module) : NULL;
    device->enabled = sqlite3_column_int(row, 2) != 0;
    registry_sqlite_key(row, 3, &device->primary);
    registry_sqlite_key(row, 4, &device->secondary);
    device->generation_id = (guint64)sqlite3_column_int64(row, 5);
    device->etag = (guint64)sqlite3_column_int64(row, 6);
    device->created = sqlite3_column_int64(row, 7);
    comment = registry_sqlite_text(row, 8);
    tags = registry_sqlite_text(row, 9);
    device->comment = comment && *comment ? g_steal_pointer(&comment) : NULL;
    device->tags = registry_tags_parse(tags);
    device->admitted = sqlite3_column_int(row, 10) != 0;
    column_auth(row, 11, &device->auth);
    rekey_parse((const char *)sqlite3_column_text(row, 12), &device->rekey);
    device->waiting = sqlite3_column_int(row, 13) != 0;
    device->facts = column_facts(row, device);
    return device;
}

/* Replaces the record that only has the names by the stored one. */
RegistryCode
registry_sqlite_read_device(RegistrySqliteDb *self, RegistryJob *job)
{
    sqlite3_stmt *statement = self->statements[SQL_GET_DEVICE];
    RegistryDevice *found = NULL;
    int result;

    registry_sqlite_bind_text(statement, 1, job->device->id);
    registry_sqlite_bind_text(statement, 2, job->device->module);
    result = sqlite3_step(statement);
    if (result == SQLITE_ROW)
        found = column_device(statement);
    registry_sqlite_done(statement);
    if (!found)
        return result == SQLITE_DONE ? REGISTRY_NOT_FOUND : registry_sqlite_fail(self, job);
    registry_device_free(job->device);
    job->device = found;
    return REGISTRY_OK;
}

RegistryCode
registry_sqlite_list_devices(RegistrySqliteDb *self, RegistryJob *job)
{
    const RegistryFacts *after = job->device->facts;
    sqlite3_stmt *statement = self->statements[after       ? SQL_LIST_SEEN
                                               : job->tags ? SQL_LIST_TAGGED
                                                           : SQL_LIST_DEVICES];
    int result;

    job->devices = g_ptr_array_new_with_free_func((GDestroyNotify)registry_device_free);
    registry_sqlite_bind_text(statement, 1, job->device->id);
    registry_sqlite_bind_text(statement, 2, job->device->module);
    (void)sqlite3_bind_int64(statement, 3, (gint64)job->limit + 1);
    if (after)
        (void)sqlite3_bind_int64(statement, 4, -after->seen);
    else if (job->tags)
        registry_sqlite_bind_text(statement, 4, job->tags[0]);
    while ((result = sqlite3_step(statement)) == SQLITE_ROW && job->devices->len < job->limit)
        g_ptr_array_add(job->devices, column_device(statement));
    registry_sqlite_done(statement);
    job->more = result == SQLITE_ROW;
    return job->more || result == SQLITE_DONE ? REGISTRY_OK : registry_sqlite_fail(self, job);
}

/* The device of a new module must exist, and may not have too many modules. */
static RegistryCode
check_module(RegistrySqliteDb *self, RegistryJob *job)
{
    sqlite3_stmt *statement = self->statements[SQL_COUNT_MODULES];
    gint64 count = 0, own = 0;
    int result;

    registry_sqlite_bind_text(statement, 1, job->device->id);
    result = sqlite3_step(statement);
    if (result == SQLITE_ROW) {
        count = sqlite3_column_int64(statement, 0);
        own = sqlite3_column_int64(statement, 1);
    }
    registry_sqlite_done(statement);
    if (result != SQLITE_ROW)
        return registry_sqlite_fail(self, job);
    if (own == 0)
        return REGISTRY_NOT_FOUND;
    return count - own < REGISTRY_MODULES_MAX ? REGISTRY_OK : REGISTRY_LIMIT;
}

/* Binds comment and tags from INDEX on. *RET_TAGS must stay until the statement is done. */
static void
bind_labels(sqlite3_stmt *statement, int index, const RegistryDevice *device, char **ret_tags)
{
    *ret_tags = registry_tags_format(device->tags);
    registry_sqlite_bind_text(statement, index, device->comment);
    registry_sqlite_bind_text(statement, index + 1, *ret_tags);
}

RegistryCode
registry_sqlite_clear_tags(RegistrySqliteDb *self, RegistryJob *job)
{
    registry_sqlite_bind_text(self->statements[SQL_CLEAR_TAGS], 1, job->device->id);
    return registry_sqlite_run(self, SQL_CLEAR_TAGS) ? REGISTRY_OK
                                                     : registry_sqlite_fail(self, job);
}

RegistryCode
registry_sqlite_write_tags(RegistrySqliteDb *self, RegistryJob *job)
{
    for (const char *const *tag = registry_tags_list(job->device->tags); *tag; tag++) {
        registry_sqlite_bind_text(self->statements[SQL_ADD_TAG], 1, *tag);
        registry_sqlite_bind_text(self->statements[SQL_ADD_TAG], 2, job->device->id);
        if (!registry_sqlite_run(self, SQL_ADD_TAG))
            return registry_sqlite_fail(self, job);
    }
    return REGISTRY_OK;
}

RegistryCode
registry_sqlite_add_device(RegistrySqliteDb *self, RegistryJob *job)
{
    sqlite3_stmt *statement = self->statements[SQL_ADD_DEVICE];
    const RegistryDevice *device = job->device;
    g_autofree char *tags = NULL;
    RegistryCode code = device->module ? check_module(self, job) : REGISTRY_OK;

    if (code != REGISTRY_OK)
        return code;
    registry_sqlite_bind_text(statement, 1, device->id);
    registry_sqlite_bind_text(statement, 2, device->module);
    (void)sqlite3_bind_int(statement, 3, device->enabled ? 1 : 0);
    registry_sqlite_bind_key(statement, 4, &device->primary);
    registry_sqlite_bind_key(statement, 5, &device->secondary);
    (void)sqlite3_bind_int64(statement, 6, (gint64)device->generation_id);
    (void)sqlite3_bind_int64(statement, 7, (gint64)device->etag);
    (void)sqlite3_bind_int64(statement, 8, device->created);
    bind_labels(statement, 9, device, &tags);
    if (!registry_sqlite_run(self, SQL_ADD_DEVICE))
        return registry_sqlite_fail(self, job);
    code = registry_sqlite_write_tags(self, job);
    if (code == REGISTRY_OK && device->auth.kind != REGISTRY_AUTH_KEYS)
        code = registry_sqlite_write_auth(self, job);
    return code == REGISTRY_OK ? registry_sqlite_read_device(self, job) : code;
}

RegistryCode
registry_sqlite_remove_device(RegistrySqliteDb *self, RegistryJob *job)
{
    sqlite3_stmt *statement = self->statements[SQL_REMOVE_DEVICE];
    RegistryCode code = registry_sqlite_read_device(self, job);

    if (code != REGISTRY_OK)
        return code;
    registry_sqlite_bind_text(statement, 1, job->device->id);
    registry_sqlite_bind_text(statement, 2, job->device->module);
    if (!registry_sqlite_run(self, SQL_REMOVE_DEVICE))
        return registry_sqlite_fail(self, job);
    return job->device->module ? REGISTRY_OK : registry_sqlite_clear_tags(self, job);
}

RegistryCode
registry_sqlite_set_enabled(RegistrySqliteDb *self, RegistryJob *job)
{
    sqlite3_stmt *statement = self->statements[SQL_SET_ENABLED];

    registry_sqlite_bind_text(statement, 1, job->device->id);
    registry_sqlite_bind_text(statement, 2, job->device->module);
    (void)sqlite3_bind_int(statement, 3, job->device->enabled ? 1 : 0);
    (void)sqlite3_bind_int64(statement, 4, (gint64)job->device->etag);
    if (!registry_sqlite_run(self, SQL_SET_ENABLED))
        return registry_sqlite_fail(self, job);
    return registry_sqlite_read_device(self, job); /* NOT_FOUND: then nothing was updated */
}

static RegistryCode
update_labels(RegistrySqliteDb *self, RegistryJob *job)
{
    sqlite3_stmt *statement = self->statements[SQL_EDIT_DEVICE];
    g_autofree char *tags = NULL;

    registry_sqlite_bind_text(statement, 1, job->device->id);
    bind_labels(statement, 2, job->device, &tags);
    (void)sqlite3_bind_int64(statement, 4, (gint64)job->device->etag);
    return registry_sqlite_run(self, SQL_EDIT_DEVICE) ? REGISTRY_OK
                                                      : registry_sqlite_fail(self, job);
}

RegistryCode
registry_sqlite_write_labels(RegistrySqliteDb *self, RegistryJob *job)
{
    RegistryCode code = update_labels(self, job);

    if (code == REGISTRY_OK)
        code = registry_sqlite_clear_tags(self, job);
    return code == REGISTRY_OK ? registry_sqlite_write_tags(self, job) : code;
}

RegistryCode
registry_sqlite_edit_device(RegistrySqliteDb *self, RegistryJob *job)
{
    RegistryCode code = registry_sqlite_read_device(self, job);

    if (code == REGISTRY_OK)
        code = registry_job_edit(job);
    return code == REGISTRY_OK ? registry_sqlite_write_labels(self, job) : code;
}

/* From here on: registry/write.h. */

/* The user may have changed since it was let in. */
static RegistryCode
read_scope(RegistrySqliteDb *self, RegistryJob *job, RegistryWrite *write)
{
    RegistryJob look = {.policy = registry_policy_named(write->policy)};
    RegistryCode code = registry_sqlite_read_policy(self, &look);

    job->message = look.message;
    if (code == REGISTRY_OK) {
        registry_scope_unref(write->scope);
        write->scope = registry_scope_ref(look.policy->scope);
    }
    registry_policy_free(look.policy);
    return code == REGISTRY_NOT_FOUND ? REGISTRY_DENIED : code;
}

/* The device that a new module is to belong to; NULL with *RET_CODE set: it is not there. */
static RegistryDevice *
read_owner(RegistrySqliteDb *self, RegistryJob *job, RegistryCode *ret_code)
{
    RegistryJob look = {.device = registry_device_named(job->device->id, NULL)};

    *ret_code = registry_sqlite_read_device(self, &look);
    job->message = look.message;
    if (*ret_code == REGISTRY_OK)
        return look.device;
    registry_device_free(look.device);
    return NULL;
}

static RegistryCode
make_for_service(RegistrySqliteDb *self, RegistryJob *job)
{
    g_autoptr(RegistryDevice) owner = NULL;
    RegistryCode code = REGISTRY_OK;

    if (job->device->module)
        owner = read_owner(self, job, &code);
    if (code == REGISTRY_OK)
        code = registry_write_may_create(job->extra, owner);
    if (code == REGISTRY_OK)
        code = registry_write_make(job);
    return code == REGISTRY_OK ? registry_sqlite_add_device(self, job) : code;
}

static RegistryCode
change_for_service(RegistrySqliteDb *self, RegistryJob *job)
{
    sqlite3_stmt *statement = self->statements[SQL_WRITE_DEVICE];
    RegistryCode code = registry_write_apply(job);
    const RegistryDevice *device = job->device;
    const RegistryWriting *writing = job->extra;

    if (code != REGISTRY_OK)
        return code;
    registry_sqlite_bind_text(statement, 1, device->id);
    registry_sqlite_bind_text(statement, 2, device->module);
    (void)sqlite3_bind_int(statement, 3, device->enabled ? 1 : 0);
    registry_sqlite_bind_key(statement, 4, &device->primary);
    registry_sqlite_bind_key(statement, 5, &device->secondary);
    (void)sqlite3_bind_int64(statement, 6, (gint64)device->etag);
    if (!registry_sqlite_run(self, SQL_WRITE_DEVICE))
        return registry_sqlite_fail(self, job);
    if (writing->auth_changed)
        code = registry_sqlite_write_auth(self, job);
    if (code == REGISTRY_OK && writing->labels_changed)
        code = registry_sqlite_write_labels(self, job);
    return code == REGISTRY_OK ? registry_sqlite_read_device(self, job) : code;
}

RegistryCode
registry_sqlite_write_device(RegistrySqliteDb *self, RegistryJob *job)
{
    RegistryWriting *writing = job->extra;
    RegistryWriteMode mode = writing->write.mode;
    RegistryCode code = REGISTRY_OK;

    if (writing->write.policy)
        code = read_scope(self, job, &writing->write);
    if (code == REGISTRY_OK && mode == REGISTRY_WRITE_CREATE && !writing->write.module)
        code = registry_write_may_create(writing, NULL); /* whether it is there or not */
    if (code == REGISTRY_OK)
        code = registry_sqlite_read_device(self, job);
    if (code == REGISTRY_NOT_FOUND && mode != REGISTRY_WRITE_UPDATE &&
        mode != REGISTRY_WRITE_REMOVE)
        return make_for_service(self, job);
    if (code == REGISTRY_OK)
        code = registry_write_may_change(writing, job->device);
    if (code != REGISTRY_OK)
        return code;
    if (mode != REGISTRY_WRITE_REMOVE)
        return change_for_service(self, job);
    writing->removed = TRUE;
    return registry_sqlite_remove_device(self, job);
}

RegistryCode
registry_sqlite_count_devices(RegistrySqliteDb *self, RegistryJob *job)
{
    sqlite3_stmt *statement = self->statements[SQL_COUNT_DEVICES];
    RegistryCounts *counts = job->extra;
    int result = sqlite3_step(statement);

    if (result == SQLITE_ROW) {
        counts->devices = (guint64)sqlite3_column_int64(statement, 0);
        counts->enabled = (guint64)sqlite3_column_int64(statement, 1);
    }
    registry_sqlite_done(statement);
    return result == SQLITE_ROW ? REGISTRY_OK : registry_sqlite_fail(self, job);
}

/* Writes both keys of the device, of which one may be the old one. A trigger ends its rekey. */
static RegistryCode
write_keys(RegistrySqliteDb *self, RegistryJob *job)
{
    sqlite3_stmt *statement = self->statements[SQL_SET_DEVICE_KEYS];

    job->device->etag = ((const KeysJob *)job->extra)->etag;
    registry_sqlite_bind_text(statement, 1, job->device->id);
    registry_sqlite_bind_text(statement, 2, job->device->module);
    registry_sqlite_bind_key(statement, 3, &job->device->primary);
    registry_sqlite_bind_key(statement, 4, &job->device->secondary);
    (void)sqlite3_bind_int64(statement, 5, (gint64)job->device->etag);
    return registry_sqlite_run(self, SQL_SET_DEVICE_KEYS) ? REGISTRY_OK
                                                          : registry_sqlite_fail(self, job);
}

RegistryCode
registry_sqlite_new_device_keys(RegistrySqliteDb *self, RegistryJob *job)
{
    RegistryCode code = registry_sqlite_read_device(self, job);

    if (code != REGISTRY_OK)
        return code;
    registry_keys_replace(job->extra, &job->device->primary, &job->device->secondary);
    job->device->rekey = (RegistryRekey){0};
    return write_keys(self, job);
}

static RegistryCode
read_former(RegistrySqliteDb *self, RegistryJob *job, RegistryKey *ret)
{
    sqlite3_stmt *statement = self->statements[SQL_GET_FORMER];
    int result;

    registry_sqlite_bind_text(statement, 1, job->device->id);
    registry_sqlite_bind_text(statement, 2, job->device->module);
    result = sqlite3_step(statement);
    if (result == SQLITE_ROW)
        registry_sqlite_key(statement, 0, ret);
    registry_sqlite_done(statement);
    return result == SQLITE_ROW || result == SQLITE_DONE ? REGISTRY_OK
                                                         : registry_sqlite_fail(self, job);
}

static RegistryCode
write_rekey(RegistrySqliteDb *self, RegistryJob *job, const RegistryKey *former)
{
    sqlite3_stmt *statement = self->statements[SQL_PUT_REKEY];
    const RegistryRekey *rekey = &job->device->rekey;

    registry_sqlite_bind_text(statement, 1, job->device->id);
    registry_sqlite_bind_text(statement, 2, job->device->module);
    (void)sqlite3_bind_int(statement, 3, (int)rekey->state);
    (void)sqlite3_bind_int(statement, 4, (int)rekey->which);
    (void)sqlite3_bind_int64(statement, 5, rekey->asked);
    (void)sqlite3_bind_int64(statement, 6, rekey->confirmed);
    registry_sqlite_bind_key(statement, 7, former);
    return registry_sqlite_run(self, SQL_PUT_REKEY) ? REGISTRY_OK : registry_sqlite_fail(self, job);
}

/* Keys first: that ends the former rekey, and the new state of it is written afterwards. */
RegistryCode
registry_sqlite_rekey(RegistrySqliteDb *self, RegistryJob *job)
{
    KeysJob *keys = job->extra;
    g_auto(RegistryKey) former = {.len = 0};
    RegistryCode code = registry_sqlite_read_device(self, job);

    if (code == REGISTRY_OK)
        code = read_former(self, job, &former);
    if (code != REGISTRY_OK || !registry_rekey_step(keys, job->device, &former))
        return code;
    if (keys->replaced)
        code = write_keys(self, job);
    if (code == REGISTRY_OK && job->device->rekey.state != REKEY_NONE)
        code = write_rekey(self, job, &former);
    return code;
}

RegistryCode
registry_sqlite_list_rekeys(RegistrySqliteDb *self, RegistryJob *job)
{
    sqlite3_stmt *statement = self->statements[SQL_LIST_REKEYS];
    int result;

    job->devices = g_ptr_array_new_with_free_func((GDestroyNotify)registry_device_free);
    (void)sqlite3_bind_int64(statement, 1, job->limit);
    while ((result = sqlite3_step(statement)) == SQLITE_ROW) {
        g_autofree char *id = registry_sqlite_text(statement, 0);
        g_autofree char *module = registry_sqlite_text(statement, 1);
        RegistryDevice *device = registry_device_named(id, module && *module ? module : NULL);

        device->rekey.state = REKEY_CONFIRMED;
        device->rekey.confirmed = sqlite3_column_int64(statement, 2);
        g_ptr_array_add(job->devices, device);
    }
    registry_sqlite_done(statement);
    return result == SQLITE_DONE ? REGISTRY_OK : registry_sqlite_fail(self, job);
}

/* How devices prove who they are: in a table of its own, where one with keys has no row. */
RegistryCode
registry_sqlite_write_auth(RegistrySqliteDb *self, RegistryJob *job)
{
    const RegistryDevice *device = job->device;
    gboolean keys = device->auth.kind == REGISTRY_AUTH_KEYS;
    RegistrySqlStatement which = keys ? SQL_CLEAR_AUTH : SQL_PUT_AUTH;
    sqlite3_stmt *statement = self->statements[which];
    g_autofree char *text = registry_auth_format(&device->auth);

    registry_sqlite_bind_text(statement, 1, device->id);
    registry_sqlite_bind_text(statement, 2, device->module);
    if (!keys)
        registry_sqlite_bind_text(statement, 3, text);
    return registry_sqlite_run(self, which) ? REGISTRY_OK : registry_sqlite_fail(self, job);
}

static RegistryCode
write_etag(RegistrySqliteDb *self, RegistryJob *job)
{
    sqlite3_stmt *statement = self->statements[SQL_SET_ETAG];

    registry_sqlite_bind_text(statement, 1, job->device->id);
    registry_sqlite_bind_text(statement, 2, job->device->module);
    (void)sqlite3_bind_int64(statement, 3, (gint64)job->device->etag);
    return registry_sqlite_run(self, SQL_SET_ETAG) ? REGISTRY_OK : registry_sqlite_fail(self, job);
}

RegistryCode
registry_sqlite_set_auth(RegistrySqliteDb *self, RegistryJob *job)
{
    const RegistryAuth wanted = job->device->auth;
    RegistryCode code = registry_sqlite_read_device(self, job);

    if (code != REGISTRY_OK)
        return code;
    job->device->auth = wanted;
    job->device->etag = job->etag;
    code = registry_sqlite_write_auth(self, job);
    return code == REGISTRY_OK ? write_etag(self, job) : code;
}

static gboolean
write_one(RegistrySqliteDb *self, const RegistryFacts *facts)
{
    sqlite3_stmt *statement = self->statements[SQL_WRITE_FACTS];

    registry_sqlite_bind_text(statement, 1, facts->id);
    registry_sqlite_bind_text(statement, 2, facts->module);
    (void)sqlite3_bind_int64(statement, 3, facts->seen);
    registry_sqlite_bind_text(statement, 4, facts->address);
    registry_sqlite_bind_text(statement, 5, facts->client);
    (void)sqlite3_bind_int64(statement, 6, facts->refused);
    registry_sqlite_bind_text(statement, 7, facts->refusal);
    (void)sqlite3_bind_int64(statement, 8, (gint64)facts->messages);
    (void)sqlite3_bind_int64(statement, 9, (gint64)facts->message_bytes);
    (void)sqlite3_bind_int64(statement, 10, facts->messages_since);
    return registry_sqlite_run(self, SQL_WRITE_FACTS);
}

RegistryCode
registry_sqlite_write_facts(RegistrySqliteDb *self, RegistryJob *job)
{
    const GPtrArray *facts = job->extra;

    for (guint i = 0; i < facts->len; i++)
        if (!write_one(self, facts->pdata[i]))
            return registry_sqlite_fail(self, job);
    return REGISTRY_OK;
}
