/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* streamhub backup, restore: they work on the registry's file, so the hub need not run. */
#include "common/cli/output.h"
#include "common/base/error.h"
#include "hub/admin/init.h"
#include "hub/base/state.h"
#include "hub/registry/sqlite-backup.h"
#include "hub/verb/verb.h"

#include <glib/gi18n.h>
#include <stdio.h>
#include <unistd.h>

typedef struct {
    const Cli *cli;
    guint64 count;
} Since;

/* Of RegistrySinceKind: in JSON, and for people. */
static const char *const since_names[REGISTRY_SINCE_KINDS][2] = {
    {"device-added", N_("added device")},     {"device-keys", N_("other keys of device")},
    {"device-removed", N_("removed device")}, {"user-added", N_("added user")},
    {"user-keys", N_("other keys of user")},  {"user-removed", N_("removed user")},
    {"invited", N_("made invitation")},
};

/* A line for each, all of them one array: there may be a million. */
static void
since_print_json(const Since *since, JsonNode *item)
{
    g_autofree char *text = output_format_node(item, TRUE);

    (void)printf("%s%s", since->count == 1 ? "[\n" : ",\n", text);
}

static void
print_since(RegistrySinceKind kind, const char *name, const char *module, void *data)
{
    Since *since = data;
    g_autoptr(JsonNode) item = NULL;
    g_autoptr(JsonObject) object = NULL;

    since->count++;
    if (!since->cli->given[OPTION_JSON]) {
        (void)printf("%s %s%s%s\n", _(since_names[kind][1]), name, module != NULL ? "/" : "",
                     module != NULL ? module : "");
        return;
    }
    item = json_node_new(JSON_NODE_OBJECT);
    object = json_object_new();
    json_object_set_string_member(object, "what", since_names[kind][0]);
    json_object_set_string_member(object, "name", name);
    if (module != NULL)
        json_object_set_string_member(object, "module", module);
    json_node_set_object(item, object);
    since_print_json(since, item);
}

/* What a return to the version before the upgrade would lose, or bring back. */
static ExitCode
since_upgrade(Cli *cli, const char *path, GError **error)
{
    Since since = {.cli = cli};
    g_autofree char *kept = NULL;

    if (!registry_sqlite_since_upgrade(path, print_since, &since, &kept, error))
        return verb_end(FALSE, error);
    if (cli->given[OPTION_JSON])
        (void)printf(since.count > 0 ? "\n]\n" : "[]\n");
    else if (since.count == 0)
        (void)printf(_("Devices, users and their keys are as they were before the upgrade (%s)\n"),
                     kept);
    return verb_end(output_flush(error), error);
}

ExitCode
verb_backup(Cli *cli, GError **error)
{
    const char *state_dir = verb_need_state_dir(cli, error), *file = cli->words[0];
    g_autofree char *path = NULL;

    if (state_dir == NULL)
        return verb_end(FALSE, error);
    if ((cli->count == 1) == cli->given[OPTION_SINCE_UPGRADE])
        return cli_fail(error, EXIT_CODE_USAGE, _("backup: name a FILE, or --since-upgrade"));
    path = g_build_filename(state_dir, STATE_REGISTRY, NULL);
    if (cli->given[OPTION_SINCE_UPGRADE])
        return since_upgrade(cli, path, error);
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
