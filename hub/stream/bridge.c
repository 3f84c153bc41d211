/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/stream/bridge.h"

static const Reason closed_by[LEG_SIDES] = {
    [LEG_DEVICE] = REASON_DEVICE_CLOSED,
    [LEG_SERVICE] = REASON_SERVICE_CLOSED,
};

Relay *
bridge_new(const BridgeLegs *legs, const Settings *settings, RelayMeter *meter, Queue *queue,
           RelayEnded ended, void *data)
{
    RelaySide sides[LEG_SIDES] = {0};
    const RelayTimes times = {
        .quiet = RELAY_QUIET,
        .ping = settings->leg_ping,
        .dead = settings->leg_dead,
        .wait = settings->end_wait,
    };

    if (!leg_has_connection(legs->legs[LEG_DEVICE]) || !leg_has_connection(legs->legs[LEG_SERVICE]))
        return NULL;
    for (guint i = 0; i < LEG_SIDES; i++) {
        sides[i].connection = leg_steal(legs->legs[i]);
        sides[i].framed = TRUE;
        sides[i].caps = legs->caps[i];
        sides[i].closed = closed_by[i];
        sides[i].greet = (legs->caps[i] & CAP_REASON) != 0;
        if (legs->caps[i] & CAP_RESUME)
            connection_retry_soon(sides[i].connection);
    }
    return relay_new(leg_reactor(legs->legs[LEG_DEVICE]), &sides[LEG_DEVICE], &sides[LEG_SERVICE],
                     &times, meter, queue, ended, data);
}
