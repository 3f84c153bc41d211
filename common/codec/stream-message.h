/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a hub and a device say to each other about a stream, in whatever protocol the device speaks:
 * the request and its answer. stream-topic.h has their form in MQTT. Any thread. */
#pragma once

#include "common/base/reason.h"
#include "common/base/slice.h"
#include "common/codec/caps.h"

/* A request, hub to device. To build one, point the fields at the caller's text and leave `storage`
 * NULL. One that was read owns its text: free it with stream_request_clear(). */
typedef struct {
    const char *name;
    const char *rid;
    const char *url; /* decoded */
    const char *token;
    /* Section 8. Sent only to, or by, a device that has announced capabilities. */
    gboolean capable;      /* `$streamd=` is there; if FALSE the rest is not written or read */
    Caps caps;             /* the initiator's, as far as they apply; at least one to build */
    gint64 deadline;       /* milliseconds left; -1: absent */
    const char *initiator; /* the policy's name; NULL: absent */
    const char *from;      /* the initiator's address; NULL: absent */
    const char *sid;       /* the stream's id, to be repeated in the answer; NULL: absent */
    const char *order;     /* in the form of stream-order.h; NULL: absent */
    /* Section 8a, in the form of extension/resume-ask.h. */
    const char *rkey;   /* secret: the key by which it may be led back; NULL: absent */
    const char *resume; /* "ID.ATTEMPT": which stream is led back, with RKEY; NULL: a new one */
    char *storage;
} StreamRequest;

/* An answer, device to hub. `storage` works as above. */
typedef struct {
    gboolean accepted; /* 200; otherwise 400 */
    const char *rid;   /* as in the request */
    /* Section 8. Set them only if the request was `capable`. */
    const char *sid;         /* as in the request; NULL: it had none */
    Caps caps;               /* what the device accepts; 0: without `$streamd` */
    Reason reason;           /* with a rejection; REASON_NONE: not told. Reading an unknown code
                                gives REASON_REJECTED, with all of the value as the text */
    const char *reason_text; /* short, for people; NULL: none. Cut when it is too long */
    const char *rule;        /* which of the device's rules decided; NULL: not told */
    char *storage;
} StreamAnswer;

void stream_request_clear(StreamRequest *request);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(StreamRequest, stream_request_clear)

void stream_answer_clear(StreamAnswer *answer);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(StreamAnswer, stream_answer_clear)
