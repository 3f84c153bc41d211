/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Times as people write them, in a zone with summer time. */
#include "hub/cli/when.h"

#include <string.h>

/* 2026-11-30 18:42:28.5 UTC, which is 19:42 in Berlin. */
#define NOW G_GINT64_CONSTANT(1796064148500000)

static void
test_forms(void)
{
    static const struct {
        const char *text;
        const char *utc; /* NULL: it is no time */
    } rows[] = {
        {"2026-11-24", "2026-11-23T23:00:00Z"},
        {"2026-11-24 12:00", "2026-11-24T11:00:00Z"},
        {"2026-11-24T12:00", "2026-11-24T11:00:00Z"},
        {"2026-11-24 12:00:30", "2026-11-24T11:00:30Z"},
        {"2026-07-24 12:00", "2026-07-24T10:00:00Z"},
        {"2026-11-24 12:00 UTC", "2026-11-24T12:00:00Z"},
        {"2026-11-24T12:00:30Z", "2026-11-24T12:00:30Z"},
        {"2026-11-24 UTC", "2026-11-24T00:00:00Z"},
        {"12:00", "2026-11-30T11:00:00Z"},
        {"12:00:01", "2026-11-30T11:00:01Z"},
        {"now", "2026-11-30T18:42:28Z"},
        {"today", "2026-11-29T23:00:00Z"},
        {"yesterday", "2026-11-28T23:00:00Z"},
        {"tomorrow", "2026-11-30T23:00:00Z"},
        {"2h", "2026-11-30T16:42:28Z"},
        {"-2h", "2026-11-30T16:42:28Z"},
        {"2h ago", "2026-11-30T16:42:28Z"},
        {"+2h", "2026-11-30T20:42:28Z"},
        {"1h 30min", "2026-11-30T17:12:28Z"},
        {"@0", "1970-01-01T00:00:00Z"},
        {"@1796064148", "2026-11-30T18:42:28Z"},
        {"", NULL},
        {"bogus", NULL},
        {"2026-11-31", NULL},
        {"2026-13-01", NULL},
        {"2026-11-24 24:00", NULL},
        {"2026-11-24 12:60", NULL},
        {"2026-11-24 12", NULL},
        {"2026-11-24 ", NULL},
        {"2026-11-24 12:00 CET", NULL},
        {"26-11-24", NULL},
        {"2026-1-1", NULL},
        {"12:00:00:00", NULL},
        {"-", NULL},
        {"+", NULL},
        {"-2h ago", NULL},
        {"ago", NULL},
        {"- 2h", NULL},
        {"now UTC", NULL},
        {"@", NULL},
        {"@-1", NULL},
        {"@253402300799", "9999-12-31T23:59:59Z"},
        {"@253402300800", NULL},
        {"60years", NULL}, /* before 1970 */
        {"1969-12-31", NULL},
    };
    g_autoptr(GTimeZone) zone = g_time_zone_new_identifier("Europe/Berlin");

    g_assert_nonnull(zone);
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GDateTime) time = NULL;
        g_autofree char *text = NULL;
        gint64 got = -1;

        g_test_message("'%s'", rows[i].text);
        g_assert_cmpint(when_parse(rows[i].text, NOW, zone, &got), ==, rows[i].utc != NULL);
        if (!rows[i].utc)
            continue;
        time = g_date_time_new_from_unix_utc(got / G_USEC_PER_SEC);
        text = g_date_time_format(time, "%Y-%m-%dT%H:%M:%SZ");
        g_assert_cmpstr(text, ==, rows[i].utc);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/when/forms", test_forms);
    return g_test_run();
}
