/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is written on devices and users, from the command line. */
#include "tests/unit/hub/streamhub-helper.h"

static void
test_scopes(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    static const char *const bad[] = {
        "user set ann",
        "user set ann --expires someday",
        "user set ann --bytes-per-day many",
        "user set ann --streams-max few",
        "user set ann --tag site",
        "invite user ann --existing --devices x",
        "device list --state asleep",
        "device list --sort size",
        "device list --columns device,,tags",
        "device list --columns colour",
        "device list --tag site",
        "device set gw-1",
        "user set ann --devices a/b",
    };
    g_auto(Run) run = {0};

    g_assert_cmpint(hub(f, &run,
                        "user add ann --rights service-connect --devices gw-* --devices "
                        "cam-1 --tag site=berlin --streams-max 2 --bytes-per-day 10G"),
                    ==, 0);
    g_assert_cmpint(hub(f, &run, "user show ann"), ==, 0);
    ASSERT_HAS(run.out,
               "devices gw-*, cam-1; tags site=berlin; 2 streams at once; 10G bytes a day");
    g_assert_cmpint(hub(f, &run, "user set ann --devices= --streams-max 0 --expires 2099-01-31"),
                    ==, 0);
    g_assert_cmpint(hub(f, &run, "user show ann --json"), ==, 0);
    ASSERT_HAS(run.out, "\"tags\"");
    ASSERT_HAS(run.out, "2099-01-3");
    g_assert_null(strstr(run.out, "\"devices\""));
    g_assert_null(strstr(run.out, "streams_max"));
    g_assert_cmpint(hub(f, &run, "user set nobody --streams-max 1"), ==, 4);
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++)
        g_assert_cmpint(hub(f, &run, bad[i]), ==, 2);
    ASSERT_HAS(run.err, "a pattern has");
    g_assert_cmpint(hub(f, &run, "device list --columns colour"), ==, 2);
    ASSERT_HAS(run.err, "there is no column 'colour'; there are: device, module, status, state, "
                        "last-seen, address, client, refused, refusal, take-overs, created, tags, "
                        "comment");
    g_assert_cmpint(hub(f, &run, "device list --sort size"), ==, 2);
    ASSERT_HAS(run.err, "there are: id, last-seen, state");
}

static void
test_labels(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    g_auto(Run) run = {0};

    g_assert_cmpint(hub(f, &run, "device add gw-1"), ==, 0);
    g_assert_cmpint(hub(f, &run, "device add gw-2"), ==, 0);
    g_assert_cmpint(hub(f, &run, "device set gw-1 --tag site=berlin --tag floor=1 --comment roof"),
                    ==, 0);
    g_assert_cmpint(hub(f, &run, "device set gw-2 --tag site=berlin"), ==, 0);
    g_assert_cmpint(hub(f, &run, "device show gw-1"), ==, 0);
    ASSERT_HAS(run.out, "floor=1, site=berlin");
    ASSERT_HAS(run.out, "roof");
    g_assert_cmpint(hub(f, &run, "device list --no-legend --tag site=berlin --tag floor=1"), ==, 0);
    g_assert_true(g_str_has_prefix(run.out, "gw-1 "));
    g_assert_null(strstr(run.out, "gw-2"));
    g_assert_cmpint(hub(f, &run, "device list --json --state connected"), ==, 0);
    g_assert_cmpstr(run.out, ==, "[]\n");
    g_assert_cmpint(hub(f, &run, "device set gw-1 --no-tag floor --comment="), ==, 0);
    g_assert_cmpint(hub(f, &run, "device show gw-1"), ==, 0);
    g_assert_null(strstr(run.out, "floor"));
    g_assert_null(strstr(run.out, "roof"));
    g_assert_cmpint(hub(f, &run, "device set gw-1 --tag site"), ==, 2);
    ASSERT_HAS(run.err, "a tag is KEY=VALUE");
    g_assert_cmpint(hub(f, &run, "device set gw-9 --tag site=rome"), ==, 4);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_cmpint(argc, ==, 2);
    set_program(argv[1]);
#define ADD(name, func) g_test_add("/streamhub/" name, Fixture, NULL, set_up, func, tear_down)
    ADD("scopes", test_scopes);
    ADD("labels", test_labels);
    return g_test_run();
}
