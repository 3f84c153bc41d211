/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/admin/init.h"

#include "common/base/error.h"
#include "hub/admin/certificate.h"
#include "hub/base/private-file.h"
#include "hub/registry/sqlite.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <sys/stat.h>
#include <unistd.h>

typedef enum {
    FILE_CA_CERT,
    FILE_CA_KEY,
    FILE_SERVER_CERT,
    FILE_SERVER_KEY,
    FILE_REGISTRY,
    FILES,
} InitFile;

static const char *const file_names[FILES] = {
    [FILE_CA_CERT] = STATE_CA_CERT,         [FILE_CA_KEY] = STATE_CA_KEY,
    [FILE_SERVER_CERT] = STATE_SERVER_CERT, [FILE_SERVER_KEY] = STATE_SERVER_KEY,
    [FILE_REGISTRY] = STATE_REGISTRY,
};

static const RegistryPolicy usual_policies[] = {
    {.name = (char *)"iothubowner", .rights = REGISTRY_RIGHTS_ALL},
    {.name = (char *)"service", .rights = REGISTRY_RIGHT_SERVICE_CONNECT},
    {.name = (char *)"device", .rights = REGISTRY_RIGHT_DEVICE_CONNECT},
    {.name = (char *)"registryRead", .rights = REGISTRY_RIGHT_READ},
    {.name = (char *)"registryReadWrite", .rights = REGISTRY_RIGHT_READ | REGISTRY_RIGHT_WRITE},
};

typedef struct {
    guint waiting;
    GError *error;
} PolicyRun;

static void
on_policy(const RegistryResult *result, void *data)
{
    PolicyRun *run = data;

    run->waiting--;
    if (result->code != REGISTRY_OK && !run->error)
        run->error = g_error_new(STREAMD_ERROR, STREAMD_ERROR_FAILED,
                                 "the usual policies cannot be made: %s", result->message);
}

static gboolean
make_registry(const char *path, GError **error)
{
    g_autoptr(Registry) registry = NULL;
    PolicyRun run = {.waiting = G_N_ELEMENTS(usual_policies)};

    if (!registry_sqlite_create(path, error))
        return FALSE;
    registry = registry_sqlite_open(path, error);
    if (!registry)
        return FALSE;
    for (gsize i = 0; i < G_N_ELEMENTS(usual_policies); i++)
        registry_add_policy(registry, &usual_policies[i], on_policy, &run);
    while (run.waiting > 0)
        g_main_context_iteration(NULL, TRUE);
    if (!run.error)
        return TRUE;
    g_propagate_error(error, run.error);
    return FALSE;
}

/* The hub's user needs everything but the authority's key, which stays with root. */
static gboolean
give_files(const char *state_dir, char *const *paths, GError **error)
{
    struct stat info;

    if (geteuid() != 0 || stat(state_dir, &info) < 0 || info.st_uid == 0)
        return TRUE;
    for (guint i = 0; i < FILES; i++) {
        if (i == FILE_CA_KEY || lchown(paths[i], info.st_uid, info.st_gid) == 0)
            continue;
        g_set_error(error, G_FILE_ERROR, (int)g_file_error_from_errno(errno), "%s: %s", paths[i],
                    g_strerror(errno));
        return FALSE;
    }
    return TRUE;
}

static gboolean
make_files(const char *state_dir, char *const *paths, const char *const *names, GError **error)
{
    return certificate_make_authority(paths[FILE_CA_CERT], paths[FILE_CA_KEY], error) &&
           certificate_make_server(paths[FILE_CA_CERT], paths[FILE_CA_KEY], names,
                                   paths[FILE_SERVER_CERT], paths[FILE_SERVER_KEY], error) &&
           make_registry(paths[FILE_REGISTRY], error) && give_files(state_dir, paths, error);
}

static gboolean
nothing_exists(char *const *paths, GError **error)
{
    for (guint i = 0; i < FILES; i++) {
        if (!g_file_test(paths[i], G_FILE_TEST_EXISTS | G_FILE_TEST_IS_SYMLINK))
            continue;
        g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_EXISTS,
                    "%s is there already: nothing was changed", paths[i]);
        return FALSE;
    }
    return TRUE;
}

static void
remove_files(char *const *paths)
{
    static const char *const beside[] = {"", "-wal", "-shm", "-journal"};

    for (guint i = 0; i < FILES; i++)
        for (gsize j = 0; j < G_N_ELEMENTS(beside); j++) {
            g_autofree char *path = g_strconcat(paths[i], beside[j], NULL);

            (void)g_unlink(path);
        }
}

gboolean
init_run(const char *state_dir, const char *const *names, GError **error)
{
    g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);
    char *const *files;

    for (guint i = 0; i < FILES; i++)
        g_ptr_array_add(paths, g_build_filename(state_dir, file_names[i], NULL));
    files = (char *const *)paths->pdata;
    if (!private_folder_make(state_dir, error) || !nothing_exists(files, error))
        return FALSE;
    if (make_files(state_dir, files, names, error))
        return TRUE;
    remove_files(files);
    return FALSE;
}
