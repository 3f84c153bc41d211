/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Figures: all that the hub has counted and has now, at one moment. `status` and the metrics both
 * show these, so that they cannot disagree. */
#pragma once

#include "hub/edge/auth.h"
#include "hub/edge/meter.h"
#include "hub/records/records.h"
#include "hub/stream/figures.h"

typedef struct {
    guint connections;     /* sockets at the edge, legs and devices included */
    guint unauthenticated; /* of those */
    guint devices;         /* connected */
    guint cloned;          /* devices whose identity two machines use now */
    guint waiting;         /* connections of devices that have authenticated, and wait */
    guint streams;         /* not ended */
    guint64 streams_total;
    guint64 ignored_answers; /* late or unknown answers of devices */
    gboolean draining;
    guint penalties; /* in force */

    guint64 device_connects, device_crowded, device_waits; /* devices.h */
    guint connections_max, unauthenticated_max, streams_max;
    StreamsFigures by_state;
    RecordsFigures records;
    guint queued;         /* messages that wait for the main thread */
    guint queued_threads; /* for the reactors */

    /* Borrowed; NULL: not known. */
    const EdgeMeter *edge;
    const OpeningMeter *openings;
    const AuthMeter *auth;
} HubFigures;
