/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/registry/sqlite-file.h"

#include "common/base/error.h"
#include "hub/base/private-file.h"
#include "hub/registry/sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define APPLICATION_ID 0x53747268 /* "Strh" */
#define SCHEMA_VERSION 1

/* Step N leads from version N to N + 1. A step that was released is never changed. */
static const char *const schema_steps[SCHEMA_VERSION] = {
    "CREATE TABLE device ("
    " id TEXT NOT NULL, module TEXT NOT NULL, enabled INTEGER NOT NULL,"
    " primary_key BLOB NOT NULL, secondary_key BLOB NOT NULL,"
    " generation_id INTEGER NOT NULL, etag INTEGER NOT NULL, created INTEGER NOT NULL,"
    " PRIMARY KEY (id, module)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE policy ("
    " name TEXT NOT NULL PRIMARY KEY, rights INTEGER NOT NULL,"
    " primary_key BLOB NOT NULL, secondary_key BLOB NOT NULL, created INTEGER NOT NULL"
    ") STRICT, WITHOUT ROWID;",
};

/* Every connection. DELETE overwrites: the keys of a removed device do not stay in the file. */
static const char connection_setup[] = "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
                                       "PRAGMA secure_delete=ON; PRAGMA trusted_schema=OFF;"
                                       "PRAGMA cell_size_check=ON; PRAGMA temp_store=MEMORY;"
                                       "PRAGMA journal_size_limit=4194304;";

gboolean
registry_sqlite_file_error(sqlite3 *db, const char *path, GError **error)
{
    int code = sqlite3_errcode(db);
    gboolean damaged = code == SQLITE_NOTADB || code == SQLITE_CORRUPT;

    g_set_error(error, STREAMD_ERROR,
                code == SQLITE_BUSY ? STREAMD_ERROR_BUSY
                : damaged           ? STREAMD_ERROR_INVALID
                                    : STREAMD_ERROR_FAILED,
                "%s: %s", path, code == SQLITE_NOTADB ? "not a registry" : sqlite3_errmsg(db));
    return FALSE;
}

/* The one value that a statement gives, as text. */
static char *
query_text(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    char *text = NULL;

    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW)
        text = g_strdup((const char *)sqlite3_column_text(statement, 0));
    (void)sqlite3_finalize(statement);
    return text;
}

static gboolean
db_execute(sqlite3 *db, const char *path, const char *sql, GError **error)
{
    return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK ||
           registry_sqlite_file_error(db, path, error);
}

static gboolean
db_upgrade(sqlite3 *db, const char *path, gint64 from, GError **error)
{
    for (gint64 version = from; version < SCHEMA_VERSION; version++) {
        g_autofree char *sql = g_strdup_printf("BEGIN IMMEDIATE; %s PRAGMA application_id=%d;"
                                               "PRAGMA user_version=%" G_GINT64_FORMAT "; COMMIT;",
                                               schema_steps[version], APPLICATION_ID, version + 1);

        if (!db_execute(db, path, sql, error)) {
            (void)sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
            return FALSE;
        }
    }
    return TRUE;
}

/* A file of ours, of a version we know, and whole. */
static gboolean
db_check(sqlite3 *db, const char *path, GError **error)
{
    g_autofree char *application = query_text(db, "PRAGMA application_id");
    g_autofree char *version_text = query_text(db, "PRAGMA user_version");
    g_autofree char *damage = query_text(db, "PRAGMA integrity_check(1)");
    gint64 version;

    if (!application || !version_text || !damage)
        return registry_sqlite_file_error(db, path, error);
    if (g_ascii_strtoll(application, NULL, 10) != APPLICATION_ID) {
        g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID, "%s: not a registry", path);
        return FALSE;
    }
    if (strcmp(damage, "ok") != 0) {
        g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID, "%s: damaged: %s", path, damage);
        return FALSE;
    }
    version = g_ascii_strtoll(version_text, NULL, 10);
    if (version < 1 || version > SCHEMA_VERSION) {
        g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID,
                    "%s: of version %s, and this program knows up to %d", path, version_text,
                    SCHEMA_VERSION);
        return FALSE;
    }
    return db_upgrade(db, path, version, error);
}

static sqlite3 *
db_open(const char *path, GError **error)
{
    sqlite3 *db = NULL;

    /* Serialized by the one thread that has it. */
    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) !=
        SQLITE_OK) {
        (void)registry_sqlite_file_error(db, path, error);
        (void)sqlite3_close(db);
        return NULL;
    }
    (void)sqlite3_busy_timeout(db, REGISTRY_SQLITE_BUSY_MS);
    (void)sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    return db;
}

static gboolean
set_file_error(const char *path, int number, GError **error)
{
    g_set_error(error, G_FILE_ERROR, (int)g_file_error_from_errno(number), "%s: %s", path,
                g_strerror(number));
    return FALSE;
}

gboolean
registry_sqlite_create(const char *path, GError **error)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    sqlite3 *db;
    gboolean ok;

    if (fd < 0)
        return set_file_error(path, errno, error);
    close(fd);
    db = db_open(path, error);
    if (!db)
        return FALSE;
    ok = db_execute(db, path, connection_setup, error) && db_upgrade(db, path, 0, error);
    (void)sqlite3_close(db);
    return ok;
}

sqlite3 *
registry_sqlite_file_open(const char *path, GError **error)
{
    sqlite3 *db;

    if (!private_file_check(path, error))
        return NULL;
    db = db_open(path, error);
    if (!db)
        return NULL;
    if (db_check(db, path, error) && db_execute(db, path, connection_setup, error))
        return db;
    (void)sqlite3_close(db);
    return NULL;
}
