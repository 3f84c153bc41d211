/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/metrics/process.h"
#include "common/metrics/text.h"

#include <locale.h>
#include <string.h>

static const Metric gauge = {"x_things", METRIC_GAUGE, NULL, "Things"};
static const Metric counter = {"x_sent_bytes", METRIC_COUNTER, "bytes",
                               "Sent, \"all\" of \\ it\nnow"};
static const Metric times = {"x_wait_seconds", METRIC_HISTOGRAM, "seconds", "Waits"};

static void
test_text(void)
{
    g_autoptr(GString) out = g_string_new(NULL);

    metrics_gauge(out, &gauge, G_MAXUINT64);
    metrics_signed(out, &gauge, &(MetricLabels){{{"a", ""}}}, -3);
    metrics_family(out, &counter);
    metrics_number(out, &counter, &(MetricLabels){{{"a", "q\"b\\n\n"}, {"b", "ä"}}}, 0);
    metrics_info(out, &(Metric){"x_info", METRIC_GAUGE, NULL, "Is"},
                 &(MetricLabels){{{"version", "1"}}});
    metrics_end(out);
    g_assert_cmpstr(out->str, ==,
                    "# TYPE x_things gauge\n# HELP x_things Things\n"
                    "x_things 18446744073709551615\nx_things{a=\"\"} -3\n"
                    "# TYPE x_sent_bytes counter\n# UNIT x_sent_bytes bytes\n"
                    "# HELP x_sent_bytes Sent, \\\"all\\\" of \\\\ it\\nnow\n"
                    "x_sent_bytes_total{a=\"q\\\"b\\\\n\\n\",b=\"ä\"} 0\n"
                    "# TYPE x_info gauge\n# HELP x_info Is\nx_info{version=\"1\"} 1\n"
                    "# EOF\n");
}

/* Each bound belongs to its own bucket; one past it to the next. */
static void
test_histogram(void)
{
    static const gint64 bounds[] = {500,    1000,   2500,   5000,    10000,   25000,   50000,
                                    100000, 250000, 500000, 1000000, 2500000, 5000000, 10000000};
    Histogram histogram = {0};
    gint64 sum = 0;

    for (guint i = 0; i < G_N_ELEMENTS(bounds); i++) {
        histogram_add(&histogram, bounds[i]);
        histogram_add(&histogram, bounds[i] + 1);
        sum += 2 * bounds[i] + 1;
        /* Rounded: an x87 keeps more digits of the product than a double has. */
        g_assert_cmpint(
            (gint64)(g_ascii_strtod(histogram_bound(i), NULL) * G_TIME_SPAN_SECOND + 0.5), ==,
            bounds[i]);
    }
    g_assert_cmpuint(histogram_count(&histogram, 0), ==, 1);
    for (guint i = 1; i < G_N_ELEMENTS(bounds); i++)
        g_assert_cmpuint(histogram_count(&histogram, i), ==, 2);
    g_assert_cmpuint(histogram_count(&histogram, HISTOGRAM_BUCKETS - 1), ==, 1);
    g_assert_cmpstr(histogram_bound(HISTOGRAM_BUCKETS - 1), ==, "+Inf");
    g_assert_cmpint(histogram_sum(&histogram), ==, sum);
    histogram_add(&histogram, -1);
    histogram_add(&histogram, G_MAXINT64 - sum);
    g_assert_cmpuint(histogram_count(&histogram, 0), ==, 2);
    g_assert_cmpuint(histogram_count(&histogram, HISTOGRAM_BUCKETS - 1), ==, 2);
}

/* Buckets add up, and a comma of the locale is none of ours. */
static void
test_histogram_text(void)
{
    Histogram histogram = {0};
    g_autoptr(GString) out = g_string_new(NULL);

    (void)setlocale(LC_ALL, "de_DE.UTF-8");
    histogram_add(&histogram, 400);
    histogram_add(&histogram, 2000000);
    metrics_family(out, &times);
    metrics_histogram(out, &times, &(MetricLabels){{{"of", "a"}}}, &histogram);
    (void)setlocale(LC_ALL, "C");
    g_assert_nonnull(strstr(out->str, "\nx_wait_seconds_bucket{of=\"a\",le=\"0.0005\"} 1\n"));
    g_assert_nonnull(strstr(out->str, "\nx_wait_seconds_bucket{of=\"a\",le=\"1.0\"} 1\n"));
    g_assert_nonnull(strstr(out->str, "\nx_wait_seconds_bucket{of=\"a\",le=\"2.5\"} 2\n"));
    g_assert_nonnull(strstr(out->str, "\nx_wait_seconds_bucket{of=\"a\",le=\"+Inf\"} 2\n"));
    g_assert_true(g_str_has_suffix(out->str, "\nx_wait_seconds_count{of=\"a\"} 2\n"
                                             "x_wait_seconds_sum{of=\"a\"} 2.000400\n"));
}

static guint64
value_of(const char *text, const char *name)
{
    g_autofree char *line = g_strdup_printf("\n%s ", name);
    const char *at = strstr(text, line);

    g_assert_nonnull(at);
    return g_ascii_strtoull(at + strlen(line), NULL, 10);
}

static void
test_process(void)
{
    g_autoptr(GString) out = g_string_new(NULL);

    metrics_process(out, "x", 1796065769989861);
    g_assert_nonnull(strstr(out->str, "\nx_process_start_time_seconds 1796065769.989861\n"));
    g_assert_cmpuint(value_of(out->str, "x_process_resident_memory_bytes"), >, 1024 * 1024);
    g_assert_cmpuint(value_of(out->str, "x_process_virtual_memory_bytes"), >=,
                     value_of(out->str, "x_process_resident_memory_bytes"));
    g_assert_cmpuint(value_of(out->str, "x_process_open_fds"), >=, 3);
    g_assert_cmpuint(value_of(out->str, "x_process_max_fds"), >,
                     value_of(out->str, "x_process_open_fds"));
    g_assert_cmpuint(value_of(out->str, "x_process_cpu_seconds_total"), <, 3600);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/metrics/text", test_text);
    g_test_add_func("/metrics/histogram", test_histogram);
    g_test_add_func("/metrics/histogram-text", test_histogram_text);
    g_test_add_func("/metrics/process", test_process);
    return g_test_run();
}
