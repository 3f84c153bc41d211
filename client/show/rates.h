/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rates: how fast the streams' counters grow between two looks. */
#pragma once

#include "client/bus/bus.h"

typedef struct {
    GVariant *properties; /* of the stream, a{sv}; borrowed from the list that was looked at */
    guint64 id;
    guint64 in, out; /* bytes per second since the previous look; 0 at the first */
} Rate;

typedef struct Rates Rates;

Rates *rates_new(void);
void rates_free(Rates *rates); /* NULL is fine */

/* Looks at STREAMS (BusObjects) at the monotonic time NOW, in µs. Returns the Rates of streams that
 * have not ended, the fastest first; among equals the younger first. The caller frees the array,
 * before STREAMS. */
GArray *rates_look(Rates *rates, GPtrArray *streams, gint64 now);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Rates, rates_free)
