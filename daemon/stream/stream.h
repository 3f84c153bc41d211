/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Stream: one stream, from its request to some minutes after its end.
 *
 * It owns its local end and its offsets; a leg to the hub is attached to it (a leg, not the leg:
 * docs/wire-protocol.md, section 8). Neither the end of a leg's handshake nor of the control link
 * frees it. Ended streams stay for STREAM_HISTORY_TIME so that their reason can be read. Main
 * thread. */
#pragma once

#include "common/base/reason.h"

typedef struct Stream Stream;

typedef enum {
    STREAM_ROLE_DEVICE,  /* it came to us */
    STREAM_ROLE_SERVICE, /* we opened it */
} StreamRole;

/* docs/architecture.md, "The life of a stream". */
typedef enum {
    STREAM_REQUESTED,  /* device: the hub asked */
    STREAM_DECIDING,   /* device: the accept policy is asked */
    STREAM_INITIATING, /* service: the hub is asked */
    STREAM_ACCEPTED,   /* service: the device said yes */
    STREAM_CONNECTING, /* device: target and leg are on their way; service: the leg is */
    STREAM_OPEN,
    STREAM_SUSPENDED, /* its leg was lost; it waits for another one (section 8a) */
    STREAM_CLOSING,
    STREAM_CLOSED, /* from here on: ended */
    STREAM_REJECTED,
    STREAM_TIMED_OUT,
    STREAM_OFFLINE,
    STREAM_UNAUTHORIZED,
} StreamState;

#define STREAM_HISTORY_MAX 256
#define STREAM_HISTORY_TIME (5 * G_TIME_SPAN_MINUTE)

guint64 stream_id(const Stream *stream);
StreamRole stream_role(const Stream *stream);
const char *stream_hub(const Stream *stream);    /* the hub's name, which may be gone */
const char *stream_device(const Stream *stream); /* "dev1" or "dev1/mod1" */
const char *stream_name(const Stream *stream);
/* What the hub calls it, the same at both ends; NULL: the hub has told none yet, or tells none. */
const char *stream_hub_id(const Stream *stream);
const char *stream_initiator(const Stream *stream); /* the policy the hub names; "" unknown */
const char *stream_address(const Stream *stream);   /* the initiator's; "" unknown */
const char *stream_target(const Stream *stream);    /* the target's name; "" none */
const char *stream_endpoint(const Stream *stream);  /* HOST:PORT of its leg; NULL: not known yet */
guint64 stream_tunnel(const Stream *stream);        /* the tunnel it belongs to; 0 none */
/* service: who opened it; device: whose app has it, else this daemon's own UID */
guint32 stream_owner_uid(const Stream *stream);
StreamState stream_state(const Stream *stream);
gboolean stream_has_ended(const Stream *stream);
Reason stream_reason(const Stream *stream); /* REASON_NONE until it has ended */
const char *
stream_message(const Stream *stream); /* how it ended, one English clause; "" until then */
guint64 stream_requested_at(const Stream *stream); /* CLOCK_REALTIME µs */
guint64 stream_opened_at(const Stream *stream);    /* 0: was never open */
guint64 stream_ended_at(const Stream *stream);     /* 0: has not ended */
guint64 stream_bytes_in(const Stream *stream);     /* from the hub to the local end */
guint64 stream_bytes_out(const Stream *stream);    /* from the local end to the hub */

guint64 stream_suspended_since(const Stream *stream); /* CLOCK_REALTIME µs; 0: it is not suspended */
Reason stream_suspended_for(const Stream *stream);    /* why its last leg was lost; NONE: none was */
guint stream_resumes(const Stream *stream);           /* how often it went on with another leg */
guint64 stream_resume_pending(const Stream *stream);  /* bytes not acknowledged at the last loss */
gboolean stream_is_resumable(const Stream *stream);   /* it survives its leg */

/* Ends it, in any state; REASON_CLOSED_BY_USER on request. Does nothing when it has ended. */
void stream_close(Stream *stream, Reason reason);

const char *stream_role_name(StreamRole role);    /* "device", "service" */
const char *stream_state_name(StreamState state); /* "requested", ..., "timed-out", ... */
