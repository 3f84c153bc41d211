/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/bus/limits.h"

#include "daemon/bus/error.h"

void
bus_limits_expect(BusOption *options, BusLimits *values)
{
    for (guint i = 0; i < LIMIT_LAST; i++) {
        const LimitRow *row = limit_row((Limit)i);

        if (row->unit == LIMIT_UNIT_COUNT)
            options[i] = (BusOption){row->key, 'u', &values->counts[i]};
        else
            options[i] = (BusOption){row->key, 't', &values->amounts[i]};
    }
}

int
bus_limits_take(const BusOption *options, const BusLimits *values, Limits *ret, sd_bus_error *error)
{
    g_autoptr(GError) failure = NULL;
    Limits limits = {0};

    for (guint i = 0; i < LIMIT_LAST; i++) {
        const LimitRow *row = limit_row((Limit)i);

        if (!options[i].given)
            continue;
        limits.of[i] = row->unit == LIMIT_UNIT_COUNT ? values->counts[i] : values->amounts[i];
        /* 0 is refused: the user may mean that none is allowed. */
        if (limits.of[i] == 0)
            return bus_error_setf(error, STREAMD_ERROR_INVALID,
                                  "%s is at least %" G_GUINT64_FORMAT "; absent: no limit",
                                  row->key, row->least);
    }
    if (!limits_check(&limits, &failure))
        return bus_error_set(error, failure);
    *ret = limits;
    return 0;
}

int
bus_limits_append(sd_bus_message *message, const Limits *limits)
{
    int r = 0;

    for (guint i = 0; r >= 0 && i < LIMIT_LAST; i++) {
        const LimitRow *row = limit_row((Limit)i);

        if (limits->of[i] == 0)
            continue;
        if (row->unit == LIMIT_UNIT_COUNT)
            r = sd_bus_message_append(message, "{sv}", row->key, "u", (uint32_t)limits->of[i]);
        else
            r = sd_bus_message_append(message, "{sv}", row->key, "t", (uint64_t)limits->of[i]);
    }
    return r;
}
