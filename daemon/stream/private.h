/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Stream, as the core sees it, and the table that holds all of them. Main thread. */
#pragma once

#include "common/codec/caps.h"
#include "common/topic/stream-topic.h"
#include "common/net/relay.h"
#include "common/resume/budget.h"
#include "daemon/net/runtime.h"
#include "daemon/policy/limits.h"
#include "daemon/stream/stream.h"
#include "daemon/stream/traffic.h"

typedef struct StreamTable StreamTable;

/* The table's owner hears of every change. */
typedef struct {
    void (*added)(Stream *stream, void *data);
    void (*changed)(Stream *stream, void *data);
    void (*removed)(Stream *stream, void *data);
    void (*owner_changed)(Stream *stream, guint32 before, void *data);
    /* It has lost its leg, and may go on for its time (stream_set_resume). After `changed`. The
     * service's part is to lead back; nobody does so for streams that were handed over by a former
     * process before app_start. */
    void (*suspended)(Stream *stream, void *data);
    /* It had ended, and now it shows that the other end was not told (stream_is_parting). */
    void (*unsaid)(Stream *stream, void *data);
} StreamTableEvents;

/* MAX: streams that have not ended; PER_UID: those of them that an owner has opened or taken. */
StreamTable *stream_table_new(Runtime *runtime, guint max, guint per_uid,
                              const StreamTableEvents *events, void *data);
void stream_table_set_per_uid(StreamTable *table, guint per_uid); /* for new ones */
/* How many bytes the streams that survive their legs may hold together: promised to the other ends,
 * and kept until these have consumed them (common/resume/budget.h). For new growth. */
void stream_table_set_resume(StreamTable *table, guint64 windows, guint64 rings);
ResumeBudget *stream_table_budget(StreamTable *table);
/* Every stream has ended by then, or is not told. NULL is fine. */
void stream_table_free(StreamTable *table);
Stream *stream_table_find(StreamTable *table, guint64 id);
GPtrArray *stream_table_list(StreamTable *table); /* by id; borrowed pointers */
guint stream_table_open(StreamTable *table);      /* not ended */

/* The memory load of its streams, for heap_watch: an open one counts twice as much as one that is
 * only remembered. With the peak since the last call. */
guint stream_table_weight(StreamTable *table);
guint stream_table_most(StreamTable *table);
void stream_table_close_hub(StreamTable *table, const char *hub, Reason reason);
void stream_table_close_tunnel(StreamTable *table, guint64 tunnel, Reason reason);
void stream_table_close_all(StreamTable *table, Reason reason);

/* From now on no stream is led back here: that is for the next process. */
void stream_table_leave(StreamTable *table);
gboolean stream_table_leaves(const StreamTable *table);

/* What has passed through a hub so far, summed over the streams whose users SEES accepts. */
TrafficCount
stream_table_traffic(StreamTable *table, const char *hub, TrafficSees sees, gpointer data);
void stream_table_forget_traffic(StreamTable *table, const char *hub);

typedef struct {
    guint64 id;
    StreamRole role;
    const char *hub;
    const char *device;
    const char *name;
    const char *initiator; /* NULL: unknown */
    const char *address;   /* the initiator's; NULL: unknown */
    const char *hub_id;    /* as stream_hub_id(); NULL: not known yet */
    guint64 tunnel;
    guint64 place; /* among the connections of that tunnel, from 1 */
    guint32 owner_uid;
    void (*ended)(Stream *stream, void *data); /* once; or NULL */
    void *data;
} StreamInfo;

/* Adds it to the table, which owns it, in its first state. STREAMD_ERROR_LIMIT. */
Stream *stream_new(StreamTable *table, const StreamInfo *info, GError **error);

guint64 stream_place(const Stream *stream);

void stream_set_state(Stream *stream, StreamState state);
void stream_set_target(Stream *stream, const char *target);
/* Where the hub wants its leg, before it is dialled. */
void stream_set_endpoint(Stream *stream, const char *host, guint16 port);

/* Device role: it goes to an app of UID, whose it is from now on. STREAMD_ERROR_LIMIT. */
gboolean stream_take(Stream *stream, guint32 uid, GError **error);
gboolean stream_is_taken(const Stream *stream); /* an app of its owner has it, or will */

/* Counts it among the streams of WHAT ("rule 7", "target ssh"), until it has ended, and holds it to
 * LIMITS beside those that it has already. Before its leg is attached; at most STREAM_HOLDS_MAX
 * times. STREAMD_ERROR_LIMIT: there are too many. */
#define STREAM_HOLDS_MAX 2
gboolean stream_limit(Stream *stream, const char *what, const Limits *limits, GError **error);

/* Of its leg, when other than usual. */
void stream_set_leg_times(Stream *stream, const RelayTimes *times);

/* By which the hub knows it. Device role: RID of its request, of a hub that can be told reasons.
 * NULL: it told none. */
void stream_set_request(Stream *stream, const char *rid, const char *sid);
/* After the end: TRUE when the leg could not carry the reason, because a frame was stuck in it;
 * then also the answer that carries it instead, which points into the stream. */
gboolean stream_unsaid_end(const Stream *stream, StreamAnswer *ret);

/* What is called once when it has ended, instead of the one of StreamInfo. */
void stream_set_ended(Stream *stream, void (*ended)(Stream *stream, void *data), void *data);

/* The handshake of this stream, so that stream_close can stop it: CANCEL frees the handshake and
 * must not touch the stream. NULL: none. */
void stream_set_handshake(Stream *stream, void (*cancel)(void *data), void *data);

/* The local end: taken, detached. Once. */
void stream_set_local(Stream *stream, Connection *local);
gboolean stream_has_local(const Stream *stream);

/* The handshake is over: bytes flow from here on. LEG is taken, detached. With CAP_RESUME in CAPS,
 * and a key (stream_set_resume), it survives its legs: LEG is on REACTOR's thread from here on, and
 * so are all later ones. */
void stream_attach_leg(Stream *stream, Connection *leg, Reactor *reactor, Caps caps);

/* A stream that survives its legs (docs/wire-protocol.md, section 8a). Before its first leg; the id
 * is stream_hub_id(). SECRET: the service's KEY; device role: its SHA-256. TIME: µs that it may be
 * suspended at a stretch. */
#define STREAM_RESUME_KEY 32
#define STREAM_RESUME_TIME (3 * G_TIME_SPAN_MINUTE)
void stream_set_resume(Stream *stream, const guint8 secret[STREAM_RESUME_KEY], gint64 time);
const guint8 *stream_resume_secret(const Stream *stream); /* NULL: it ends with its leg */
gint64 stream_resume_time(const Stream *stream);          /* as it was set */
gint64 stream_resume_left(const Stream *stream);          /* µs of the time of a suspended one */
guint32 stream_resume_attempt(const Stream *stream);      /* the highest one so far; 0: none */
/* Whether ATTEMPT may bring a leg: it is the highest one, and has brought none. The answer to it
 * may have been lost, with the process that gave it for instance: the other end's key proves it. */
gboolean stream_awaits_attempt(const Stream *stream, guint32 attempt);
void stream_set_resume_attempt(Stream *stream, guint32 attempt);
Reactor *
stream_reactor(const Stream *stream); /* where its next leg is to be; NULL: not resumable */

/* Device role: by which rule it was accepted (0: the default), a digest of that rule, and the
 * address of its target ("": an app has it): all of this has to be the same when it is led back. */
void stream_set_grant(Stream *stream, guint32 rule, const char *digest, const char *address);
guint32 stream_rule(const Stream *stream);
const char *stream_grant(const Stream *stream);         /* "" when none was set */
const char *stream_grant_address(const Stream *stream); /* the same */

/* Device role: the request that brings the next leg; by it the hub is told that this one is lost,
 * as by the answer that points into the stream. FALSE: there is nothing to tell. */
void stream_set_leg_request(Stream *stream, const char *rid, const char *sid);
gboolean stream_lost_leg(const Stream *stream, StreamAnswer *ret);

/* The next leg of a suspended stream, or of one whose other end has noticed its loss first. As
 * stream_attach_leg. */
void stream_resume_leg(Stream *stream, Connection *leg);
/* The network has changed: every leg of one that survives has STREAM_PROBE to give a sign of life.
 */
#define STREAM_PROBE (2 * G_TIME_SPAN_SECOND)
void stream_table_probe(StreamTable *table);
/* Lets go of the leg that it has (the other end has begun a later attempt). */
void stream_drop_leg(Stream *stream, Reason reason);
/* The other end has ended it for REASON, as it answered. */
void stream_ended_there(Stream *stream, Reason reason);
/* It cannot be resumed: ends with the reason of its first loss since it last went on. */
void stream_give_up(Stream *stream);

/* It really went on before it was suspended: the other end consumed more, or the leg lived so long.
 * Otherwise its time, and the back-off of who leads it back, go on where they were. */
#define STREAM_SETTLED (10 * G_TIME_SPAN_SECOND)
gboolean stream_is_settled(const Stream *stream);
gboolean stream_has_settled(gint64 went_on, gint64 now, gboolean advanced); /* pure */
gint64 stream_lost_at(const Stream *stream); /* monotonic; by whichever process; or now */
/* It has ended: because it was suspended for too long; and the other end knows. */
gboolean stream_gave_up(const Stream *stream);
gboolean stream_end_is_known(const Stream *stream);
/* Service role: it has ended, and the other end is not known to know. */
gboolean stream_is_parting(const Stream *stream);

/* Of one that has ended: what its `r` on one more leg would say. */
void stream_last_offsets(const Stream *stream, guint64 *ret_consumed, guint64 *ret_limit);

/* By the id that the hub gave its first opening, of a device's streams of HUB. NULL: none. */
Stream *stream_table_find_resume(StreamTable *table, const char *hub, const char *id);

/* The handshake is over without a leg: the local end is reset. MESSAGE NULL: the reason's text. */
void stream_fail(Stream *stream, Reason reason, const char *message);
