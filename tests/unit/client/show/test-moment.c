/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/show/moment.h"

/* 2026-11-21 12:00:00 UTC; an hour later in the zone of this test. */
#define NOW (G_GINT64_CONSTANT(1795262400) * G_USEC_PER_SEC)
#define HOUR G_TIME_SPAN_HOUR

static const struct {
    const char *text;
    gint64 moment;
} moments[] = {
    {"now", NOW},
    {"13:00", NOW},
    {"13:00:01", NOW + G_TIME_SPAN_SECOND},
    {"00:00", NOW - 13 * HOUR},
    {"2026-11-21 13:00", NOW},
    {"2026-11-21T13:00", NOW},
    {"2026-11-21 13:00:00", NOW},
    {"2026-11-21T12:00:00Z", NOW},
    {"20261121T120000Z", NOW},
    {"2026-11-21T07:00:00-05:00", NOW},
    {"2026-07-21 14:00", NOW - 123 * 24 * HOUR}, /* summer time */
};

static const char *const none[] = {
    "",
    " ",
    "13",
    "1:00",
    "25:00",
    "13:60",
    "tomorrow",
    "2026-11-21",
    "2026-13-01 12:00",
    "1969-12-31 12:00",
    "13:00 ",
    "-1",
    "99999-01-01 00:00",
};

static void
test_moments(void)
{
    for (guint i = 0; i < G_N_ELEMENTS(moments); i++) {
        guint64 moment = 0;

        g_test_message("%s", moments[i].text);
        g_assert_true(moment_parse(moments[i].text, NOW, &moment));
        g_assert_cmpint((gint64)moment, ==, moments[i].moment);
    }
    for (guint i = 0; i < G_N_ELEMENTS(none); i++) {
        guint64 moment = 7;

        g_test_message("%s", none[i]);
        g_assert_false(moment_parse(none[i], NOW, &moment));
        g_assert_cmpuint(moment, ==, 7);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(g_setenv("TZ", "CET-1CEST,M3.5.0/2,M10.5.0/3", TRUE));
    g_test_add_func("/moment/parse", test_moments);
    return g_test_run();
}
