/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/show/hub-worry.h"

#include "client/bus/bus.h"
#include "common/cli/output.h"

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

/* NULL: no other machine was found lately to use its identity. */
static char *
other_machine(GVariant *hub)
{
    guint64 last = bus_number(hub, "TakenOver");
    g_autofree char *age = NULL;

    if (last == 0 || (guint64)g_get_real_time() >= last + (guint64)HUB_WORRY_SHARED)
        return NULL;
    age = output_age(last);
    return g_strdup_printf(
        _("another machine uses this identity, too: it took over %u times, last %s ago"),
        (guint)bus_number(hub, "TakeOvers"), age);
}

static char *
worry_of_its_own(GVariant *hub)
{
    const char *const texts[] = {bus_string(hub, "LastError"), bus_string(hub, "CertificateError")};

    for (guint i = 0; i < G_N_ELEMENTS(texts); i++)
        if (*texts[i] != '\0')
            return g_strdup(texts[i]);
    return expiry_worry((gint64)bus_number(hub, "CertificateExpires"));
}

char *
show_hub_worry(GVariant *hub)
{
    g_autofree char *own = worry_of_its_own(hub);
    g_autofree char *other = other_machine(hub);

    if (other == NULL)
        return g_steal_pointer(&own);
    return *own != '\0' ? g_strdup_printf("%s; %s", own, other) : g_steal_pointer(&other);
}
