/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A status line: current soon, not sent twice, and once a second at most. */
#include "common/loop/status-line.h"

#define TICK (10 * G_TIME_SPAN_MILLISECOND)

typedef struct {
    const char *now;
    GString *sent;
    guint made, count;
    gint64 last;
} Line;

static char *
make(void *data)
{
    Line *line = data;

    line->made++;
    return g_strdup(line->now);
}

static void
send_text(const char *text, void *data)
{
    Line *line = data;
    gint64 now = g_get_monotonic_time();

    g_assert_true(line->last == 0 || now - line->last >= STATUS_LINE_PAUSE);
    line->last = now;
    line->count++;
    g_string_append_printf(line->sent, "%s ", text);
}

static void
run(gint64 time)
{
    gint64 until = g_get_monotonic_time() + time;

    while (g_get_monotonic_time() < until) {
        (void)g_main_context_iteration(NULL, FALSE);
        g_usleep(1000);
    }
}

static void
wait_for(const Line *line, guint count)
{
    gint64 until = g_get_monotonic_time() + 20 * G_TIME_SPAN_SECOND;

    while (line->count < count) {
        g_assert_cmpint(g_get_monotonic_time(), <, until);
        run(TICK);
    }
}

static void
test_sent(void)
{
    Line line = {.now = "a", .sent = g_string_new(NULL)};
    g_autoptr(StatusLine) status = status_line_new(make, send_text, &line);

    status_line_touch(status);
    g_assert_cmpuint(line.made, ==, 0); /* from the main loop */
    wait_for(&line, 1);
    status_line_touch(status);
    line.now = "b";
    status_line_touch(status);
    run(TICK);
    line.now = "c"; /* what came between is not sent; the last one is */
    status_line_touch(status);
    wait_for(&line, 2);
    g_assert_cmpuint(line.made, ==, 2);
    run(STATUS_LINE_PAUSE + TICK);
    status_line_touch(status); /* the same */
    run(5 * TICK);
    g_assert_cmpuint(line.made, ==, 3);
    g_assert_cmpstr(line.sent->str, ==, "a c ");
    line.now = "d";
    status_line_touch(status);
    g_clear_pointer(&status, status_line_free);
    run(TICK);
    g_assert_cmpuint(line.made, ==, 3);
    status_line_touch(NULL);
    (void)g_string_free(line.sent, TRUE);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/status-line/sent", test_sent);
    return g_test_run();
}
