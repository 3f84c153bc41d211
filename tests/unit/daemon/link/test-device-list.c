/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A hub's list of devices, good and bad. */
#include "common/base/error.h"
#include "daemon/link/device-list.h"

#include <string.h>

static void
test_good(void)
{
    const char *text = "[{\"deviceId\":\"gw-1\",\"status\":\"enabled\",\"connectionState\":"
                       "\"Connected\",\"etag\":\"x\"},{\"deviceId\":\"gw-2\",\"status\":7,"
                       "\"connectionState\":\"\\u001b[2J\"}]";
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) devices = device_list_parse(text, strlen(text), &error);
    const ListedDevice *first, *second;

    g_assert_no_error(error);
    g_assert_cmpuint(devices->len, ==, 2);
    first = g_ptr_array_index(devices, 0);
    second = g_ptr_array_index(devices, 1);
    g_assert_cmpstr(first->id, ==, "gw-1");
    g_assert_cmpstr(first->status, ==, "enabled");
    g_assert_cmpstr(first->connection_state, ==, "Connected");
    g_assert_cmpstr(second->id, ==, "gw-2");
    /* What is no word is as if it were not there. */
    g_assert_cmpstr(second->status, ==, "");
    g_assert_cmpstr(second->connection_state, ==, "");
}

static void
test_bad(void)
{
    const char *rows[] = {"",
                          "{}",
                          "[",
                          "[1]",
                          "[{}]",
                          "[{\"deviceId\":null}]",
                          "[{\"deviceId\":\"\"}]",
                          "[{\"deviceId\":\"a b\"}]",
                          "[{\"deviceId\":\"a\",\"deviceId\":\"b\"}]",
                          "[{\"deviceId\":\"gw\"}] []"};

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_null(device_list_parse(rows[i], strlen(rows[i]), &error));
        g_assert_error(error, STREAMD_ERROR, STREAMD_ERROR_PROTOCOL);
    }
}

static void
test_next(void)
{
    g_autofree char *longest = g_strnfill(DEVICE_LIST_AFTER_MAX, 'a');
    g_autofree char *longer = g_strnfill(DEVICE_LIST_AFTER_MAX + 1, 'a');
    const struct {
        const char *field, *asked, *next; /* NULL: refused */
    } rows[] = {
        {"gw-1", NULL, "gw-1"}, {"gw%3A1", "gw-1", "gw:1"}, {longest, NULL, longest},
        {longer, NULL, NULL},   {"", NULL, NULL},           {"%00", NULL, NULL},
        {"%ff", NULL, NULL},    {"gw%", NULL, NULL},        {"gw%2d1", "gw-1", NULL},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *next = device_list_next(slice_of(rows[i].field), rows[i].asked, &error);

        g_assert_cmpstr(next, ==, rows[i].next);
        if (!next)
            g_assert_error(error, STREAMD_ERROR, STREAMD_ERROR_PROTOCOL);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/device-list/good", test_good);
    g_test_add_func("/device-list/bad", test_bad);
    g_test_add_func("/device-list/next", test_next);
    return g_test_run();
}
