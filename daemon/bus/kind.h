/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bus kinds: the kinds of objects as data, and what a kind alone tells about an object: its path
 * and its properties. Main thread. */
#pragma once

#include "daemon/bus/context.h"

typedef struct {
    const char *interface;
    const sd_bus_vtable *vtable;
    const char *prefix; /* the path, or for many objects their common parent */
    /* For many objects: `find` gets the part of the path after PREFIX, decoded; `key` is the
     * reverse; `list` returns all of them, borrowed, in an array for the caller. NULL for an
     * interface of the root. */
    gpointer (*find)(App *app, const char *key);
    char *(*key)(gconstpointer object);
    GPtrArray *(*list)(App *app);
    gboolean numbered; /* keys are numbers, which need no encoding in the path */
    /* The owner of the object; bus/subscriber.h says who else sees it. NULL: everybody sees it. */
    uid_t (*owner)(gconstpointer object);
    gboolean for_agents; /* connections that have registered an agent see it, too */
    const char *missing; /* the error text of a method call when there is no such object */
} BusKind;

/* The userdata of a vtable function. */
typedef struct {
    BusContext *context;
    gpointer object; /* Hub, Target, Stream, Tunnel, Consent; the App for the root */
} BusItem;

extern const BusKind bus_manager_kind;
extern const BusKind bus_policy_kind;
extern const BusKind bus_hub_kind;
extern const BusKind bus_target_kind;
extern const BusKind bus_stream_kind;
extern const BusKind bus_tunnel_kind;
extern const BusKind bus_request_kind;

/* All kinds, in the order of dbus/README.md; NULL at the end. */
extern const BusKind *const bus_kinds[];

/* Caller frees. */
char *bus_object_path(const BusKind *kind, gconstpointer object);

/* Appends all properties of an object as an a{sv}. */
int bus_object_append_properties(BusContext *context, const BusKind *kind, gpointer object,
                                 sd_bus_message *message);

/* One "{sv}" per property of the vtable; NAMES NULL: all of them. */
int bus_object_append(BusContext *context, const BusKind *kind, gpointer object, const char *path,
                      GPtrArray *names, sd_bus_message *message);

/* "{sa{sv}}": an interface with all its properties. */
int bus_object_append_interface(BusContext *context, const BusKind *kind, gpointer object,
                                const char *path, sd_bus_message *message);

/* A property's getter: TYPES and VALUE are appended to the reply; VALUE is an expression over
 * `object` (a TYPE *) and `context`. */
#define BUS_GETTER(name, Type, types, value)                                                       \
    static int name(sd_bus *bus, const char *path, const char *interface, const char *property,    \
                    sd_bus_message *reply, void *userdata, sd_bus_error *error)                    \
    {                                                                                              \
        BusContext *context G_GNUC_UNUSED = ((BusItem *)userdata)->context;                        \
        Type *object G_GNUC_UNUSED = ((BusItem *)userdata)->object;                                \
                                                                                                   \
        return sd_bus_message_append(reply, types, value);                                         \
    }

/* Appends text that a hub or device may have written. What is not UTF-8 is replaced, because the
 * bus would disconnect us for it. */
int bus_object_append_text(sd_bus_message *message, const char *text);

/* The getter of such text. */
#define BUS_GETTER_TEXT(name, Type, value)                                                         \
    static int name(sd_bus *bus, const char *path, const char *interface, const char *property,    \
                    sd_bus_message *reply, void *userdata, sd_bus_error *error)                    \
    {                                                                                              \
        const Type *object = ((BusItem *)userdata)->object;                                        \
                                                                                                   \
        return bus_object_append_text(reply, value);                                               \
    }
