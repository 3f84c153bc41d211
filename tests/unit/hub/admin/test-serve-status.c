/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The line for the service manager, by what there is and what is wrong. */
#include "hub/admin/serve-status.h"

#include <string.h>

typedef struct {
    ServeStanding standing;
    const char *text;
} Row;

static void
test_text(void)
{
    static const Row rows[] = {
        {{"h", 443, .counts = {.devices = 0, .streams = 0}},
         "Serving h, port 443, 0 devices, 0 streams"},
        {{"h", 8443, .counts = {.devices = 1, .streams = 1}},
         "Serving h, port 8443, 1 device, 1 stream"},
        {{"h", 443, .counts = {.devices = 2, .streams = 7, .draining = TRUE}},
         "Serving h, port 443, 2 devices, 7 streams, taking no new ones"},
        {{"h", 443, .held = TRUE},
         "Serving h, port 443, 0 devices, 0 streams, the registry is read-only on request"},
        {{"h", 443, .stopping = TRUE}, "Ending streams of h, port 443, 0 devices, 0 streams"},
        {{"h", 443, .registry = "", .certificate = "the hub's certificate expires in 5 days"},
         "Serving h, port 443, 0 devices, 0 streams; the hub's certificate expires in 5 days"},
        {{"h", 443, .registry = "the disk\nis full", .no_admin = TRUE, .counts = {.cloned = 2}},
         "Serving h, port 443, 0 devices, 0 streams; the disk\\x0ais full; two machines use the "
         "identity "
         "of 2 devices; the admin socket cannot be made"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *text = serve_status_text(&rows[i].standing);

        g_assert_cmpstr(text, ==, rows[i].text);
    }
}

static void
test_bounded(void)
{
    g_autofree char *longest = g_strnfill(5000, 'x');
    g_autofree char *text = serve_status_text(
        &(ServeStanding){.name = "h", .registry = longest, .certificate = longest});

    g_assert_cmpuint(strlen(text), <, 500);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/serve-status/text", test_text);
    g_test_add_func("/serve-status/bounded", test_bounded);
    return g_test_run();
}
