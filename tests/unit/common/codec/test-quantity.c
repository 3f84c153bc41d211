/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/codec/quantity.h"

#include <string.h>

#define S G_GUINT64_CONSTANT(1000000)
#define LEFT_ALONE 4711

static const struct {
    const char *text;
    guint64 usec;
} times[] = {
    {"0", 0},
    {"1", S},
    {"90", 90 * S},
    {"30s", 30 * S},
    {"30 s", 30 * S},
    {"1.5s", S + S / 2},
    {"0.000001", 1},
    {"0.0000019", 1},
    {"2h", 7200 * S},
    {"2h30min", 9000 * S},
    {"2h 30min", 9000 * S},
    {"2h 30m ", 9000 * S},
    {"1d 2 hours 3 minutes 4 seconds", (86400 + 7200 + 180 + 4) * S},
    {"1w", 604800 * S},
    {"100ms", 100000},
    {"250us", 250},
    {"7 usec 1msec", 1007},
    {"1 2", 3 * S}, /* as systemd adds them */
    {"18446744073709551615us", G_MAXUINT64},
    {"18446744073709s", 18446744073709 * S},
};

static const char *const no_times[] = {
    "",
    " ",
    "s",
    "-1",
    "+1",
    "1x",
    "1.s",
    ".5",
    "1,5",
    "1h;",
    "infinity",
    "0x10",
    "1e3",
    "10S",
    "1ss",
    "18446744073709551616us",
    "18446744073710s",
    "30000000000w",
    "99999999999999999999",
    " 1",
    "\t1",
    "1\n",
};

static void
test_times(void)
{
    for (guint i = 0; i < G_N_ELEMENTS(times); i++) {
        guint64 usec = LEFT_ALONE;

        g_test_message("'%s'", times[i].text);
        g_assert_true(quantity_parse_time(times[i].text, &usec));
        g_assert_cmpuint(usec, ==, times[i].usec);
    }
    for (guint i = 0; i < G_N_ELEMENTS(no_times); i++) {
        guint64 usec = LEFT_ALONE;

        g_test_message("'%s'", no_times[i]);
        g_assert_false(quantity_parse_time(no_times[i], &usec));
        g_assert_cmpuint(usec, ==, LEFT_ALONE);
    }
}

static const struct {
    const char *text;
    guint64 bytes;
} sizes[] = {
    {"0", 0},
    {"4096", 4096},
    {"4096B", 4096},
    {"64K", 65536},
    {"10M", 10485760},
    {"10 M", 10485760},
    {"1.5G", 1610612736},
    {"0.5K", 512},
    {"2T", G_GUINT64_CONSTANT(1) << 41},
    {"16383P", G_GUINT64_CONSTANT(16383) << 50},
    {"0.999999P", G_GUINT64_CONSTANT(1125898780942717)},
    {"16383.999999P", (G_GUINT64_CONSTANT(16383) << 50) + G_GUINT64_CONSTANT(1125898780942717)},
    {"18446744073709551615", G_MAXUINT64},
};

static const char *const no_sizes[] = {
    "",    "K",  "-1", "1KB", "1KiB", "1k", "1M 2M", "1E", "16384P", "18446744073709551616",
    "1.M", "M1",
};

static void
test_sizes(void)
{
    for (guint i = 0; i < G_N_ELEMENTS(sizes); i++) {
        guint64 bytes = LEFT_ALONE;

        g_test_message("'%s'", sizes[i].text);
        g_assert_true(quantity_parse_size(sizes[i].text, &bytes));
        g_assert_cmpuint(bytes, ==, sizes[i].bytes);
    }
    for (guint i = 0; i < G_N_ELEMENTS(no_sizes); i++) {
        guint64 bytes = LEFT_ALONE;

        g_test_message("'%s'", no_sizes[i]);
        g_assert_false(quantity_parse_size(no_sizes[i], &bytes));
        g_assert_cmpuint(bytes, ==, LEFT_ALONE);
    }
}

static void
test_too_long(void)
{
    g_autofree char *longest = g_strnfill(QUANTITY_TEXT_MAX, '0');
    g_autofree char *too_long = g_strnfill(QUANTITY_TEXT_MAX + 1, '0');
    guint64 value;

    g_assert_true(quantity_parse_time(longest, &value));
    g_assert_false(quantity_parse_time(too_long, &value));
    g_assert_false(quantity_parse_size(too_long, &value));
}

/* What is shown may be typed again. */
static void
test_format(void)
{
    static const struct {
        guint64 usec;
        const char *text;
    } shown_times[] = {
        {0, "0"},
        {1, "1us"},
        {S, "1s"},
        {90 * S, "1min 30s"},
        {7200 * S, "2h"},
        {86400 * S, "1d"},
        {1001500, "1s 1ms 500us"},
        {604800 * S * 2 + 1, "2w 1us"},
    };
    static const struct {
        guint64 bytes;
        const char *text;
    } shown_sizes[] = {
        {0, "0"},          {1000, "1000"}, {1024, "1K"},
        {10 << 20, "10M"}, {1536, "1536"}, {G_GUINT64_CONSTANT(3) << 40, "3T"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(shown_times); i++) {
        g_autofree char *text = quantity_format_time(shown_times[i].usec);
        guint64 again;

        g_assert_cmpstr(text, ==, shown_times[i].text);
        g_assert_true(quantity_parse_time(text, &again));
        g_assert_cmpuint(again, ==, shown_times[i].usec);
    }
    for (guint i = 0; i < G_N_ELEMENTS(shown_sizes); i++) {
        g_autofree char *text = quantity_format_size(shown_sizes[i].bytes);

        g_assert_cmpstr(text, ==, shown_sizes[i].text);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/quantity/times", test_times);
    g_test_add_func("/quantity/sizes", test_sizes);
    g_test_add_func("/quantity/too-long", test_too_long);
    g_test_add_func("/quantity/format", test_format);
    return g_test_run();
}
