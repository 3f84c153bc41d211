/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/edge/source.h"

static char *
source_text(Source source)
{
    GString *text = g_string_new(NULL);

    g_string_append_printf(text, "%u/%u ", source.family, source.bits);
    for (guint i = 0; i < sizeof source.prefix; i++)
        g_string_append_printf(text, "%02x", source.prefix[i]);
    return g_string_free(text, FALSE);
}

static const struct {
    const char *peer;
    const char *source;
    const char *wider; /* at level 1 */
    const char *widest;
    const char *region;
} rows[] = {
    {"192.0.2.7:5123", "4/32 c000020700000000", "4/32 c000020700000000", "4/32 c000020700000000",
     "4/16 c000000000000000"},
    {"[::ffff:192.0.2.7]:1", "4/32 c000020700000000", "4/32 c000020700000000",
     "4/32 c000020700000000", "4/16 c000000000000000"},
    {"[2001:db8:1:ff77::1]:9", "6/64 20010db80001ff77", "6/56 20010db80001ff00",
     "6/48 20010db800010000", "6/32 20010db800000000"},
    {"[2001:db8:1:ff77:8::2]:8", "6/64 20010db80001ff77", "6/56 20010db80001ff00",
     "6/48 20010db800010000", "6/32 20010db800000000"},
    {"unix", "0/0 0000000000000000", "0/0 0000000000000000", "0/0 0000000000000000",
     "0/0 0000000000000000"},
    {"unconnected", "0/0 0000000000000000", "0/0 0000000000000000", "0/0 0000000000000000",
     "0/0 0000000000000000"},
    {"[nonsense]:1", "0/0 0000000000000000", "0/0 0000000000000000", "0/0 0000000000000000",
     "0/0 0000000000000000"},
};

static void
test_table(void)
{
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        Source source = source_of_peer(rows[i].peer);
        g_autofree char *own = source_text(source_at_level(&source, 0));
        g_autofree char *wider = source_text(source_at_level(&source, 1));
        g_autofree char *widest = source_text(source_at_level(&source, 2));
        g_autofree char *region = source_text(source_region(&source));

        g_assert_cmpstr(own, ==, rows[i].source);
        g_assert_cmpstr(wider, ==, rows[i].wider);
        g_assert_cmpstr(widest, ==, rows[i].widest);
        g_assert_cmpstr(region, ==, rows[i].region);
        g_assert_cmpuint(source_levels(&source), ==, source.family == 6 ? SOURCE_LEVELS : 1);
    }
}

static void
test_equal(void)
{
    Source one = source_of_peer("192.0.2.7:1"), same = source_of_peer("[::ffff:192.0.2.7]:2");
    Source other = source_of_peer("192.0.2.8:1");

    g_assert_true(source_equal(&one, &same));
    g_assert_cmpuint(source_hash(&one), ==, source_hash(&same));
    g_assert_false(source_equal(&one, &other));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/source/table", test_table);
    g_test_add_func("/source/equal", test_equal);
    return g_test_run();
}
