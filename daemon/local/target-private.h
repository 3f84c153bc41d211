/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Target, as the core sees it: its counters and how it is connected. Main thread. */
#pragma once

#include "common/base/reason.h"
#include "daemon/local/target.h"
#include "daemon/net/socket-dial.h"

/* `tcp:HOST:PORT` or `unix:PATH`, taken apart. */
typedef struct {
    char *host; /* NULL for a Unix socket; without brackets */
    guint16 port;
    char *path;
} LocalAddress;

/* PORT_ZERO: 0 is a port too, for listeners. */
gboolean
local_address_parse(const char *address, gboolean port_zero, LocalAddress *ret, GError **error);
void local_address_clear(LocalAddress *address);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(LocalAddress, local_address_clear)

/* A stream that waits for one of the TARGET_WAITING_MAX places of a target. */
typedef struct {
    void (*ready)(void *data); /* the place is taken for it */
    void *data;
    GList link; /* the target's */
    gboolean queued;
} TargetWaiter;

struct Target {
    guint references;
    char *name;
    char *address;
    LocalAddress parsed;
    char *source;
    Limits limits;
    guint active;   /* device-stream's */
    guint waiting;  /* places taken */
    GQueue waiters; /* TargetWaiter */
};

/* INVALID. The strings are copied. */
Target *target_new(const TargetSettings *settings, GError **error);
void target_set_source(Target *target, const char *source);
Target *target_ref(Target *target); /* a stream keeps the target it is connected to */
void target_unref(Target *target);  /* NULL is fine */

/* Takes a place among those whose target is connecting or connected and whose leg is not up yet.
 * TRUE: taken. FALSE: the waiter is called later, in its turn. */
gboolean target_take_place(Target *target, TargetWaiter *waiter);
void target_give_place(Target *target);                         /* calls the next waiter */
void target_stop_waiting(Target *target, TargetWaiter *waiter); /* nothing when it does not wait */

/* At most TARGET_CONNECT_TIMEOUT. */
SocketDial *target_connect(Target *target, Runtime *runtime, SocketDialDone done, void *data);

/* The reason to tell for an error of target_connect. */
Reason target_failure(const GError *error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Target, target_unref)
