/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The struct of a stream, shared by the files of this folder alone. */
#pragma once

#include "daemon/carrier/carrier.h"
#include "daemon/policy/limit-count.h"
#include "daemon/stream/figures.h"
#include "daemon/stream/handover.h"
#include "daemon/stream/private.h"

/* Of a stream that survives its legs. */
typedef struct {
    gboolean wanted; /* the rest is set */
    guint8 secret[STREAM_RESUME_KEY];
    gint64 time;    /* µs that it may be suspended at a stretch */
    gboolean talks; /* the other end has talked: from then on it survives */
    guint count;    /* how often it went on */
    guint32 attempt;
    guint32 led;      /* the highest one that brought a leg to this process; 0: none has */
    guint64 since;    /* CLOCK_REALTIME µs; 0: it is not suspended */
    gint64 until;     /* then: monotonic */
    gint64 went_on;   /* monotonic: when it last did; 0: not yet */
    gboolean settled; /* suspended: it had really gone on, so that this is a new pause */
    Reason first;     /* then: why it is */
    Reason last;      /* why its last leg was lost */
    Reason lost;      /* the same, while that is the leg of leg_rid; NONE: it has a newer one */
    guint64 pending;  /* bytes that were not acknowledged then */
    guint64 consumed, limit; /* at the end: of what came, and as it was told */
    guint timer;             /* while it is suspended */
    gboolean gave_up;        /* it ends because that was too long */
    gboolean known;          /* at the end: the other end knows */
    Carrier *parting;        /* then: its last word is still on its way; NULL: it is not */
    Reactor *reactor;        /* NULL: it has had no leg yet */
    Caps caps;               /* of its legs */
    guint32 rule;            /* as stream_set_grant, with the next two */
    char *grant, *grant_address;
    char *leg_rid, *leg_sid; /* of the request that brought its leg; NULL: the first one did */
} StreamResume;

/* Of a stream that is left to the next process (handover.c). */
typedef struct {
    StreamFrozen frozen;
    void *data;
    Connection *local; /* NULL: it is not left, or not yet */
    const ResumeStream *resume;
    gint64 elapsed;
    Reason closed; /* why somebody has closed it since it was to be frozen; NONE: nobody has */
} StreamLeft;

struct Stream {
    StreamTable *table;
    guint64 id;
    StreamRole role;
    StreamState state;
    Reason reason;
    char *hub, *device, *name, *initiator, *address, *target, *message;
    char *endpoint; /* NULL until it is known */
    guint64 tunnel, place;
    guint32 owner_uid;
    gboolean taken; /* device role: an app of the owner has it, or will */
    guint64 requested_at, opened_at, ended_at;
    gint64 kept_from; /* monotonic: the clock may be set back */
    RelayMeter meter;
    RelayTimes leg_times;
    Limits limits;
    char *rid, *sid;
    gboolean unsaid;
    LimitHold *holds[STREAM_HOLDS_MAX];
    Connection *local; /* until the relay or the carrier has it */
    guint local_watch; /* while we have it: does the application give up? */
    Relay *relay;
    Carrier *carrier; /* instead of a relay, when it survives its legs */
    StreamResume resume;
    StreamLeft left;
    void (*cancel)(void *data);
    void *cancel_data;
    void (*ended)(Stream *stream, void *data);
    void *ended_data;
};

struct StreamTable {
    Runtime *runtime;
    guint max, per_uid;
    const StreamTableEvents *events;
    void *data;
    GHashTable *streams; /* id -> Stream, owned */
    LimitCounts *counts;
    Traffic *traffic;     /* of those that have ended */
    GQueue history;       /* ended ones, the oldest first */
    ResumeBudget *budget; /* of those that survive their legs */
    StreamFigures ended;  /* of those that have ended; nothing is `now` */
    guint open;
    gboolean leaves; /* stream_table_leave */
    guint most;      /* weight, since that was asked */
    guint sweep;     /* timer, while there is history */
};

gboolean stream_table_has_room(StreamTable *table, const StreamInfo *info, GError **error);
gboolean stream_table_has_room_of(StreamTable *table, guint32 uid, GError **error);
void stream_table_add(StreamTable *table, Stream *stream);
void stream_table_changed(StreamTable *table, Stream *stream);
void stream_table_taken(StreamTable *table, Stream *stream, guint32 before);
void stream_table_suspended(StreamTable *table, Stream *stream);
void stream_table_unsaid(StreamTable *table, Stream *stream);
void stream_table_ended(StreamTable *table, Stream *stream);
void stream_free(Stream *stream);

/* stream.c: one that is in no table yet; and what its legs are held to. */
Stream *stream_make(StreamTable *table, const StreamInfo *info);
RelayTimes stream_times(const Stream *stream);
void stream_finish(Stream *stream, Reason reason, const char *message);

/* resume.c: LOCAL and LEG are taken; bytes flow from here on. */
void stream_carry(Stream *stream, Connection *local, Connection *leg, Reactor *reactor, Caps caps,
                  const RelayTimes *times);
/* The same for one of a former process, which has no leg yet: RESTORED is taken. */
void stream_carry_on(Stream *stream, Connection *local, ResumeStream *restored, gint64 elapsed);
/* It is suspended since then (on the clock), and may be so for LEFT µs from now on. */
void stream_suspend_since(Stream *stream, guint64 since, gint64 left);
/* By the request that brought its last leg, which is all that a restored one has. FALSE: there is
 * none that the hub would know. */
gboolean stream_answer(const Stream *stream, Reason reason, StreamAnswer *ret);
/* handover.c */
void stream_left_ended(Stream *stream);
/* Somebody closes it. TRUE: it is frozen, so that nothing can be done with it here. */
gboolean stream_left_close(Stream *stream, Reason reason);
void stream_resume_clear(Stream *stream);
void stream_resume_ended(Stream *stream); /* it waits for no leg, and has no carrier any more */
