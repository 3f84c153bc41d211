/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/loop/heap-watch.h"

/* LIVE at one look after the other, and whether memory goes back there. */
static void
check_looks(const guint *live, const char *given)
{
    HeapLevel level = {0};

    for (guint i = 0; given[i]; i++)
        g_assert_cmpint(heap_level_fell(&level, &(HeapLoad){live[i], live[i]}), ==,
                        given[i] == 'x');
}

static void
test_falls(void)
{
    check_looks((guint[]){1000, 501, 500, 500, 500, 500, 500}, "..xxxx.");
    check_looks((guint[]){0, 0, 10000, 10000, 10, 10, 10, 10, 10}, "....xxxx.");
    check_looks((guint[]){1000, 400, 100, 100, 100, 100, 100}, ".xxxxx."); /* a second fall */
}

/* At the bound, and one below it; and a fall that is large but not half. */
static void
test_small(void)
{
    check_looks((guint[]){64, 0, 0}, ".xx");
    check_looks((guint[]){63, 0, 0}, "...");
    check_looks((guint[]){128, 64, 64}, ".xx");
    check_looks((guint[]){128, 65, 65}, "...");
    check_looks((guint[]){10000, 6000, 6000}, "...");
}

/* Ups and downs of the daily kind cost nothing. */
static void
test_steady(void)
{
    HeapLevel level = {0};

    for (guint i = 0; i < 1000; i++)
        g_assert_false(heap_level_fell(&level, &(HeapLoad){1000, 600 + (i * 7919) % 400}));
}

/* A crowd that no look saw. */
static void
test_between(void)
{
    HeapLevel level = {0};

    g_assert_false(heap_level_fell(&level, &(HeapLoad){10, 10}));
    g_assert_true(heap_level_fell(&level, &(HeapLoad){1000, 10}));
}

static HeapLoad
load_of(void *data)
{
    return *(HeapLoad *)data;
}

static void
test_watch(void)
{
    HeapLoad load = {1, 1};
    HeapWatch *watch = heap_watch_new(load_of, &load);

    while (g_main_context_iteration(NULL, FALSE))
        ;
    heap_watch_free(watch);
    heap_watch_free(NULL);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/heap-watch/falls", test_falls);
    g_test_add_func("/heap-watch/small", test_small);
    g_test_add_func("/heap-watch/steady", test_steady);
    g_test_add_func("/heap-watch/between", test_between);
    g_test_add_func("/heap-watch/watch", test_watch);
    return g_test_run();
}
