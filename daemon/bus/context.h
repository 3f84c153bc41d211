/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Context: what the objects on the bus and the modules around them share. bus/server.c makes and
 * owns it and passes it on. A module includes the headers of what it uses, and never the server's.
 * Main thread.
 *
 * Nothing here but POLICY_REVISION changes between bus_server_new and bus_server_free. */
#pragma once

#include "common/bus/util.h"
#include "daemon/app.h"
#include "daemon/bus/caller.h"

typedef struct {
    gboolean system;        /* serves every user, and asks polkit; otherwise serves one user */
    gboolean ask_everybody; /* for tests, where all callers are one user: nobody passes unasked */
    gint64 polkit_timeout;  /* µs; 0: BOUNCER_TIMEOUT */
} BusServerOptions;

typedef struct {
    sd_bus *bus;
    App *app; /* weak */
    BusServerOptions options;
    guint64 started_at; /* CLOCK_REALTIME µs */
    guint64 policy_revision;
    GHashTable *calls; /* set of BusCall (bus/call.h) */
    Callers *callers;
    struct Agents *agents;           /* bus/agent.h */
    struct Bouncer *bouncer;         /* bus/bouncer.h */
    struct BusHandlers *handlers;    /* bus/handler.h */
    struct BusLeases *leases;        /* bus/lease.h */
    struct Outcalls *outcalls;       /* bus/outcall.h */
    struct Quotas *quotas;           /* bus/quota.h */
    struct Subscribers *subscribers; /* bus/subscriber.h */
} BusContext;

/* The caller of MESSAGE, for the record of what it changes; OBJECT NULL: of the object that it
 * called. */
Author *bus_context_author(BusContext *context, sd_bus_message *message, const char *object);

/* Writes such a record now. */
void bus_context_record(BusContext *context, sd_bus_message *message, EventKind kind,
                        const EventData *data);

/* Root and streamd's own user. They could read everything anyway. */
gboolean bus_context_is_privileged(const BusContext *context, const Caller *caller);
