/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/net/keep-alive.h"

/* Two proofs each, as long as something grows. Returns the last pause. */
static guint
grow(KeepAlive *self, gint64 now, guint rounds)
{
    for (guint i = 0; i < rounds * KEEP_ALIVE_PROOF; i++)
        (void)keep_alive_survived(self, now);
    return self->pause;
}

static void
test_grows(void)
{
    static const guint pauses[] = {240, 360, 540, 810, 900, 900};
    KeepAlive self;

    keep_alive_init(&self, KEEP_ALIVE_MOST);
    for (guint i = 0; i < G_N_ELEMENTS(pauses); i++) {
        g_assert_cmpuint(self.pause, ==, pauses[i]);
        for (guint proof = 1; proof < KEEP_ALIVE_PROOF; proof++)
            g_assert_false(keep_alive_survived(&self, 0));
        g_assert_true(keep_alive_survived(&self, 0) == (pauses[i] < KEEP_ALIVE_MOST));
    }
}

/* A network that forgets after LIMIT seconds: the pause ends below it, without end of trying. */
static void
test_finds(void)
{
    static const guint limits[] = {31, 60, 119, 239, 300, 350, 500, 899};

    for (guint i = 0; i < G_N_ELEMENTS(limits); i++) {
        guint deaths = 0, changes = 0;
        KeepAlive self;

        keep_alive_init(&self, KEEP_ALIVE_MOST);
        for (guint n = 0; n < 100; n++) {
            if (self.pause > limits[i]) {
                keep_alive_died(&self, n);
                deaths++;
            } else {
                changes += keep_alive_survived(&self, n) ? 1 : 0;
            }
        }
        g_test_message("a network that forgets after %u s: %u s, %u deaths, %u changes", limits[i],
                       self.pause, deaths, changes);
        g_assert_cmpuint(self.pause, <=, limits[i]);
        g_assert_cmpuint(self.pause, >=, limits[i] / 2);
        g_assert_cmpuint(deaths, <=, 6);
        g_assert_cmpuint(changes, <=, 8);
    }
}

static void
test_bounded(void)
{
    KeepAlive self;

    keep_alive_init(&self, KEEP_ALIVE_MOST);
    for (guint i = 0; i < 100; i++)
        keep_alive_died(&self, 0);
    g_assert_cmpuint(self.pause, ==, KEEP_ALIVE_LEAST);
    keep_alive_init(&self, 2);
    g_assert_cmpuint(self.pause, ==, 2);
    g_assert_cmpuint(grow(&self, 0, 10), ==, 2);
    keep_alive_died(&self, 0);
    g_assert_cmpuint(self.pause, ==, 2);
}

static void
test_forgets(void)
{
    KeepAlive self;

    keep_alive_init(&self, KEEP_ALIVE_MOST);
    keep_alive_died(&self, 0);
    g_assert_cmpuint(grow(&self, KEEP_ALIVE_MEMORY - 1, 20), <, KEEP_ALIVE_START);
    g_assert_cmpuint(grow(&self, KEEP_ALIVE_MEMORY, 20), ==, KEEP_ALIVE_MOST);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/keep-alive/grows", test_grows);
    g_test_add_func("/keep-alive/finds", test_finds);
    g_test_add_func("/keep-alive/bounded", test_bounded);
    g_test_add_func("/keep-alive/forgets", test_forgets);
    return g_test_run();
}
