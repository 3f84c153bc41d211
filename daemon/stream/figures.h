/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Figures of streams: what they add up to at one moment, of all users and hubs together, for the
 * metrics. What has ended is counted once, when it ends; what runs is looked at when somebody asks,
 * so that a stream pays nothing for it. Main thread. */
#pragma once

#include "daemon/stream/private.h"

#define STREAM_ROLES 2                   /* StreamRole */
#define STREAM_LIVE_STATES STREAM_CLOSED /* those before it */

typedef struct {
    guint now[STREAM_ROLES][STREAM_LIVE_STATES];
    guint64 begun[STREAM_ROLES];
    guint64 opened[STREAM_ROLES];
    guint64 ended[STREAM_ROLES][REASON_LAST];
    guint64 bytes_in, bytes_out; /* payload, as in stream.h */
} StreamFigures;

/* RET is of all streams since the table was made. */
void stream_table_measure(StreamTable *table, StreamFigures *ret);

/* STREAM has ended: counts it. */
void stream_figures_end(StreamFigures *figures, const Stream *stream);
