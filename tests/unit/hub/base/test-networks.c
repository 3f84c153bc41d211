/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The settings that are addresses: what balancers are called, and the hub itself. */
#include "hub/base/address.h"
#include "hub/base/networks.h"

static void
test_networks(void)
{
    static const struct {
        const char *networks, *peer;
        gboolean has;
    } rows[] = {
        {"192.0.2.7", "192.0.2.7:1", TRUE},
        {"192.0.2.7", "192.0.2.70:1", FALSE},
        {"192.0.2.7", "[2001:db8::1]:1", FALSE},
        {"192.0.2.0/24,2001:db8::/32", "192.0.2.255:65535", TRUE},
        {" 192.0.2.0/24 , 2001:db8::/32 ", "[2001:db8:ffff::1]:1", TRUE},
        {"192.0.2.0/24, 2001:db8::/32", "[2001:db9::1]:1", FALSE},
        {"::ffff:192.0.2.7", "192.0.2.7:1", TRUE},
        {"::ffff:192.0.2.0/120", "192.0.2.9:1", TRUE},
        {"::ffff:192.0.2.0/120", "192.0.3.9:1", FALSE},
        {"::/0", "192.0.2.7:1", FALSE},
        {"0.0.0.0/0", "192.0.2.7:1", TRUE},
        {"192.0.2.7", "unix", FALSE},
        {"192.0.2.7", "unconnected", FALSE},
        {"192.0.2.7", ":", FALSE},
        {"192.0.2.7", "[]:1", FALSE},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(Networks) networks = networks_new(rows[i].networks);

        g_test_message("%s %s", rows[i].networks, rows[i].peer);
        g_assert_true(networks_have(networks, rows[i].peer) == rows[i].has);
    }
    g_assert_null(networks_new(NULL));
    g_assert_false(networks_have(NULL, "192.0.2.7:1"));
}

static void
test_bad_networks(void)
{
    static const char *const bad[] = {
        "",          ",",          "192.0.2.7,", "192.0.2.7 192.0.2.8", "192.0.2.1/24",
        "host.test", "192.0.2/24", "::/129",     "192.0.2.0/33",        "[::1]",
    };
    g_autoptr(GString) many = g_string_new("10.0.0.1");

    for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_test_message("%s", bad[i]);
        g_assert_false(networks_are_good(bad[i]));
    }
    for (guint i = 2; i <= NETWORKS_MAX; i++)
        g_string_append(many, ",10.0.0.1");
    g_assert_true(networks_are_good(many->str));
    g_string_append(many, ",10.0.0.1");
    g_assert_false(networks_are_good(many->str));
}

static void
test_addresses(void)
{
    static const struct {
        const char *text, *with_port; /* NULL: not good */
    } rows[] = {
        {"Hub.Example.ORG", "hub.example.org:8443"},
        {"hub.example.org:443", "hub.example.org:443"},
        {"192.0.2.7:1", "192.0.2.7:1"},
        {"a_b", "a_b:8443"},
        {"", NULL},
        {":443", NULL},
        {"hub:", NULL},
        {"hub:0", NULL},
        {"hub:65536", NULL},
        {"hub:443:443", NULL},
        {"[::1]:443", NULL},
        {"https://hub", NULL},
        {"hub/", NULL},
        {"hub name", NULL},
        {"-hub", NULL},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *text = NULL;

        g_test_message("%s", rows[i].text);
        g_assert_true(address_is_good(rows[i].text) == (rows[i].with_port != NULL));
        if (!rows[i].with_port)
            continue;
        text = address_with_port(rows[i].text, 8443);
        g_assert_cmpstr(text, ==, rows[i].with_port);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/networks/have", test_networks);
    g_test_add_func("/networks/bad", test_bad_networks);
    g_test_add_func("/networks/addresses", test_addresses);
    return g_test_run();
}
