/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Of hub/stream/streams.c and hub/stream/scopes.c, and of nobody else. Main thread. */
#pragma once

#include "hub/stream/account.h"
#include "hub/stream/stream.h"

struct Streams {
    StreamWorld world;
    ByDevice *devices;
    GHashTable *accounts; /* policy -> StreamAccount */
    GQueue ended;         /* of Stream.by_age, the oldest first */
    GQueue running;       /* of Stream.by_number, the oldest first */
    guint closing;        /* ended, with a bridge that is still delivering */
    guint live;
    guint64 total;
    guint64 ended_for[REASON_LAST];      /* how many ended, by reason */
    guint64 bytes[LEG_SIDES];            /* of those that have ended */
    guint64 resumed;                     /* how many were led back to their devices, */
    guint64 resume_refused[REASON_LAST]; /* and how many were not, for that reason */
    gint64 devices_back_by; /* until then devices may be on their way back to a hub just started */
    Timer tick;             /* while there are users whose scope ends streams by itself, */
    gboolean ticking;
    gboolean draining;
    gboolean stopping;
    void (*empty)(void *data);
    void *empty_data;
};

typedef gboolean (*StreamTest)(const HubStream *stream, const char *a, const char *b);

/* INPUT to each stream of which TEST says so; ERROR: what a POST that waits is told. */
void streams_each(Streams *streams, StreamTest test, const char *a, const char *b,
                  StreamInput input, RestError error);

/* Looks once a second from now on, if ACCOUNT wants that. */
void stream_scopes_watch(Streams *streams, const StreamAccount *account);
void stream_scopes_on_tick(Timer *timer);

/* Counts what has gone since the last time. TRUE: its user has had the bytes of the day. */
gboolean stream_scopes_count(HubStream *stream);
