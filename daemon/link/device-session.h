/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Device session: one MQTT connection of a device to its hub, from the dial to its end
 * (docs/wire-protocol.md, sections 1.1 to 1.4). It does not retry; device-link.h does. Main thread.
 */
#pragma once

#include "common/codec/connection-string.h"
#include "common/extension/key-offer.h"
#include "common/topic/stream-topic.h"
#include "common/extension/client-type.h"
#include "common/extension/notice.h"
#include "common/net/tls-context.h"
#include "daemon/link/own-certificate.h"
#include "daemon/net/proxy.h"
#include "daemon/net/runtime.h"

typedef struct DeviceSession DeviceSession;

#define DEVICE_API_VERSION "2021-04-12"
#define DEVICE_PROBE (10 * G_TIME_SPAN_SECOND)         /* for the answer to a ping */
#define DEVICE_HELLO_TIMEOUT (20 * G_TIME_SPAN_SECOND) /* for CONNACK and SUBACK */

typedef struct {
    const char *host; /* to connect to */
    guint16 port;
    gboolean framed; /* MQTT over WebSocket */
    TlsContext *tls;
    OwnCertificate *own;              /* what TLS shows in the place of a token; NULL: nothing */
    Proxy *proxy;                     /* NULL: directly */
    const ConnectionString *identity; /* outlives the session */
    const char *instance;             /* client-type.h; outlives the session too */
    guint token_life;                 /* s */
    guint keep_alive;                 /* s, told to the hub */
    gboolean rekey;                   /* tells the hub that it may send a new key */
    gboolean resume;                  /* its streams survive their legs (section 8a) */
} DeviceSessionOptions;

typedef struct {
    /* Connected and subscribed. */
    void (*ready)(DeviceSession *session, void *data);
    void (*request)(DeviceSession *session, const StreamRequest *request, void *data);
    /* The hub tells this device something (docs/wire-protocol.md, section 8). */
    void (*notice)(DeviceSession *session, const Notice *notice, void *data);
    /* A new key; only with DeviceSessionOptions.rekey. */
    void (*key)(DeviceSession *session, const KeyOffer *offer, void *data);
    /* The link was idle for the whole pause, and the hub has answered our ping. */
    void (*survived)(DeviceSession *session, void *data);
    /* The session is over, in whatever state. This is the last call. Errors: of ws-dial.h,
     * UNAUTHORIZED when the hub refuses the identity. The callee frees the session, now or later.
     */
    void (*closed)(DeviceSession *session, const GError *error, void *data);
} DeviceSessionEvents;

DeviceSession *device_session_new(Runtime *runtime, const DeviceSessionOptions *options,
                                  const DeviceSessionEvents *events, void *data);
void device_session_free(DeviceSession *session); /* says DISCONNECT when it is up; NULL is fine */

/* The hub has taken our CONNECT, whatever came then. */
gboolean device_session_is_accepted(const DeviceSession *session);

/* What the hub has refused of our own certificate, as a code for doctor; NULL: nothing. */
const char *device_session_blame(const DeviceSession *session);

gboolean device_session_is_ready(const DeviceSession *session);

/* To be called when the link may be dead: sends a ping, whose answer must come within LIMIT µs.
 * Does nothing when the session is not ready. */
void device_session_probe(DeviceSession *session, gint64 limit);

/* Sets after how many seconds of silence it pings. At most the keep_alive that the hub was told,
 * which is also the first value. */
void device_session_set_pause(DeviceSession *session, guint pause);

/* It has ended because the hub did not answer the ping at the end of a pause. */
gboolean device_session_died_idle(const DeviceSession *session);

/* It has ended because another machine with this identity took over; the hub said so. */
gboolean device_session_was_taken_over(const DeviceSession *session);

/* QoS 0, empty payload. FALSE when it is not ready. */
gboolean device_session_publish(DeviceSession *session, const char *topic);

/* "dev1" or "dev1/mod1". Caller frees. */
char *device_client_id(const ConnectionString *identity);

/* The user name of section 1.2, with what we can do in DeviceClientType (section 8). INSTANCE NULL:
 * it is not named. */
char *device_user_name(const ConnectionString *identity, Caps caps, const char *instance);
