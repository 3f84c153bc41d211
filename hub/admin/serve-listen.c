/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where the hub listens. */
#include "hub/admin/serve-private.h"

#include "hub/base/address.h"

#include <string.h>
#include <systemd/sd-daemon.h>

static void
listener_opened(Serve *serve, const char *kind, const char *bound, GString *lines)
{
    if (serve->port == 0)
        serve->port = (guint16)g_ascii_strtoull(strrchr(bound, ':') + 1, NULL, 10);
    g_string_append_printf(lines, "listening %s %s\n", kind, bound);
    if (serve->n_listeners < SERVE_LISTENERS_MAX)
        serve->listeners[serve->n_listeners++] = g_strdup_printf("%s %s", kind, bound);
}

static gboolean
listen_all(Serve *serve, const char *kind, const char *const *addresses, GString *lines,
           GError **error)
{
    for (const char *const *address = addresses; address && *address; address++) {
        g_autofree char *bound = NULL;

        gboolean six_only = address_is_six_only(*address, serve->options->listen) ||
                            address_is_six_only(*address, serve->options->device_listen);

        if (!streamhub_listen(serve->hub, *address, six_only, &bound, error))
            return FALSE;
        listener_opened(serve, kind, bound, lines);
    }
    return TRUE;
}

/* Takes those of the N sockets that are named "mqtts", or all others. */
static gboolean
adopt_all(Serve *serve, char *const *names, int n, gboolean device, GString *lines, GError **error)
{
    for (int i = 0; i < n; i++) {
        g_autofree char *bound = NULL;

        if (g_str_equal(names[i], "mqtts") != device)
            continue;
        if (!streamhub_adopt(serve->hub, SD_LISTEN_FDS_START + i, &bound, error))
            return FALSE;
        listener_opened(serve, device ? "mqtts" : "https", bound, lines);
    }
    return TRUE;
}

gboolean
serve_listen(Serve *serve, GString *lines, GError **error)
{
    static const char *const https_default[] = {SERVE_LISTEN_DEFAULT, NULL};
    static const char *const device_default[] = {SERVE_DEVICE_LISTEN_DEFAULT, NULL};
    const ServeOptions *options = serve->options;
    gboolean usual = !options->listen && !options->device_listen;
    g_auto(GStrv) names = NULL;
    int n = usual ? sd_listen_fds_with_names(1, &names) : 0;

    if (n > 0)
        return adopt_all(serve, names, n, FALSE, lines, error) &&
               adopt_all(serve, names, n, TRUE, lines, error);
    return listen_all(serve, "https", usual ? https_default : options->listen, lines, error) &&
           listen_all(serve, "mqtts", usual ? device_default : options->device_listen, lines,
                      error);
}
