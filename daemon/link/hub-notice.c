/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/link/hub-notice.h"

#include "common/extension/statement.h"
#include "daemon/link/hub-pending.h"
#include "daemon/link/hub-struct.h"

#include <string.h>

/* Another machine with this identity took over while we were connected. */
static void
hub_notice_taken_over(Hub *hub, const Notice *notice G_GNUC_UNUSED)
{
    hub_note_taken_over(hub);
}

/* What its authority tells. */
static void
hub_notice_statement(Hub *hub, const Notice *notice)
{
    const char *text = notice_text(notice, "text", STATEMENT_MAX);

    if (text)
        hub_take_statement(hub, text, strlen(text));
}

static const struct {
    const char *kind;
    void (*take)(Hub *hub, const Notice *notice);
} handlers[] = {
    {"taken-over", hub_notice_taken_over},
    {"statement", hub_notice_statement},
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
