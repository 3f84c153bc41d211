/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bridge: two legs become one relay, on the reactor of the device's (docs/wire-protocol.md, section
 * 4). Main thread. */
#pragma once

#include "common/net/relay.h"
#include "hub/base/settings.h"
#include "hub/stream/leg.h"
#include "hub/stream/token.h"

typedef struct {
    Leg *legs[LEG_SIDES]; /* both `taken`; they give their connections and keep their slots */
    Caps caps[LEG_SIDES]; /* what each leg's peer shares with the hub */
} BridgeLegs;

/* NULL when a leg was lost before its 101: the other one still has its connection, for leg_close.
 */
Relay *bridge_new(const BridgeLegs *legs, const Settings *settings, RelayMeter *meter, Queue *queue,
                  RelayEnded ended, void *data);
