/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/link/hub-notice.h"

#include "daemon/link/hub-struct.h"

/* Another machine with this identity took over while we were connected. */
static void
hub_notice_taken_over(Hub *hub, const Notice *notice G_GNUC_UNUSED)
{
    hub_note_taken_over(hub);
}

static const struct {
    const char *kind;
    void (*take)(Hub *hub, const Notice *notice);
} handlers[] = {
    {"taken-over", hub_notice_taken_over},
};

void
hub_take_notice(Hub *hub, const Notice *notice)
{
    for (guint i = 0; i < G_N_ELEMENTS(handlers); i++)
        if (g_str_equal(handlers[i].kind, notice->kind)) {
            handlers[i].take(hub, notice);
            return;
        }
    g_debug("hub %s: a notice of a kind that is not known was ignored: %s", hub_name(hub),
            notice->kind);
}
