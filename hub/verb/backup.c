/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* streamhub backup, restore: they work on the registry's file, so the hub need not run. */
#include "common/base/error.h"
#include "hub/admin/init.h"
#include "hub/admin/state.h"
#include "hub/registry/sqlite-backup.h"
#include "hub/verb/verb.h"

#include <glib/gi18n.h>
#include <stdio.h>
#include <unistd.h>

ExitCode
verb_backup(Cli *cli, GError **error)
{
    const char *state_dir = verb_need_state_dir(cli, error), *file = cli->words[0];
    g_autofree char *path = NULL;

    if (state_dir == NULL)
        return verb_end(FALSE, error);
    path = g_build_filename(state_dir, STATE_REGISTRY, NULL);
    if (!init_check_finished(state_dir, error) || !registry_sqlite_backup(path, file, error))
        return verb_end(FALSE, error);
    if (!verb_print_texts(cli, "file", file, NULL))
        (void)printf(_("Wrote %s: every device and user, with their keys\n"), file);
    return EXIT_CODE_OK;
}

static gboolean
restore(const Cli *cli, const char *state_dir, GError **error)
{
    g_autofree char *path = g_build_filename(state_dir, STATE_REGISTRY, NULL), *kept = NULL;
    const char *file = cli->words[0];

    if (!init_check_finished(state_dir, error) ||
        !registry_sqlite_restore(file, path, &kept, error) || !state_give(state_dir, path, error))
        return FALSE;
    if (verb_print_texts(cli, "registry", path, "kept", kept, NULL))
        return TRUE;
    (void)printf(_("Restored %s from %s\n"), path, file);
    if (kept != NULL)
        (void)printf(_("  the former one is kept as %s\n"), kept);
    return TRUE;
}

ExitCode
verb_restore(Cli *cli, GError **error)
{
    const char *state_dir = verb_need_state_dir(cli, error);
    g_autoptr(GError) taken = NULL;
    gboolean done;
    int lock;

    if (state_dir == NULL)
        return verb_end(FALSE, error);
    lock = state_lock(state_dir, &taken);
    if (lock < 0 && g_error_matches(taken, STREAMD_ERROR, STREAMD_ERROR_EXISTS))
        cli_fail(error, EXIT_CODE_OTHER, _("%s: stop it first"), taken->message);
    else if (lock < 0)
        g_propagate_error(error, g_steal_pointer(&taken));
    if (lock < 0)
        return verb_end(FALSE, error);
    done = restore(cli, state_dir, error);
    (void)close(lock);
    return verb_end(done, error);
}
