/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* streamhub backup, restore: they work on the registry's file, so the hub need not run. */
#include "hub/verb/cli.h"

#include "common/base/error.h"
#include "hub/admin/init.h"
#include "hub/registry/sqlite-backup.h"

#include <unistd.h>

/* NULL with an error. */
static char *
registry_path(const CliCall *call, GError **error)
{
    if (call->options->state_dir)
        return g_build_filename(call->options->state_dir, STATE_REGISTRY, NULL);
    g_set_error_literal(error, STREAMD_ERROR, STREAMD_ERROR_INVALID,
                        "which hub? Give --state-dir DIR, as to streamhub init");
    return NULL;
}

gboolean
verb_backup(const CliCall *call, GError **error)
{
    g_autofree char *path = registry_path(call, error);

    if (!path || !init_check_finished(call->options->state_dir, error) ||
        !registry_sqlite_backup(path, call->args[0], error))
        return FALSE;
    g_print("Wrote %s: every device and policy, with their keys\n", call->args[0]);
    return TRUE;
}

static gboolean
restore(const CliCall *call, const char *path, GError **error)
{
    g_autofree char *kept = NULL;

    if (!init_check_finished(call->options->state_dir, error) ||
        !registry_sqlite_restore(call->args[0], path, &kept, error) ||
        !state_give(call->options->state_dir, path, error))
        return FALSE;
    g_print("Restored %s from %s\n", path, call->args[0]);
    if (kept)
        g_print("  the former one is kept as %s\n", kept);
    return TRUE;
}

gboolean
verb_restore(const CliCall *call, GError **error)
{
    g_autofree char *path = registry_path(call, error);
    g_autoptr(GError) taken = NULL;
    gboolean ok;
    int lock;

    if (!path)
        return FALSE;
    lock = state_lock(call->options->state_dir, &taken);
    if (lock < 0 && taken->code == STREAMD_ERROR_EXISTS && taken->domain == STREAMD_ERROR)
        g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_BUSY, "%s: stop it first", taken->message);
    else if (lock < 0)
        g_propagate_error(error, g_steal_pointer(&taken));
    if (lock < 0)
        return FALSE;
    ok = restore(call, path, error);
    close(lock);
    return ok;
}
