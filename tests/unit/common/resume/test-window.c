/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Credit: when it is told, when it grows and shrinks, at each bound and one past it. */
#include "common/resume/window.h"

#define ASIDE ((guint64)RESUME_SURE * RESUME_STREAMS)
#define NOW 1000000
#define MS G_TIME_SPAN_MILLISECOND
#define MIB (1024 * 1024)

typedef struct {
    ResumeBudget *budget;
    ResumeWindow window;
} Case;

static void
case_begin(Case *test, guint64 growth)
{
    test->budget = resume_budget_new(ASIDE + growth, 0);
    resume_window_init(&test->window, test->budget);
}

/* All that was taken is back. */
static void
case_end(Case *test)
{
    resume_window_clear(&test->window);
    g_assert_cmpuint(resume_budget_use(test->budget).windows, ==, 0);
    g_assert_cmpuint(resume_budget_use(test->budget).streams, ==, 0);
    resume_budget_unref(test->budget);
}

static guint64
tell_at(ResumeWindow *window, guint64 received, gint64 now)
{
    guint64 consumed = 0, limit = 0;

    resume_window_told(window, received, now, &consumed, &limit);
    g_assert_cmpuint(consumed, ==, window->consumed);
    return limit;
}

/* Long after the last time. */
static guint64
tell(ResumeWindow *window)
{
    return tell_at(window, window->consumed, window->told_at + RESUME_TELL_OFTEN);
}

static gboolean
wants(const ResumeWindow *window, gint64 now)
{
    gint64 due;

    return resume_window_wants_to_tell(window, now, &due);
}

static void
test_start(void)
{
    static const struct {
        guint64 growth, size;
    } rows[] = {
        {RESUME_BUDGET - ASIDE, RESUME_WINDOW_START},
        {(guint64)8 * (RESUME_WINDOW_START - RESUME_SURE), RESUME_WINDOW_START},
        {(guint64)8 * (RESUME_WINDOW_START - RESUME_SURE) - 8, RESUME_WINDOW_START - 1},
        {8, RESUME_SURE + 1},
        {7, RESUME_SURE},
        {0, RESUME_SURE},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        Case test;

        case_begin(&test, rows[i].growth);
        g_assert_cmpuint(tell(&test.window), ==, rows[i].size);
        case_end(&test);
    }
}

/* A part of the window, or the time after the oldest consumption. */
static void
test_tell(void)
{
    const guint64 step = RESUME_WINDOW_START / RESUME_TELL_SHARE;
    gint64 due = 0;
    Case test;

    case_begin(&test, RESUME_BUDGET);
    tell(&test.window);
    g_assert_false(resume_window_wants_to_tell(&test.window, NOW, &due));
    g_assert_cmpint(due, ==, G_MAXINT64);
    resume_window_consume(&test.window, step - 1, NOW);
    resume_window_consume(&test.window, 0, NOW + 1);
    g_assert_false(resume_window_wants_to_tell(&test.window, NOW, &due));
    g_assert_cmpint(due, ==, NOW + RESUME_TELL_DELAY);
    g_assert_false(wants(&test.window, NOW + RESUME_TELL_DELAY - 1));
    g_assert_true(wants(&test.window, NOW + RESUME_TELL_DELAY));
    resume_window_consume(&test.window, 1, NOW + 1);
    g_assert_true(wants(&test.window, NOW + 1));
    g_assert_cmpuint(tell(&test.window), ==, step + RESUME_WINDOW_START);
    g_assert_false(wants(&test.window, NOW + 10 * RESUME_TELL_DELAY));
    case_end(&test);
}

static void
test_end(void)
{
    Case test;
    guint64 limit;

    case_begin(&test, RESUME_BUDGET);
    limit = tell(&test.window);
    resume_window_end(&test.window, NOW);
    g_assert_true(wants(&test.window, NOW));
    g_assert_cmpuint(tell(&test.window), ==, limit);
    g_assert_cmpuint(test.window.told_consumed, ==, 1);
    g_assert_false(wants(&test.window, NOW + 10 * RESUME_TELL_DELAY));
    g_assert_cmpuint(resume_budget_use(test.budget).windows, ==, 0);
    /* Nothing more will come: it does not grow again. */
    g_assert_false(resume_window_blocked(&test.window, limit, 0, NOW));
    g_assert_cmpuint(resume_budget_use(test.budget).windows, ==, 0);
    case_end(&test);
}

/* All that was allowed has come, and gone on: the sender is blocked. */
static gboolean
blocked(ResumeWindow *window, gint64 now)
{
    guint64 limit = window->told_limit;

    resume_window_consume(window, limit - window->consumed, now);
    return resume_window_blocked(window, limit, limit, now);
}

/* The same, and nothing was consumed since the last growth. */
static gboolean
blocked_unread(ResumeWindow *window, gint64 now)
{
    window->mark_consumed = window->consumed;
    window->rate = MIB;
    return resume_window_blocked(window, window->told_limit, window->consumed, now);
}

static void
test_grow(void)
{
    guint64 size = RESUME_WINDOW_START;
    gint64 now = NOW;
    Case test;

    case_begin(&test, RESUME_BUDGET);
    tell(&test.window);
    for (; size < RESUME_WINDOW_MAX; now += 1) {
        g_assert_true(blocked(&test.window, now)); /* each time twice as much in as long */
        size *= 2;
        g_assert_cmpuint(test.window.size, ==, size);
        g_assert_true(wants(&test.window, now));
        g_assert_cmpuint(tell(&test.window), ==, test.window.consumed + size);
    }
    g_assert_false(blocked(&test.window, now));
    g_assert_cmpuint(test.window.size, ==, RESUME_WINDOW_MAX);
    case_end(&test);
}

/* A doubling that made nothing faster is not followed by another one for a second; then for four.
 */
static void
test_no_faster(void)
{
    Case test;

    case_begin(&test, RESUME_BUDGET);
    tell(&test.window);
    g_assert_true(blocked(&test.window, NOW));
    tell(&test.window);
    g_assert_true(blocked(&test.window, NOW + 100 * MS)); /* 512 KiB in 100 ms */
    tell(&test.window);
    /* A MiB: as fast in 200 ms, a quarter faster in 160. */
    g_assert_false(blocked(&test.window, NOW + 261 * MS));
    g_assert_cmpuint(test.window.size, ==, 4 * RESUME_WINDOW_START);
    for (gint64 at = NOW + 100 * MS, wait = G_TIME_SPAN_SECOND; test.window.size < 8 * MIB;
         at += wait, wait = MIN(4 * wait, 64 * G_TIME_SPAN_SECOND)) {
        tell(&test.window);
        g_assert_false(blocked_unread(&test.window, at + wait - 1));
        g_assert_true(blocked_unread(&test.window, at + wait));
    }
    case_end(&test);
}

static void
test_faster(void)
{
    Case test;

    case_begin(&test, RESUME_BUDGET);
    tell(&test.window);
    g_assert_true(blocked(&test.window, NOW));
    tell(&test.window);
    g_assert_true(blocked(&test.window, NOW + 100 * MS));
    tell(&test.window);
    g_assert_true(blocked(&test.window, NOW + 260 * MS));
    g_assert_cmpuint(test.window.size, ==, 8 * RESUME_WINDOW_START);
    case_end(&test);
}

/* Where it would be told again too soon, it grows, but for what waits for the local reader, and for
 * what is told by time alone. */
static void
test_often(void)
{
    const guint64 part = RESUME_WINDOW_START / RESUME_TELL_SHARE;
    static const struct {
        gint64 after;
        guint64 less, waits;
        gboolean grows;
    } rows[] = {
        {RESUME_TELL_OFTEN - 1, 0, 0, TRUE},
        {RESUME_TELL_OFTEN, 0, 0, FALSE},
        {RESUME_TELL_OFTEN - 1, 1, 0, FALSE},
        {RESUME_TELL_OFTEN - 1, 0, RESUME_WINDOW_START / 2, TRUE},
        {RESUME_TELL_OFTEN - 1, 0, RESUME_WINDOW_START / 2 + 1, FALSE},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        Case test;

        case_begin(&test, RESUME_BUDGET);
        (void)tell_at(&test.window, 0, NOW);
        resume_window_consume(&test.window, part - rows[i].less, NOW);
        (void)tell_at(&test.window, test.window.consumed + rows[i].waits, NOW + rows[i].after);
        g_assert_cmpuint(test.window.size, ==, RESUME_WINDOW_START * (rows[i].grows ? 2 : 1));
        case_end(&test);
    }
}

static void
test_blocked_for_nothing(void)
{
    guint64 limit, later;
    Case test;

    case_begin(&test, RESUME_BUDGET);
    limit = tell(&test.window);
    g_assert_false(resume_window_blocked(&test.window, limit + 1, limit, NOW));
    /* The local reader: more than half of the window waits for it. */
    resume_window_consume(&test.window, limit / 2 - 1, NOW);
    g_assert_false(resume_window_blocked(&test.window, limit, limit, NOW));
    resume_window_consume(&test.window, 1, NOW);
    g_assert_true(resume_window_blocked(&test.window, limit, limit, NOW));
    /* From before it grew. */
    later = tell(&test.window);
    g_assert_false(resume_window_blocked(&test.window, later - 1, limit, NOW + MIB));
    g_assert_true(resume_window_blocked(&test.window, later, limit, NOW + MIB));
    case_end(&test);

    /* Others were told meanwhile. */
    case_begin(&test, RESUME_BUDGET);
    limit = tell(&test.window);
    resume_window_consume(&test.window, limit / 2, NOW);
    later = tell(&test.window);
    g_assert_cmpuint(later, >, limit);
    g_assert_true(resume_window_blocked(&test.window, limit, limit, NOW));
    case_end(&test);
}

/* Growth that is hardly any is none, and takes nothing. */
static void
test_no_memory(void)
{
    Case test;

    case_begin(&test, RESUME_BUDGET);
    tell(&test.window);
    resume_budget_set(test.budget, ASIDE + test.window.taken + 8 * (RESUME_WINDOW_START / 8) - 8,
                      0);
    g_assert_false(blocked(&test.window, NOW));
    g_assert_cmpuint(resume_budget_use(test.budget).windows, ==, RESUME_WINDOW_START - RESUME_SURE);
    resume_budget_set(test.budget, ASIDE + test.window.taken + 8 * (RESUME_WINDOW_START / 8), 0);
    g_assert_true(blocked(&test.window, NOW));
    g_assert_cmpuint(test.window.size, ==, RESUME_WINDOW_START + RESUME_WINDOW_START / 8);
    case_end(&test);
}

static void
test_give_back(void)
{
    const guint64 sent = 100000;
    guint64 limit;
    Case test;

    case_begin(&test, RESUME_BUDGET);
    limit = tell(&test.window);
    resume_window_consume(&test.window, sent, NOW);
    g_assert_true(resume_window_give_back(&test.window, limit, sent + RESUME_SURE, sent));
    g_assert_cmpuint(test.window.told_limit, ==, sent + RESUME_SURE);
    g_assert_cmpuint(resume_budget_use(test.budget).windows, ==, 0);
    g_assert_cmpuint(tell(&test.window), ==, sent + RESUME_SURE);
    /* What it was before is there at the next need. */
    g_assert_true(blocked(&test.window, NOW));
    g_assert_cmpuint(test.window.size, ==, RESUME_WINDOW_START);
    case_end(&test);
}

/* What waits for the local reader is promised yet; the budget has it back when it has gone on. */
static void
test_give_back_unread(void)
{
    const guint64 sent = 100000;
    guint64 limit;
    Case test;

    case_begin(&test, RESUME_BUDGET);
    limit = tell(&test.window);
    g_assert_true(resume_window_give_back(&test.window, limit, sent + RESUME_SURE, sent));
    g_assert_cmpuint(resume_budget_use(test.budget).windows, ==, sent);
    resume_window_consume(&test.window, sent - 1, NOW);
    g_assert_cmpuint(resume_budget_use(test.budget).windows, ==, 1);
    g_assert_cmpuint(tell(&test.window), ==, sent + RESUME_SURE);
    resume_window_consume(&test.window, 1, NOW);
    g_assert_cmpuint(resume_budget_use(test.budget).windows, ==, 0);
    resume_window_consume(&test.window, 1, NOW);
    g_assert_cmpuint(tell(&test.window), ==, sent + RESUME_SURE + 1);
    case_end(&test);
}

static void
test_give_back_bounds(void)
{
    guint64 limit, later;
    Case test;

    case_begin(&test, RESUME_BUDGET);
    limit = tell(&test.window);
    g_assert_false(resume_window_give_back(&test.window, limit, limit + 1, 0));
    g_assert_false(resume_window_give_back(&test.window, limit + 1, limit, 0));
    g_assert_false(resume_window_give_back(&test.window, limit, 99, 100));
    g_assert_true(resume_window_give_back(&test.window, limit, limit, limit));
    resume_window_consume(&test.window, 10000, NOW);
    later = tell(&test.window);
    g_assert_cmpuint(later, >, limit - RESUME_WINDOW_START + RESUME_SURE);
    case_end(&test);

    /* It crosses a `w`: the later limit holds. */
    case_begin(&test, RESUME_BUDGET);
    limit = tell(&test.window);
    resume_window_consume(&test.window, 10000, NOW);
    later = tell(&test.window);
    g_assert_true(resume_window_give_back(&test.window, limit, 10000 + RESUME_SURE, 10000));
    g_assert_cmpuint(test.window.told_limit, ==, later);
    g_assert_cmpuint(test.window.size, ==, RESUME_WINDOW_START);
    g_assert_true(resume_window_give_back(&test.window, later, 10000 + RESUME_SURE, 10000));
    g_assert_cmpuint(test.window.told_limit, ==, 10000 + RESUME_SURE);
    case_end(&test);
}

static void
test_restore(void)
{
    Case test;

    case_begin(&test, 0);
    resume_window_clear(&test.window);
    resume_window_restore(&test.window, test.budget, 1000, 1000 + RESUME_WINDOW_MAX, FALSE);
    g_assert_cmpuint(tell(&test.window), ==, 1000 + RESUME_WINDOW_MAX);
    g_assert_cmpuint(resume_budget_use(test.budget).windows, ==, RESUME_WINDOW_MAX - RESUME_SURE);
    resume_window_clear(&test.window);
    resume_window_restore(&test.window, test.budget, 1001, 1000 + RESUME_WINDOW_MAX, TRUE);
    g_assert_cmpuint(tell(&test.window), ==, 1000 + RESUME_WINDOW_MAX);
    g_assert_cmpuint(resume_budget_use(test.budget).windows, ==, 0);
    case_end(&test);
}

/* At the end of all offsets no limit goes past it. */
static void
test_last_offset(void)
{
    Case test;

    case_begin(&test, 0);
    test.window.consumed = G_MAXINT64 - 1;
    g_assert_cmpuint(tell(&test.window), ==, G_MAXINT64);
    case_end(&test);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/resume-window/start", test_start);
    g_test_add_func("/resume-window/tell", test_tell);
    g_test_add_func("/resume-window/end", test_end);
    g_test_add_func("/resume-window/grow", test_grow);
    g_test_add_func("/resume-window/no-faster", test_no_faster);
    g_test_add_func("/resume-window/faster", test_faster);
    g_test_add_func("/resume-window/often", test_often);
    g_test_add_func("/resume-window/blocked-for-nothing", test_blocked_for_nothing);
    g_test_add_func("/resume-window/no-memory", test_no_memory);
    g_test_add_func("/resume-window/give-back", test_give_back);
    g_test_add_func("/resume-window/give-back-unread", test_give_back_unread);
    g_test_add_func("/resume-window/give-back-bounds", test_give_back_bounds);
    g_test_add_func("/resume-window/restore", test_restore);
    g_test_add_func("/resume-window/last-offset", test_last_offset);
    return g_test_run();
}
