/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Viewers: who sees which streams, tunnels and requests, and who is told of them. The one place
 * that decides it: look-ups, lists, counts and signals all ask here.
 *
 * Requests are seen by those who see all, and by agents (bus/agent.h).
 *
 * What belongs to a user is seen by that user, by root and by streamd's own; and by a connection
 * that has called Manager.Watch, which takes the right to `view`. A connection is told of what it
 * sees, by signals to it alone, once it has asked: by Watch, GetManagedObjects, or GetAll of such
 * an object. All of this ends with the connection. Main thread. */
#pragma once

#include "daemon/bus/caller.h"
#include "daemon/bus/server.h"

typedef struct Viewers Viewers;

Viewers *viewers_new(BusServer *server);
void viewers_free(Viewers *viewers); /* before callers_free; NULL is fine */

/* CALLER wants to be told; with ALL it sees everybody's from now on. */
void viewers_add(Viewers *viewers, Caller *caller, gboolean all);

gboolean viewers_sees(Viewers *viewers, const Caller *caller, uid_t owner);
gboolean viewers_sees_requests(Viewers *viewers, const Caller *caller);
gboolean viewers_sees_all(Viewers *viewers, const Caller *caller);

/* Sends a copy of SIGNAL to each connection that asked and sees what OWNER has. */
void viewers_tell(Viewers *viewers, uid_t owner, sd_bus_message *signal);
void viewers_tell_requests(Viewers *viewers, sd_bus_message *signal);

/* What was BEFORE's is OWNER's now: ADDED for those who see it only now, CHANGED for those who have
 * seen it and still do, REMOVED for those who do not any more. */
void viewers_tell_moved(Viewers *viewers, uid_t before, uid_t owner, sd_bus_message *added,
                        sd_bus_message *changed, sd_bus_message *removed);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Viewers, viewers_free)
