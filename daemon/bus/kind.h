/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bus kinds: kinds of objects as data, and what is told of one object by its kind alone: its path
 * and its properties. Main thread. */
#pragma once

#include "daemon/bus/context.h"

typedef struct {
    const char *interface;
    const sd_bus_vtable *vtable;
    const char *prefix; /* the path, or for many objects the path above them */
    /* Many objects: the part of the path after PREFIX, decoded, to an object and back; all of
     * them, borrowed, in an array for the caller. NULL for an interface of the root. */
    gpointer (*find)(App *app, const char *key);
    char *(*key)(gconstpointer object);
    GPtrArray *(*list)(App *app);
    gboolean numbered; /* keys are numbers, and stand in the path as they are */
    /* To whom the object belongs: who else sees it, bus/subscriber.h says. NULL: everybody sees it.
     */
    uid_t (*owner)(gconstpointer object);
    gboolean for_agents; /* those who have registered one see it as well */
    const char *missing; /* what a call of its methods hears when there is no such object */
} BusKind;

/* What a vtable function gets as its userdata. */
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

/* All of them, in the order of dbus/README.md; NULL at the end. */
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

/* Appends text that a hub or device may have written: what is not UTF-8 is replaced, since the bus
 * would disconnect us for it. */
int bus_object_append_text(sd_bus_message *message, const char *text);

/* The getter of such a text. */
#define BUS_GETTER_TEXT(name, Type, value)                                                         \
    static int name(sd_bus *bus, const char *path, const char *interface, const char *property,    \
                    sd_bus_message *reply, void *userdata, sd_bus_error *error)                    \
    {                                                                                              \
        const Type *object = ((BusItem *)userdata)->object;                                        \
                                                                                                   \
        return bus_object_append_text(reply, value);                                               \
    }
