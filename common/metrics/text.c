/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/metrics/text.h"

static const char *const type_names[] = {
    [METRIC_GAUGE] = "gauge",
    [METRIC_COUNTER] = "counter",
    [METRIC_HISTOGRAM] = "histogram",
};

/* What a sample's name has behind that of its family. */
static const char *const suffixes[] = {
    [METRIC_GAUGE] = "",
    [METRIC_COUNTER] = "_total",
    [METRIC_HISTOGRAM] = "_bucket",
};

static void
append_escaped(GString *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '\n') {
            g_string_append(out, "\\n");
            continue;
        }
        if (*text == '\\' || *text == '"')
            g_string_append_c(out, '\\');
        g_string_append_c(out, *text);
    }
}

void
metrics_family(GString *out, const Metric *metric)
{
    g_string_append_printf(out, "# TYPE %s %s\n", metric->name, type_names[metric->type]);
    if (metric->unit)
        g_string_append_printf(out, "# UNIT %s %s\n", metric->name, metric->unit);
    g_string_append_printf(out, "# HELP %s ", metric->name);
    append_escaped(out, metric->help);
    g_string_append_c(out, '\n');
}

static void
append_label(GString *out, const char *name, const char *value)
{
    g_string_append_printf(out, "%s%s=\"", out->str[out->len - 1] == '{' ? "" : ",", name);
    append_escaped(out, value);
    g_string_append_c(out, '"');
}

/* LE: the upper bound of a bucket; NULL: it is none. */
static void
append_name(GString *out, const Metric *metric, const char *suffix, const MetricLabels *labels,
            const char *le)
{
    g_string_append_printf(out, "%s%s", metric->name, suffix);
    if (!labels && !le)
        return;
    g_string_append_c(out, '{');
    for (guint i = 0; labels && i < METRIC_LABELS_MAX; i++)
        if (labels->items[i].name)
            append_label(out, labels->items[i].name, labels->items[i].value);
    if (le)
        append_label(out, "le", le);
    g_string_append_c(out, '}');
}

static void
append_number(GString *out, guint64 value)
{
    g_string_append_printf(out, " %" G_GUINT64_FORMAT "\n", value);
}

/* With its fraction, in any locale. */
static void
append_us(GString *out, gint64 us)
{
    g_string_append_printf(out, " %" G_GINT64_FORMAT ".%06d\n", us / G_TIME_SPAN_SECOND,
                           (int)(us % G_TIME_SPAN_SECOND));
}

void
metrics_number(GString *out, const Metric *metric, const MetricLabels *labels, guint64 value)
{
    append_name(out, metric, suffixes[metric->type], labels, NULL);
    append_number(out, value);
}

void
metrics_signed(GString *out, const Metric *metric, const MetricLabels *labels, gint64 value)
{
    append_name(out, metric, suffixes[metric->type], labels, NULL);
    g_string_append_printf(out, " %" G_GINT64_FORMAT "\n", value);
}

void
metrics_seconds(GString *out, const Metric *metric, const MetricLabels *labels, gint64 us)
{
    append_name(out, metric, suffixes[metric->type], labels, NULL);
    append_us(out, MAX(us, 0));
}

void
metrics_histogram(GString *out, const Metric *metric, const MetricLabels *labels,
                  const Histogram *histogram)
{
    guint64 count = 0;

    for (guint i = 0; i < HISTOGRAM_BUCKETS; i++) {
        count += histogram_count(histogram, i);
        append_name(out, metric, "_bucket", labels, histogram_bound(i));
        append_number(out, count);
    }
    append_name(out, metric, "_count", labels, NULL);
    append_number(out, count);
    append_name(out, metric, "_sum", labels, NULL);
    append_us(out, histogram_sum(histogram));
}

void
metrics_info(GString *out, const Metric *metric, const MetricLabels *labels)
{
    metrics_family(out, metric);
    metrics_number(out, metric, labels, 1);
}

void
metrics_gauge(GString *out, const Metric *metric, guint64 value)
{
    metrics_family(out, metric);
    metrics_number(out, metric, NULL, value);
}

void
metrics_end(GString *out)
{
    g_string_append(out, "# EOF\n");
}
