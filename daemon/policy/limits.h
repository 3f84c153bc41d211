/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Limits: what the streams of one accept rule, or of one target, may use. All are off until set.
 *
 * One table names them for the configuration, D-Bus and the store alike. Pure. */
#pragma once

#include <glib.h>

typedef enum {
    LIMIT_STREAMS,  /* at once, those that are still being decided on included */
    LIMIT_RATE,     /* begun within any one minute */
    LIMIT_BYTES,    /* of one stream, both directions together */
    LIMIT_DURATION, /* µs, of one stream, from when it is open */
    LIMIT_IDLE,     /* µs in which no byte comes or goes, either way */
    LIMIT_STALL,    /* µs in which bytes wait, and the side they are for takes none */
    LIMIT_LAST,
} Limit;

/* 0: no limit. */
typedef struct {
    guint64 of[LIMIT_LAST];
} Limits;

typedef enum { LIMIT_UNIT_COUNT, LIMIT_UNIT_BYTES, LIMIT_UNIT_TIME } LimitUnit;

typedef struct {
    const char *key;     /* "max-bytes": on the bus and in the store */
    const char *setting; /* "MaxBytes": in the configuration, and the property of a target */
    LimitUnit unit;
    guint64 least, most;
} LimitRow;

/* Hard bounds. Starts are remembered for a minute, so the rate bounds memory. */
#define LIMIT_STREAMS_MAX 16384
#define LIMIT_RATE_MAX 10000
#define LIMIT_BYTES_MAX (G_GUINT64_CONSTANT(1) << 60)
#define LIMIT_TIME_LEAST ((guint64)G_TIME_SPAN_SECOND)
#define LIMIT_TIME_MAX (366 * (guint64)G_TIME_SPAN_DAY)

const LimitRow *limit_row(Limit limit);

/* INVALID: one that is set and out of its bounds. */
gboolean limits_check(const Limits *limits, GError **error);

gboolean limits_are_set(const Limits *limits);
gboolean limits_equal(const Limits *a, const Limits *b);

/* What holds for a stream that both apply to: of each the tighter one. */
Limits limits_tighter(const Limits *a, const Limits *b);
