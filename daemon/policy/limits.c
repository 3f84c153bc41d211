/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/policy/limits.h"

#include "common/base/error.h"

#include <string.h>

static const LimitRow rows[LIMIT_LAST] = {
    [LIMIT_STREAMS] = {"max-streams", "MaxStreams", LIMIT_UNIT_COUNT, 1, LIMIT_STREAMS_MAX},
    [LIMIT_RATE] = {"max-rate", "MaxRate", LIMIT_UNIT_COUNT, 1, LIMIT_RATE_MAX},
    [LIMIT_BYTES] = {"max-bytes", "MaxBytes", LIMIT_UNIT_BYTES, 1, LIMIT_BYTES_MAX},
    [LIMIT_DURATION] = {"max-duration", "MaxDuration", LIMIT_UNIT_TIME, LIMIT_TIME_LEAST,
                        LIMIT_TIME_MAX},
    [LIMIT_IDLE] = {"idle-timeout", "IdleTimeout", LIMIT_UNIT_TIME, LIMIT_TIME_LEAST,
                    LIMIT_TIME_MAX},
    [LIMIT_STALL] = {"stall-timeout", "StallTimeout", LIMIT_UNIT_TIME, LIMIT_TIME_LEAST,
                     LIMIT_TIME_MAX},
};

const LimitRow *
limit_row(Limit limit)
{
    return &rows[limit];
}

gboolean
limits_check(const Limits *limits, GError **error)
{
    for (guint i = 0; i < LIMIT_LAST; i++) {
        const LimitRow *row = &rows[i];
        const char *unit = row->unit == LIMIT_UNIT_TIME ? " microseconds" : "";

        if (limits->of[i] == 0 || (limits->of[i] >= row->least && limits->of[i] <= row->most))
            continue;
        g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID,
                    "%s is %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT "%s; absent: no limit",
                    row->key, row->least, row->most, unit);
        return FALSE;
    }
    return TRUE;
}

gboolean
limits_are_set(const Limits *limits)
{
    for (guint i = 0; i < LIMIT_LAST; i++)
        if (limits->of[i] > 0)
            return TRUE;
    return FALSE;
}

gboolean
limits_equal(const Limits *a, const Limits *b)
{
    return memcmp(a->of, b->of, sizeof(a->of)) == 0;
}

Limits
limits_tighter(const Limits *a, const Limits *b)
{
    Limits both;

    for (guint i = 0; i < LIMIT_LAST; i++)
        both.of[i] = a->of[i] == 0 ? b->of[i] : b->of[i] == 0 ? a->of[i] : MIN(a->of[i], b->of[i]);
    return both;
}
