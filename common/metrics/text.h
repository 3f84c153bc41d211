/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Metrics text: the OpenMetrics text format 1.0.0, as Prometheus reads it. A family of metrics
 * begins with its type, unit and help, and its samples follow; "# EOF" ends the whole. Names,
 * units and label names come from the source; only the values of labels are escaped. Pure; any
 * thread. */
#pragma once

#include "common/metrics/histogram.h"

#define METRICS_CONTENT_TYPE "application/openmetrics-text; version=1.0.0; charset=utf-8"

typedef enum {
    METRIC_GAUGE,     /* what there is now */
    METRIC_COUNTER,   /* what there was since the start; it only rises */
    METRIC_HISTOGRAM, /* times, in the buckets of histogram.h */
} MetricType;

typedef struct {
    const char *name; /* [a-z_:]+, with the unit at its end, without _total */
    MetricType type;
    const char *unit; /* "seconds", "bytes"; NULL: it is a count */
    const char *help; /* one English clause */
} Metric;

typedef struct {
    const char *name;  /* [a-z_]+ */
    const char *value; /* any text */
} MetricLabel;

#define METRIC_LABELS_MAX 2

/* Those with a NULL name are left out. */
typedef struct {
    MetricLabel items[METRIC_LABELS_MAX];
} MetricLabels;

void metrics_family(GString *out, const Metric *metric);

/* One sample of the family that was begun; LABELS NULL: it has none. A histogram has its own. */
void metrics_number(GString *out, const Metric *metric, const MetricLabels *labels, guint64 value);
void metrics_signed(GString *out, const Metric *metric, const MetricLabels *labels, gint64 value);
void metrics_seconds(GString *out, const Metric *metric, const MetricLabels *labels, gint64 us);
void metrics_histogram(GString *out, const Metric *metric, const MetricLabels *labels,
                       const Histogram *histogram);

/* A family with one sample, 1, with a text in a label. A gauge: readers of the older text format,
 * as node_exporter's textfile collector, do not know the type `info`. */
void metrics_info(GString *out, const Metric *metric, const MetricLabels *labels);

/* A family with one sample without labels. */
void metrics_gauge(GString *out, const Metric *metric, guint64 value);

void metrics_end(GString *out);
