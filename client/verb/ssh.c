/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* streamctl ssh: runs the real ssh and tells it how to reach the device. */
#include "client/verb/ssh-name.h"
#include "client/verb/verb.h"

#include <errno.h>
#include <glib/gi18n.h>
#include <string.h>
#include <unistd.h>

/* [USER@]DEVICE. A device has no @ in its name; a user may. */
static gboolean
ssh_read_place(const char *place, char **ret_user, const char **ret_device, GError **error)
{
    const char *at = strrchr(place, '@');
    const char *device = at != NULL ? at + 1 : place;

    if (at == place || *place == '-' || *device == '-' || !ssh_name_is_device(device)) {
        cli_fail(error, EXIT_CODE_USAGE,
                 _("'%.200s' is not [USER@]DEVICE[/MODULE]; ssh takes none that begins with '-'"),
                 place);
        return FALSE;
    }
    *ret_user = at != NULL ? g_strndup(place, (gsize)(at - place)) : NULL;
    *ret_device = device;
    return TRUE;
}

/* The path of this program, so that ssh runs the same one. Caller frees. */
static char *
ssh_own_path(void)
{
    g_autofree char *path = g_file_read_link("/proc/self/exe", NULL);

    return path != NULL && g_file_test(path, G_FILE_TEST_IS_EXECUTABLE) ? g_steal_pointer(&path)
                                                                        : g_strdup("streamctl");
}

/* A word for the shell that ssh runs. ssh itself replaces % first. */
static void
ssh_add_word(GString *line, const char *word)
{
    g_autofree char *quoted = g_shell_quote(word);

    g_string_append_c(line, ' ');
    g_string_append(line, quoted);
}

static void
ssh_add_option(GString *line, const Cli *cli, Option option)
{
    const char *value = cli->values[option];
    g_autofree char *text = NULL;

    if (!cli->given[option])
        return;
    text = g_strconcat("--", option_row(&streamctl_options, option)->name,
                       value != NULL ? "=" : NULL, value, NULL);
    ssh_add_word(line, text);
}

static char *
ssh_proxy_command(const Cli *cli, const char *device, const char *stream)
{
    static const Option passed[] = {OPTION_USER,     OPTION_SYSTEM,  OPTION_NO_ASK_PASSWORD,
                                    OPTION_HUB,      OPTION_TIMEOUT, OPTION_WAIT,
                                    OPTION_NO_RESUME};
    g_autoptr(GString) line = g_string_new("ProxyCommand");
    g_autofree char *path = ssh_own_path();

    ssh_add_word(line, path);
    g_string_append(line, " connect --fdpass");
    for (guint i = 0; i < G_N_ELEMENTS(passed); i++)
        ssh_add_option(line, cli, passed[i]);
    g_string_append(line, " --");
    ssh_add_word(line, device);
    ssh_add_word(line, stream);
    (void)g_string_replace(line, "%", "%%", 0);
    return g_string_free(g_steal_pointer(&line), FALSE);
}

static void
ssh_add_config(GPtrArray *argv, char *text)
{
    g_ptr_array_add(argv, g_strdup("-o"));
    g_ptr_array_add(argv, text);
}

/* Another stream may lead to another sshd. So it gets its own host key, as another port does, and
 * shares no connection with the first. */
static void
ssh_add_stream(GPtrArray *argv, const char *host, const char *stream)
{
    if (strcmp(stream, SSH_NAME_STREAM) == 0)
        return;
    ssh_add_config(argv, g_strdup_printf("HostKeyAlias=[%s]:%s", host, stream));
    ssh_add_config(argv, g_strdup("ControlPath=none"));
}

static GPtrArray *
ssh_arguments(const Cli *cli, const char *user, const char *device, const char *stream)
{
    g_autoptr(GPtrArray) argv = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *host = ssh_name_make(device, cli->values[OPTION_HUB]);

    g_ptr_array_add(argv, g_strdup("ssh"));
    ssh_add_config(argv, ssh_proxy_command(cli, device, stream));
    ssh_add_config(argv, g_strdup("ProxyUseFdpass=yes"));
    ssh_add_stream(argv, host, stream);
    g_ptr_array_add(argv, user != NULL ? g_strconcat(user, "@", host, NULL) : g_strdup(host));
    for (guint i = 1; i < cli->count; i++)
        g_ptr_array_add(argv, g_strdup(cli->words[i]));
    g_ptr_array_add(argv, NULL);
    return g_steal_pointer(&argv);
}

ExitCode
verb_ssh(Cli *cli, GError **error)
{
    g_auto(GVariantBuilder) unused = G_VARIANT_BUILDER_INIT(G_VARIANT_TYPE_VARDICT);
    const char *stream = cli->given[OPTION_STREAM] ? cli->values[OPTION_STREAM] : SSH_NAME_STREAM;
    g_autoptr(GPtrArray) argv = NULL;
    g_autofree char *user = NULL;
    const char *device;
    gint64 limit;

    if (!ssh_read_place(cli->words[0], &user, &device, error) ||
        !verb_add_times(cli, &unused, &limit, error))
        return EXIT_CODE_USAGE;
    argv = ssh_arguments(cli, user, device, stream);
    (void)execvp("ssh", (char **)argv->pdata);
    return cli_fail(error, EXIT_CODE_OTHER, _("cannot run ssh: %s"), g_strerror(errno));
}
