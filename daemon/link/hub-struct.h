/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The struct of a hub, shared by hub.c and hub-settings.c alone. */
#pragma once

#include "common/extension/statement.h"
#include "daemon/link/device-link.h"
#include "daemon/link/enroll.h"
#include "daemon/link/hub-private.h"
#include "daemon/net/backoff.h"
#include "daemon/net/dial.h"
#include "daemon/net/http-exchange.h"

struct Hub {
    HubContext context;
    char *name;
    char *connection_string; /* NULL: its key is missing */
    char *public_string;     /* without a connection string: that one without its key, or NULL */
    char
        *refused; /* why it cannot be used; then there is no connection of any kind. NULL: it can */
    ConnectionString *parts;
    char *ca_file;
    char *ca;
    char *allowed_users;
    char *stream_globs;
    StreamHosts *stream_hosts;
    char *identity;
    HubTransport transport;
    guint16 mqtts_port;
    ProxySettings proxy_settings; /* copies */
    Proxy *proxy;                 /* NULL: directly */
    char *source;
    char *ca_digest;
    char *own_certificate, *own_key, *own_pin; /* as HubSettings.own */
    OwnCertificate *own;                       /* NULL: it has a key of the hub's */
    guint token_life;
    guint keep_alive, leg_ping, leg_dead, end_wait;
    gboolean no_resume;
    guint resume_time;
    TlsContext *tls; /* HTTP and WebSocket */
    TlsContext *mqtt_tls;
    HubState state;
    char *last_error;
    guint64 since;
    guint64 connects;
    GPtrArray *endpoints; /* and a NULL */
    guint64 taken_over;   /* CLOCK_REALTIME µs when the hub told that last; 0: never */
    guint64 takeovers;    /* how often it has told so */
    /* hub-pending.h */
    HubPending pending;           /* what is in force; the strings are the hub's */
    HubPending *saving;           /* being saved; NULL: nothing is */
    char *saving_ca;              /* with it, an authority in the place of `ca`; NULL: it stays */
    char *later[STATEMENT_KINDS]; /* by StatementKind: statements that came while something was
                                     being saved */
    TlsNext *next;      /* what `tls` and `mqtt_tls` trust beside, or in the place of, the rest */
    char *next_address; /* NULL: none */
    guint64 known[STATEMENT_KINDS]; /* the serials of `pending` */
    guint64 told_serial; /* of the last statement that only the configuration can follow; 0: none */
    gboolean elsewhere;  /* the next address is tried now */
    guint look;          /* source */
    /* device */
    DeviceLink *link;
    char instance[INSTANCE_LEN + 1];
    DeviceStreams *streams;
    gboolean key_busy;   /* a new key is being saved */
    guint keys_taken;    /* new keys, less those that HUB_KEYS_PAUSE has forgiven */
    gint64 keys_counted; /* when that was counted, monotonic µs */
    /* service */
    gboolean wanted; /* hub_connect was the last word */
    Dial *probe;
    HttpExchange *ask;    /* with the identity, after the dial */
    guint64 first_stream; /* hub_set_first_stream */
    gboolean unsure;      /* the hub has refused the identity, and has not accepted it since */
    Backoff backoff;
    guint retry;
    /* of both roles, until it has joined */
    char *invitation; /* the ticket; NULL: it has joined */
    Enroll *enroll;
};

/* ERROR: one clause, or NULL for none. */
void hub_set_state(Hub *hub, HubState state, const char *error);

/* hub-probe.c: a service's; start does nothing while one is under way. */
void hub_probe_start(Hub *hub);
void hub_probe_stop(Hub *hub);

/* enroll.c */
void hub_enroll_start(Hub *hub);
void hub_enroll_stop(Hub *hub);
