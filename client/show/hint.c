/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/show/hint.h"

#include "client/bus/bus.h"
#include "client/cli/failure.h"

#include <glib/gi18n.h>
#include <string.h>

#define ACTION "io.streamd.streamd1."

/* The rights of polkit, and the example of a rule that gives each. */
static const struct {
    const char *action;
    const char *example;
} rights[] = {
    {"view", "see-streams.rules"},
    {"open-stream", "open-streams.rules"},
    {"open-tunnel", "open-tunnels.rules"},
    {"handle-streams", "handle-streams.rules"},
    {"answer-requests", "answer-requests.rules"},
    {"manage-targets", "manage-targets.rules"},
    {"manage-policy", "manage-targets.rules"},
    {"manage-hubs", "manage-hubs.rules"},
};

/* Other reasons, in streamd's own words. */
#define ENGLISH(text) text
static const struct {
    const char *said;
    const char *hint; /* passed through gettext when shown */
} reasons[] = {
    {ENGLISH("polkit is not running"),
     N_("'systemctl status polkit' says why not. root needs no polkit (sudo).")},
    {ENGLISH("polkit failed"),
     N_("'systemctl status polkit' says how it is. root needs no polkit (sudo).")},
    {ENGLISH("is not among the allowed users"),
     N_("An administrator adds you with AllowedUsers= (streamd.conf(5)); root needs no list "
        "(sudo).")},
    {ENGLISH("only root and the user of streamd"), N_("root may: sudo streamctl --system.")},
    {ENGLISH("serves processes of user"),
     N_("It is another user's: run streamctl as that user. --system "
        "means the machine's.")},
    {ENGLISH("may not list the devices"),
     N_("Whoever runs the hub can allow it: the setting users-may-list, or the permission "
        "registry-read.")},
};

/* Whether a streamd runs there by now; it is not started for that. */
static gboolean
hint_is_running(gboolean system)
{
    g_autoptr(Bus) bus = bus_open_quietly(system);
    g_autoptr(GVariant) reply =
        bus != NULL ? bus_call(bus, BUS_ROOT, BUS_PEER, "Ping", NULL, 0, NULL) : NULL;

    return reply != NULL;
}

/* Who has the right, and how to get it. A streamd of one's own is named only where it runs: nobody
 * should start one beside the machine's. Caller frees. */
static char *
hint_of_right(const char *example)
{
    g_autofree char *text = g_strdup_printf(_("root may (sudo). A rule of polkit gives the right "
                                              "to a group or a user; an administrator "
                                              "finds one to copy in %s."),
                                            example);

    if (!hint_is_running(FALSE))
        return g_steal_pointer(&text);
    return g_strconcat(text, " ", _("Your own streamd runs, too, and asks nobody: --user."), NULL);
}

char *
show_denial_hint(gboolean system, const char *message)
{
    const char *action = system ? strstr(message, ACTION) : NULL;

    for (guint i = 0; i < G_N_ELEMENTS(reasons); i++)
        if (strstr(message, reasons[i].said) != NULL)
            return g_strdup(_(reasons[i].hint));
    for (guint i = 0; action != NULL && i < G_N_ELEMENTS(rights); i++) {
        g_autofree char *known = g_strconcat(ACTION, rights[i].action, ")", NULL);

        if (g_str_has_prefix(action, known)) {
            g_autofree char *path =
                g_build_filename(EXAMPLES_DIR, "polkit", rights[i].example, NULL);

            return hint_of_right(path);
        }
    }
    return NULL;
}

char *
show_hint(gboolean system, ExitCode code, const char *message)
{
    if (code == EXIT_CODE_DENIED)
        return show_denial_hint(system, message);
    if (code == EXIT_CODE_NOT_RUNNING && !system && hint_is_running(TRUE))
        return g_strdup(_("Yours does not run; 'systemctl --user status streamd' says why not. The "
                          "machine's does: --system."));
    return g_strdup(failure_hint(system, code, message));
}
