/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* org.freedesktop.LogControl1, as systemctl service-log-level calls it. */
#include "tests/bus/bus-fixture.h"

#include <string.h>

#define INVALID_ARGS "org.freedesktop.DBus.Error.InvalidArgs"
#define NOBODY "HostName=localhost:9;SharedAccessKeyName=service;SharedAccessKey=c2VjcmV0"
#define READ_ONLY "org.freedesktop.DBus.Error.PropertyReadOnly"

static char *
get(sd_bus *bus, const char *name)
{
    return fixture_property(bus, BUS_PATH_LOG, BUS_LOG, name);
}

static void
set_level(sd_bus *bus, const char *level)
{
    g_autoptr(sd_bus_message) reply G_GNUC_UNUSED = fixture_call(
        bus, BUS_PATH_LOG, BUS_PROPERTIES, "Set", "ssv", BUS_LOG, "LogLevel", "s", level);
}

static void
test_properties(Fixture *fixture, gconstpointer data)
{
    g_autoptr(sd_bus) bus = fixture_connect(fixture);
    g_autofree char *level = get(bus, "LogLevel");
    g_autofree char *target = get(bus, "LogTarget");
    g_autofree char *identifier = get(bus, "SyslogIdentifier");

    g_assert_cmpstr(level, ==, "info");
    g_assert_cmpstr(target, ==, "console");
    g_assert_cmpstr(identifier, ==, "streamd");
}

static void
add_target(sd_bus *bus, const char *name)
{
    sd_bus_message_unref(fixture_call(bus, BUS_ROOT, BUS_MANAGER, "ExposeTarget", "ssa{sv}", name,
                                      "tcp:127.0.0.1:9", 0));
}

/* It is in force at once, either way. What somebody changes is written at every level. */
static void
test_level(Fixture *fixture, gconstpointer data)
{
    g_autoptr(sd_bus) bus = fixture_connect(fixture);
    g_autofree char *debug = NULL, *err = NULL, *log = NULL, *quiet = NULL, *told = NULL;

    set_level(bus, "debug");
    debug = get(bus, "LogLevel");
    g_assert_cmpstr(debug, ==, "debug");
    set_level(bus, "err");
    err = get(bus, "LogLevel");
    g_assert_cmpstr(err, ==, "err");
    quiet = fixture_add_hub(bus, "quiet", NOBODY, TRUE);
    add_target(bus, "first");
    set_level(bus, "info");
    told = fixture_add_hub(bus, "told", NOBODY, TRUE);
    add_target(bus, "second");
    log = fixture_read_log(fixture);
    g_assert_null(strstr(log, "Hub quiet is not connected"));
    g_assert_nonnull(strstr(log, "streamd: warning: Hub told is not connected: "));
    g_assert_nonnull(strstr(log, "streamd: Target first was added: tcp:127.0.0.1:9, by "));
    g_assert_nonnull(strstr(log, "streamd: Target second was added: tcp:127.0.0.1:9, by "));
}

static void
test_refused(Fixture *fixture, gconstpointer data)
{
    g_autoptr(sd_bus) bus = fixture_connect(fixture);
    g_autofree char *level = fixture_fails(bus, INVALID_ARGS, BUS_PATH_LOG, BUS_PROPERTIES, "Set",
                                           "ssv", BUS_LOG, "LogLevel", "s", "loud");
    g_autofree char *target G_GNUC_UNUSED =
        fixture_fails(bus, READ_ONLY, BUS_PATH_LOG, BUS_PROPERTIES, "Set", "ssv", BUS_LOG,
                      "LogTarget", "s", "journal");
    g_autofree char *still = get(bus, "LogLevel");

    g_assert_nonnull(strstr(level, "warning"));
    g_assert_cmpstr(still, ==, "info");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add("/log/properties", Fixture, NULL, fixture_set_up, test_properties,
               fixture_tear_down);
    g_test_add("/log/level", Fixture, NULL, fixture_set_up, test_level, fixture_tear_down);
    g_test_add("/log/refused", Fixture, NULL, fixture_set_up, test_refused, fixture_tear_down);
    return g_test_run();
}
