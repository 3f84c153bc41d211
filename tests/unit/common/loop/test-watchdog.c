/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The watchdog: signs of life while all turn, none while one reactor stands still. */
#include "common/loop/watchdog.h"

#include <semaphore.h>

#define LIMIT (30 * G_TIME_SPAN_MILLISECOND)

typedef struct {
    sem_t stands, goes_on;
} Block;

static void
count_sign(void *data)
{
    ++*(guint *)data;
}

static gboolean
on_time(gpointer data)
{
    *(gboolean *)data = TRUE;
    return G_SOURCE_REMOVE;
}

static void
run_until(const guint *signs, guint wanted)
{
    while (*signs < wanted)
        g_main_context_iteration(NULL, TRUE);
}

/* At least LOOKS looks: the watchdog's timer is dispatched before one that is due later. */
static void
run_looks(guint looks)
{
    gboolean over = FALSE;

    g_timeout_add((guint)(looks * LIMIT / 1000), on_time, &over);
    while (!over)
        g_main_context_iteration(NULL, TRUE);
}

static void
stand_still(void *data)
{
    Block *block = data;

    sem_post(&block->stands);
    while (sem_wait(&block->goes_on) < 0)
        continue;
}

static void
test_signs_while_all_turn(void)
{
    g_autoptr(ReactorPool) reactors = reactor_pool_new(3, "dog");
    guint signs = 0;
    g_autoptr(Watchdog) watchdog G_GNUC_UNUSED = watchdog_new(reactors, LIMIT, count_sign, &signs);

    g_assert_nonnull(watchdog);
    run_until(&signs, 5);
}

static void
test_no_sign_while_one_stands(void)
{
    g_autoptr(ReactorPool) reactors = reactor_pool_new(3, "dog");
    guint signs = 0, before;
    g_autoptr(Watchdog) watchdog G_GNUC_UNUSED = watchdog_new(reactors, LIMIT, count_sign, &signs);
    Block block;

    g_assert_cmpint(sem_init(&block.stands, 0, 0) | sem_init(&block.goes_on, 0, 0), ==, 0);
    g_assert_nonnull(watchdog);
    run_until(&signs, 2);
    reactor_call(reactor_pool_get(reactors, 1), stand_still, &block);
    while (sem_wait(&block.stands) < 0)
        continue;
    before = signs;
    run_looks(10);
    /* One look may find the turn in which it was stopped. */
    g_assert_cmpuint(signs, <=, before + 1);
    sem_post(&block.goes_on);
    run_until(&signs, before + 4);
    sem_destroy(&block.stands);
    sem_destroy(&block.goes_on);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/watchdog/signs-while-all-turn", test_signs_while_all_turn);
    g_test_add_func("/watchdog/no-sign-while-one-stands", test_no_sign_while_one_stands);
    return g_test_run();
}
