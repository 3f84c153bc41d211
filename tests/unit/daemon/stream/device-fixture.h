/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The accepting side of a hub that is not there: what it would be told is kept, and a leg goes
 * where nobody answers. */
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
    Listener *silent;   /* where the leg goes: takes the connection and says nothing */
    GPtrArray *targets; /* "up" and "down" */
    GPtrArray *answers; /* topics */
    gboolean connected;
    guint64 last_id;
    Consents *consents;
    Handlers *handlers;
    guint added, removed; /* requests */
    ConsentEnd end;       /* of the last one */
    guint owners;         /* changes of a stream's owner */
    const char *from;     /* what the hub tells with the next requests; NULL: nothing */
    const char *sid;      /* the same */
    DeviceStreams *streams;
} Fixture;

/* Every stream is accepted, to the target of its name. */
void device_set_up(Fixture *fixture, gconstpointer data);
void device_tear_down(Fixture *fixture, gconstpointer data);

/* What a hub would publish. DEADLINE in ms; -1: not told. */
void device_request_by(Fixture *fixture, const char *name, const char *rid, gboolean capable,
                       gint64 deadline);
void device_request_to(Fixture *fixture, const char *name, const char *rid, gboolean capable,
                       gint64 deadline, const char *url);
void device_request(Fixture *fixture, const char *name, const char *rid, gboolean capable);

/* Runs the main loop until there is that answer. */
const char *device_wait_answer(Fixture *fixture, guint index);

void device_add_target(Fixture *fixture, const char *name, const char *address);
Target *device_find_target(const char *name, void *fixture);
Stream *device_only_stream(Fixture *fixture);
guint device_count_open(StreamTable *table);
