/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/log/rate.h"

#include <string.h>

#define START (5 * G_TIME_SPAN_SECOND)

#define DEVICE LOG_CLASS_DEVICE

static guint
admit(LogRate *rate, LogClass kind, const char *subject, gint64 now, guint count)
{
    guint admitted = 0;

    for (guint i = 0; i < count; i++)
        admitted += log_rate_admit(rate, kind, subject, now) ? 1 : 0;
    return admitted;
}

static void
test_bound(void)
{
    g_autofree LogRate *rate = g_new0(LogRate, 1);
    LogLeftOut left;

    g_assert_cmpuint(admit(rate, LOG_CLASS_STREAM, NULL, START, LOG_RATE_MAX + 7), ==,
                     LOG_RATE_MAX);
    g_assert_false(log_rate_take(rate, START, FALSE, &left)); /* not over yet */
    g_assert_true(log_rate_take(rate, START + LOG_RATE_WINDOW, FALSE, &left));
    g_assert_cmpint(left.kind, ==, LOG_CLASS_STREAM);
    g_assert_cmpuint(left.count, ==, 7);
    g_assert_cmpstr(left.subject, ==, "");
    g_assert_false(log_rate_take(rate, START + LOG_RATE_WINDOW, FALSE, &left)); /* once */
    g_assert_cmpuint(admit(rate, LOG_CLASS_STREAM, NULL, START + LOG_RATE_WINDOW, 1), ==, 1);
}

static void
test_classes(void)
{
    g_autofree LogRate *rate = g_new0(LogRate, 1);

    g_assert_cmpuint(admit(rate, LOG_CLASS_REFUSED, NULL, START, 10000), ==, LOG_RATE_MAX);
    g_assert_cmpuint(admit(rate, LOG_CLASS_STREAM, NULL, START, 3), ==, 3);
}

/* How many of them flood before another subject comes, and what that one may write. */
static void
test_subjects(void)
{
    static const struct {
        guint flooders, wanted, written;
    } cases[] = {
        {0, LOG_RATE_SUBJECT, LOG_RATE_SUBJECT},
        {0, LOG_RATE_SUBJECT + 1, LOG_RATE_SUBJECT},
        {1, LOG_RATE_SUBJECT, LOG_RATE_SUBJECT},
        {2, LOG_RATE_SUBJECT, LOG_RATE_SURE + 20},
        {3, LOG_RATE_SURE, LOG_RATE_SURE},
        {3, LOG_RATE_SURE + 1, LOG_RATE_SURE},
        {LOG_SUBJECTS - 1, LOG_RATE_SURE, LOG_RATE_SURE},
        {LOG_SUBJECTS, LOG_RATE_SURE, 0}, /* no place is left */
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree LogRate *rate = g_new0(LogRate, 1);

        for (guint j = 0; j < cases[i].flooders; j++) {
            g_autofree char *name = g_strdup_printf("a%u", j);

            g_assert_cmpuint(admit(rate, DEVICE, name, START, 1000), <=, LOG_RATE_SUBJECT);
        }
        g_assert_cmpuint(admit(rate, DEVICE, "b", START, cases[i].wanted), ==, cases[i].written);
        /* The next second begins anew. */
        g_assert_cmpuint(admit(rate, DEVICE, "b", START + LOG_RATE_WINDOW, LOG_RATE_SURE), ==,
                         LOG_RATE_SURE);
    }
}

/* In all, whoever comes: the sure ones of those that have a place, and the shared ones. */
static void
test_most(void)
{
    g_autofree LogRate *rate = g_new0(LogRate, 1);
    guint written = 0;

    for (guint i = 0; i < 10000; i++) {
        g_autofree char *name = g_strdup_printf("a%u", i % 5000);

        written += admit(rate, DEVICE, name, START, 20);
    }
    g_assert_cmpuint(written, ==, LOG_SUBJECTS * LOG_RATE_SURE + LOG_RATE_MAX);
}

/* The worst are told by name, the rest as one number, and nothing twice. */
static void
test_told(void)
{
    g_autofree LogRate *rate = g_new0(LogRate, 1);
    guint64 sum = 0, left_out = 0;
    guint named = 0, nameless = 0;
    LogLeftOut left;

    for (guint i = 1; i <= 20; i++) {
        g_autofree char *name = g_strdup_printf("a%u", i);

        left_out += 1000 * i - admit(rate, DEVICE, name, START, 1000 * i);
    }
    while (log_rate_take(rate, START + LOG_RATE_WINDOW, FALSE, &left)) {
        if (named == 0)
            g_assert_cmpstr(left.subject, ==, "a20");
        named += *left.subject ? 1 : 0;
        nameless += *left.subject ? 0 : 1;
        sum += left.count;
    }
    g_assert_cmpuint(named, ==, 8);
    g_assert_cmpuint(nameless, ==, 1);
    g_assert_cmpuint(sum, ==, left_out);
}

/* What was not asked for is still owed after the next second has begun. */
static void
test_owed(void)
{
    g_autofree LogRate *rate = g_new0(LogRate, 1);
    LogLeftOut left;

    (void)admit(rate, DEVICE, "a", START, LOG_RATE_SUBJECT + 3);
    (void)admit(rate, DEVICE, "b", START + LOG_RATE_WINDOW, 1);
    g_assert_true(log_rate_take(rate, START + LOG_RATE_WINDOW, TRUE, &left));
    g_assert_cmpuint(left.count, ==, 3);
    g_assert_cmpstr(left.subject, ==, "");
}

static void
test_at_the_end(void)
{
    g_autofree LogRate *rate = g_new0(LogRate, 1);
    LogLeftOut left;

    (void)admit(rate, LOG_CLASS_HUB, "office", START, LOG_RATE_SUBJECT + 1);
    g_assert_true(log_rate_take(rate, START, TRUE, &left));
    g_assert_cmpuint(left.count, ==, 1);
    g_assert_cmpstr(left.subject, ==, "office");
}

static void
test_sources(void)
{
    static const char *const cases[][2] = {
        {"192.0.2.7:5123", "192.0.2.7"},
        {"192.0.2.7", "192.0.2.7"},
        {"[2001:db8:1:2:3::4]:51", "2001:db8:1:2::"},
        {"[::ffff:192.0.2.7]:5", "192.0.2.7"},
        {"[2001:db8", "2001:db8"},
        {"unix", "unix"},
        {"", ""},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *source = log_source(cases[i][0], strlen(cases[i][0]));

        g_assert_cmpstr(source, ==, cases[i][1]);
    }
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
    g_test_add_func("/log-rate/subjects", test_subjects);
    g_test_add_func("/log-rate/most", test_most);
    g_test_add_func("/log-rate/told", test_told);
    g_test_add_func("/log-rate/owed", test_owed);
    g_test_add_func("/log-rate/sources", test_sources);
    g_test_add_func("/log-rate/at-the-end", test_at_the_end);
    g_test_add_func("/log-rate/names", test_names);
    return g_test_run();
}
