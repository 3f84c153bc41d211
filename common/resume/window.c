/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/resume/window.h"

#include "common/resume/message.h"

/* A doubling was worth it when the stream became faster by so much. */
#define FASTER_BY 4 /* a quarter */
#define PATIENCE G_TIME_SPAN_SECOND
#define PATIENCE_MORE 4 /* times, after each that was not worth it */
#define PATIENCE_MOST (64 * PATIENCE)

/* Less is not worth a message. */
#define LEAST_GROWTH(size) ((size) / 8)

/* Gives back what neither the size nor what was promised needs any more. */
static void
window_settle(ResumeWindow *window)
{
    guint64 promised =
        window->told_limit > window->consumed ? window->told_limit - window->consumed : 0;
    guint64 needed = window->is_over ? 0 : MAX(MAX(window->size, promised), RESUME_SURE);
    guint64 taken = window->is_over ? 0 : needed - RESUME_SURE;

    if (window->taken > taken) {
        resume_budget_give_window(window->budget, window->taken - taken);
        window->taken = taken;
    }
}

void
resume_window_init(ResumeWindow *window, ResumeBudget *budget)
{
    *window = (ResumeWindow){.budget = resume_budget_ref(budget), .told_limit = RESUME_SURE};
    resume_budget_enter(budget);
    window->taken = resume_budget_take_window(budget, RESUME_WINDOW_START - RESUME_SURE);
    window->size = RESUME_SURE + window->taken;
}

void
resume_window_restore(ResumeWindow *window, ResumeBudget *budget, guint64 consumed, guint64 limit,
                      gboolean ended)
{
    guint64 size = limit > consumed ? MAX(limit - consumed, RESUME_SURE) : RESUME_SURE;

    *window = (ResumeWindow){
        .budget = resume_budget_ref(budget),
        .size = ended ? 0 : size,
        .taken = size - RESUME_SURE,
        .consumed = consumed,
        .told_consumed = consumed,
        .told_limit = limit,
        .is_over = ended,
    };
    resume_budget_enter(budget);
    resume_budget_owe_window(budget, window->taken);
    window_settle(window);
}

void
resume_window_clear(ResumeWindow *window)
{
    if (!window->budget)
        return;
    resume_budget_give_window(window->budget, window->taken);
    resume_budget_leave(window->budget);
    resume_budget_unref(window->budget);
    *window = (ResumeWindow){0};
}

void
resume_window_consume(ResumeWindow *window, guint64 bytes, gint64 now)
{
    if (bytes == 0)
        return;
    window->consumed += bytes;
    if (window->untold_since == 0)
        window->untold_since = now;
    window_settle(window);
}

void
resume_window_end(ResumeWindow *window, gint64 now)
{
    resume_window_consume(window, 1, now);
    window->is_over = TRUE;
    window->is_urgent = TRUE;
    window->size = 0;
    window_settle(window);
}

static guint64
window_allows(const ResumeWindow *window)
{
    guint64 allows = MIN(window->consumed + window->size, RESUME_OFFSET_MAX);

    return MAX(allows, window->told_limit);
}

/* A part of it was consumed since the other end was told. */
static gboolean
window_is_part_used(const ResumeWindow *window)
{
    guint64 part = MIN(window->size / RESUME_TELL_SHARE, RESUME_TELL_MOST);

    return window->consumed - window->told_consumed >= MAX(part, 1);
}

/* Its parts are so small that there are many messages. */
static gboolean
window_tells_often(const ResumeWindow *window, gint64 now)
{
    return window->told_at && now - window->told_at < RESUME_TELL_OFTEN &&
           window->size / RESUME_TELL_SHARE < RESUME_TELL_MOST && window_is_part_used(window);
}

gboolean
resume_window_wants_to_tell(const ResumeWindow *window, gint64 now, gint64 *ret_due)
{
    if (window->is_urgent || window_is_part_used(window))
        return TRUE;
    *ret_due = window->untold_since ? window->untold_since + RESUME_TELL_DELAY : G_MAXINT64;
    return now >= *ret_due;
}

/* Bytes a second since the last growth. */
static guint64
window_rate(const ResumeWindow *window, gint64 now)
{
    double bytes = (double)(window->consumed - window->mark_consumed);

    return (guint64)(bytes * G_TIME_SPAN_SECOND / (double)MAX(now - window->mark_at, 1));
}

/* The last growth, if there was one, has made the stream faster. */
static gboolean
window_is_faster(const ResumeWindow *window, guint64 rate)
{
    return window->mark_at == 0 || rate >= window->rate + window->rate / FASTER_BY;
}

static void
window_mark(ResumeWindow *window, guint64 rate, gint64 now)
{
    gboolean faster = window_is_faster(window, rate);

    window->patience = faster ? PATIENCE : MIN(window->patience * PATIENCE_MORE, PATIENCE_MOST);
    window->rate = rate;
    window->mark_at = now;
    window->mark_consumed = window->consumed;
    window->mark_limit = window_allows(window);
}

/* As far as there is memory. FALSE: not worth it. */
static gboolean
window_grow(ResumeWindow *window)
{
    guint64 wanted = MAX(MAX(2 * window->size, window->former), RESUME_WINDOW_START);
    guint64 has = RESUME_SURE + window->taken, size;

    wanted = MIN(wanted, RESUME_WINDOW_MAX);
    if (wanted > has)
        window->taken += resume_budget_take_window(window->budget, wanted - has);
    size = MIN(wanted, RESUME_SURE + window->taken);
    if (size < window->size + LEAST_GROWTH(window->size)) {
        window_settle(window);
        return FALSE;
    }
    window->size = size;
    window->former = 0;
    return TRUE;
}

/* The local reader holds it up: more than half of the window waits for it. */
static gboolean
window_is_stuck(const ResumeWindow *window, guint64 received)
{
    return received > window->consumed && received - window->consumed > window->size / 2;
}

void
resume_window_told(ResumeWindow *window, guint64 received, gint64 now, guint64 *ret_consumed,
                   guint64 *ret_limit)
{
    if (window_tells_often(window, now) && !window->is_over && !window_is_stuck(window, received))
        (void)window_grow(window);
    if (!window->is_over)
        window->told_limit = window_allows(window);
    window->told_consumed = window->consumed;
    window->told_at = now;
    window->untold_since = 0;
    window->is_urgent = FALSE;
    *ret_consumed = window->told_consumed;
    *ret_limit = window->told_limit;
}

gboolean
resume_window_blocked(ResumeWindow *window, guint64 limit, guint64 received, gint64 now)
{
    guint64 rate = window_rate(window, now);

    if (limit < window->mark_limit || limit > window->told_limit || window->is_over ||
        window_is_stuck(window, received))
        return FALSE;
    if (!window_is_faster(window, rate) && now - window->mark_at < window->patience)
        return FALSE;
    if (!window_grow(window))
        return FALSE;
    window_mark(window, rate, now);
    window->is_urgent = TRUE;
    return TRUE;
}

gboolean
resume_window_give_back(ResumeWindow *window, guint64 seen, guint64 fresh, guint64 received)
{
    if (fresh > seen || fresh < received || seen > window->told_limit)
        return FALSE;
    /* Another limit was told meanwhile: that one holds. */
    if (seen != window->told_limit)
        return TRUE;
    window->told_limit = fresh;
    window->former = MAX(window->former, window->size);
    window->size = MIN(window->size, RESUME_SURE);
    window->mark_at = 0;
    window->mark_limit = 0;
    window_settle(window);
    return TRUE;
}
