/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/cli/when.h"

#include "common/codec/quantity.h"

#include <string.h>

#define LAST G_GINT64_CONSTANT(253402300799) /* second of the year 9999 */

static gboolean
give(GDateTime *time, gint64 *ret)
{
    gint64 seconds = time ? g_date_time_to_unix(time) : -1;

    if (time)
        g_date_time_unref(time);
    if (seconds < 0 || seconds > LAST)
        return FALSE;
    *ret = seconds * G_USEC_PER_SEC;
    return TRUE;
}

/* The beginning of the day DAYS after that of NOW. */
static gboolean
day(gint64 now, GTimeZone *zone, gint days, gint64 *ret)
{
    g_autoptr(GDateTime) utc = g_date_time_new_from_unix_utc(now / G_USEC_PER_SEC);
    g_autoptr(GDateTime) here = utc ? g_date_time_to_timezone(utc, zone) : NULL;
    g_autoptr(GDateTime) then = here ? g_date_time_add_days(here, days) : NULL;

    return then &&
           give(g_date_time_new(zone, g_date_time_get_year(then), g_date_time_get_month(then),
                                g_date_time_get_day_of_month(then), 0, 0, 0),
                ret);
}

static gboolean
named(const char *text, gint64 now, GTimeZone *zone, gint64 *ret)
{
    static const struct {
        const char *name;
        gint days;
    } days[] = {{"yesterday", -1}, {"today", 0}, {"tomorrow", 1}};

    for (guint i = 0; i < G_N_ELEMENTS(days); i++)
        if (strcmp(text, days[i].name) == 0)
            return day(now, zone, days[i].days, ret);
    if (strcmp(text, "now") != 0)
        return FALSE;
    *ret = now;
    return TRUE;
}

/* "2h", "-2h", "2h ago"; "+2h" is yet to come. */
static gboolean
span(const char *text, gint64 now, gint64 *ret)
{
    gboolean ahead = *text == '+', back = *text == '-';
    g_autofree char *bare = g_strdup(text + (ahead || back ? 1 : 0));
    guint64 usec = 0;

    if (!ahead && !back && g_str_has_suffix(bare, " ago"))
        bare[strlen(bare) - strlen(" ago")] = '\0';
    if (!quantity_parse_time(bare, &usec) || usec > (guint64)(LAST * G_USEC_PER_SEC))
        return FALSE;
    *ret = ahead ? now + (gint64)usec : now - (gint64)usec;
    return *ret >= 0 && *ret <= LAST * G_USEC_PER_SEC;
}

/* LEN digits at *AT. */
static gboolean
digits(const char **at, guint len, gint *ret)
{
    *ret = 0;
    for (; len > 0; len--, (*at)++) {
        if (!g_ascii_isdigit(**at))
            return FALSE;
        *ret = *ret * 10 + (**at - '0');
    }
    return TRUE;
}

static gboolean
next_is(const char **at, char letter)
{
    if (**at != letter)
        return FALSE;
    (*at)++;
    return TRUE;
}

/* "12:00" or "12:00:30", to the end. */
static gboolean
clock_time(const char *at, gint *hour, gint *minute, gint *second)
{
    *second = 0;
    if (!digits(&at, 2, hour) || !next_is(&at, ':') || !digits(&at, 2, minute))
        return FALSE;
    if (next_is(&at, ':') && !digits(&at, 2, second))
        return FALSE;
    return *at == '\0';
}

/* g_date_time_new() takes what is not on the calendar or the clock for nothing. */
static gboolean
calendar(const char *text, gint64 now, GTimeZone *zone, gint64 *ret)
{
    g_autoptr(GDateTime) utc = g_date_time_new_from_unix_utc(now / G_USEC_PER_SEC);
    g_autoptr(GDateTime) today = utc ? g_date_time_to_timezone(utc, zone) : NULL;
    const char *at = text;
    gint year = 0, month = 0, of_month = 0, hour = 0, minute = 0, second = 0;

    if (today == NULL)
        return FALSE;
    g_date_time_get_ymd(today, &year, &month, &of_month);
    if (strchr(text, '-')) {
        if (!digits(&at, 4, &year) || !next_is(&at, '-') || !digits(&at, 2, &month) ||
            !next_is(&at, '-') || !digits(&at, 2, &of_month))
            return FALSE;
        if (*at == '\0')
            return give(g_date_time_new(zone, year, month, of_month, 0, 0, 0), ret);
        if (!next_is(&at, ' ') && !next_is(&at, 'T'))
            return FALSE;
    }
    return clock_time(at, &hour, &minute, &second) &&
           give(g_date_time_new(zone, year, month, of_month, hour, minute, second), ret);
}

gboolean
when_parse(const char *text, gint64 now, GTimeZone *zone, gint64 *ret)
{
    g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
    gsize len = strlen(text);
    gboolean in_utc = g_str_has_suffix(text, " UTC") || g_str_has_suffix(text, "Z");
    g_autofree char *bare =
        g_strndup(text, in_utc ? len - (text[len - 1] == 'Z' ? 1 : strlen(" UTC")) : len);
    guint64 seconds = 0;

    if (*text == '@') {
        if (!g_ascii_string_to_unsigned(text + 1, 10, 0, (guint64)LAST, &seconds, NULL))
            return FALSE;
        *ret = (gint64)seconds * G_USEC_PER_SEC;
        return TRUE;
    }
    if (calendar(bare, now, in_utc ? utc : zone, ret))
        return TRUE;
    return !in_utc && (named(text, now, zone, ret) || span(text, now, ret));
}
