/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The hub's streams. Everything below them is real, also the legs on reactors. The edge, the
 * sessions of devices and the clock are stand-ins, so that a test decides what happens and when.
 * The linked program counts what is made and freed: see tests/unit/hub/meson.build. */
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
    GPtrArray *asked;    /* each request, until the end of the test */
    gboolean peers_gone; /* from now on peers of legs leave before their 101 */
} Hub;

/* A request and its result. */
typedef struct {
    Request request; /* first */
    Hub *hub;
    guint status; /* 0: not answered yet */
    char *fields;
    char *body;
    HubStream *stream; /* of a POST: the stream made for it; NULL: none */
    int peer;          /* of a leg: the peer's socket; -1: none */
    gboolean done;     /* of a leg: its 101 was sent */
    RequestUpgraded upgraded;
    void *upgraded_data;
} Asked;

/* Copies SETTINGS; NULL: the defaults. A hub that has just started waits for its devices for some
 * time. For the first function that time is over. */
Hub *hub_new(const Settings *settings);
Hub *hub_new_just_started(const Settings *settings);
void hub_free(Hub *hub);

/* A device that is connected and subscribed. */
Session *hub_device(Hub *hub, const char *client_id, Caps caps);

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

/* A request with only method, path and peer. No module has it yet. */
Asked *asked_new(Hub *hub, const char *method, const char *path);

RegistryScope *scope_of(const char *text); /* TEXT must be valid; the caller unrefs the scope */

Asked *hub_post(Hub *hub, const Post *post);
char *asked_field(const Asked *asked, const char *name); /* of the answer; NULL: absent */

/* The last request that was sent to SESSION. Free with stream_request_clear. */
StreamRequest session_request(const Session *session);

/* Answers the last request; CAPS: what the device accepts. */
void session_accept(Session *session, Caps caps, Hub *hub);
void session_reject(Session *session, Reason reason, Hub *hub);
void session_reject_with(Session *session, Reason reason, const char *text, Hub *hub);

/* A leg for the url and the token. Its peer exists when this returns, unless refused. */
Asked *hub_leg(Hub *hub, const char *url, const char *token);
Asked *hub_device_leg(Hub *hub, const Session *session); /* for its last request */
Asked *hub_service_leg(Hub *hub, const Asked *post);

/* Waits until the main thread and the reactors have nothing left to do. */
void hub_settle(Hub *hub);

/* These act as the peer of a leg. */
void peer_send(const Asked *leg, const char *text);
void peer_leave(Asked *leg);
guint8 peer_first(Asked *leg); /* takes the first byte that comes; 0: none */
/* Everything up to the close frame: the data, without pings. *RET_CODE: the code of the close
 * frame; *RET_TEXT: its text, which the caller frees. 0 and NULL: there was none. Closes the
 * socket. */
char *peer_read(Asked *leg, guint *ret_code, char **ret_text);

/* Of the hub made last. */
guint hub_streams_freed(void);         /* in all */
const HubStream *hub_last_freed(void); /* only for comparison; it is freed */
guint hub_tokens_known(void);          /* tokens that may still open a leg */
guint hub_devices_known(void);         /* the streams' entries for devices */
