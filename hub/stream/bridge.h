/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bridge: makes one relay of two legs, on the reactor of the device's leg (docs/wire-protocol.md,
 * section 4). Main thread. */
#pragma once

#include "common/net/relay.h"
#include "hub/base/settings.h"
#include "hub/stream/leg.h"
#include "hub/stream/token.h"

typedef struct {
    Leg *legs[LEG_SIDES]; /* both `taken`; they give their connections and keep their slots */
    Caps caps[LEG_SIDES]; /* what each leg's peer shares with the hub */
} BridgeLegs;

/* NULL when a leg was lost before its 101. The other leg still has its connection; close it with
 * leg_close. */
Relay *bridge_new(const BridgeLegs *legs, const Settings *settings, RelayMeter *meter, Queue *queue,
                  RelayEnded ended, void *data);
