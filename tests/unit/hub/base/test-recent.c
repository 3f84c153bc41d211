/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/base/recent.h"

typedef struct {
    RecentEntry entry;
    guint value;
    char *owned;
} One;

static guint cleared;

static void
one_clear(void *entry)
{
    cleared++;
    g_free(((One *)entry)->owned);
}

static One *
want(Recent *recent, const char *name, gint64 now)
{
    One *one = recent_want(recent, name, now);

    if (!one->owned)
        one->owned = g_strdup(name);
    g_assert_cmpstr(one->owned, ==, name);
    return one;
}

/* As many as there is room for; for one more the one used longest ago goes, and what it owned. */
static void
test_most(void)
{
    g_autoptr(Recent) recent = recent_new(3, sizeof(One), one_clear);

    cleared = 0;
    for (guint i = 0; i < 3; i++) {
        g_autofree char *name = g_strdup_printf("%u", i);

        want(recent, name, i)->value = i + 1;
    }
    g_assert_cmpuint(recent_count(recent), ==, 3);
    g_assert_cmpuint(want(recent, "0", 3)->value, ==, 1); /* used again: "1" is the oldest now */
    g_assert_cmpuint(cleared, ==, 0);
    g_assert_cmpuint(want(recent, "3", 4)->value, ==, 0);
    g_assert_cmpuint(recent_count(recent), ==, 3);
    g_assert_null(recent_find(recent, "1"));
    g_assert_nonnull(recent_find(recent, "0"));
    g_assert_cmpuint(cleared, ==, 1);
    recent_forget(recent, "0");
    recent_forget(recent, "0");
    g_assert_cmpuint(recent_count(recent), ==, 2);
    g_assert_cmpuint(cleared, ==, 2);
}

/* Only what is old enough, and no more than it was told. */
static void
test_trim(void)
{
    g_autoptr(Recent) recent = recent_new(10, sizeof(One), one_clear);

    for (guint i = 0; i < 6; i++) {
        g_autofree char *name = g_strdup_printf("%u", i);

        (void)want(recent, name, i);
    }
    recent_trim(recent, 3, 2);
    g_assert_cmpuint(recent_count(recent), ==, 4);
    recent_trim(recent, 3, 10);
    g_assert_cmpuint(recent_count(recent), ==, 3);
    g_assert_nonnull(recent_find(recent, "3"));
    recent_trim(recent, G_MAXINT64, 10);
    g_assert_cmpuint(recent_count(recent), ==, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/recent/most", test_most);
    g_test_add_func("/recent/trim", test_trim);
    return g_test_run();
}
