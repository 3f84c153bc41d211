/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Host names that ssh knows devices by: where the device ends and the hub begins. */
#include "client/verb/ssh-name.h"

#include <string.h>

static const char *const two_hubs[] = {"office", "plant.example", NULL};

typedef struct {
    const char *host;
    const char *device; /* NULL: no such name */
    const char *hub;
} Row;

static const Row rows[] = {
    {"gw-1.device", "gw-1", NULL},
    {"GW_1:a.b.device", "GW_1:a.b", NULL},
    {"gw-1/edge.device", "gw-1/edge", NULL},
    {"gw-1.office.device", "gw-1", "office"},
    {"gw-1/edge.office.device", "gw-1/edge", "office"},
    {"gw.1.plant.example.device", "gw.1", "plant.example"},
    {"gw-1.office.plant.example.device", "gw-1.office", "plant.example"},
    {"gw-1.office.office.device", "gw-1.office", "office"},
    {"gw-1.Office.device", "gw-1.Office", NULL},
    {"gw-1office.device", "gw-1office", NULL},
    {"office.device", "office", NULL}, /* a hub alone is the name of a device */
    {".office.device", ".office", NULL},
    {"device.device", "device", NULL},
    {"gw-1.device.device", "gw-1.device", NULL},
    {"-oProxyCommand.device", "-oProxyCommand", NULL}, /* no option: it comes after -- */
    {"", NULL, NULL},
    {".device", NULL, NULL},
    {"device", NULL, NULL},
    {"gw-1", NULL, NULL},
    {"gw-1.devices", NULL, NULL},
    {"gw-1.DEVICE", NULL, NULL},
    {"gw-1.device.", NULL, NULL},
    {"gw 1.device", NULL, NULL},
    {"$(id).device", NULL, NULL},
    {"gw-1/.device", NULL, NULL},
    {"/edge.device", NULL, NULL},
    {"gw-1/edge/more.device", NULL, NULL},
    {"..device", NULL, NULL},
    {"...device", NULL, NULL},
};

static void
test_parse(void)
{
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *device = NULL;
        const char *hub = "untouched";
        gboolean parsed = ssh_name_parse(rows[i].host, two_hubs, &device, &hub);

        g_test_message("%s", rows[i].host);
        g_assert_cmpstr(device, ==, rows[i].device);
        g_assert_cmpint(parsed, ==, rows[i].device != NULL);
        g_assert_cmpstr(hub, ==, parsed ? rows[i].hub : "untouched");
    }
}

static void
test_without_hubs(void)
{
    g_autofree char *device = NULL;
    const char *hub = NULL;

    g_assert_true(ssh_name_parse("gw-1.office.device", NULL, &device, &hub));
    g_assert_cmpstr(device, ==, "gw-1.office");
    g_assert_null(hub);
}

/* The order of the hubs does not matter: the longest that fits. */
static void
test_longest(void)
{
    const char *const either[][4] = {{"b", "a.b", "x.a.b", NULL}, {"x.a.b", "b", "a.b", NULL}};

    for (guint i = 0; i < G_N_ELEMENTS(either); i++) {
        g_autofree char *device = NULL, *short_device = NULL;
        const char *hub = NULL;

        g_assert_true(ssh_name_parse("d.x.a.b.device", either[i], &device, &hub));
        g_assert_cmpstr(device, ==, "d");
        g_assert_cmpstr(hub, ==, "x.a.b");
        g_assert_true(ssh_name_parse("x.a.b.device", either[i], &short_device, &hub));
        g_assert_cmpstr(short_device, ==, "x");
        g_assert_cmpstr(hub, ==, "a.b");
    }
}

static void
test_make(void)
{
    g_autofree char *plain = ssh_name_make("gw-1", NULL);
    g_autofree char *with_hub = ssh_name_make("gw-1", "office");
    g_autofree char *device = NULL;
    const char *hub = NULL;

    g_assert_cmpstr(plain, ==, "gw-1.device");
    g_assert_cmpstr(with_hub, ==, "gw-1.office.device");
    g_assert_true(ssh_name_parse(with_hub, two_hubs, &device, &hub));
    g_assert_cmpstr(device, ==, "gw-1");
    g_assert_cmpstr(hub, ==, "office");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ssh-name/parse", test_parse);
    g_test_add_func("/ssh-name/without-hubs", test_without_hubs);
    g_test_add_func("/ssh-name/longest", test_longest);
    g_test_add_func("/ssh-name/make", test_make);
    return g_test_run();
}
