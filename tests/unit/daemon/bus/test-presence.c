/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The address of the bus, without which server it was. */
#include "daemon/bus/presence.h"

static void
test_address(void)
{
    static const struct {
        const char *given, *wanted;
    } rows[] = {
        {"unix:path=/run/user/1000/bus", "unix:path=/run/user/1000/bus"},
        {"unix:path=/tmp/bus,guid=0123456789abcdef", "unix:path=/tmp/bus"},
        {"unix:guid=0123456789abcdef,path=/tmp/bus", "unix:path=/tmp/bus"},
        {"unix:abstract=/tmp/a,guid=1;tcp:host=h,port=1,guid=2",
         "unix:abstract=/tmp/a;tcp:host=h,port=1"},
        {"unix:path=/tmp/a%2cguid=1", "unix:path=/tmp/a%2cguid=1"},
        {"unixexec:path=x,argv1=guid=1", "unixexec:path=x,argv1=guid=1"},
        {"nonsense", "nonsense"},
        {"", ""},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *address = bus_presence_address(rows[i].given);

        g_assert_cmpstr(address, ==, rows[i].wanted);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/presence/address", test_address);
    return g_test_run();
}
