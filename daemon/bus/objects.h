/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bus objects: the objects on the bus, of all kinds (bus/kind.h): look-up, visibility,
 * org.freedesktop.DBus.ObjectManager and signals. Main thread.
 *
 * An object is looked up by its path at every call and never kept, so one that was removed in the
 * meantime is simply unknown. */
#pragma once

#include "daemon/bus/kind.h"

typedef struct BusObjects BusObjects;

/* Registers all kinds on the connection of CONTEXT. */
BusObjects *bus_objects_new(BusContext *context);
void bus_objects_free(BusObjects *objects); /* NULL is fine */

/* Whether the caller of the call that is being handled sees what OWNER has; the requests. */
gboolean bus_object_caller_sees(BusContext *context, uid_t owner);
gboolean bus_object_caller_sees_requests(BusContext *context);

/* Signals: to everybody, or for what has an owner to those who see it and asked. */
void bus_object_added(BusContext *context, const BusKind *kind, gpointer object);
void bus_object_removed(BusContext *context, const BusKind *kind, gpointer object);
/* The names of the properties that changed, then NULL. */
void bus_object_changed(BusContext *context, const BusKind *kind, gpointer object,
                        ...) G_GNUC_NULL_TERMINATED;
/* It belonged to BEFORE: OwnerUid has changed, and with it who sees the object. */
void bus_object_moved(BusContext *context, const BusKind *kind, gpointer object, uid_t before);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BusObjects, bus_objects_free)
