/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Daemon: streamd as this app sees it. It looks for streamd on a bus, notices when it comes and
 * goes, keeps a snapshot of its objects up to date, and calls it. Whatever ends, even the bus, it
 * tries again by itself. Main thread; nothing blocks. */
#pragma once

#include <gio/gio.h>
#include <gio/gunixfdlist.h>

typedef struct Daemon Daemon;

typedef enum {
    DAEMON_LOOKING, /* for a bus */
    DAEMON_NO_BUS,  /* daemon_error() says why; we try again */
    DAEMON_ABSENT,  /* the bus is there, streamd is not */
    DAEMON_PRESENT,
} DaemonState;

typedef struct {
    /* daemon_state() has changed. */
    void (*state_changed)(void *data);
    /* A snapshot, a{oa{sa{sv}}}: all objects that this user sees. NULL: there are none any more.
     * Without this event no snapshots are taken, and streamd is only watched. */
    void (*objects_changed)(GVariant *objects, void *data);
} DaemonEvents;

/* BUS: G_BUS_TYPE_SESSION or _SYSTEM; G_BUS_TYPE_NONE: where streamd is. It begins at once. */
Daemon *daemon_new(GBusType bus, const DaemonEvents *events, void *data);
void daemon_free(Daemon *daemon);

/* Changes to another bus. What this app had on the old one ends: its agent, its tunnels. */
void daemon_use_bus(Daemon *daemon, GBusType bus);

/* Leaves the bus, with the same end, until daemon_use_bus(). */
void daemon_rest(Daemon *daemon);

/* G_BUS_TYPE_NONE only while the bus is being looked for. */
GBusType daemon_bus(Daemon *daemon);
DaemonState daemon_state(Daemon *daemon);
const char *daemon_error(Daemon *daemon);   /* may be NULL */
const char *daemon_version(Daemon *daemon); /* "" until it is known */

/* NULL unless the state is ABSENT or PRESENT. Borrowed. */
GDBusConnection *daemon_connection(Daemon *daemon);

/* The unique name of streamd's own connection; NULL unless PRESENT. Only messages from this name
 * come from streamd. */
const char *daemon_owner(Daemon *daemon);

/* Takes a snapshot soon, but not more often than streamd's limit on calls allows. */
void daemon_refresh(Daemon *daemon);

/* Asks the bus to start streamd. The result is a change of state, or ERROR. */
typedef void (*DaemonDone)(GVariant *result, GUnixFDList *fds, const GError *error, void *data);
void daemon_start(Daemon *daemon, GCancellable *cancellable, DaemonDone done, void *data);

/* A call of the streamd that is there now, of none that follows it. ARGS is consumed when floating;
 * NULL: none. WAIT in µs: how long the call itself may take. The time for asking a person for a
 * password is added. UNASKED: nobody is asked for one. FDS: the descriptors that ARGS has the
 * indexes of, borrowed; NULL: none. */
typedef struct {
    const char *path, *interface, *method;
    GVariant *args;
    guint64 wait;
    gboolean unasked;
    GUnixFDList *fds;
} DaemonCall;

/* DONE (may be NULL) is called once, with either RESULT or ERROR; ERROR's message is streamd's own.
 * It is not called after CANCELLABLE (may be NULL) was cancelled. */
void daemon_call(Daemon *daemon, const DaemonCall *call, GCancellable *cancellable, DaemonDone done,
                 void *data);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Daemon, daemon_free)
