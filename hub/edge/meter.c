/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/edge/meter.h"

static const char *const fault_names[HANDSHAKE_FAULTS] = {
    [HANDSHAKE_REFUSED] = "refused",
    [HANDSHAKE_CLOSED] = "closed",
    [HANDSHAKE_TIMED_OUT] = "timed-out",
};

const char *
handshake_fault_name(HandshakeFault fault)
{
    return fault_names[fault];
}

static guint64
sum_of(const guint64 *counts, guint n)
{
    guint64 sum = 0;

    for (guint i = 0; i < n; i++)
        sum += counts[i];
    return sum;
}

guint64
opening_meter_rejected(const OpeningMeter *meter)
{
    return sum_of(meter->rejected, REASON_LAST);
}

guint64
opening_meter_failed(const OpeningMeter *meter)
{
    return sum_of(meter->failed, REST_ERRORS);
}
