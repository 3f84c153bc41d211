/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Figures of streams: what they add up to at one moment, for the metrics and the status. It is
 * looked at when somebody asks, so that a stream pays nothing for it while it runs. */
#pragma once

#include "hub/stream/state.h"
#include "hub/stream/token.h"

typedef struct {
    guint states[STREAM_STATES];         /* now, by HubStreamState */
    guint closing;                       /* ended, with bytes that are still delivered */
    guint64 ended[REASON_LAST];          /* since the start */
    guint64 resumed;                     /* devices that took a stream back, since the start */
    guint64 resume_refused[REASON_LAST]; /* that did not, by reason */
    guint64 bytes[LEG_SIDES]; /* payload that was taken from each side, since the start */
} StreamsFigures;
