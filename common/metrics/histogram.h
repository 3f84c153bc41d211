/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Histogram: how long something took, as counts in fixed buckets from 0.5 ms to 10 s. Zero is an
 * empty one. Any thread may add and read: relaxed atomics, no lock. */
#pragma once

#include <glib.h>
#include <stdatomic.h>

#define HISTOGRAM_BUCKETS 15 /* the last one has no upper bound */

typedef struct {
    atomic_uint_least64_t counts[HISTOGRAM_BUCKETS];
    atomic_uint_least64_t sum; /* µs */
} Histogram;

void histogram_add(Histogram *histogram, gint64 us); /* below 0 counts as 0 */

/* Of one bucket alone, without those below it. */
guint64 histogram_count(const Histogram *histogram, guint bucket);
gint64 histogram_sum(const Histogram *histogram); /* µs */

/* The upper bound in seconds, as it is written: "0.0005", "+Inf". */
const char *histogram_bound(guint bucket);
