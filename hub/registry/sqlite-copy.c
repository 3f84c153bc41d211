/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/registry/sqlite-copy.h"

#include "hub/base/private-file.h"
#include "hub/registry/sqlite-file.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <unistd.h>

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
