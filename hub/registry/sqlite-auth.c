/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How devices prove who they are, in the database behind registry/sqlite.h: a table of its own, in
 * which a device with keys has no row. */
#include "hub/registry/sqlite-private.h"

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
