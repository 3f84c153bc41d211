/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/stream/figures.h"

#include "hub/stream/streams-private.h"

#include <string.h>

static void
figures_add(StreamsFigures *figures, const HubStream *stream)
{
    if (stream->state < STREAM_STATES)
        figures->states[stream->state]++;
    else
        figures->closing++;
    for (guint i = 0; i < LEG_SIDES; i++)
        figures->bytes[i] += atomic_load_explicit(&stream->meter.bytes[i], memory_order_relaxed);
}

void
streams_measure(Streams *streams, StreamsFigures *ret)
{
    *ret = (StreamsFigures){0};
    memcpy(ret->ended, streams->ended_for, sizeof ret->ended);
    ret->resumed = streams->resumed;
    memcpy(ret->resume_refused, streams->resume_refused, sizeof ret->resume_refused);
    memcpy(ret->bytes, streams->bytes, sizeof ret->bytes);
    for (GList *link = streams->running.head; link; link = link->next)
        figures_add(ret, link->data);
}
