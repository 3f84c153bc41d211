/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Subscribers: decides who sees which streams, tunnels and requests, and who gets signals about
 * them. Look-ups, lists, counts and signals all ask here.
 *
 * A user's objects are seen by that user, by root and by streamd's own user; and by a connection
 * that has called Manager.Watch, which needs the right `view`. Requests are seen by those who see
 * everything, and by agents (bus/agent.h). A connection gets signals about what it sees, sent to it
 * alone, once it has asked: by Watch, GetManagedObjects, or GetAll of such an object. All of this
 * ends with the connection. Main thread. */
#pragma once

#include "daemon/bus/context.h"

typedef struct Subscribers Subscribers;

Subscribers *subscribers_new(BusContext *context);
void subscribers_free(Subscribers *subscribers); /* before callers_free; NULL is fine */

/* CALLER wants signals; with ALL it sees everybody's objects from now on. */
void subscribers_add(Subscribers *subscribers, Caller *caller, gboolean all);

/* CALLER has registered one more agent, and so sees the requests; or one agent less. */
void subscribers_add_agent(Subscribers *subscribers, Caller *caller);
void subscribers_drop_agent(Subscribers *subscribers, const Caller *caller);

gboolean subscribers_see(Subscribers *subscribers, const Caller *caller, uid_t owner);
gboolean subscribers_see_requests(Subscribers *subscribers, const Caller *caller);
gboolean subscribers_see_all(Subscribers *subscribers, const Caller *caller);

/* Sends a copy of SIGNAL to each connection that asked and sees what OWNER has. */
void subscribers_tell(Subscribers *subscribers, uid_t owner, sd_bus_message *signal);
void subscribers_tell_requests(Subscribers *subscribers, sd_bus_message *signal);

/* The owner has changed from BEFORE to OWNER. ADDED goes to those who see the object only now,
 * CHANGED to those who still see it, REMOVED to those who no longer do. */
void
subscribers_tell_moved(Subscribers *subscribers, uid_t before, uid_t owner, sd_bus_message *added,
                       sd_bus_message *changed, sd_bus_message *removed);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Subscribers, subscribers_free)
