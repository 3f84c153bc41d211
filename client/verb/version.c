/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* streamctl version: which streamctl this is, and which streamd it talks to. */
#include "client/show/done.h"
#include "client/verb/verb.h"

#include <glib/gi18n.h>

/* "": none is there. It is not started for this. Caller frees. */
static char *
version_of_streamd(const Cli *cli)
{
    g_autoptr(Bus) bus = bus_open_quietly(verb_is_for_system(cli));
    g_autoptr(GVariant) manager =
        bus != NULL ? bus_properties(bus, BUS_ROOT, BUS_MANAGER, NULL) : NULL;

    return g_strdup(manager != NULL ? bus_string(manager, "Version") : "");
}

ExitCode
verb_version(Cli *cli, GError **error)
{
    g_autofree char *there = version_of_streamd(cli);
    GVariant *json =
        g_variant_new_parsed("{'streamctl': <%s>, 'streamd': <%s>}", STREAMD_VERSION, there);

    if (*there == '\0')
        return show_done(cli, json, _("streamctl %s; streamd is not running"), STREAMD_VERSION);
    return show_done(cli, json, _("streamctl %s, streamd %s"), STREAMD_VERSION, there);
}
