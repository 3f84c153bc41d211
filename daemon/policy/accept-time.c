/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/policy/accept-time.h"

#include "common/base/error.h"

#include <string.h>

#define DAYS 7

static const char *const names[DAYS] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};

static gboolean
refuse(const char *text, const char *form, GError **error)
{
    g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID, "\"%.*s\": %s", ACCEPT_TIME_MAX,
                g_str_is_ascii(text) ? text : "...", form);
    return FALSE;
}

static gboolean
day_parse(const char **text, guint *ret)
{
    for (guint i = 0; i < DAYS; i++)
        if (g_ascii_strncasecmp(*text, names[i], strlen(names[i])) == 0) {
            *text += strlen(names[i]);
            *ret = i;
            return TRUE;
        }
    return FALSE;
}

/* "fri" or "sat-mon". */
static gboolean
days_parse(const char **text, guint8 *days)
{
    guint first, last;

    if (!day_parse(text, &first))
        return FALSE;
    last = first;
    if (**text == '-') {
        (*text)++;
        if (!day_parse(text, &last))
            return FALSE;
    }
    for (guint day = first;; day = (day + 1) % DAYS) {
        *days = (guint8)(*days | 1u << day);
        if (day == last)
            return TRUE;
    }
}

gboolean
accept_weekdays_parse(const char *text, AcceptWhen *when, GError **error)
{
    static const char form[] = "weekdays are written mon-fri or sat,sun";
    const char *rest = text;
    guint8 days = 0;

    if (strnlen(text, ACCEPT_TIME_MAX + 1) > ACCEPT_TIME_MAX)
        return refuse("...", form, error);
    while (days_parse(&rest, &days) && *rest == ',')
        rest++;
    if (*rest || days == 0 || (rest > text && rest[-1] == ','))
        return refuse(text, form, error);
    when->days = days;
    return TRUE;
}

/* "08:00"; 24:00 is the end of a day. */
static gboolean
clock_parse(const char **text, guint16 *ret)
{
    const char *c = *text;
    guint hour, minute;

    if (!g_ascii_isdigit(c[0]) || !g_ascii_isdigit(c[1]) || c[2] != ':' || !g_ascii_isdigit(c[3]) ||
        !g_ascii_isdigit(c[4]))
        return FALSE;
    hour = (guint)(g_ascii_digit_value(c[0]) * 10 + g_ascii_digit_value(c[1]));
    minute = (guint)(g_ascii_digit_value(c[3]) * 10 + g_ascii_digit_value(c[4]));
    if (minute > 59 || hour * 60 + minute > ACCEPT_DAY_MINUTES)
        return FALSE;
    *ret = (guint16)(hour * 60 + minute);
    *text += 5;
    return TRUE;
}

gboolean
accept_time_parse(const char *text, AcceptWhen *when, GError **error)
{
    static const char form[] = "a time is written 08:00-18:00, or 22:00-06:00 past midnight";
    const char *rest = text;
    guint16 from, to;

    if (strnlen(text, ACCEPT_TIME_MAX + 1) > ACCEPT_TIME_MAX)
        return refuse("...", form, error);
    if (!clock_parse(&rest, &from) || *rest++ != '-' || !clock_parse(&rest, &to) || *rest)
        return refuse(text, form, error);
    if (from == to || from == ACCEPT_DAY_MINUTES)
        return refuse(text, "a time window must not end when it begins", error);
    when->from = from;
    when->to = to;
    return TRUE;
}

AcceptMoment
accept_moment(gint64 at)
{
    g_autoptr(GTimeZone) zone = g_time_zone_new_local();
    g_autoptr(GDateTime) epoch = g_date_time_new_from_unix_utc(at / G_USEC_PER_SEC);
    g_autoptr(GDateTime) local = epoch ? g_date_time_to_timezone(epoch, zone) : NULL;

    if (!local)
        return (AcceptMoment){0};
    return (AcceptMoment){
        .day = (guint)g_date_time_get_day_of_week(local) - 1,
        .minute = (guint)(g_date_time_get_hour(local) * 60 + g_date_time_get_minute(local)),
    };
}

static gboolean
passes_midnight(const AcceptWhen *when)
{
    return when->to < when->from;
}

gboolean
accept_when_has_time(const AcceptWhen *when, const AcceptMoment *moment)
{
    if (when->from == when->to)
        return TRUE;
    if (passes_midnight(when))
        return moment->minute >= when->from || moment->minute < when->to;
    return moment->minute >= when->from && moment->minute < when->to;
}

gboolean
accept_when_has_day(const AcceptWhen *when, const AcceptMoment *moment)
{
    gboolean after = passes_midnight(when) && moment->minute < when->to;
    guint day = after ? (moment->day + DAYS - 1) % DAYS : moment->day;

    return when->days == 0 || when->days & 1u << day;
}
