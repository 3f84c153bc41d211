/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/registry/sqlite-schema.h"

#include "common/base/error.h"
#include "hub/registry/sqlite-file.h"

/* Step N leads from version N to N + 1. A released step never changes: 0.1.0 has the first one. */
static const char *const schema_steps[REGISTRY_SQLITE_VERSION] = {
    "CREATE TABLE device ("
    " id TEXT NOT NULL, module TEXT NOT NULL, enabled INTEGER NOT NULL,"
    " primary_key BLOB NOT NULL, secondary_key BLOB NOT NULL,"
    " generation_id INTEGER NOT NULL, etag INTEGER NOT NULL, created INTEGER NOT NULL,"
    " PRIMARY KEY (id, module)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE policy ("
    " name TEXT NOT NULL PRIMARY KEY, rights INTEGER NOT NULL,"
    " primary_key BLOB NOT NULL, secondary_key BLOB NOT NULL, created INTEGER NOT NULL"
    ") STRICT, WITHOUT ROWID;",
    /* The tags of a device are stored twice: in its row, to be read with it, and in a table, to be
     * searched. */
    "ALTER TABLE device ADD COLUMN comment TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE device ADD COLUMN tags TEXT NOT NULL DEFAULT '';"
    "CREATE TABLE device_tag ("
    " tag TEXT NOT NULL, id TEXT NOT NULL, PRIMARY KEY (tag, id)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX device_tag_of ON device_tag (id);"
    "ALTER TABLE policy ADD COLUMN scope TEXT NOT NULL DEFAULT '';"
    /* Without a row: keys. */
    "CREATE TABLE device_auth ("
    " id TEXT NOT NULL, module TEXT NOT NULL, auth TEXT NOT NULL,"
    " PRIMARY KEY (id, module)) STRICT, WITHOUT ROWID;"
    "CREATE TRIGGER device_auth_gone AFTER DELETE ON device BEGIN"
    " DELETE FROM device_auth WHERE id = OLD.id AND module = OLD.module; END;"
    /* A rekey, of registry/keys.h: whoever removes a device or gives it other keys ends it.
     * `former` is the key in whose place the new one was put. */
    "CREATE TABLE rekey ("
    " id TEXT NOT NULL, module TEXT NOT NULL, state INTEGER NOT NULL, which INTEGER NOT NULL,"
    " asked INTEGER NOT NULL, confirmed INTEGER NOT NULL, former BLOB NOT NULL,"
    " PRIMARY KEY (id, module)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX rekey_confirmed ON rekey (confirmed) WHERE confirmed > 0;"
    "CREATE TRIGGER rekey_of_no_device AFTER DELETE ON device BEGIN"
    " DELETE FROM rekey WHERE id = OLD.id AND module = OLD.module; END;"
    "CREATE TRIGGER rekey_of_other_keys AFTER UPDATE OF primary_key, secondary_key ON device"
    " WHEN OLD.primary_key IS NOT NEW.primary_key OR OLD.secondary_key IS NOT NEW.secondary_key "
    "BEGIN"
    " DELETE FROM rekey WHERE id = OLD.id AND module = OLD.module; END;"
    /* What changes with each use is in a table of its own, so that keys are not written again. */
    "CREATE TABLE invitation ("
    " name TEXT NOT NULL PRIMARY KEY, kind INTEGER NOT NULL, key BLOB NOT NULL,"
    " subject TEXT NOT NULL, module TEXT NOT NULL, scope TEXT NOT NULL, rights INTEGER NOT NULL,"
    " tags TEXT NOT NULL, ids TEXT NOT NULL, approve INTEGER NOT NULL, uses INTEGER NOT NULL,"
    " expires INTEGER NOT NULL, created INTEGER NOT NULL) STRICT;"
    "CREATE TABLE invitation_use ("
    " name TEXT NOT NULL PRIMARY KEY, used INTEGER NOT NULL, revoked INTEGER NOT NULL"
    ") STRICT, WITHOUT ROWID;"
    /* Devices that wait for approval, and by which invitation they came. */
    "CREATE TABLE enrollment ("
    " id TEXT NOT NULL PRIMARY KEY, invitation TEXT NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TRIGGER enrollment_over AFTER UPDATE OF enabled ON device"
    " WHEN NEW.module = '' AND NEW.enabled BEGIN DELETE FROM enrollment WHERE id = NEW.id; END;"
    "CREATE TRIGGER enrollment_gone AFTER DELETE ON device WHEN OLD.module = '' BEGIN"
    " DELETE FROM enrollment WHERE id = OLD.id; END;"
    /* Facts are written often: in the row of a device they would rewrite its keys. `unseen` is
     * minus the time at which it was seen, so that one index has the newest first. Every device
     * has a row from the beginning. */
    "CREATE TABLE device_seen ("
    " of_device TEXT NOT NULL, of_module TEXT NOT NULL, unseen INTEGER NOT NULL DEFAULT 0,"
    " address TEXT NOT NULL DEFAULT '', client TEXT NOT NULL DEFAULT '',"
    " refused INTEGER NOT NULL DEFAULT 0, refusal TEXT NOT NULL DEFAULT '',"
    " messages INTEGER NOT NULL DEFAULT 0, message_bytes INTEGER NOT NULL DEFAULT 0,"
    " messages_since INTEGER NOT NULL DEFAULT 0,"
    " PRIMARY KEY (of_device, of_module)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX device_seen_order ON device_seen (unseen, of_device, of_module);"
    "INSERT INTO device_seen (of_device, of_module) SELECT id, module FROM device;"
    "CREATE TRIGGER device_seen_added AFTER INSERT ON device BEGIN"
    " INSERT INTO device_seen (of_device, of_module) SELECT new.id, new.module WHERE NOT EXISTS"
    " (SELECT 1 FROM device_seen WHERE of_device = new.id AND of_module = new.module); END;"
    "CREATE TRIGGER device_seen_removed AFTER DELETE ON device BEGIN"
    " DELETE FROM device_seen WHERE of_device = old.id AND of_module = old.module; END;"
    /* Who knows the next authority, of registry/registry.h. */
    "CREATE TABLE known_device ("
    " id TEXT NOT NULL, module TEXT NOT NULL, serial INTEGER NOT NULL, PRIMARY KEY (id, module))"
    " STRICT, WITHOUT ROWID;"
    "CREATE TABLE known_user ("
    " name TEXT NOT NULL PRIMARY KEY, serial INTEGER NOT NULL, plain INTEGER NOT NULL)"
    " STRICT, WITHOUT ROWID;"
    "CREATE TRIGGER known_of_no_device AFTER DELETE ON device BEGIN"
    " DELETE FROM known_device WHERE id = OLD.id AND module = OLD.module; END;"
    "CREATE TRIGGER known_of_no_user AFTER DELETE ON policy BEGIN"
    " DELETE FROM known_user WHERE name = OLD.name; END;",
};

/* The one number that a PRAGMA gives; FALSE: the database cannot be read. */
static gboolean
query_number(sqlite3 *db, const char *sql, gint64 *ret)
{
    sqlite3_stmt *statement = NULL;
    gboolean ok = sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK &&
                  sqlite3_step(statement) == SQLITE_ROW;

    if (ok)
        *ret = sqlite3_column_int64(statement, 0);
    (void)sqlite3_finalize(statement);
    return ok;
}

gint64
registry_sqlite_schema_version(sqlite3 *db, const char *path, GError **error)
{
    gint64 application, version;

    if (!query_number(db, "PRAGMA application_id", &application) ||
        !query_number(db, "PRAGMA user_version", &version)) {
        (void)registry_sqlite_file_error(db, path, error);
        return 0;
    }
    if (application != REGISTRY_SQLITE_APPLICATION) {
        g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID, "%s: not a registry", path);
        return 0;
    }
    if (version >= 1 && version <= REGISTRY_SQLITE_VERSION)
        return version;
    g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID,
                "%s: of version %" G_GINT64_FORMAT ", and this program knows up to %d", path,
                version, REGISTRY_SQLITE_VERSION);
    return 0;
}

static gboolean
schema_step(sqlite3 *db, const char *path, gint64 from, GError **error)
{
    g_autofree char *sql = g_strdup_printf(
        "BEGIN IMMEDIATE; %s PRAGMA application_id=%d; PRAGMA user_version=%" G_GINT64_FORMAT
        "; COMMIT;",
        schema_steps[from], REGISTRY_SQLITE_APPLICATION, from + 1);

    if (sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK)
        return TRUE;
    (void)registry_sqlite_file_error(db, path, error);
    (void)sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    return FALSE;
}

static gboolean
schema_steps_from(sqlite3 *db, const char *path, gint64 version, GError **error)
{
    for (; version < REGISTRY_SQLITE_VERSION; version++)
        if (!schema_step(db, path, version, error))
            return FALSE;
    return TRUE;
}

gboolean
registry_sqlite_schema_create(sqlite3 *db, const char *path, GError **error)
{
    return schema_steps_from(db, path, 0, error);
}

gboolean
registry_sqlite_schema_upgrade(sqlite3 *db, const char *path, gboolean keep, GError **error)
{
    gint64 version = registry_sqlite_schema_version(db, path, error);
    g_autofree char *kept = g_strdup_printf("%s.v%" G_GINT64_FORMAT, path, version);

    if (version == 0 || version == REGISTRY_SQLITE_VERSION)
        return version != 0;
    if (keep && !registry_sqlite_keep(db, kept, error))
        return FALSE;
    return schema_steps_from(db, path, version, error);
}
