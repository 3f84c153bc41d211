/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/show/moment.h"

#include <string.h>

#define MOMENT_MAX 64

/* "14:30" gets the day of NOW; "2026-11-21 14:30" gets the T of ISO 8601. Seconds are added. */
static char *
to_iso(const char *text, gint64 now)
{
    g_autoptr(GDateTime) today = g_date_time_new_from_unix_local(now / G_USEC_PER_SEC);
    g_autofree char *date = g_date_time_format(today, "%Y-%m-%d");
    g_autofree char *whole =
        strpbrk(text, "-T") ? g_strdup(text) : g_strdup_printf("%sT%s", date, text);
    char *blank = strchr(whole, ' ');
    const char *time;

    if (blank)
        *blank = 'T';
    time = strchr(whole, 'T');
    if (time && strlen(time) == strlen("T14:30"))
        return g_strconcat(whole, ":00", NULL);
    return g_steal_pointer(&whole);
}

gboolean
moment_parse(const char *text, gint64 now, guint64 *ret)
{
    g_autoptr(GTimeZone) zone = g_time_zone_new_local();
    g_autoptr(GDateTime) moment = NULL;
    g_autofree char *iso = NULL;

    if (strcmp(text, "now") == 0) {
        *ret = (guint64)now;
        return TRUE;
    }
    if (strnlen(text, MOMENT_MAX + 1) > MOMENT_MAX)
        return FALSE;
    iso = to_iso(text, now);
    moment = g_date_time_new_from_iso8601(iso, zone);
    if (!moment || g_date_time_to_unix(moment) < 0)
        return FALSE;
    *ret = (guint64)g_date_time_to_unix(moment) * G_USEC_PER_SEC;
    return TRUE;
}
