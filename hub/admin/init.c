/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/admin/init.h"

#include "common/base/error.h"
#include "hub/certificate/certificate.h"
#include "hub/base/private-file.h"
#include "hub/registry/sqlite.h"

#include <errno.h>
#include <glib/gstdio.h>
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
                                 "the usual users cannot be made: %s", result->message);
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
    for (guint i = 0; i < FILES; i++)
        if (i != FILE_CA_KEY && !state_give(state_dir, paths[i], error))
            return FALSE;
    return TRUE;
}

static gboolean
make_files(const char *state_dir, char *const *paths, const char *const *names, GError **error)
{
    return certificate_make_authority(CERTIFICATE_AUTHORITY_NAME, paths[FILE_CA_CERT],
                                      paths[FILE_CA_KEY], error) &&
           certificate_make_server(paths[FILE_CA_CERT], paths[FILE_CA_KEY], names,
                                   paths[FILE_SERVER_CERT], paths[FILE_SERVER_KEY], error) &&
           make_registry(paths[FILE_REGISTRY], error) && give_files(state_dir, paths, error);
}

static gboolean
is_there(const char *path)
{
    return g_file_test(path, G_FILE_TEST_EXISTS | G_FILE_TEST_IS_SYMLINK);
}

/* The error names the files that exist, and those that are missing when some do: only the
 * administrator knows whether they are worth something. */
static gboolean
nothing_exists(const char *state_dir, char *const *paths, GError **error)
{
    g_autoptr(GString) there = g_string_new(NULL), missing = g_string_new(NULL);

    for (guint i = 0; i < FILES; i++) {
        GString *list = is_there(paths[i]) ? there : missing;

        g_string_append_printf(list, "%s%s", list->len ? ", " : "", file_names[i]);
    }
    if (there->len == 0)
        return TRUE;
    g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_EXISTS,
                "%s: there is already %s%s%s: nothing was changed", state_dir, there->str,
                missing->len ? ", but no " : "", missing->str);
    return FALSE;
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

/* Sets the mark. If there is one, an earlier init was killed: removes what that one made. */
static gboolean
begin(int folder, const char *state_dir, const char *mark, char *const *paths, GError **error)
{
    if (is_there(mark)) {
        remove_files(paths);
        return TRUE;
    }
    return nothing_exists(state_dir, paths, error) && private_file_write(mark, "", 0, error) &&
           (fsync(folder) == 0 || file_error_set(state_dir, errno, error));
}

/* The hub exists once the mark is removed. So its files must be safe on the disk before that. */
static gboolean
finish(int folder, const char *state_dir, const char *mark, GError **error)
{
    if (fsync(folder) < 0)
        return file_error_set(state_dir, errno, error);
    if (g_unlink(mark) < 0)
        return file_error_set(mark, errno, error);
    return fsync(folder) == 0 || file_error_set(state_dir, errno, error);
}

static gboolean
init_locked(int folder, const char *state_dir, char *const *paths, const char *const *names,
            GError **error)
{
    g_autofree char *mark = g_build_filename(state_dir, STATE_UNFINISHED, NULL);

    if (!begin(folder, state_dir, mark, paths, error))
        return FALSE;
    if (make_files(state_dir, paths, names, error) && finish(folder, state_dir, mark, error))
        return TRUE;
    remove_files(paths);
    (void)g_unlink(mark);
    return FALSE;
}

gboolean
init_run(const char *state_dir, const char *const *names, GError **error)
{
    g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *mark = g_build_filename(state_dir, STATE_UNFINISHED, NULL);
    gboolean ok;
    int folder;

    for (guint i = 0; i < FILES; i++)
        g_ptr_array_add(paths, g_build_filename(state_dir, file_names[i], NULL));
    /* Checked before the lock: when a hub is running here, the error is about its files. */
    if (!private_folder_make(state_dir, error) ||
        (!is_there(mark) && !nothing_exists(state_dir, (char *const *)paths->pdata, error)))
        return FALSE;
    folder = state_lock(state_dir, error);
    if (folder < 0)
        return FALSE;
    ok = init_locked(folder, state_dir, (char *const *)paths->pdata, names, error);
    close(folder);
    return ok;
}

gboolean
init_check_finished(const char *state_dir, GError **error)
{
    g_autofree char *mark = g_build_filename(state_dir, STATE_UNFINISHED, NULL);

    if (!is_there(mark))
        return TRUE;
    g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID,
                "%s: the hub is half made: 'streamhub init' did not come to its end; run it again",
                state_dir);
    return FALSE;
}
