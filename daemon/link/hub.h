/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Hub: a hub that is configured here, in the role that its connection string gives it.
 *
 * A device's hub keeps an MQTT connection (device-link.h) and receives streams. A service's hub has
 * no lasting connection: its state `connected` means that the last probe or request reached it,
 * with a trusted certificate. Main thread. */
#pragma once

#include "daemon/link/own-certificate.h"
#include "daemon/net/proxy.h"

#include <glib.h>

typedef struct App App;
typedef struct Hub Hub;

typedef enum {
    HUB_ROLE_DEVICE,  /* the connection string has DeviceId */
    HUB_ROLE_SERVICE, /* it has SharedAccessKeyName */
} HubRole;

typedef enum {
    HUB_TRANSPORT_WSS,   /* MQTT over WebSocket on the one port */
    HUB_TRANSPORT_MQTTS, /* MQTT over TLS on a port of its own */
} HubTransport;

typedef enum {
    HUB_DISCONNECTED,
    HUB_CONNECTING,
    HUB_CONNECTED,
    HUB_REFUSED, /* the hub refused the identity, and is retried rarely; or it cannot be used */
} HubState;

#define HUB_NAME_MAX 64
#define HUB_CONNECTION_STRING_MAX 4096
#define HUB_MQTTS_PORT 8883
#define HUB_ENDPOINTS_MAX 8 /* that are remembered */
/* s; a device's token is renewed at 80 % of its life. Each renewal costs as much as twenty pings.
 */
#define HUB_TOKEN_LIFE (24 * 60 * 60)
#define HUB_TOKEN_LIFE_MIN 5
#define HUB_TOKEN_LIFE_MAX (30 * 24 * 60 * 60)
#define HUB_LEG_PING 20 /* s of silence on a leg before a ping */
#define HUB_LEG_PING_MAX 3600
#define HUB_LEG_DEAD 45 /* s of silence before a leg counts as lost */
#define HUB_LEG_DEAD_MAX 7200
#define HUB_END_WAIT                                                                               \
    10 /* s that bytes which stand still hold up the end of a stream that was cut */
#define HUB_END_WAIT_MAX 3600
/* s that a stream without a leg waits for another one (docs/wire-protocol.md, section 8a) */
#define HUB_RESUME_TIME 180
#define HUB_RESUME_TIME_MAX (24 * 60 * 60)

/* What the authority of the hub has told (common/extension/statement.h), and is kept. The serials
 * are those of the last statement of each kind; 0: there was none. */
typedef struct {
    guint64 authority_serial;
    const char *next_ca;  /* the next authority, PEM; NULL: none is pending */
    gint64 next_since;    /* s since 1970: when it came */
    gboolean next_proved; /* it has verified a handshake by itself */
    guint64 address_serial;
    const char *next_host; /* the next name; NULL: none is pending */
    guint16 next_port;
} HubPending;

/* A next authority is trusted alone after so long, once it has verified a handshake. */
#define HUB_PENDING_S (7 * 24 * 60 * 60)

/* What holds for the streams of all hubs that do not say otherwise. */
typedef struct {
    gboolean no_resume; /* as in HubSettings */
    guint resume_time;
} HubResume;

typedef struct {
    const char *name;              /* [A-Za-z0-9._-]{1,64} */
    const char *connection_string; /* secret: copied, wiped at the end; never shown again. NULL:
                                      REFUSED says why */
    const char *invitation;        /* secret: the ticket by which it is still to be joined with that
                                      key (common/codec/invitation.h); NULL: we have joined */
    const char *identity;          /* without a connection string: that one without its key; NULL:
                                      not known */
    const char *refused;           /* why the hub cannot be used; NULL: it can */
    const char *ca_file;           /* absolute path; NULL: the system's trust */
    const char *ca;                /* PEM, of an invitation; used where CA_FILE is NULL */
    const char *ca_digest;         /* of its contents when it was read; NULL: not known */
    OwnFiles own;                  /* what a device with x509=true shows to its hub */
    HubTransport transport;
    guint16 mqtts_port;        /* 0: HUB_MQTTS_PORT */
    guint token_life;          /* s; 0: HUB_TOKEN_LIFE */
    guint keep_alive;          /* s; the longest pause on an idle control link; 0: the default */
    guint leg_ping, leg_dead;  /* s; 0: HUB_LEG_PING, HUB_LEG_DEAD */
    guint end_wait;            /* s; 0: HUB_END_WAIT */
    gboolean no_resume;        /* Resume=no or ResumeTime=0: its streams end with their legs */
    guint resume_time;         /* s; 0: as for all hubs, else HUB_RESUME_TIME */
    const char *allowed_users; /* user-list.h; NULL or empty: whom polkit allows; service only */
    const char *stream_hosts;  /* stream-hosts.h; NULL or empty: the hub's own alone */
    ProxySettings proxy;       /* its own; all NULL: what is set for all hubs */
    const char *source; /* "FILE:LINE" of the configuration, which alone changes it; NULL: D-Bus */
    HubPending pending;
} HubSettings;

const char *hub_name(const Hub *hub);
const char *hub_host_name(const Hub *hub); /* without the port */
guint16 hub_port(const Hub *hub);          /* HTTPS; 443 when the connection string names none */
HubRole hub_role(const Hub *hub);
const char *hub_identity(const Hub *hub); /* "dev1", "dev1/mod1", or the policy's name */
HubTransport hub_transport(const Hub *hub);
guint16 hub_mqtts_port(const Hub *hub);
const char *hub_proxy_url(const Hub *hub);     /* what is set, of its own or for all; "" */
gboolean hub_is_wanted(const Hub *hub);        /* hub_connect was the last word */
const char *hub_allowed_users(const Hub *hub); /* "" when there is no list */
const char *hub_stream_hosts(const Hub *hub);  /* as HubSettings.stream_hosts; "" when none */
const char *hub_source(const Hub *hub);        /* as HubSettings.source */
const char *hub_ca_file(const Hub *hub);       /* "": none, of its own */
/* What it shows to its hub: the paths, or the URL of the key; "": it has a key of the hub's. */
const char *hub_certificate_file(const Hub *hub);
const char *hub_key_file(const Hub *hub);
guint64 hub_certificate_expires(const Hub *hub); /* CLOCK_REALTIME µs; 0: there is none */
/* Why files that have come since cannot be used; "": they are used. */
const char *hub_certificate_error(const Hub *hub);
/* Looks at the files of its certificate now, as it does when they change. */
void hub_look_at_certificate(Hub *hub);
HubState hub_state(const Hub *hub);
/* µs that its streams may be suspended; 0: they end with their legs */
gint64 hub_resume_time(const Hub *hub);
/* Why it was not joined yet by its invitation; NULL: it was. */
const char *hub_unjoined(const Hub *hub);
const char *hub_refused(const Hub *hub);    /* as HubSettings.refused */
const char *hub_last_error(const Hub *hub); /* "" when none; one English clause */
guint64 hub_reconnects(const Hub *hub);     /* how often it was reached again after it was lost */
/* HOST:PORT of the last streams' legs, the newest last; NULL-terminated. */
const char *const *hub_endpoints(const Hub *hub);
guint64 hub_since(const Hub *hub); /* CLOCK_REALTIME µs of the last change of state */

/* How the change of the hub's authority stands: "", "pending" (trusted beside the present one) or
 * "file" (told, but only its CA file changes what is trusted here). And until when it stands so at
 * least (s since 1970; 0: no such time is known). */
const char *hub_authority_state(const Hub *hub);
gint64 hub_authority_until(const Hub *hub);
/* "HOST:PORT" under which the hub will be found, as its authority has told; "" when it has not. */
const char *hub_next_address(const Hub *hub);

/* When the hub last said that another machine uses this identity (CLOCK_REALTIME µs; 0: never), and
 * how often it has said so. */
guint64 hub_taken_over(const Hub *hub);
guint64 hub_takeovers(const Hub *hub);

/* It has said so within HUB_SHARED_TIME. */
#define HUB_SHARED_TIME (G_TIME_SPAN_HOUR)
gboolean hub_is_shared(const Hub *hub);

/* Connects now, and retries until hub_disconnect. Does nothing while it is connected or connecting.
 */
void hub_connect(Hub *hub);
void hub_disconnect(Hub *hub); /* ends no stream */

const char *hub_role_name(HubRole role);                /* "device", "service" */
const char *hub_state_name(HubState state);             /* "disconnected", ... */
const char *hub_transport_name(HubTransport transport); /* "wss", "mqtts" */
gboolean hub_transport_from_name(const char *name, HubTransport *ret);
gboolean hub_name_is_valid(const char *name);
