/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Failures: the table that scripts rely on, row by row; and every option is explained. */
#include "client/cli/failure.h"
#include "client/cli/option.h"
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

        g_assert_cmpint(failure_code(name), ==, rows[i].code);
    }
    g_assert_cmpint(failure_code(BUS_ERROR_PREFIX "FromTheFuture"), ==, 1);
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

        g_assert_cmpint(failure_code(name), ==, rows[i].code);
    }
    g_assert_cmpint(failure_code("org.freedesktop.systemd1.NoSuchUnit"), ==, 3);
    g_assert_cmpint(failure_code("org.freedesktop.systemd1.UnitMasked"), ==, 3);
    g_assert_cmpint(failure_code("com.example.Error"), ==, 1);
    g_assert_cmpint(failure_code(NULL), ==, 1);
}

static void
test_reasons_of_open_streams(void)
{
    for (guint i = REASON_NONE + 1; i < REASON_LAST; i++)
        g_assert_cmpint(exit_code_of_reason(reason_code((Reason)i)), ==,
                        reason_is_orderly((Reason)i) ? 0 : 17);
}

static void
test_every_option_is_explained(void)
{
    for (Option i = 0; i < option_count(&streamctl_options); i++) {
        const OptionRow *row = option_row(&streamctl_options, i);

        g_assert_nonnull(row->name);
        if (row->help == NULL || (row->kind == VALUE_NONE) != (row->value == NULL))
            g_error("--%s needs its help, and a name for its value if it takes one", row->name);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/failure/streamd", test_errors_of_streamd);
    g_test_add_func("/failure/bus", test_errors_of_the_bus);
    g_test_add_func("/failure/reasons", test_reasons_of_open_streams);
    g_test_add_func("/option/explained", test_every_option_is_explained);
    return g_test_run();
}
