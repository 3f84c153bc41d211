/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The struct of a device stream, shared by the files device-*.c that carry it: device-stream.c has
 * its life, device-decide.c the decision, device-connect.c target and leg, device-resume.c those
 * that are led back. Main thread. */
#pragma once

#include "common/codec/stream-url.h"
#include "common/extension/resume-ask.h"
#include "daemon/link/device-stream.h"
#include "daemon/stream/order-gate.h"
#include "daemon/net/ws-dial.h"

struct DeviceStreams {
    DeviceStreamsContext context;
    GQueue all; /* DeviceStream, the oldest first */
    guint pending;
    OrderGate *gate;
};

typedef struct {
    DeviceStreams *owner;
    GList link;
    char *rid, *token, *url;
    char *sid;    /* to be put in the answer; NULL: the hub told none */
    char *answer; /* the topic, once decided */
    gboolean capable;
    Caps caps;
    gboolean pending;
    Stream *stream; /* NULL once open or ended */
    Target *target;
    OrderTurn turn;   /* until it is connected, refused, or others decide */
    guint turn_timer; /* while it waits for that */
    TargetWaiter waiter;
    gboolean has_place; /* among those that the target takes at once */
    Reactor *reactor;
    SocketDial *target_dial;
    WsDial *leg_dial;
    Connection *leg; /* up before the target was */
    guint deadline;
    gint64 deadline_at; /* monotonic: for the answer */
    gint64 pair_by;     /* monotonic: after an acceptance */
    guint32 rule;
    /* One that survives its legs, with CAP_RESUME in CAPS. */
    guint8 digest[RESUME_KEY_LEN]; /* of its key */
    gint64 resume_time;
    char *grant;     /* digest of the rule; NULL: it does not survive */
    guint64 resumed; /* the stream that is led back, by its number; 0: it is a new one */
    guint32 attempt;
    /* Who decides. */
    Consent *consent;
    HandlerAsk *ask;
    /* Who gets it, when it is no target. */
    guint64 handler; /* its id */
    AppEnd *app_end;
} DeviceStream;

/* Answers the hub with 200, or with 400 and a reason. The answer is kept, so that it can be sent
 * again. */
void device_stream_answer(DeviceStream *self, gboolean accepted, Reason reason, const char *text);

/* The handshake is over. The entry stays until its deadline, to answer a repeated request. */
void device_stream_settle(DeviceStream *self);

/* Ends the stream before it was open, and tells the hub unless that was done already. TEXT goes to
 * the hub, too: it must come from the owner, or must not reveal anything about this network. */
void device_stream_fail(DeviceStream *self, Reason reason, const char *text);

/* The same, but TEXT is for this machine alone: the hub gets the code. */
void device_stream_fail_here(DeviceStream *self, Reason reason, const char *text);

/* Puts the stream before the accept policy, and begins what that says. */
void device_stream_decide(DeviceStream *self, const StreamRequest *request);

/* It takes its place among the streams of its tunnel, if it has one. */
void device_stream_line_up(DeviceStream *self, const StreamRequest *request);

/* Accepted: connects leg and target, in its turn (order-gate.h), once the target has a free place.
 */
void device_stream_to_target(DeviceStream *self, Target *target);

/* Accepted, and DONE gets the app's end: connects the leg. NULL with ERROR set: nothing has
 * happened. */
AppEnd *device_stream_to_app(DeviceStream *self, AppEndDone done, void *data, GError **error);

/* Nobody is to decide any more. */
void device_stream_stop_asking(DeviceStream *self);

/* Connects the leg on REACTOR; its URL was checked when it came. */
void
device_stream_dial_leg(DeviceStream *self, const StreamUrl *url, Reactor *reactor, WsDialDone done);

/* Keeps the key of a stream that may be led back, or drops CAP_RESUME: when it came, when the
 * policy has decided, and when it is about to be open. */
void device_stream_note_key(DeviceStream *self, const StreamRequest *request);
void device_stream_allow_resume(DeviceStream *self, const AcceptVerdict *verdict);
void device_stream_keep_resume(DeviceStream *self);

/* REQUEST leads a stream back: answers it. */
void device_stream_resume(DeviceStream *self, const StreamRequest *request);

/* Lets go of what device-connect.c holds. */
void device_stream_disconnect(DeviceStream *self);
