/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Subscribers: decides who sees which streams, tunnels and requests, and who gets signals about
 * them. Look-ups, lists, counts and signals all ask here.
 *
 * A user's objects are seen by that user, by root and by streamd's own user; and by a connection
 * that has called Manager.Watch, which needs the right `view`. Requests are seen by those who see
 * everything, and by agents (bus/agent.h). On the system's bus a connection gets signals about what
 * it sees, sent to it alone, once it has asked: by Watch, GetManagedObjects, or Get or GetAll of
 * such an object. Whoever opened an object, or was given it, gets the signals of that one without
 * asking: there is one opener of an object, so that many of them cost no more. All of this ends
 * with the connection. A user's own bus needs none of it (bus/signal.c). Main thread. */
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

/* CALLER has opened the object at PATH, or gets it; until it leaves, or the object is dropped. */
void subscribers_add_opener(Subscribers *subscribers, Caller *caller, const char *path);
void subscribers_drop_opener(Subscribers *subscribers, const char *path);

/* Sends a copy of SIGNAL, about the object at PATH, to its opener, and to each connection that
 * asked and sees what OWNER has. */
void
subscribers_tell(Subscribers *subscribers, const char *path, uid_t owner, sd_bus_message *signal);
void subscribers_tell_requests(Subscribers *subscribers, sd_bus_message *signal);

/* The owner has changed from BEFORE to OWNER. ADDED goes to those who see the object only now,
 * CHANGED to those who still see it, REMOVED to those who no longer do. */
void
subscribers_tell_moved(Subscribers *subscribers, uid_t before, uid_t owner, sd_bus_message *added,
                       sd_bus_message *changed, sd_bus_message *removed);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Subscribers, subscribers_free)
