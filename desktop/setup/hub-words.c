/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "desktop/setup/hub-words.h"
#include "desktop/base/text.h"

#include <glib/gi18n.h>

char *
hub_words_state(Item *hub)
{
    g_autofree char *since = text_since(item_number(hub, "Since"));

    return g_strstrip(g_strdup_printf("%s %s", text_hub_state(item_string(hub, "State")), since));
}

char *
hub_words_role(Item *hub)
{
    return g_strdup_printf(g_str_equal(item_string(hub, "Role"), "device")
                               ? _("this machine is the device %s")
                               : _("opens streams as %s"),
                           item_string(hub, "Identity"));
}

const char *
hub_words_cure(Item *hub)
{
    if (g_str_equal(item_string(hub, "State"), "refused"))
        return _("The hub does not take this identity: it is unknown or disabled there, or the "
                 "invitation was used or has expired. Ask for a new invitation, remove this hub, "
                 "and join again.");
    if (*item_string(hub, "LastError") != '\0')
        return _("streamd goes on trying. “Check” says which step fails, and what helps.");
    return "";
}

const char *
hub_words_authority(Item *hub)
{
    const char *next = item_string(hub, "NextAuthority");

    if (g_str_equal(next, "pending"))
        return _("another one follows, and is trusted already");
    if (g_str_equal(next, "file"))
        return _("another one follows: put it into the file that is trusted");
    return next;
}
