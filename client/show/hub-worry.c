/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/show/hub-worry.h"

#include "client/bus/bus.h"

#include <glib/gi18n.h>

#define DAY (24 * 60 * 60 * G_TIME_SPAN_SECOND)

static char *
expiry_worry(gint64 expires)
{
    gint64 left = expires - g_get_real_time();

    if (expires == 0 || left > HUB_WORRY_DAYS * DAY)
        return g_strdup("");
    if (left < 0)
        return g_strdup(_("its certificate has expired"));
    return g_strdup_printf(ngettext("its certificate expires in %d day",
                                    "its certificate expires in %d days", (gulong)(left / DAY)),
                           (int)(left / DAY));
}

char *
show_hub_worry(GVariant *hub)
{
    const char *const texts[] = {bus_string(hub, "LastError"), bus_string(hub, "CertificateError")};

    for (guint i = 0; i < G_N_ELEMENTS(texts); i++)
        if (*texts[i] != '\0')
            return g_strdup(texts[i]);
    return expiry_worry((gint64)bus_number(hub, "CertificateExpires"));
}
