/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bus: streamd as the verbs see it. Only the files of client/bus/ speak D-Bus; the verbs get
 * GVariants and GErrors in EXIT_ERROR. One thread; calls block. */
#pragma once

#include "common/bus/names.h"
#include "common/base/exit-code.h"

typedef struct Bus Bus;

/* Connects to the session bus, or the system's. ASK: on the system's, a person may be asked for a
 * password, by an agent of the desktop or on the terminal (bus/tty-agent.h); never root. */
Bus *bus_open(gboolean system, gboolean ask, GError **error);
/* The same for completing words while somebody types: calls neither start streamd nor take long,
 * and errors are nobody's business. NULL: there is no bus. */
Bus *bus_open_quietly(gboolean system);
void bus_close(Bus *bus); /* NULL is fine */

/* Calls a method of streamd. ARGS is a tuple (consumed when floating) or NULL. A value of type `h`
 * is a descriptor itself, not an index: in ARGS borrowed, in the result for the caller to close.
 * TIMEOUT in µs; 0: the default of the bus. Where a person may be asked it is longer by that. NULL
 * with ERROR set; a method without results gives an empty tuple. */
GVariant *bus_call(Bus *bus, const char *path, const char *interface, const char *member,
                   GVariant *args, gint64 timeout, GError **error);

/* From here on FUNC hears of the SECONDS that a call takes, as each is over, unless a person may be
 * asked for a password meanwhile; and of those since now in bus_wait. FUNC NULL: nobody does. */
typedef void (*BusWaitingFunc)(guint seconds, void *data);
void bus_on_waiting(Bus *bus, BusWaitingFunc func, void *data);

/* All properties of one interface of an object: a{sv}. */
GVariant *bus_properties(Bus *bus, const char *path, const char *interface, GError **error);

/* One object of GetManagedObjects. */
typedef struct {
    char *path;
    GVariant *properties; /* a{sv} */
} BusObject;

/* The objects that have INTERFACE, in the order of their paths, numbers by value. */
GPtrArray *bus_objects(Bus *bus, const char *interface, GError **error);

/* The path of a hub, target, stream or tunnel: names are escaped, numbers are not. Caller frees. */
char *bus_path(const char *prefix, const char *key);

/* What an object is, "hub" or "stream", and its name or number, of its path; FALSE: the root object
 * or none of streamd's. KIND and KEY are the caller's. */
gboolean bus_path_split(const char *path, char **ret_kind, char **ret_key);

/* Members of an a{sv}; "" or 0 when absent or of another type, so that an older or newer streamd
 * does no harm. The string is good as long as PROPERTIES. */
const char *bus_string(GVariant *properties, const char *name);
guint64 bus_number(GVariant *properties, const char *name);
gboolean bus_boolean(GVariant *properties, const char *name);

/* What streamd tells of itself, as it comes. */
typedef enum {
    BUS_EVENT_ADDED,   /* an object, with its properties */
    BUS_EVENT_CHANGED, /* some of its properties */
    BUS_EVENT_REMOVED,
    BUS_EVENT_GONE,   /* streamd has left the bus; nothing else is set */
    BUS_EVENT_SIGNAL, /* SIGINT or SIGTERM came to us; nothing else is set */
    /* After bus_register_agent. */
    BUS_EVENT_ASKED,     /* a request, with its properties */
    BUS_EVENT_CANCELLED, /* one that is gone; TEXT: why, as Agent.Cancel has it */
    BUS_EVENT_INPUT,     /* TEXT: a line of standard input; NULL: its end */
} BusEventKind;

typedef struct {
    BusEventKind kind;
    const char *path;
    const char *interface;
    GVariant *properties; /* may be NULL */
    const char *text;
} BusEvent;

/* Begins to listen: events from here on reach bus_wait, of what the user may see. */
gboolean bus_listen(Bus *bus, GError **error);

/* Asks to see what other users have, too, and to hear of it (Manager.Watch). INTERACTIVE: somebody
 * may be asked for a password. */
gboolean bus_watch(Bus *bus, gboolean interactive, GError **error);

/* Registers this process as an agent that asks for consent, until its end. PASSIVE: it only sees
 * the requests, and is not asked. */
gboolean bus_register_agent(Bus *bus, gboolean passive, GError **error);

/* Standard input is read by lines from here on. */
void bus_listen_input(Bus *bus);

/* Blocks, calling EVENT for each, until it returns FALSE. */
typedef gboolean (*BusEventFunc)(const BusEvent *event, void *data);
gboolean bus_wait(Bus *bus, BusEventFunc func, void *data, GError **error);

void bus_object_free(BusObject *object);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BusObject, bus_object_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Bus, bus_close)
