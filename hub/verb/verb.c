/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/verb/verb.h"

#include "common/base/error.h"
#include "common/base/table.h"
#include "common/cli/output.h"
#include "common/codec/device-id.h"
#include "hub/base/state.h"
#include "hub/base/private-file.h"

#include <glib/gi18n.h>
#include <stdio.h>
#include <string.h>

/* Where the package puts the settings of the installed hub; of another one they are named. */
#define CONFIG_DEFAULT STREAMHUB_SYSCONFDIR "/streamd/streamhub.conf"

ExitCode
verb_end(gboolean done, GError **error)
{
    if (done)
        return EXIT_CODE_OK;
    if (error == NULL || *error == NULL)
        return EXIT_CODE_OTHER;
    if (g_error_matches(*error, STREAMD_ERROR, STREAMD_ERROR_UNREACHABLE)) {
        (*error)->domain = EXIT_ERROR;
        (*error)->code = EXIT_CODE_NOT_RUNNING;
    }
    return exit_code_of_error(*error);
}

const char *
verb_state_dir(const Cli *cli)
{
    if (cli->given[OPTION_STATE_DIR] || cli->given[OPTION_ADMIN_SOCKET])
        return cli->values[OPTION_STATE_DIR];
    return STATE_DIR_DEFAULT;
}

const char *
verb_need_state_dir(const Cli *cli, GError **error)
{
    const char *state_dir = verb_state_dir(cli);

    if (state_dir == NULL)
        cli_fail(error, EXIT_CODE_USAGE,
                 _("which hub? Give --state-dir DIR, as to 'streamhub init'"));
    return state_dir;
}

const char *
verb_config(const Cli *cli)
{
    gboolean own = cli->given[OPTION_STATE_DIR] || cli->given[OPTION_ADMIN_SOCKET];

    if (cli->given[OPTION_CONFIG])
        return cli->values[OPTION_CONFIG];
    return !own && g_file_test(CONFIG_DEFAULT, G_FILE_TEST_EXISTS) ? CONFIG_DEFAULT : NULL;
}

AdminClient *
verb_connect(const Cli *cli)
{
    g_autofree char *path = NULL;

    if (cli->given[OPTION_ADMIN_SOCKET])
        return admin_client_new(cli->values[OPTION_ADMIN_SOCKET]);
    path = g_build_filename(verb_state_dir(cli), STATE_ADMIN_SOCKET, NULL);
    return admin_client_new(path);
}

JsonNode *
verb_ask(const Cli *cli, const char *method, const char *path, GError **error)
{
    g_autoptr(AdminClient) client = verb_connect(cli);

    return admin_client_call(client, method, path, NULL, error);
}

gboolean
verb_check_name(const char *name, GError **error)
{
    if (device_id_is_valid(name, -1))
        return TRUE;
    cli_fail(error, EXIT_CODE_USAGE,
             _("'%s' is not a name: 1 to 128 of letters, digits, '.', '_', ':', '-'"), name);
    return FALSE;
}

gboolean
verb_take_device(const Cli *cli, const char *word, char **ret_id, char **ret_module, GError **error)
{
    const char *slash = strchr(word, '/');
    g_autofree char *id = slash ? g_strndup(word, (gsize)(slash - word)) : g_strdup(word);
    g_autofree char *module = g_strdup(slash ? slash + 1 : cli->values[OPTION_MODULE]);

    if (!verb_check_name(id, error) || (module != NULL && !verb_check_name(module, error)))
        return FALSE;
    *ret_id = g_steal_pointer(&id);
    *ret_module = g_steal_pointer(&module);
    return TRUE;
}

gboolean
verb_check(Cli *cli, GError **error)
{
    gboolean knows = option_is_in(cli->verb->options, OPTION_MODULE);
    const char *word = cli->count > 0 ? cli->words[0] : "";
    char *slash = strchr(word, '/');

    if (!knows || !slash)
        return TRUE;
    if (cli->given[OPTION_MODULE]) {
        cli_fail(error, EXIT_CODE_USAGE, _("'%s' names a module already: leave --module out"),
                 word);
        return FALSE;
    }
    *slash = '\0'; /* words are parts of argv, and may be cut */
    cli->given[OPTION_MODULE] = TRUE;
    cli->values[OPTION_MODULE] = slash + 1;
    return verb_check_name(word, error) && verb_check_name(slash + 1, error);
}

gboolean
verb_write_secret(const char *file, const char *text, GError **error)
{
    g_autoptr(GError) failure = NULL;

    if (strcmp(file, "-") == 0)
        return output_write(text, error);
    if (private_file_write(file, text, strlen(text), &failure))
        return TRUE;
    if (exit_code_of_error(failure) == EXIT_CODE_EXISTS)
        cli_fail(error, EXIT_CODE_EXISTS,
                 _("%s is there already: move it away, or name another with --output FILE (- is "
                   "standard output)"),
                 file);
    else
        g_propagate_error(error, g_steal_pointer(&failure));
    return FALSE;
}

gboolean
verb_print_texts(const Cli *cli, const char *key, ...)
{
    g_autoptr(JsonNode) node = json_node_new(JSON_NODE_OBJECT);
    g_autoptr(JsonObject) object = json_object_new();
    va_list args;

    if (!cli->given[OPTION_JSON])
        return FALSE;
    va_start(args, key);
    for (; key != NULL; key = va_arg(args, const char *)) {
        const char *value = va_arg(args, const char *);

        if (value != NULL)
            json_object_set_string_member(object, key, value);
    }
    va_end(args);
    json_node_set_object(node, object);
    output_json_node(node, FALSE);
    return TRUE;
}

void
verb_warn(const char *text)
{
    g_autofree char *shown = table_escape(text);

    if (*text != '\0')
        (void)fprintf(stderr, _("streamhub: warning: %s\n"), shown);
}
