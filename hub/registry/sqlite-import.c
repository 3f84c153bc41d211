/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Many devices in one transaction. What a row would run into is looked at before it is written, so
 * that a row that is refused leaves nothing behind. */
#include "hub/registry/device-row.h"
#include "hub/registry/sqlite-private.h"

#include <string.h>

static gboolean
keys_differ(const RegistryKey *one, const RegistryKey *other)
{
    return one->len != other->len || memcmp(one->bytes, other->bytes, one->len) != 0;
}

static gboolean
tags_differ(const RegistryTags *one, const RegistryTags *other)
{
    g_autofree char *a = registry_tags_format(one), *b = registry_tags_format(other);

    return strcmp(a, b) != 0;
}

/* What the row names and is not so in the registry. */
static DeviceRowFields
row_differs(const DeviceRow *row, const RegistryDevice *stored)
{
    const RegistryDevice *wanted = row->device;
    DeviceRowFields differ = 0;

    if (wanted->enabled != stored->enabled)
        differ |= DEVICE_ROW_STATUS;
    if (!wanted->module && tags_differ(wanted->tags, stored->tags))
        differ |= DEVICE_ROW_TAGS;
    if (g_strcmp0(wanted->comment, stored->comment) != 0)
        differ |= DEVICE_ROW_COMMENT;
    if (keys_differ(&wanted->primary, &stored->primary))
        differ |= DEVICE_ROW_PRIMARY;
    if (keys_differ(&wanted->secondary, &stored->secondary))
        differ |= DEVICE_ROW_SECONDARY;
    if (!registry_auth_equal(&wanted->auth, &stored->auth))
        differ |= DEVICE_ROW_AUTH;
    return differ & row->fields;
}

static void
row_refuse(DeviceRow *row, char *why)
{
    row->outcome = DEVICE_ROW_REFUSED;
    row->why = why;
}

/* STORED becomes what the row wants. */
static void
row_merge(const DeviceRow *row, RegistryDevice *stored)
{
    const RegistryDevice *wanted = row->device;

    stored->etag = wanted->etag;
    if (row->changed & DEVICE_ROW_STATUS)
        stored->enabled = wanted->enabled;
    if (row->changed & DEVICE_ROW_PRIMARY)
        stored->primary = wanted->primary;
    if (row->changed & DEVICE_ROW_SECONDARY)
        stored->secondary = wanted->secondary;
    if (row->changed & DEVICE_ROW_AUTH)
        stored->auth = wanted->auth;
    if (row->changed & DEVICE_ROW_TAGS) {
        registry_tags_unref(stored->tags);
        stored->tags = registry_tags_ref(wanted->tags);
    }
    if (row->changed & DEVICE_ROW_COMMENT) {
        g_free(stored->comment);
        stored->comment = g_strdup(wanted->comment);
    }
}

static RegistryCode
row_write(RegistrySqliteDb *self, RegistryJob *one)
{
    sqlite3_stmt *statement = self->statements[SQL_IMPORT_DEVICE];
    const RegistryDevice *device = one->device;
    g_autofree char *tags = device->module ? NULL : registry_tags_format(device->tags);
    RegistryCode code;

    registry_sqlite_bind_text(statement, 1, device->id);
    registry_sqlite_bind_text(statement, 2, device->module);
    (void)sqlite3_bind_int(statement, 3, device->enabled ? 1 : 0);
    registry_sqlite_bind_key(statement, 4, &device->primary);
    registry_sqlite_bind_key(statement, 5, &device->secondary);
    (void)sqlite3_bind_int64(statement, 6, (gint64)device->etag);
    registry_sqlite_bind_text(statement, 7, device->comment);
    registry_sqlite_bind_text(statement, 8, tags);
    if (!registry_sqlite_run(self, SQL_IMPORT_DEVICE))
        return registry_sqlite_fail(self, one);
    code = registry_sqlite_write_auth(self, one);
    if (code != REGISTRY_OK || device->module)
        return code;
    code = registry_sqlite_clear_tags(self, one);
    return code == REGISTRY_OK ? registry_sqlite_write_tags(self, one) : code;
}

/* ONE has what is stored. */
static RegistryCode
row_update(RegistrySqliteDb *self, RegistryJob *one, DeviceRow *row, gboolean may)
{
    row->changed = row_differs(row, one->device);
    row->outcome = row->changed ? DEVICE_ROW_UPDATED : DEVICE_ROW_UNCHANGED;
    if (!row->changed)
        return REGISTRY_OK;
    if (!may) {
        g_autofree char *what = device_row_fields_text(row->changed);

        row_refuse(row, g_strdup_printf("it is in the registry already, with other %s: --update "
                                        "overwrites them",
                                        what));
        return REGISTRY_OK;
    }
    row_merge(row, one->device);
    return row_write(self, one);
}

static RegistryCode
row_add(RegistrySqliteDb *self, RegistryJob *one, DeviceRow *row)
{
    RegistryCode code;

    registry_device_free(one->device);
    one->device = registry_device_copy(row->device);
    code = registry_sqlite_add_device(self, one);
    row->outcome = DEVICE_ROW_ADDED;
    if (code == REGISTRY_NOT_FOUND)
        row_refuse(row, g_strdup_printf("there is no device '%s': its own line must come before "
                                        "those of its modules",
                                        row->device->id));
    else if (code == REGISTRY_LIMIT)
        row_refuse(row, g_strdup_printf("'%s' has %d modules, and no more may be added",
                                        row->device->id, REGISTRY_MODULES_MAX));
    else
        return code;
    return REGISTRY_OK;
}

static RegistryCode
row_import(RegistrySqliteDb *self, RegistryJob *job, DeviceRow *row, gboolean update)
{
    RegistryJob one = {.kind = job->kind,
                       .device = registry_device_named(row->device->id, row->device->module)};
    RegistryCode code = registry_sqlite_read_device(self, &one);

    if (code == REGISTRY_OK)
        code = row_update(self, &one, row, update);
    else if (code == REGISTRY_NOT_FOUND)
        code = row_add(self, &one, row);
    registry_device_free(one.device);
    if (code == REGISTRY_OK)
        g_free(one.message);
    else
        job->message = one.message;
    return code;
}

static gboolean
run_text(RegistrySqliteDb *self, const char *sql)
{
    return sqlite3_exec(self->db, sql, NULL, NULL, NULL) == SQLITE_OK;
}

RegistryCode
registry_sqlite_import_devices(RegistrySqliteDb *self, RegistryJob *job)
{
    const RegistryImport *import = job->extra;
    RegistryCode code = REGISTRY_OK;

    if (import->dry_run && !run_text(self, "SAVEPOINT dry_run"))
        return registry_sqlite_fail(self, job);
    for (guint i = 0; i < import->rows->len && code == REGISTRY_OK; i++)
        code = row_import(self, job, import->rows->pdata[i], import->update);
    if (import->dry_run && code == REGISTRY_OK &&
        !run_text(self, "ROLLBACK TO dry_run; RELEASE dry_run"))
        code = registry_sqlite_fail(self, job);
    return code;
}
