/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The app's settings, from one run to the next. */
#include "desktop/base/settings.h"

#include <glib/gstdio.h>

/* Many changes at once, and the end right after them: the last ones are what the next run sees. */
static void
test_last_stays(void)
{
    g_autofree char *folder = g_dir_make_tmp("settings-XXXXXX", NULL);
    g_autofree char *file = g_build_filename(folder, "app.conf", NULL);

    for (guint run = 0; run < 20; run++) {
        Settings *settings = settings_new(file);

        g_assert_cmpint(settings_background(settings), ==, run % 2 == 0 ? FALSE : TRUE);
        for (guint i = 0; i < 10; i++)
            settings_set_background(settings, i % 2 == 0);
        settings_set_background(settings, run % 2 == 0);
        settings_free(settings);
    }
    g_assert_cmpint(g_unlink(file), ==, 0);
    g_assert_cmpint(g_rmdir(folder), ==, 0); /* nothing else is left there */
}

int
main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/desktop/settings/last-stays", test_last_stays);
    return g_test_run();
}
