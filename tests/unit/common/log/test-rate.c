/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/log/rate.h"

#include <string.h>

#define START (5 * G_TIME_SPAN_SECOND)

static guint
admit(LogRate *rate, LogClass kind, gint64 now, guint count)
{
    guint admitted = 0;

    for (guint i = 0; i < count; i++)
        admitted += log_rate_admit(rate, kind, now) ? 1 : 0;
    return admitted;
}

static void
test_bound(void)
{
    LogRate rate = {0};
    LogClass kind;
    guint64 count;

    g_assert_cmpuint(admit(&rate, LOG_CLASS_STREAM, START, LOG_RATE_MAX + 7), ==, LOG_RATE_MAX);
    g_assert_false(log_rate_take(&rate, START, FALSE, &kind, &count)); /* not over yet */
    g_assert_true(log_rate_take(&rate, START + LOG_RATE_WINDOW, FALSE, &kind, &count));
    g_assert_cmpint(kind, ==, LOG_CLASS_STREAM);
    g_assert_cmpuint(count, ==, 7);
    g_assert_false(log_rate_take(&rate, START + LOG_RATE_WINDOW, FALSE, &kind, &count)); /* once */
    g_assert_cmpuint(admit(&rate, LOG_CLASS_STREAM, START + LOG_RATE_WINDOW, 1), ==, 1);
}

static void
test_classes(void)
{
    LogRate rate = {0};

    g_assert_cmpuint(admit(&rate, LOG_CLASS_REFUSED, START, 10000), ==, LOG_RATE_MAX);
    g_assert_cmpuint(admit(&rate, LOG_CLASS_STREAM, START, 3), ==, 3);
}

static void
test_at_the_end(void)
{
    LogRate rate = {0};
    LogClass kind;
    guint64 count;

    (void)admit(&rate, LOG_CLASS_HUB, START, LOG_RATE_MAX + 1);
    g_assert_true(log_rate_take(&rate, START, TRUE, &kind, &count));
    g_assert_cmpuint(count, ==, 1);
}

static void
test_names(void)
{
    for (LogClass kind = 0; kind < LOG_CLASS_LAST; kind++) {
        const char *name = log_class_name(kind);

        g_assert_cmpint(log_class_from_name(name, strlen(name)), ==, kind);
    }
    g_assert_cmpint(log_class_from_name("nonsense", 8), ==, LOG_CLASS_TEXT);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/log-rate/bound", test_bound);
    g_test_add_func("/log-rate/classes", test_classes);
    g_test_add_func("/log-rate/at-the-end", test_at_the_end);
    g_test_add_func("/log-rate/names", test_names);
    return g_test_run();
}
