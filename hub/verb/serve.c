/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* streamhub serve: becomes streamhubd. */
#include "hub/verb/verb.h"

#include <errno.h>
#include <glib/gi18n.h>
#include <unistd.h>

#define SERVER "streamhubd"

static void
add(GPtrArray *argv, const char *option, const char *value)
{
    g_ptr_array_add(argv, g_strdup_printf("--%s=%s", option, value));
}

/* Every option that was given, as it was given. */
static void
add_options(GPtrArray *argv, const Cli *cli)
{
    for (Option i = OPTION_OWN; i < OPTION_LAST; i++) {
        const char *name = option_row(&streamhub_options, i)->name;
        const char *const *list = cli_list(cli, i);

        for (; list != NULL && *list != NULL; list++)
            add(argv, name, *list);
        if (cli->given[i] && cli_list(cli, i) == NULL)
            add(argv, name, cli->values[i]);
    }
}

/* The installed program takes the streamhubd of the installation. Any other, such as one that was
 * just built, takes the one beside it, and never an installed one of another version. */
static char *
server_path(void)
{
    g_autofree char *own = g_file_read_link("/proc/self/exe", NULL);
    g_autofree char *folder = own ? g_path_get_dirname(own) : NULL;

    if (!folder || g_str_equal(folder, STREAMHUB_BINDIR))
        return g_build_filename(STREAMHUB_LIBEXECDIR, SERVER, NULL);
    return g_build_filename(folder, SERVER, NULL);
}

/* Leaves all checks to streamhubd. Returns only when that cannot be run. */
ExitCode
verb_serve(Cli *cli, GError **error)
{
    g_autofree char *path = server_path();
    g_autoptr(GPtrArray) argv = g_ptr_array_new_with_free_func(g_free);

    g_ptr_array_add(argv, g_strdup(path));
    add_options(argv, cli);
    g_ptr_array_add(argv, NULL);
    (void)execv(path, (char **)argv->pdata);
    return cli_fail(error, EXIT_CODE_OTHER, _("%s cannot be run: %s"), path, g_strerror(errno));
}
