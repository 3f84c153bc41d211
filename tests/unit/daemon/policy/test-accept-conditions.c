/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The conditions of an accept rule that are more than a text: addresses, days and times. */
#include "common/base/error.h"
#include "daemon/policy/accept-address.h"
#include "daemon/policy/accept-time.h"

#include <string.h>

static const struct {
    const char *range, *address;
    gboolean inside;
} ranges[] = {
    {"192.0.2.7", "192.0.2.7", TRUE},
    {"192.0.2.7", "192.0.2.8", FALSE},
    {"192.0.2.7", "192.0.2.7:4711", TRUE},
    {"10.0.0.0/8", "10.255.1.2:1", TRUE},
    {"10.0.0.0/8", "11.0.0.0", FALSE},
    {"10.128.0.0/9", "10.127.255.255", FALSE},
    {"10.128.0.0/9", "10.128.0.0", TRUE},
    {"0.0.0.0/0", "203.0.113.5", TRUE},
    {"0.0.0.0/0", "2001:db8::1", FALSE}, /* of the other family */
    {"::/0", "2001:db8::1", TRUE},
    {"::/0", "203.0.113.5", FALSE},
    {"2001:db8::/32", "[2001:db8:1::1]:4711", TRUE},
    {"2001:db8::/32", "2001:db8:1::1", TRUE},
    {"2001:db8::/32", "2001:db9::1", FALSE},
    {"2001:db8::1", "[2001:DB8:0::1]:1", TRUE},
    {"192.0.2.0/24", "::ffff:192.0.2.9", TRUE}, /* a hub that listens on both at once */
    {"192.0.2.0/24", "[::ffff:192.0.2.9]:1", TRUE},
    {"::ffff:192.0.2.0/120", "192.0.2.9", TRUE},
    {"::1", "[::1]:80", TRUE},
    {"0.0.0.0/0", "", FALSE},
    {"0.0.0.0/0", "unix", FALSE},
    {"0.0.0.0/0", "unconnected", FALSE},
    {"0.0.0.0/0", "hub.example:443", FALSE},
    {"0.0.0.0/0", "1.2.3", FALSE},
    {"0.0.0.0/0", "01.2.3.4.5", FALSE},
    {"::/0", "[2001:db8::1", FALSE},
    {"::/0", "[]:1", FALSE},
    {"::/0", "fe80::1%eth0", FALSE},
};

static void
test_ranges(void)
{
    for (guint i = 0; i < G_N_ELEMENTS(ranges); i++) {
        AcceptRange range;

        g_test_message("%s in %s", ranges[i].address, ranges[i].range);
        g_assert_true(accept_range_parse(ranges[i].range, &range, NULL));
        g_assert_cmpint(accept_range_has(&range, ranges[i].address), ==, ranges[i].inside);
    }
}

static void
test_bad_ranges(void)
{
    static const char *const bad[] = {
        "",
        "any",
        "10.0.0.0/33",
        "10.0.0.0/",
        "10.0.0.0/-1",
        "10.0.0.0/8/8",
        "10.1.0.0/8",
        "10.0.0.1/31",
        "2001:db8::/129",
        "2001:db8::1/64",
        "[2001:db8::1]",
        "::ffff:1.2.3.4/95",
        "1.2.3.4:5",
        "localhost",
        "10.0.0.0/8 ",
        "fe80::1%lo",
        "10.0.0.0/\xc3\xa4",
    };
    g_autofree char *too_long = g_strnfill(ACCEPT_ADDRESS_MAX + 1, '1');
    const AcceptRange before = {.bits = 7};
    AcceptRange range = before;

    for (guint i = 0; i <= G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_false(
            accept_range_parse(i < G_N_ELEMENTS(bad) ? bad[i] : too_long, &range, &error));
        g_assert_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID);
        g_assert_true(g_utf8_validate(error->message, -1, NULL));
        g_assert_true(memcmp(&range, &before, sizeof range) == 0);
    }
}

static void
test_weekdays(void)
{
    static const struct {
        const char *text;
        guint8 days;
    } rows[] = {
        {"mon", 0x01},         {"sun", 0x40},
        {"mon-fri", 0x1f},     {"MON-Fri,sun", 0x5f},
        {"sat-mon", 0x61},     {"mon-sun", 0x7f},
        {"wed,tue,wed", 0x06}, {"fri-thu", 0x7f},
        {"thu-thu", 0x08},     {"mon-tue,sat-sun", 0x63},
    };
    static const char *const bad[] = {"",     ",",    "mo",       "monday",  "mon-",        "-fri",
                                      "mon,", ",mon", "mon--fri", "mon fri", "mon-tue-wed", "1-5"};

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        AcceptWhen when = {0};

        g_test_message("%s", rows[i].text);
        g_assert_true(accept_weekdays_parse(rows[i].text, &when, NULL));
        g_assert_cmpuint(when.days, ==, rows[i].days);
    }
    for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;
        AcceptWhen when = {.days = 3};

        g_assert_false(accept_weekdays_parse(bad[i], &when, &error));
        g_assert_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID);
        g_assert_cmpuint(when.days, ==, 3);
    }
}

static void
test_times(void)
{
    static const struct {
        const char *text;
        guint from, to;
    } rows[] = {
        {"08:00-18:00", 480, 1080},  {"22:00-06:00", 1320, 360}, {"00:00-24:00", 0, 1440},
        {"22:00-24:00", 1320, 1440}, {"22:00-00:00", 1320, 0},   {"23:59-00:01", 1439, 1},
    };
    static const char *const bad[] = {"",
                                      "8:00-18:00",
                                      "08:00",
                                      "08:00-",
                                      "08:00-8:00",
                                      "08:60-09:00",
                                      "25:00-26:00",
                                      "24:00-01:00",
                                      "08:00-24:01",
                                      "08:00-08:00",
                                      "08:00 - 18:00",
                                      "08:00-18:00x",
                                      "0a:00-18:00",
                                      "08.00-18.00"};

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        AcceptWhen when = {0};

        g_assert_true(accept_time_parse(rows[i].text, &when, NULL));
        g_assert_cmpuint(when.from, ==, rows[i].from);
        g_assert_cmpuint(when.to, ==, rows[i].to);
    }
    for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;
        AcceptWhen when = {.from = 5};

        g_test_message("%s", bad[i]);
        g_assert_false(accept_time_parse(bad[i], &when, &error));
        g_assert_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID);
        g_assert_cmpuint(when.from, ==, 5);
    }
}

/* Berlin's rules, told without the machine's own data: clocks go forward on the last Sunday of
 * March at 02:00, and back on the last one of October at 03:00. */
#define ZONE "CET-1CEST,M3.5.0/2,M10.5.0/3"

static gint64
utc(const char *text)
{
    g_autoptr(GTimeZone) zone = g_time_zone_new_utc();
    g_autoptr(GDateTime) time = g_date_time_new_from_iso8601(text, zone);

    g_assert_nonnull(time);
    return g_date_time_to_unix(time) * G_USEC_PER_SEC;
}

static gboolean
holds(const char *days, const char *time, const char *at)
{
    AcceptWhen when = {0};
    AcceptMoment moment = accept_moment(utc(at));

    g_assert_true(!days || accept_weekdays_parse(days, &when, NULL));
    g_assert_true(!time || accept_time_parse(time, &when, NULL));
    return accept_when_has_time(&when, &moment) && accept_when_has_day(&when, &moment);
}

/* 2026: 29 March and 25 October are the days when the clocks are set. */
static const struct {
    const char *days, *time, *at;
    gboolean holds;
} moments[] = {
    {NULL, NULL, "2026-11-21T12:00:00Z", TRUE},
    {NULL, "08:00-18:00", "2026-11-20T06:59:59Z", FALSE}, /* 07:59:59 */
    {NULL, "08:00-18:00", "2026-11-20T07:00:00Z", TRUE},
    {NULL, "08:00-18:00", "2026-11-20T16:59:59Z", TRUE},
    {NULL, "08:00-18:00", "2026-11-20T17:00:00Z", FALSE}, /* 18:00 is not in it */
    {NULL, "08:00-18:00", "2026-07-20T06:00:00Z", TRUE},  /* summer time: 08:00 */
    {NULL, "08:00-18:00", "2026-07-20T16:00:00Z", FALSE},
    {"fri", NULL, "2026-11-20T22:59:59Z", TRUE}, /* a Friday, 23:59:59 */
    {"fri", NULL, "2026-11-20T23:00:00Z", FALSE},
    {"sat", NULL, "2026-11-20T23:00:00Z", TRUE},
    {"mon-fri", "08:00-18:00", "2026-11-21T10:00:00Z", FALSE},
    /* Past midnight: the night belongs to the day on which it began. */
    {"fri", "22:00-06:00", "2026-11-20T21:00:00Z", TRUE},
    {"fri", "22:00-06:00", "2026-11-21T04:59:59Z", TRUE},  /* Saturday, 05:59:59 */
    {"fri", "22:00-06:00", "2026-11-21T05:00:00Z", FALSE}, /* Saturday, 06:00 */
    {"fri", "22:00-06:00", "2026-11-20T04:00:00Z", FALSE}, /* Friday, 05:00: Thursday's */
    {"thu", "22:00-06:00", "2026-11-20T04:00:00Z", TRUE},
    {"sun", "22:00-06:00", "2026-11-23T04:00:00Z", TRUE}, /* Monday, 05:00 */
    {"fri", "22:00-00:00", "2026-11-20T22:59:00Z", TRUE},
    {"fri", "22:00-00:00", "2026-11-20T23:00:00Z", FALSE},
    {NULL, "00:00-24:00", "2026-11-20T23:00:00Z", TRUE},
    /* The hour from 02:00 to 03:00 comes twice in October, and is in the window both times. */
    {"sun", "02:00-03:00", "2026-10-25T00:30:00Z", TRUE},
    {"sun", "02:00-03:00", "2026-10-25T01:30:00Z", TRUE},
    {"sun", "02:00-03:00", "2026-10-25T02:00:00Z", FALSE},
    {"sat", "22:00-06:00", "2026-10-25T04:59:00Z", TRUE}, /* that night is an hour longer */
    {"sat", "22:00-06:00", "2026-10-25T05:00:00Z", FALSE},
    /* In March it does not come at all. */
    {"sun", "02:00-03:00", "2026-03-29T00:59:59Z", FALSE},
    {"sun", "02:00-03:00", "2026-03-29T01:00:00Z", FALSE},
    {"sat", "22:00-06:00", "2026-03-29T03:59:00Z", TRUE},
    {"sat", "22:00-06:00", "2026-03-29T04:00:00Z", FALSE},
};

static void
test_moments(void)
{
    for (guint i = 0; i < G_N_ELEMENTS(moments); i++) {
        g_test_message("%s %s at %s", moments[i].days, moments[i].time, moments[i].at);
        g_assert_cmpint(holds(moments[i].days, moments[i].time, moments[i].at), ==,
                        moments[i].holds);
    }
}

/* Whatever somebody asks about. */
static void
test_far_moments(void)
{
    static const gint64 far[] = {0, -1, G_MININT64, G_MAXINT64};

    for (guint i = 0; i < G_N_ELEMENTS(far); i++) {
        AcceptMoment moment = accept_moment(far[i]);

        g_assert_cmpuint(moment.day, <, 7);
        g_assert_cmpuint(moment.minute, <, ACCEPT_DAY_MINUTES);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(g_setenv("TZ", ZONE, TRUE));
    g_test_add_func("/accept-conditions/ranges", test_ranges);
    g_test_add_func("/accept-conditions/bad-ranges", test_bad_ranges);
    g_test_add_func("/accept-conditions/weekdays", test_weekdays);
    g_test_add_func("/accept-conditions/times", test_times);
    g_test_add_func("/accept-conditions/moments", test_moments);
    g_test_add_func("/accept-conditions/far-moments", test_far_moments);
    return g_test_run();
}
