/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which origins are the hub's or listed; a web page must not look like one of them. */
#include "hub/base/origins.h"

#include <string.h>

static const char *const names[] = {"hub.example", "*.wild.example", "10.0.0.7", "2001:DB8::1",
                                    NULL};
#define LISTED "https://portal.example, http://10.1.2.3:8080"

static const struct {
    const char *origin;
    gboolean good;
    gboolean listed;
} rows[] = {
    {"https://hub.example", TRUE, FALSE},
    {"http://hub.example", TRUE, FALSE},
    {"ws://hub.example", TRUE, FALSE},
    {"wss://HUB.Example:8443", TRUE, FALSE},
    {"https://streams.example", TRUE, FALSE},
    {"https://10.0.0.7:443", TRUE, FALSE},
    {"https://[2001:db8::1]:8443", TRUE, FALSE},
    {"https://[2001:db8::1]", TRUE, FALSE},
    {"https://a.wild.example", TRUE, FALSE},
    {"https://a.b.wild.example", FALSE, FALSE},
    {"https://wild.example", FALSE, FALSE},
    {"https://.wild.example", FALSE, FALSE},
    {"https://portal.example", TRUE, TRUE},
    {"HTTPS://Portal.Example", TRUE, TRUE},
    {"http://portal.example", FALSE, FALSE},
    {"https://portal.example:444", FALSE, FALSE},
    {"http://10.1.2.3:8080", TRUE, TRUE},
    {"http://10.1.2.3", FALSE, FALSE},
    {"https://evil.example", FALSE, FALSE},
    {"https://hub.example.evil.example", FALSE, FALSE},
    {"https://evilhub.example", FALSE, FALSE},
    {"https://hub.example@evil.example", FALSE, FALSE},
    {"https://hub.example/", FALSE, FALSE},
    {"https://hub.example:0", FALSE, FALSE},
    {"https://hub.example:65536", FALSE, FALSE},
    {"https://hub.example:", FALSE, FALSE},
    {"https://hub.example https://evil.example", FALSE, FALSE},
    {"https://[2001:db8::1", FALSE, FALSE},
    {"https://[2001:db8::1]x", FALSE, FALSE},
    {"https://2001:db8::1", FALSE, FALSE},
    {"https://", FALSE, FALSE},
    {"://hub.example", FALSE, FALSE},
    {"ht tp://hub.example", FALSE, FALSE},
    {"hub.example", FALSE, FALSE},
    {"null", FALSE, FALSE},
    {"", FALSE, FALSE},
};

static void
test_rows(void)
{
    g_autoptr(Origins) origins = origins_new(names, "streams.example:8443", LISTED);
    g_autoptr(Origins) again = origins_ref(origins);

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        /* Without a NUL behind it, as in a head. */
        g_autofree char *text = g_memdup2(rows[i].origin, strlen(rows[i].origin));
        const Slice origin = {text ? text : "", strlen(rows[i].origin)};

        g_test_message("%s", rows[i].origin);
        g_assert_cmpint(origins_have(origins, origin), ==, rows[i].good);
        g_assert_cmpint(origins_list(origins, origin), ==, rows[i].listed);
        g_assert_false(origins_have(NULL, origin));
    }
    g_assert_true(origins == again);
}

static void
test_lists(void)
{
    g_autoptr(GString) list = g_string_new(NULL);

    g_assert_true(origins_are_good("https://a.example"));
    g_assert_true(origins_are_good(" https://a.example\thttp://[::1]:80,"));
    g_assert_false(origins_are_good(""));
    g_assert_false(origins_are_good(" , "));
    g_assert_false(origins_are_good("*"));
    g_assert_false(origins_are_good("https://*.example"));
    g_assert_false(origins_are_good("https://a.example/path"));
    g_assert_false(origins_are_good("a.example"));
    for (guint i = 0; i < ORIGINS_MAX; i++)
        g_string_append_printf(list, "https://h%u.example,", i);
    g_assert_true(origins_are_good(list->str));
    g_string_append(list, "https://more.example");
    g_assert_false(origins_are_good(list->str));
}

/* 300 bytes, and one more. */
static void
test_length(void)
{
    for (gsize len = 300; len <= 301; len++) {
        g_autofree char *host = g_strnfill(len - strlen("https://"), 'h');
        g_autofree char *origin = g_strconcat("https://", host, NULL);
        const char *const own[] = {host, NULL};
        g_autoptr(Origins) origins = origins_new(own, NULL, NULL);

        g_assert_cmpint(origins_have(origins, slice_of(origin)), ==, len == 300);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/origins/rows", test_rows);
    g_test_add_func("/origins/lists", test_lists);
    g_test_add_func("/origins/length", test_length);
    return g_test_run();
}
