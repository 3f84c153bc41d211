/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* App: what it leaves to the next process of this service when the program is restarted, and how
 * that one goes on with it: streams that survive their legs, and the sockets of persistent tunnels.
 * The service manager keeps the descriptors (daemon/handover/fd-store.h); all else is in sealed
 * memory of which it keeps the descriptor, too. Main thread.
 *
 * Names of descriptors: "state", "s-N" for the stream that says N, "l-ID" for the tunnel ID. */
#pragma once

#include "daemon/app.h"

/* Tunnels come first. At most STORED_STREAMS_MAX streams are left, and at most what the service
 * manager then has room for; those that were opened first. */

/* For the answers of the reactors. What has not answered by then is cut. */
#define LEAVE_WAIT (2 * G_TIME_SPAN_SECOND)

/* Before that: for connections that persistent tunnels have taken already to become streams that
 * can be left; looked at every LEAVE_LOOK. */
#define LEAVE_OPENING G_TIME_SPAN_SECOND
#define LEAVE_LOOK (10 * G_TIME_SPAN_MILLISECOND)

/* There is something to leave, and somebody who keeps it. */
gboolean app_may_leave(App *app);

/* The app will be left, or end: whoever connects to a persistent tunnel waits in the kernel. */
void app_hold_tunnels(App *app);

/* Takes no more changes, stops all that can be left, and leaves it. Then calls DONE, from the main
 * loop; the app is to be freed after that, which ends what could not be left as ever. Once. STORE:
 * how many descriptors the manager keeps, or more. FALSE: too few; nothing was done. */
gboolean app_leave(App *app, guint store, void (*done)(void *data), void *data);

/* The same without the rest of the waiting: at first for what is being opened, and when that is
 * over, for what has not answered, which is cut. FALSE: app_leave was not called. */
gboolean app_leave_now(App *app);

/* Goes on with what a former process has left: right before app_start. ITEMS: of fd_store_take,
 * taken. What it cannot use is reset: nothing here makes the start fail. The service manager has
 * let go of all of it before a byte of it is looked at, so that what would end this process ends
 * one only. */
void app_inherit(App *app, GArray *items);
