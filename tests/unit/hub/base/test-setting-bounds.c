/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the owner of a hub may set: a row for each setting that is a number, with its default and
 * its bounds; each bound is taken, and one step past it is not. The figures stand here once more,
 * on purpose: whoever changes one says so. */
#include "hub/base/settings.h"

#include <string.h>

static const struct {
    const char *key;
    gboolean seconds;
    double values[3]; /* the default, the least, the most */
} settings[] = {
    {"handshake-timeout", TRUE, {10, 0.1, 60}},
    {"request-timeout", TRUE, {10, 0.1, 60}},
    {"keep-alive-timeout", TRUE, {60, 0.1, 600}},
    {"requests-per-connection", FALSE, {1000, 1, 1000000}},
    {"unauthenticated-max", FALSE, {1024, 1, 65536}},
    {"unauthenticated-per-source", FALSE, {64, 1, 65536}},
    {"connections-per-second", FALSE, {100, 1, 1000000}},
    {"connections-burst", FALSE, {400, 1, 1000000}},
    {"known-source-factor", FALSE, {8, 1, 1000}},
    {"known-source-time", TRUE, {86400, 1, 2592000}},
    {"penalty", TRUE, {5, 0, 600}},
    {"penalty-max", TRUE, {600, 1, 3600}},
    {"penalty-identities", FALSE, {10, 2, 1000}},
    {"guessing-per-second", FALSE, {2, 1, 1000000}},
    {"connections-max", FALSE, {65536, 1, 1000000}},
    {"mqtt-keep-alive-max", TRUE, {1200, 1, 7200}},
    {"link-probe", TRUE, {10, 0.1, 60}},
    {"packet-max", FALSE, {262144, 16384, 262144}},
    {"subscriptions-per-connection", FALSE, {50, 2, 1000}},
    {"publishes-per-second", FALSE, {1000, 10, 100000}},
    {"publishes-burst", FALSE, {4000, 10, 1000000}},
    {"busy-publishes-per-second", FALSE, {4000, 10, 1000000}},
    {"device-token-life-max", TRUE, {31536000, 60, 315360000}},
    {"service-token-life-max", TRUE, {2592000, 60, 315360000}},
    {"token-skew", TRUE, {5, 0, 300}},
    {"rekey-grace", TRUE, {3600, 0, 2592000}},
    {"reconnects-per-minute", FALSE, {10, 0, 100000}},
    {"clone-window", TRUE, {600, 0, 86400}},
    {"stream-deadline", TRUE, {60, 1, 60}},
    {"response-timeout", TRUE, {30, 0.1, 60}},
    {"device-return-time", TRUE, {30, 0, 600}},
    {"streams-per-device", FALSE, {1024, 1, 65536}},
    {"pending-per-device", FALSE, {1024, 1, 65536}},
    {"streams-per-user-and-device", FALSE, {256, 1, 65536}},
    {"pending-per-user-and-device", FALSE, {256, 1, 65536}},
    {"streams-max", FALSE, {16384, 1, 1000000}},
    {"user-share", FALSE, {25, 1, 100}},
    {"streams-per-second", FALSE, {1000, 1, 1000000}},
    {"streams-burst", FALSE, {2000, 1, 1000000}},
    {"leg-ping", TRUE, {20, 0.1, 3600}},
    {"leg-dead", TRUE, {45, 0.2, 7200}},
    {"end-wait", TRUE, {10, 0.1, 3600}},
    {"records-files", FALSE, {10, 1, 100000}},
};

static gboolean
setting_takes(const char *key, double value)
{
    char number[G_ASCII_DTOSTR_BUF_SIZE];
    g_autofree char *text = g_strdup_printf("[hub]\n%s=%s\n", key,
                                            g_ascii_formatd(number, sizeof number, "%.3f", value));
    g_autoptr(Settings) parsed = settings_parse(text, strlen(text), "hub.conf", NULL);

    return parsed != NULL;
}

/* Seconds have fractions, counts have none. */
static void
test_settings(void)
{
    for (guint i = 0; i < G_N_ELEMENTS(settings); i++) {
        const double step = settings[i].seconds ? 0.01 : 1;
        const double *values = settings[i].values;

        g_test_message("%s", settings[i].key);
        g_assert_true(setting_takes(settings[i].key, values[0]));
        g_assert_true(setting_takes(settings[i].key, values[1]));
        g_assert_true(setting_takes(settings[i].key, values[2]));
        g_assert_false(setting_takes(settings[i].key, values[1] - step));
        g_assert_false(setting_takes(settings[i].key, values[2] + step));
        g_assert_cmpint(setting_takes(settings[i].key, values[1] + 0.5 * step), ==,
                        settings[i].seconds);
    }
}

/* What the hub says of itself, with the defaults: each has its row here. */
static void
test_all_settings(void)
{
    g_autofree char *text = settings_describe();
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    guint found = 0;

    for (guint i = 0; lines[i]; i++) {
        g_auto(GStrv) pair = g_strsplit(lines[i], "=", 2);
        guint row = 0;

        if (*lines[i] != '#' || !pair[1] || !g_ascii_isdigit(*pair[1]) || strchr(pair[0], ' ') ||
            g_ascii_isalpha(pair[1][strlen(pair[1]) - 1])) /* a size: test-settings.c */
            continue;
        while (row < G_N_ELEMENTS(settings) && strcmp(settings[row].key, pair[0] + 1) != 0)
            row++;
        if (row == G_N_ELEMENTS(settings))
            g_error("%s has no row in tests/unit/hub/base/test-setting-bounds.c", pair[0] + 1);
        g_assert_cmpfloat(g_ascii_strtod(pair[1], NULL), ==, settings[row].values[0]);
        found++;
    }
    g_assert_cmpuint(found, ==, G_N_ELEMENTS(settings));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/setting-bounds/each", test_settings);
    g_test_add_func("/setting-bounds/all", test_all_settings);
    return g_test_run();
}
