/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Streams that have ended are remembered for their time, and no more than TOMBSTONES_MAX of them.
 */
#include "daemon/stream/tombstone.h"

static void
add(Tombstones *tombstones, const char *hub, guint number, gint64 until)
{
    g_autofree char *id = g_strdup_printf("s%u", number);

    tombstones_add(tombstones, &(Tombstone){.hub = hub,
                                            .id = id,
                                            .digest = {(guint8)number},
                                            .reason = REASON_COMPLETED,
                                            .until = until});
}

static void
test_find(void)
{
    Tombstones *tombstones = tombstones_new();
    const Tombstone *found;

    add(tombstones, "office", 1, 100);
    add(tombstones, "home", 1, 50);
    add(tombstones, "office", 2, 70);
    found = tombstones_find(tombstones, "office", "s2", 70);
    g_assert_nonnull(found);
    g_assert_cmpuint(found->digest[0], ==, 2);
    g_assert_cmpint(found->reason, ==, REASON_COMPLETED);
    g_assert_cmpuint(tombstones_size(tombstones), ==, 2); /* that of home is over */
    g_assert_null(tombstones_find(tombstones, "home", "s1", 70));
    g_assert_null(tombstones_find(tombstones, "office", "s2", 71));
    g_assert_nonnull(tombstones_find(tombstones, "office", "s1", 100));
    g_assert_null(tombstones_find(tombstones, "office", "s1", 101));
    g_assert_cmpuint(tombstones_size(tombstones), ==, 0);
    tombstones_free(tombstones);
    tombstones_free(NULL);
}

static void
test_bound(void)
{
    Tombstones *tombstones = tombstones_new();

    for (guint i = 0; i < TOMBSTONES_MAX; i++)
        add(tombstones, "office", i, 100);
    g_assert_nonnull(tombstones_find(tombstones, "office", "s0", 1));
    add(tombstones, "office", TOMBSTONES_MAX, 100);
    g_assert_cmpuint(tombstones_size(tombstones), ==, TOMBSTONES_MAX);
    g_assert_null(tombstones_find(tombstones, "office", "s0", 1));
    g_assert_nonnull(tombstones_find(tombstones, "office", "s1", 1));
    g_assert_nonnull(tombstones_find(tombstones, "office", "s1024", 1));
    /* Those go first of which the service knows, the oldest of these. */
    tombstones_free(tombstones);
    tombstones = tombstones_new();
    for (guint i = 0; i <= TOMBSTONES_MAX; i++) {
        g_autofree char *id = g_strdup_printf("s%u", i);

        tombstones_add(tombstones, &(Tombstone){.hub = "office",
                                                .id = id,
                                                .until = 100,
                                                .known = i == 5 || i == 7 || i == TOMBSTONES_MAX});
    }
    g_assert_nonnull(tombstones_find(tombstones, "office", "s0", 1));
    g_assert_null(tombstones_find(tombstones, "office", "s5", 1));
    g_assert_nonnull(tombstones_find(tombstones, "office", "s7", 1));
    g_assert_nonnull(tombstones_find(tombstones, "office", "s1024", 1));
    tombstones_free(tombstones);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/tombstone/find", test_find);
    g_test_add_func("/tombstone/bound", test_bound);
    return g_test_run();
}
