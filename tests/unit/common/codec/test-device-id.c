/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/codec/device-id.h"

#include <string.h>

static void
test_every_byte(void)
{
    static const char ids[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:-";

    for (int c = 0; c < 256; c++) {
        char text[3] = {'a', (char)c, 'b'};
        gboolean id = c != 0 && strchr(ids, c);

        g_assert_cmpint(device_id_is_valid(text, 3), ==, id);
        g_assert_cmpint(stream_name_is_valid(text, 3), ==, id || c == '~');
    }
}

static void
test_lengths(void)
{
    g_autofree char *name = g_strnfill(129, 'x');

    g_assert_false(device_id_is_valid("", -1));
    g_assert_false(stream_name_is_valid("", -1));
    g_assert_true(device_id_is_valid(name, 1));
    g_assert_true(device_id_is_valid(name, 128));
    g_assert_true(stream_name_is_valid(name, 128));
    g_assert_false(device_id_is_valid(name, 129));
    g_assert_false(stream_name_is_valid(name, -1));
}

/* HTTP clients fold these out of a path; with more characters they are ordinary. */
static void
test_dots(void)
{
    g_assert_false(device_id_is_valid(".", -1));
    g_assert_false(device_id_is_valid("..", -1));
    g_assert_false(stream_name_is_valid(".", -1));
    g_assert_false(stream_name_is_valid("..", -1));
    g_assert_true(device_id_is_valid("...", -1));
    g_assert_true(stream_name_is_valid(".x", -1));
    g_assert_true(stream_name_is_valid("ssh", -1));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/device-id/bytes", test_every_byte);
    g_test_add_func("/device-id/lengths", test_lengths);
    g_test_add_func("/device-id/dots", test_dots);
    return g_test_run();
}
