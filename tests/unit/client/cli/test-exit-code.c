/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Exit codes: the table that scripts rely on, row by row. */
#include "client/cli/exit-code.h"
#include "common/base/error.h"
#include "common/base/reason.h"
#include "common/bus/names.h"

static void
test_errors_of_streamd(void)
{
    const struct {
        const char *name;
        int code;
    } rows[] = {
        {"Failed", 1},        {"Invalid", 2},   {"NotFound", 4},      {"Exists", 6},
        {"Denied", 5},        {"Busy", 1},      {"LimitReached", 7},  {"DeviceOffline", 10},
        {"Unauthorized", 11}, {"Rejected", 12}, {"TimedOut", 13},     {"HubUnreachable", 14},
        {"HubUntrusted", 15}, {"Protocol", 16}, {"ProxyRefused", 18}, {"Cancelled", 1},
    };

    g_assert_cmpuint(G_N_ELEMENTS(rows), ==, STREAMD_ERROR_CANCELLED + 1);
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *name = g_strconcat(BUS_ERROR_PREFIX, rows[i].name, NULL);

        g_assert_cmpint(exit_code_of_bus_error(name), ==, rows[i].code);
    }
    g_assert_cmpint(exit_code_of_bus_error(BUS_ERROR_PREFIX "FromTheFuture"), ==, 1);
}

static void
test_errors_of_the_bus(void)
{
    const struct {
        const char *name;
        int code;
    } rows[] = {
        {"ServiceUnknown", 3}, {"NoReply", 3},       {"AccessDenied", 5},      {"UnknownObject", 4},
        {"Timeout", 13},       {"UnknownMethod", 1}, {"Spawn.ChildExited", 3},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *name = g_strconcat("org.freedesktop.DBus.Error.", rows[i].name, NULL);

        g_assert_cmpint(exit_code_of_bus_error(name), ==, rows[i].code);
    }
    g_assert_cmpint(exit_code_of_bus_error("org.freedesktop.systemd1.NoSuchUnit"), ==, 3);
    g_assert_cmpint(exit_code_of_bus_error("org.freedesktop.systemd1.UnitMasked"), ==, 3);
    g_assert_cmpint(exit_code_of_bus_error("com.example.Error"), ==, 1);
    g_assert_cmpint(exit_code_of_bus_error(NULL), ==, 1);
}

static void
test_reasons_of_open_streams(void)
{
    for (guint i = REASON_NONE + 1; i < REASON_LAST; i++)
        g_assert_cmpint(exit_code_of_reason(reason_code((Reason)i)), ==,
                        reason_is_orderly((Reason)i) ? 0 : 17);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/exit-code/streamd", test_errors_of_streamd);
    g_test_add_func("/exit-code/bus", test_errors_of_the_bus);
    g_test_add_func("/exit-code/reasons", test_reasons_of_open_streams);
    return g_test_run();
}
