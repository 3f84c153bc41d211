/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A list of devices that does not end: each bound, and one past it. */
#include "client/bus/device-pages.h"

#include "common/cli/cli.h"

static void
test_count(void)
{
    g_auto(DevicePages) pages = {0};
    g_autoptr(GError) error = NULL;

    device_pages_begin(&pages, 0, DEVICE_PAGES_TIME);
    for (guint i = 1; i < DEVICE_PAGES_MAX; i++) {
        g_autofree char *after = g_strdup_printf("%u", i);

        g_assert_true(device_pages_next(&pages, after, 0, &error));
    }
    g_assert_false(device_pages_next(&pages, "more", 0, &error));
    g_assert_error(error, EXIT_ERROR, EXIT_CODE_PROTOCOL);
}

static void
test_circle(void)
{
    g_auto(DevicePages) pages = {0};
    g_autoptr(GError) error = NULL;

    device_pages_begin(&pages, 0, DEVICE_PAGES_TIME);
    g_assert_true(device_pages_next(&pages, "a", 0, &error));
    g_assert_true(device_pages_next(&pages, "b", 0, &error));
    g_assert_false(device_pages_next(&pages, "a", 0, &error));
    g_assert_error(error, EXIT_ERROR, EXIT_CODE_PROTOCOL);
}

static void
test_time(void)
{
    g_auto(DevicePages) pages = {0};
    g_autoptr(GError) error = NULL;

    device_pages_begin(&pages, 7, DEVICE_PAGES_TIME);
    g_assert_true(device_pages_has_time(&pages, 6 + DEVICE_PAGES_TIME, &error));
    g_assert_true(device_pages_next(&pages, "a", 6 + DEVICE_PAGES_TIME, &error));
    g_assert_false(device_pages_has_time(&pages, 7 + DEVICE_PAGES_TIME, NULL));
    g_assert_false(device_pages_next(&pages, "b", 7 + DEVICE_PAGES_TIME, &error));
    g_assert_error(error, EXIT_ERROR, EXIT_CODE_TIMED_OUT);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/device-pages/count", test_count);
    g_test_add_func("/device-pages/circle", test_circle);
    g_test_add_func("/device-pages/time", test_time);
    return g_test_run();
}
