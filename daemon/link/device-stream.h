/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Device stream: what happens between a hub's request and an open stream, on the accepting side
 * (docs/wire-protocol.md, sections 1.5, 1.6, 4a and 8).
 *
 * The accept policy decides, or leaves the decision to a person (stream/consent.h) or an app
 * (handler.h), who must answer some seconds before the hub's deadline. Then target and leg are
 * connected at the same time. 200 is sent only when the target is connected, so that the initiator
 * of a stream to a dead target gets a clear rejection. When an app takes the stream, only the leg
 * is connected. A request that is published again (same rid and token) gets the same answer, and no
 * second stream. A stream that survives its legs (section 8a) is led back by a request of its own,
 * which goes by the same rules of being answered again. Main thread. */
#pragma once

#include "common/topic/stream-topic.h"
#include "daemon/net/stream-hosts.h"
#include "daemon/local/target-private.h"
#include "daemon/net/proxy.h"
#include "daemon/policy/accept-policy.h"
#include "daemon/stream/consent.h"
#include "daemon/stream/handler.h"
#include "daemon/stream/private.h"
#include "daemon/stream/tombstone.h"

/* The requests of one hub. */
typedef struct DeviceStreams DeviceStreams;

#define DEVICE_PENDING_MAX 256     /* not answered, or answered and not open yet */
#define DEVICE_REMEMBERED_MAX 1024 /* all that are kept to be answered again */
#define DEVICE_DEADLINE (60 * G_TIME_SPAN_SECOND)

/* How much of the time until the deadline is reserved for the connections after the decision: at
 * most a quarter of it. */
#define DEVICE_CONNECT_TIME (6 * G_TIME_SPAN_SECOND)

typedef struct {
    Runtime *runtime;
    StreamTable *table;
    AcceptPolicy *policy;
    Consents *consents;
    Handlers *handlers;
    Tombstones *tombstones;          /* of streams that may be led back */
    gint64 resume_time;              /* µs that they may be suspended; 0: none survives its leg */
    TlsContext *tls;                 /* for the legs */
    Proxy *proxy;                    /* the same; NULL: directly */
    const char *hub;                 /* our name of it */
    const char *device;              /* our identity there */
    const StreamHosts *stream_hosts; /* where it may send the legs */
    RelayTimes times;                /* of the legs */
    guint64 (*next_id)(void *data);
    Target *(*find_target)(const char *name, void *data);
    void (*decided)(Stream *stream, const AcceptVerdict *verdict); /* by the policy; may be NULL */
    gboolean (*publish)(const char *topic, void *data); /* to the hub; FALSE: not connected */
    void *data;
} DeviceStreamsContext;

/* CONTEXT is copied; what it points to outlives the streams. */
DeviceStreams *device_streams_new(const DeviceStreamsContext *context);

/* HOSTS outlives the streams, or the next call. */
void device_streams_set_hosts(DeviceStreams *streams, const StreamHosts *hosts);

/* Streams in their handshake end with REASON_STOPPING; open ones go on. NULL is fine. */
void device_streams_free(DeviceStreams *streams);

void device_streams_request(DeviceStreams *streams, const StreamRequest *request);

/* A new control link is up. Answers that were published on the old one at QoS 0 may be lost. So
 * acceptances whose leg is not up yet are sent again while they are in time; a hub that has heard
 * the first ignores the second. One whose leg is up is sent again only when the hub asks again
 * (section 4a): the hub may have been restarted, and may have given the same number to another
 * request. */
void device_streams_link_ready(DeviceStreams *streams);

guint device_streams_pending(const DeviceStreams *streams);
