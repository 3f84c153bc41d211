/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* streamhub serve: becomes streamhubd. */
#include "hub/verb/cli.h"

#include "common/base/error.h"

#include <errno.h>
#include <unistd.h>

#define SERVER "streamhubd"

static void
add(GPtrArray *argv, const char *option, const char *value)
{
    if (value)
        g_ptr_array_add(argv, g_strdup_printf("--%s=%s", option, value));
}

static void
add_all(GPtrArray *argv, const char *option, char *const *values)
{
    for (; values && *values; values++)
        add(argv, option, *values);
}

static void
add_number(GPtrArray *argv, const char *option, int value)
{
    if (value != 0)
        g_ptr_array_add(argv, g_strdup_printf("--%s=%d", option, value));
}

/* Where the installed program looks in the one folder of the installation. Any other, such as one
 * that was just built, has its own beside it, and never runs an installed one of another version.
 */
static char *
server_path(void)
{
    g_autofree char *own = g_file_read_link("/proc/self/exe", NULL);
    g_autofree char *folder = own ? g_path_get_dirname(own) : NULL;

    if (!folder || g_str_equal(folder, STREAMHUB_BINDIR))
        return g_build_filename(STREAMHUB_LIBEXECDIR, SERVER, NULL);
    return g_build_filename(folder, SERVER, NULL);
}

/* Everything that streamhubd can judge by itself, it does. Returns only when it cannot be run. */
gboolean
verb_serve(const CliCall *call, GError **error)
{
    const CliOptions *o = call->options;
    g_autofree char *path = server_path();
    g_autoptr(GPtrArray) argv = g_ptr_array_new_with_free_func(g_free);

    g_ptr_array_add(argv, g_strdup(path));
    add(argv, "state-dir", o->state_dir);
    add(argv, "admin-socket", o->admin_socket);
    add_all(argv, "host-name", o->host_names);
    add_all(argv, "listen", o->listen);
    add_all(argv, "mqtt-listen", o->mqtt_listen);
    add(argv, "streaming-host", o->streaming_host);
    add_number(argv, "threads", o->threads);
    add(argv, "config", o->config);
    add_number(argv, "grace", o->grace);
    g_ptr_array_add(argv, NULL);
    (void)execv(path, (char **)argv->pdata);
    g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_FAILED, "%s cannot be run: %s", path,
                g_strerror(errno));
    return FALSE;
}
