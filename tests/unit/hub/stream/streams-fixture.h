/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The hub's streams with everything below them real, legs on reactors too; the edge, the sessions
 * of devices and the clock are stand-ins, so that a test says what happens and when. The program is
 * linked with a look at what is made and freed: see tests/unit/hub/meson.build. */
#pragma once

#include "hub/stream/stream.h"
#include "tests/unit/hub/base/clock-fixture.h"
#include "tests/unit/hub/device/session-fixture.h"

#define SECOND G_TIME_SPAN_SECOND
#define MINUTE G_TIME_SPAN_MINUTE

typedef struct {
    Settings *settings;
    Clock *clock;
    Queue *queue;
    GSource *source;
    ReactorPool *reactors;
    Devices *devices;
    Streams *streams;
    GPtrArray *sessions;
    GPtrArray *asked;    /* each request, until the end */
    gboolean peers_gone; /* from now on peers of legs go before their 101 */
} Hub;

/* A request, and what came of it. */
typedef struct {
    Request request; /* first */
    Hub *hub;
    guint status; /* 0: not answered yet */
    char *fields;
    char *body;
    HubStream *stream; /* of a POST: what was made for it; NULL: nothing */
    int peer;          /* of a leg: the peer's socket, -1: there is none */
    gboolean done;     /* of a leg: its 101 is out */
    RequestUpgraded upgraded;
    void *upgraded_data;
} Asked;

/* A copy is made of SETTINGS; NULL: the defaults. The time in which a hub that has just started
 * waits for its devices is over, or not. */
Hub *hub_new(const Settings *settings);
Hub *hub_new_just_started(const Settings *settings);
void hub_free(Hub *hub);

/* Connected and subscribed. */
MqttSession *hub_device(Hub *hub, const char *client_id, Caps caps);

/* A POST as user "anna" for the stream "ssh", of a plain service, unless a field says otherwise. */
typedef struct {
    const char *device; /* NULL: "dev1" */
    const char *module;
    const char *user;
    const char *order;
    const char *scope; /* the user's, as stored (registry/scope.h); NULL: everything */
    const char *tags;  /* the device's, as stored */
    gboolean extended;
    Caps caps;
    gint64 connect_timeout;
    gint64 response_timeout; /* 0: 30 s */
} Post;

/* A request of which nothing but method, path and peer is there; nobody has it yet. */
Asked *asked_new(Hub *hub, const char *method, const char *path);

RegistryScope *scope_of(const char *text); /* which is good; the caller unrefs it */

Asked *hub_post(Hub *hub, const Post *post);
char *asked_field(const Asked *asked, const char *name); /* of the answer; NULL: not there */

/* The last request that SESSION was sent; for stream_request_clear. */
StreamRequest session_request(const MqttSession *session);

/* Answers it; CAPS: what it accepts. */
void session_accept(MqttSession *session, Caps caps, Hub *hub);
void session_reject(MqttSession *session, Reason reason, Hub *hub);
void session_reject_with(MqttSession *session, Reason reason, const char *text, Hub *hub);

/* A leg as the url and the token say; its peer is there when this returns, unless refused. */
Asked *hub_leg(Hub *hub, const char *url, const char *token);
Asked *hub_device_leg(Hub *hub, const MqttSession *session); /* of its last request */
Asked *hub_service_leg(Hub *hub, const Asked *post);

/* What the main thread and the reactors have for each other is done. */
void hub_settle(Hub *hub);

/* The peer's part. */
void peer_send(const Asked *leg, const char *text);
void peer_leave(Asked *leg);
guint8 peer_first(Asked *leg); /* the first byte that comes, 0: none; it is taken */
/* All that comes up to the close frame: the data, without pings. *RET_CODE: of the close frame,
 * *RET_TEXT its text, the caller's; 0 and NULL: there was none. The socket is closed then. */
char *peer_read(Asked *leg, guint *ret_code, char **ret_text);

/* Of the hub made last. */
guint hub_streams_freed(void);         /* in all */
const HubStream *hub_last_freed(void); /* to be compared, not looked at */
guint hub_tokens_known(void);          /* that may still open a leg */
guint hub_devices_known(void);         /* entries that the streams have of devices */
