/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/metrics/histogram.h"

static const struct {
    gint64 most; /* µs */
    const char *text;
} bounds[HISTOGRAM_BUCKETS] = {
    {500, "0.0005"},  {1000, "0.001"},  {2500, "0.0025"}, {5000, "0.005"},    {10000, "0.01"},
    {25000, "0.025"}, {50000, "0.05"},  {100000, "0.1"},  {250000, "0.25"},   {500000, "0.5"},
    {1000000, "1.0"}, {2500000, "2.5"}, {5000000, "5.0"}, {10000000, "10.0"}, {G_MAXINT64, "+Inf"},
};

void
histogram_add(Histogram *histogram, gint64 us)
{
    guint bucket = 0;

    us = MAX(us, 0);
    while (us > bounds[bucket].most)
        bucket++;
    atomic_fetch_add_explicit(&histogram->counts[bucket], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&histogram->sum, (guint64)us, memory_order_relaxed);
}

guint64
histogram_count(const Histogram *histogram, guint bucket)
{
    return atomic_load_explicit(&histogram->counts[bucket], memory_order_relaxed);
}

gint64
histogram_sum(const Histogram *histogram)
{
    return (gint64)atomic_load_explicit(&histogram->sum, memory_order_relaxed);
}

const char *
histogram_bound(guint bucket)
{
    return bounds[bucket].text;
}
