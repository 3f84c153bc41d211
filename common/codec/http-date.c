/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/codec/http-date.h"

/* The form of the text: 'd' stands for a digit, 'a' for a letter. */
static const char form[] = "aaa, dd aaa dddd dd:dd:dd GMT";

static const char month_names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

static gboolean
has_form(Slice text)
{
    if (text.len != sizeof form - 1)
        return FALSE;
    for (gsize i = 0; i < text.len; i++)
        if (form[i] == 'd'   ? !g_ascii_isdigit(text.ptr[i])
            : form[i] == 'a' ? !g_ascii_isalpha(text.ptr[i])
                             : text.ptr[i] != form[i])
            return FALSE;
    return TRUE;
}

static int
number(const char *digits, guint count)
{
    int value = 0;

    for (guint i = 0; i < count; i++)
        value = value * 10 + (digits[i] - '0');
    return value;
}

static int
month_of(const char *name)
{
    for (int i = 0; i < 12; i++)
        if (memcmp(month_names + (gsize)i * 3, name, 3) == 0)
            return i + 1;
    return 0;
}

void
http_date_append(GString *out, gint64 seconds)
{
    g_autoptr(GDateTime) date = g_date_time_new_from_unix_utc(seconds);
    static const char days[][4] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};

    g_return_if_fail(date != NULL);
    g_string_append_printf(
        out, "Date: %s, %02d %.3s %04d %02d:%02d:%02d GMT\r\n",
        days[g_date_time_get_day_of_week(date) - 1], g_date_time_get_day_of_month(date),
        month_names + (gsize)(g_date_time_get_month(date) - 1) * 3, g_date_time_get_year(date),
        g_date_time_get_hour(date), g_date_time_get_minute(date), g_date_time_get_second(date));
}

gboolean
http_date_parse(Slice text, gint64 *ret)
{
    g_autoptr(GDateTime) date = NULL;
    int month;

    if (!has_form(text) || (month = month_of(text.ptr + 8)) == 0)
        return FALSE;
    /* NULL when there is no such date, as February 30. */
    date = g_date_time_new_utc(number(text.ptr + 12, 4), month, number(text.ptr + 5, 2),
                               number(text.ptr + 17, 2), number(text.ptr + 20, 2),
                               number(text.ptr + 23, 2));
    if (!date)
        return FALSE;
    *ret = g_date_time_to_unix(date);
    return TRUE;
}
