/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/registry/sqlite-backup.h"

#include "common/base/error.h"
#include "hub/base/private-file.h"
#include "hub/registry/sqlite-file.h"
#include "hub/registry/sqlite-schema.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

static void
statement_finish(sqlite3_stmt *statement)
{
    (void)sqlite3_finalize(statement);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(sqlite3_stmt, statement_finish)

static gboolean
set_invalid(const char *path, const char *text, GError **error)
{
    g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID, "%s: %s", path, text);
    return FALSE;
}

/* Adds type, length and bytes, so that different rows never look the same. */
static void
digest_row(GChecksum *sum, sqlite3_stmt *row)
{
    for (int column = 0; column < sqlite3_column_count(row); column++) {
        gint64 type = sqlite3_column_type(row, column);
        const void *bytes = type == SQLITE_BLOB ? sqlite3_column_blob(row, column)
                                                : sqlite3_column_text(row, column);
        gint64 head[2] = {GINT64_TO_LE(type), 0};
        int len = sqlite3_column_bytes(row, column);

        head[1] = GINT64_TO_LE((gint64)len);
        g_checksum_update(sum, (const guchar *)head, sizeof head);
        if (len > 0)
            g_checksum_update(sum, bytes, len);
    }
}

static gboolean
digest_query(GChecksum *sum, sqlite3 *db, const char *path, const char *sql, GError **error)
{
    g_autoptr(sqlite3_stmt) rows = NULL;
    int result = sqlite3_prepare_v2(db, sql, -1, &rows, NULL);

    while (result == SQLITE_OK || result == SQLITE_ROW)
        if ((result = sqlite3_step(rows)) == SQLITE_ROW)
            digest_row(sum, rows);
    return result == SQLITE_DONE || registry_sqlite_file_error(db, path, error);
}

#define TABLES "FROM sqlite_schema WHERE type = 'table' AND name <> 'backup' ORDER BY name"

/* The digest of all tables but `backup`, as text; NULL with an error. Tables without row ids keep
 * their rows in order. */
static char *
digest(sqlite3 *db, const char *path, GError **error)
{
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
    g_autoptr(sqlite3_stmt) tables = NULL;
    int result = sqlite3_prepare_v2(db, "SELECT name " TABLES, -1, &tables, NULL);

    if (!digest_query(sum, db, path, "SELECT name, sql " TABLES, error) ||
        !digest_query(sum, db, path, "PRAGMA user_version", error))
        return NULL;
    while (result == SQLITE_OK || result == SQLITE_ROW)
        if ((result = sqlite3_step(tables)) == SQLITE_ROW) {
            char *sql = sqlite3_mprintf("SELECT * FROM \"%w\"", sqlite3_column_text(tables, 0));
            gboolean ok = digest_query(sum, db, path, sql, error);

            sqlite3_free(sql);
            if (!ok)
                return NULL;
        }
    if (result == SQLITE_DONE)
        return g_strdup(g_checksum_get_string(sum));
    (void)registry_sqlite_file_error(db, path, error);
    return NULL;
}

static gboolean
execute(sqlite3 *db, const char *path, const char *sql, GError **error)
{
    return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK ||
           registry_sqlite_file_error(db, path, error);
}

/* Makes the copy a single file, with its checksum. */
static gboolean
seal(sqlite3 *db, const char *file, GError **error)
{
    g_autofree char *sum = NULL, *sql = NULL;

    if (!execute(db, file, "PRAGMA journal_mode=DELETE; PRAGMA synchronous=EXTRA;", error))
        return FALSE;
    sum = digest(db, file, error);
    if (!sum)
        return FALSE;
    sql =
        g_strdup_printf("BEGIN; DROP TABLE IF EXISTS backup;"
                        "CREATE TABLE backup (sha256 TEXT NOT NULL, made INTEGER NOT NULL) STRICT;"
                        "INSERT INTO backup VALUES ('%s', %" G_GINT64_FORMAT "); COMMIT;",
                        sum, g_get_real_time());
    return execute(db, file, sql, error);
}

static gboolean
copy_sealed(const char *path, const char *part, GError **error)
{
    g_autofree char *reason = NULL;
    g_autoptr(sqlite3) from =
        registry_sqlite_file_open(path, REGISTRY_SQLITE_CHECK, &reason, error);
    g_autoptr(sqlite3) to = NULL;

    if (!from)
        return FALSE;
    registry_sqlite_remove(part);
    to = registry_sqlite_new_file(part, error);
    return to && registry_sqlite_copy(from, to, part, error) && seal(to, part, error);
}

gboolean
registry_sqlite_backup(const char *path, const char *file, GError **error)
{
    g_autofree char *part = g_strconcat(file, ".part", NULL);
    gboolean ok;

    if (g_file_test(file, G_FILE_TEST_EXISTS | G_FILE_TEST_IS_SYMLINK))
        return file_error_set(file, EEXIST, error);
    ok = copy_sealed(path, part, error) &&
         (link(part, file) == 0 || file_error_set(file, errno, error)) &&
         registry_sqlite_sync_folder(file, error);
    registry_sqlite_remove(part);
    return ok;
}

/* A device by its id, or a user or an invitation by its name: HERE has it, and THERE has not. */
#define ONLY_IN(table, key, module, here, there)                                                   \
    "SELECT " key ", " module " FROM " here "." table                                              \
    " AS a WHERE NOT EXISTS (SELECT 1 FROM " there "." table " AS b WHERE "
#define DEVICE_SAME "b.id = a.id AND b.module = a.module"
#define POLICY_SAME "b.name = a.name"
/* The first form knows keys alone: there a device with a certificate has its keys again. */
#define KEYS_DIFFER "(b.primary_key <> a.primary_key OR b.secondary_key <> a.secondary_key)"

static const char *const since_texts[REGISTRY_SINCE_KINDS] = {
    [REGISTRY_SINCE_DEVICE_ADDED] =
        ONLY_IN("device", "a.id", "a.module", "main", "kept") DEVICE_SAME ")",
    [REGISTRY_SINCE_DEVICE_KEYS] = "SELECT a.id, a.module FROM main.device AS a JOIN kept.device"
                                   " AS b ON " DEVICE_SAME " WHERE " KEYS_DIFFER
                                   " OR EXISTS (SELECT 1 FROM main.device_auth AS c"
                                   " WHERE c.id = a.id AND c.module = a.module)",
    [REGISTRY_SINCE_DEVICE_REMOVED] =
        ONLY_IN("device", "a.id", "a.module", "kept", "main") DEVICE_SAME ")",
    [REGISTRY_SINCE_USER_ADDED] = ONLY_IN("policy", "a.name", "''", "main", "kept") POLICY_SAME ")",
    [REGISTRY_SINCE_USER_KEYS] = "SELECT a.name, '' FROM main.policy AS a JOIN kept.policy"
                                 " AS b ON " POLICY_SAME " WHERE " KEYS_DIFFER,
    [REGISTRY_SINCE_USER_REMOVED] =
        ONLY_IN("policy", "a.name", "''", "kept", "main") POLICY_SAME ")",
    /* The first form has no invitations. */
    [REGISTRY_SINCE_INVITED] = "SELECT name, '' FROM main.invitation",
};

static gboolean
has_table(sqlite3 *db, const char *name)
{
    return sqlite3_table_column_metadata(db, "main", name, NULL, NULL, NULL, NULL, NULL, NULL) ==
           SQLITE_OK;
}

static gboolean
since_kind(sqlite3 *db, const char *path, RegistrySinceKind kind, RegistrySince func, void *data,
           GError **error)
{
    g_autoptr(sqlite3_stmt) rows = NULL;
    int result = sqlite3_prepare_v2(db, since_texts[kind], -1, &rows, NULL);

    while (result == SQLITE_OK || result == SQLITE_ROW)
        if ((result = sqlite3_step(rows)) == SQLITE_ROW) {
            const char *module = (const char *)sqlite3_column_text(rows, 1);

            func(kind, (const char *)sqlite3_column_text(rows, 0), *module ? module : NULL, data);
        }
    return result == SQLITE_DONE || registry_sqlite_file_error(db, path, error);
}

/* The newest form that was kept; NULL: there is none. */
static char *
kept_by_upgrade(const char *path)
{
    for (guint version = REGISTRY_SQLITE_VERSION - 1; version > 0; version--) {
        g_autofree char *kept = g_strdup_printf("%s.v%u", path, version);

        if (g_file_test(kept, G_FILE_TEST_EXISTS))
            return g_steal_pointer(&kept);
    }
    return NULL;
}

static gboolean
since_all(sqlite3 *db, const char *kept, RegistrySince func, void *data, GError **error)
{
    char *attach = sqlite3_mprintf("ATTACH %Q AS kept", kept);
    gboolean ok = execute(db, kept, attach, error);

    sqlite3_free(attach);
    for (guint kind = 0; kind < REGISTRY_SINCE_KINDS && ok; kind++)
        if (kind != REGISTRY_SINCE_INVITED || has_table(db, "invitation"))
            ok = since_kind(db, kept, kind, func, data, error);
    return ok;
}

gboolean
registry_sqlite_since_upgrade(const char *path, RegistrySince func, void *data, char **ret_kept,
                              GError **error)
{
    g_autofree char *kept = kept_by_upgrade(path), *reason = NULL;
    g_autoptr(sqlite3) db = NULL;

    *ret_kept = NULL;
    if (!kept) {
        g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_NOT_FOUND,
                    "%s: no registry of before an upgrade is kept beside it", path);
        return FALSE;
    }
    db = registry_sqlite_file_open(path, 0, &reason, error);
    if (!db || !since_all(db, kept, func, data, error))
        return FALSE;
    *ret_kept = g_steal_pointer(&kept);
    return TRUE;
}

/* The digest that is stored in the file, as text; NULL with an error. */
static char *
sealed_digest(sqlite3 *db, const char *file, GError **error)
{
    g_autoptr(sqlite3_stmt) statement = NULL;
    int result = sqlite3_prepare_v2(db, "SELECT sha256 FROM backup", -1, &statement, NULL);

    if (result == SQLITE_OK && sqlite3_step(statement) == SQLITE_ROW)
        return g_strdup((const char *)sqlite3_column_text(statement, 0));
    if (result == SQLITE_OK || result == SQLITE_ERROR)
        (void)set_invalid(file, "it has no checksum: 'streamhub backup' did not make it", error);
    else
        (void)registry_sqlite_file_error(db, file, error);
    return NULL;
}

static gboolean
check_seal(sqlite3 *db, const char *file, GError **error)
{
    g_autofree char *said = sealed_digest(db, file, error);
    g_autofree char *found = said ? digest(db, file, error) : NULL;

    if (!found)
        return FALSE;
    return strcmp(said, found) == 0 ||
           set_invalid(file, "damaged: what is in it is not what its checksum says", error);
}

/* Makes NEW a normal registry from the backup FILE: checked, and of this version. */
static gboolean
unpack(const char *file, const char *new, GError **error)
{
    g_autoptr(sqlite3) from = NULL, to = NULL, opened = NULL;
    g_autofree char *reason = NULL;

    if (!private_file_check(file, error))
        return FALSE;
    if (sqlite3_open_v2(file, &from, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK)
        return registry_sqlite_file_error(from, file, error);
    if (!check_seal(from, file, error))
        return FALSE;
    registry_sqlite_remove(new);
    to = registry_sqlite_new_file(new, error);
    if (!to || !registry_sqlite_copy(from, to, new, error) ||
        !execute(to, new, "PRAGMA synchronous=EXTRA; PRAGMA secure_delete=ON; DROP TABLE backup;",
                 error))
        return FALSE;
    g_clear_pointer(&to, registry_sqlite_close);
    opened = registry_sqlite_file_open(new, REGISTRY_SQLITE_CHECK | REGISTRY_SQLITE_UPGRADE,
                                       &reason, error);
    return opened != NULL && (!reason || set_invalid(new, reason, error));
}

/* Keeps the former registry under a second name. Opening and closing it brings its log into the
 * file; where that fails, the log is renamed too. No log or index may remain beside the new
 * registry. */
static gboolean
keep_former(const char *path, char **ret_kept, GError **error)
{
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();
    g_autofree char *stamp = g_date_time_format(now, "%Y%m%dT%H%M%S.%fZ");
    g_autofree char *kept = g_strconcat(path, ".before-", stamp, NULL);
    g_autofree char *log = g_strconcat(path, "-wal", NULL),
                    *index = g_strconcat(path, "-shm", NULL);
    g_autofree char *kept_log = g_strconcat(kept, "-wal", NULL), *reason = NULL;

    if (!g_file_test(path, G_FILE_TEST_EXISTS))
        return TRUE;
    registry_sqlite_close(registry_sqlite_file_open(path, 0, &reason, NULL));
    if (link(path, kept) < 0)
        return file_error_set(kept, errno, error);
    (void)g_unlink(index);
    if (g_rename(log, kept_log) < 0 && errno != ENOENT)
        return file_error_set(log, errno, error);
    *ret_kept = g_steal_pointer(&kept);
    return TRUE;
}

gboolean
registry_sqlite_restore(const char *file, const char *path, char **ret_kept, GError **error)
{
    g_autofree char *new = g_strconcat(path, ".restored", NULL);

    *ret_kept = NULL;
    if (unpack(file, new, error) && keep_former(path, ret_kept, error)) {
        if (g_rename(new, path) == 0)
            return registry_sqlite_sync_folder(path, error);
        (void)file_error_set(path, errno, error);
    }
    registry_sqlite_remove(new);
    return FALSE;
}
