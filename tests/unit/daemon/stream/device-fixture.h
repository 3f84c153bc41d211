/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The accepting side, without a hub: what would be sent to the hub is kept, and a leg goes where
 * nobody answers. */
#pragma once

#include "daemon/link/device-stream.h"
#include "daemon/local/listener.h"

typedef struct {
    Runtime *runtime;
    StreamTable *table;
    AcceptPolicy *policy;
    TlsContext *tls;
    StreamHosts *stream_hosts;
    Listener *open;     /* a target that takes connections */
    Listener *silent;   /* where the leg goes: it takes the connection and sends nothing */
    GPtrArray *targets; /* "up" and "down" */
    GPtrArray *answers; /* topics */
    gboolean connected;
    guint64 last_id;
    Consents *consents;
    Handlers *handlers;
    Tombstones *tombstones;
    guint added, removed; /* requests */
    ConsentEnd end;       /* of the last request */
    guint owners;         /* changes of a stream's owner */
    const char *from;     /* the initiator's address in the next requests; NULL: absent */
    const char *sid;      /* the stream's id in the next requests; NULL: absent */
    DeviceStreams *streams;
} Fixture;

/* The policy accepts every stream, to the target with its name. */
void device_set_up(Fixture *fixture, gconstpointer data);
void device_tear_down(Fixture *fixture, gconstpointer data);

/* A request as a hub would publish it. DEADLINE in ms; -1: absent. */
void device_request_by(Fixture *fixture, const char *name, const char *rid, gboolean capable,
                       gint64 deadline);
void device_request_to(Fixture *fixture, const char *name, const char *rid, gboolean capable,
                       gint64 deadline, const char *url);
void device_request(Fixture *fixture, const char *name, const char *rid, gboolean capable);

/* Runs the main loop until the answer with this index is there. */
const char *device_wait_answer(Fixture *fixture, guint index);

void device_add_target(Fixture *fixture, const char *name, const char *address);
Target *device_find_target(const char *name, void *fixture);
Stream *device_only_stream(Fixture *fixture);
guint device_count_open(StreamTable *table);
