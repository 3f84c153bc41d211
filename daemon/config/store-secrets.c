/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/config/store-secrets.h"

#include "common/base/error.h"
#include "daemon/config/store-file.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct StoreSecrets {
    char *dir, *folder;
    guint64 last; /* highest generation; 0: the folder was not read yet */
};

StoreSecrets *
store_secrets_new(const char *dir)
{
    StoreSecrets *secrets = g_new0(StoreSecrets, 1);

    secrets->dir = g_strdup(dir);
    secrets->folder = g_build_filename(dir, "secrets.d", NULL);
    return secrets;
}

void
store_secrets_free(StoreSecrets *secrets)
{
    if (!secrets)
        return;
    g_free(secrets->dir);
    g_free(secrets->folder);
    g_free(secrets);
}

/* 0: the name has no generation. */
static guint64
secrets_generation(const char *file)
{
    const char *dot = strrchr(file, '.');
    guint64 generation = 0;

    if (!dot || dot == file ||
        !g_ascii_string_to_unsigned(dot + 1, 10, 1, G_MAXUINT64 / 2, &generation, NULL))
        return 0;
    return generation;
}

gboolean
store_secrets_is_of(const char *file, const char *hub)
{
    gsize len = strlen(hub);

    return strncmp(file, hub, len) == 0 && file[len] == '.' && !strchr(file + len + 1, '.') &&
           secrets_generation(file) > 0;
}

static char *
secrets_path(const StoreSecrets *secrets, const char *file)
{
    return g_build_filename(secrets->folder, file, NULL);
}

char *
store_secrets_read(StoreSecrets *secrets, const char *file, char **ret_why)
{
    g_autofree char *path = secrets_path(secrets, file);
    g_autoptr(GError) error = NULL;
    char *body = NULL;
    int version;

    switch (store_file_read(path, 077, &body, &version, &error)) {
    case STORE_FILE_READ:
        return body;
    case STORE_FILE_ABSENT:
        *ret_why = g_strdup_printf("its key is missing: there is no file %s", path);
        return NULL;
    case STORE_FILE_NEWER:
    case STORE_FILE_REFUSED:
    default:
        *ret_why = g_strdup_printf("its key cannot be used: %s", error->message);
        return NULL;
    }
}

/* Chooses the next generation that no file has, whatever the state says: an existing file is never
 * overwritten. */
static gboolean
secrets_next(StoreSecrets *secrets, GError **error)
{
    GDir *folder = NULL;
    const char *name;

    if (secrets->last == 0 && (folder = g_dir_open(secrets->folder, 0, error)) == NULL)
        return FALSE;
    while (folder && (name = g_dir_read_name(folder)) != NULL)
        secrets->last = MAX(secrets->last, secrets_generation(name));
    g_clear_pointer(&folder, g_dir_close);
    secrets->last++;
    return TRUE;
}

static gboolean
secrets_make_folder(const StoreSecrets *secrets, GError **error)
{
    if (mkdir(secrets->folder, 0700) == 0)
        return store_file_sync_folder(secrets->dir, error);
    if (errno == EEXIST)
        return TRUE;
    g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_FAILED, "%s: %s", secrets->folder,
                g_strerror(errno));
    return FALSE;
}

char *
store_secrets_add(StoreSecrets *secrets, const char *hub, const char *body, GError **error)
{
    g_autofree char *file = NULL, *path = NULL;

    if (!secrets_make_folder(secrets, error) || !secrets_next(secrets, error))
        return NULL;
    file = g_strdup_printf("%s.%" G_GUINT64_FORMAT, hub, secrets->last);
    path = secrets_path(secrets, file);
    if (store_file_write(path, body, error) == STORE_FILE_WRITTEN)
        return g_steal_pointer(&file);
    (void)unlink(path);
    return NULL;
}

void
store_secrets_remove(StoreSecrets *secrets, const char *file)
{
    g_autofree char *path = secrets_path(secrets, file);

    if (unlink(path) < 0 && errno != ENOENT)
        g_warning("%s is left over and cannot be removed: %s", path, g_strerror(errno));
}

void
store_secrets_list(StoreSecrets *secrets, GHashTable *named, GPtrArray *names)
{
    GDir *folder = g_dir_open(secrets->folder, 0, NULL);
    const char *name;

    if (!folder)
        return;
    while ((name = g_dir_read_name(folder)) != NULL)
        if ((secrets_generation(name) > 0 || store_file_is_torn(name)) &&
            !g_hash_table_contains(named, name))
            g_ptr_array_add(names, g_strdup(name));
    g_dir_close(folder);
}
