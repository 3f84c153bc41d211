/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/registry/sqlite-file.h"

#include "common/base/error.h"
#include "hub/base/private-file.h"
#include "hub/registry/sqlite-schema.h"
#include "hub/registry/sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* For every connection. DELETE overwrites the bytes: the keys of a removed device must not stay in
 * the file. */
static const char connection_setup[] = "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
                                       "PRAGMA secure_delete=ON; PRAGMA trusted_schema=OFF;"
                                       "PRAGMA cell_size_check=ON; PRAGMA temp_store=MEMORY;"
                                       "PRAGMA journal_size_limit=4194304;";

const char *
registry_sqlite_file_reason(sqlite3 *db)
{
    int number = 0;

    switch (sqlite3_errcode(db) & 0xff) {
    case SQLITE_FULL:
        number = ENOSPC;
        break;
    case SQLITE_READONLY:
        number = EROFS;
        break;
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
        number = sqlite3_system_errno(db);
        break;
    default:
        break;
    }
    return number ? g_strerror(number) : sqlite3_errmsg(db);
}

gboolean
registry_sqlite_file_error(sqlite3 *db, const char *path, GError **error)
{
    int code = sqlite3_errcode(db);
    gboolean damaged = code == SQLITE_NOTADB || code == SQLITE_CORRUPT;

    g_set_error(error, STREAMD_ERROR,
                code == SQLITE_BUSY ? STREAMD_ERROR_BUSY
                : damaged           ? STREAMD_ERROR_INVALID
                                    : STREAMD_ERROR_FAILED,
                "%s: %s", path,
                code == SQLITE_NOTADB ? "not a registry" : registry_sqlite_file_reason(db));
    return FALSE;
}

/* The only value of a statement, as text. */
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

/* Checks that it is a registry, of a version that we know, and not damaged. */
static gboolean
db_check(sqlite3 *db, const char *path, GError **error)
{
    g_autofree char *damage = NULL;

    if (registry_sqlite_schema_version(db, path, error) == 0)
        return FALSE;
    damage = query_text(db, "PRAGMA integrity_check(1)");
    if (!damage)
        return registry_sqlite_file_error(db, path, error);
    if (strcmp(damage, "ok") == 0)
        return TRUE;
    g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID, "%s: damaged: %s", path, damage);
    return FALSE;
}

/* No mutex is needed: only one thread uses the connection. */
static sqlite3 *
db_open(const char *path, int flags, const char *vfs, GError **error)
{
    sqlite3 *db = NULL;

    if (sqlite3_open_v2(path, &db, flags | SQLITE_OPEN_NOMUTEX, vfs) != SQLITE_OK) {
        (void)registry_sqlite_file_error(db, path, error);
        (void)sqlite3_close(db);
        return NULL;
    }
    (void)sqlite3_busy_timeout(db, REGISTRY_SQLITE_BUSY_MS);
    (void)sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    return db;
}

gboolean
registry_sqlite_create(const char *path, GError **error)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    sqlite3 *db;
    gboolean ok;

    if (fd < 0)
        return file_error_set(path, errno, error);
    close(fd);
    db = db_open(path, SQLITE_OPEN_READWRITE, NULL, error);
    if (!db)
        return FALSE;
    ok = db_execute(db, path, connection_setup, error) &&
         registry_sqlite_schema_create(db, path, error);
    (void)sqlite3_close(db);
    return ok;
}

/* Sets *ret_reason when the disk is the cause of DB's last failure, or of DB being read-only. */
static void
note_reason(sqlite3 *db, const char *path, char **ret_reason)
{
    int code = sqlite3_errcode(db) & 0xff;

    g_clear_pointer(ret_reason, g_free);
    if (sqlite3_db_readonly(db, "main") == 1)
        *ret_reason = g_strdup(g_strerror(access(path, W_OK) < 0 ? errno : EROFS));
    else if (code == SQLITE_FULL || code == SQLITE_IOERR || code == SQLITE_CANTOPEN ||
             code == SQLITE_READONLY)
        *ret_reason = g_strdup(registry_sqlite_file_reason(db));
}

/* NULL with *ret_reason set: the disk does not allow it. SQLite opens a file that cannot be written
 * for reading, and says so only when it is asked. */
static sqlite3 *
open_writable(const char *path, RegistrySqliteOpen how, char **ret_reason, GError **error)
{
    sqlite3 *db = db_open(path, SQLITE_OPEN_READWRITE, NULL, error);
    g_autoptr(GError) upgrade = NULL; /* not final: the file may be served as it is, from memory */

    if (!db)
        return NULL;
    if ((!(how & REGISTRY_SQLITE_CHECK) || db_check(db, path, error)) &&
        db_execute(db, path, connection_setup, error) && sqlite3_db_readonly(db, "main") == 0 &&
        (!(how & REGISTRY_SQLITE_UPGRADE) ||
         registry_sqlite_schema_upgrade(db, path, TRUE, &upgrade)))
        return db;
    note_reason(db, path, ret_reason);
    if (!*ret_reason && upgrade)
        *ret_reason = g_strdup(upgrade->message);
    if (upgrade)
        g_propagate_error(error, g_steal_pointer(&upgrade));
    (void)sqlite3_close(db);
    return NULL;
}

/* Opens the registry with the log that a killed hub may have left. The index of a log is a file
 * otherwise; here it is kept in memory, because only this process has the database. So no locks are
 * needed either. Without a log SQLite would make one, unless it is told that the file cannot
 * change. */
static sqlite3 *
open_readable(const char *path, GError **error)
{
    static const char setup[] = "PRAGMA locking_mode=EXCLUSIVE; PRAGMA trusted_schema=OFF;"
                                "PRAGMA cell_size_check=ON; PRAGMA temp_store=MEMORY;";
    g_autofree char *log = g_strconcat(path, "-wal", NULL);
    g_autofree char *whole = g_canonicalize_filename(path, NULL);
    g_autofree char *escaped = g_filename_to_uri(whole, NULL, error);
    g_autofree char *uri = escaped ? g_strconcat(escaped, "?immutable=1", NULL) : NULL;
    struct stat info;
    sqlite3 *db;

    if (!uri)
        return NULL;
    if (stat(log, &info) == 0 && info.st_size > 0)
        db = db_open(path, SQLITE_OPEN_READONLY, "unix-none", error);
    else
        db = db_open(uri, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, NULL, error);
    if (!db)
        return NULL;
    (void)sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    if (db_execute(db, path, setup, error))
        return db;
    (void)sqlite3_close(db);
    return NULL;
}

/* For an older version on a disk that allows no change: upgrades a copy in memory, which is read
 * instead. Takes DB. */
static sqlite3 *
upgrade_in_memory(sqlite3 *db, const char *path, GError **error)
{
    g_autoptr(sqlite3) from = db;
    g_autoptr(sqlite3) copy = NULL;

    if (registry_sqlite_schema_version(from, path, NULL) == REGISTRY_SQLITE_VERSION)
        return g_steal_pointer(&from);
    copy = db_open(":memory:", SQLITE_OPEN_READWRITE, NULL, error);
    if (copy && registry_sqlite_copy(from, copy, path, error) &&
        registry_sqlite_schema_upgrade(copy, path, FALSE, error))
        return g_steal_pointer(&copy);
    return NULL;
}

sqlite3 *
registry_sqlite_file_open(const char *path, RegistrySqliteOpen how, char **ret_reason,
                          GError **error)
{
    g_autofree char *reason = NULL;
    g_autoptr(GError) failure = NULL;
    sqlite3 *db;

    if (!private_file_check(path, error))
        return NULL;
    db = open_writable(path, how, &reason, &failure);
    if (!db && reason) {
        g_clear_error(&failure);
        db = open_readable(path, &failure);
    }
    if (db && reason && (how & REGISTRY_SQLITE_CHECK) && !db_check(db, path, &failure))
        g_clear_pointer(&db, sqlite3_close);
    if (db && reason && (how & REGISTRY_SQLITE_UPGRADE))
        db = upgrade_in_memory(db, path, &failure);
    if (failure)
        g_propagate_error(error, g_steal_pointer(&failure));
    *ret_reason = g_steal_pointer(&reason);
    return db;
}

gboolean
registry_sqlite_examine(const char *path, gboolean *ret_older, char **ret_reason, GError **error)
{
    g_autoptr(sqlite3) db =
        registry_sqlite_file_open(path, REGISTRY_SQLITE_CHECK, ret_reason, error);
    gint64 version = db ? registry_sqlite_schema_version(db, path, error) : 0;

    *ret_older = version < REGISTRY_SQLITE_VERSION;
    return version != 0;
}

void
registry_sqlite_remove(const char *path)
{
    static const char *const beside[] = {"", "-wal", "-shm", "-journal"};

    for (gsize i = 0; i < G_N_ELEMENTS(beside); i++) {
        g_autofree char *name = g_strconcat(path, beside[i], NULL);

        (void)g_unlink(name);
    }
}

gboolean
registry_sqlite_sync_folder(const char *path, GError **error)
{
    g_autofree char *folder = g_path_get_dirname(path);
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int number = fd < 0 || fsync(fd) < 0 ? errno : 0;

    if (fd >= 0)
        close(fd);
    return number == 0 || file_error_set(folder, number, error);
}

sqlite3 *
registry_sqlite_new_file(const char *file, GError **error)
{
    int fd = open(file, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    g_autoptr(sqlite3) db = NULL;

    if (fd < 0) {
        (void)file_error_set(file, errno, error);
        return NULL;
    }
    close(fd);
    if (sqlite3_open_v2(file, &db, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK)
        return g_steal_pointer(&db);
    (void)registry_sqlite_file_error(db, file, error);
    return NULL;
}

gboolean
registry_sqlite_copy(sqlite3 *from, sqlite3 *to, const char *file, GError **error)
{
    sqlite3_backup *copy = sqlite3_backup_init(to, "main", from, "main");

    if (copy)
        (void)sqlite3_backup_step(copy, -1);
    if (copy && sqlite3_backup_finish(copy) == SQLITE_OK)
        return TRUE;
    return registry_sqlite_file_error(to, file, error);
}

static gboolean
copy_part(sqlite3 *from, const char *part, GError **error)
{
    g_autoptr(sqlite3) to = registry_sqlite_new_file(part, error);

    return to && registry_sqlite_copy(from, to, part, error) &&
           (sqlite3_exec(to, "PRAGMA journal_mode=DELETE; PRAGMA synchronous=EXTRA;", NULL, NULL,
                         NULL) == SQLITE_OK ||
            registry_sqlite_file_error(to, part, error));
}

/* The file gets its name last, after SQLite has synced the copy. */
gboolean
registry_sqlite_keep(sqlite3 *from, const char *file, GError **error)
{
    g_autofree char *part = g_strconcat(file, ".part", NULL);

    registry_sqlite_remove(part);
    if (copy_part(from, part, error) &&
        (g_rename(part, file) == 0 || file_error_set(file, errno, error)))
        return registry_sqlite_sync_folder(file, error);
    registry_sqlite_remove(part);
    return FALSE;
}
