/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bus: streamd as the verbs see it. Only the files of client/bus/ speak D-Bus; the verbs get
 * GVariants, and GErrors in EXIT_ERROR. One thread; calls block. */
#pragma once

#include "common/bus/names.h"
#include "common/base/exit-code.h"

typedef struct Bus Bus;

/* Connects to the session bus or the system bus. ASK: on the system bus, the user may be asked for
 * a password, by the desktop's agent or on the terminal (bus/tty-agent.h); never root. */
Bus *bus_open(gboolean system, gboolean ask, GError **error);
/* The same for completing words while the user types: calls do not start streamd and do not take
 * long, and errors are not reported. NULL: there is no bus. */
Bus *bus_open_quietly(gboolean system);
/* From now on nobody is asked for a password. */
void bus_stop_asking(Bus *bus);
void bus_close(Bus *bus); /* NULL is fine */

/* Calls a method of streamd. ARGS is a tuple (consumed when floating) or NULL. A value of type `h`
 * is a descriptor itself, not an index: borrowed in ARGS; in the result the caller closes it.
 * TIMEOUT in µs; 0: the default of the bus. Where the user may be asked, the time for that is
 * added. NULL with ERROR set; a method without results gives an empty tuple. */
GVariant *bus_call(Bus *bus, const char *path, const char *interface, const char *member,
                   GVariant *args, gint64 timeout, GError **error);

/* From now on FUNC is called after each second of a call, with the SECONDS that have passed, unless
 * the user may be asked for a password in that call. In bus_wait it is called with the seconds
 * since now. FUNC NULL: no more calls. */
typedef void (*BusWaitingFunc)(guint seconds, void *data);
void bus_on_waiting(Bus *bus, BusWaitingFunc func, void *data);

/* All properties of one interface of an object: a{sv}. */
GVariant *bus_properties(Bus *bus, const char *path, const char *interface, GError **error);

/* An object of GetManagedObjects. */
typedef struct {
    char *path;
    GVariant *properties; /* a{sv} */
} BusObject;

/* The objects that have INTERFACE, ordered by path; numbers are ordered by value. */
GPtrArray *bus_objects(Bus *bus, const char *interface, GError **error);

/* The path of a hub, target, stream or tunnel: names are escaped, numbers are not. Caller frees. */
char *bus_path(const char *prefix, const char *key);

/* Takes the kind of an object, "hub" or "stream", and its name or number, from its path. FALSE: it
 * is the root object, or not streamd's. The caller frees KIND and KEY. */
gboolean bus_path_split(const char *path, char **ret_kind, char **ret_key);

/* Members of an a{sv}. "" or 0 when absent or of another type, so that older and newer versions of
 * streamd work. The string is valid as long as PROPERTIES. */
const char *bus_string(GVariant *properties, const char *name);
guint64 bus_number(GVariant *properties, const char *name);
gboolean bus_boolean(GVariant *properties, const char *name);

/* Events of streamd, in the order in which they come. */
typedef enum {
    BUS_EVENT_ADDED,   /* an object, with its properties */
    BUS_EVENT_CHANGED, /* some of its properties */
    BUS_EVENT_REMOVED,
    BUS_EVENT_GONE,   /* streamd has left the bus; the other fields are not set */
    BUS_EVENT_SIGNAL, /* we got SIGINT or SIGTERM; the other fields are not set */
    /* Only after bus_register_agent. */
    BUS_EVENT_ASKED,     /* a request, with its properties */
    BUS_EVENT_CANCELLED, /* a request that is gone; TEXT: why, as in Agent.Cancel */
    BUS_EVENT_INPUT,     /* TEXT: a line of standard input; NULL: its end */
} BusEventKind;

typedef struct {
    BusEventKind kind;
    const char *path;
    const char *interface;
    GVariant *properties; /* may be NULL */
    const char *text;
} BusEvent;

/* Begins to listen. From now on bus_wait gets the events that the user may see. */
gboolean bus_listen(Bus *bus, GError **error);

/* Asks to see the objects and events of other users, too (Manager.Watch). INTERACTIVE: the user may
 * be asked for a password. */
gboolean bus_watch(Bus *bus, gboolean interactive, GError **error);

/* Registers this process as an agent that asks for consent, until it ends. PASSIVE: it only sees
 * the requests and is not asked. */
gboolean bus_register_agent(Bus *bus, gboolean passive, GError **error);

/* From now on standard input is read by lines. */
void bus_listen_input(Bus *bus);

/* Blocks. Calls EVENT for each event until EVENT returns FALSE. */
typedef gboolean (*BusEventFunc)(const BusEvent *event, void *data);
gboolean bus_wait(Bus *bus, BusEventFunc func, void *data, GError **error);

/* For a program that waits for something else: listens to the changes of the object at PATH alone.
 * FALSE: they do not come. */
gboolean bus_listen_to(Bus *bus, const char *path);
/* For poll(2): readable when bus_look has something to do. */
int bus_descriptor(Bus *bus);
/* Calls EVENT for what has come, without waiting. FALSE: EVENT said so, or the connection is lost.
 */
gboolean bus_look(Bus *bus, BusEventFunc event, void *data);

void bus_object_free(BusObject *object);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BusObject, bus_object_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Bus, bus_close)
