/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Meters: what the edge counts, for the metrics. They only rise, and are counted where things
 * happen: on the reactors by relaxed atomics, the rest by the main thread. */
#pragma once

#include "common/base/reason.h"
#include "common/metrics/histogram.h"
#include "hub/edge/error.h"

/* Why a TLS handshake came to nothing. */
typedef enum {
    HANDSHAKE_REFUSED, /* it broke the protocol, or one of the two refused the other's offer */
    HANDSHAKE_CLOSED,  /* the client went away, or had to make room */
    HANDSHAKE_TIMED_OUT,
    HANDSHAKE_FAULTS,
} HandshakeFault;

const char *handshake_fault_name(HandshakeFault fault);

/* Any thread. */
typedef struct {
    Histogram handshakes; /* those that were finished */
    atomic_uint_least64_t faults[HANDSHAKE_FAULTS];
    atomic_uint_least64_t accepted; /* connections that got a slot */
    atomic_uint_least64_t dropped;  /* that got none, and no answer */
} EdgeMeter;

/* Answers to requests that open a stream. Main thread. */
typedef struct {
    guint64 accepted;
    guint64 rejected[REASON_LAST]; /* by the device, for that reason */
    guint64 failed[REST_ERRORS];   /* by rest_error_index */
} OpeningMeter;

guint64 opening_meter_rejected(const OpeningMeter *meter); /* the sum */
guint64 opening_meter_failed(const OpeningMeter *meter);

static inline void
meter_count(atomic_uint_least64_t *counter)
{
    atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

static inline guint64
meter_read(const atomic_uint_least64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}
