/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bus objects: all objects on the bus, of all kinds (bus/kind.h): look-up, visibility,
 * org.freedesktop.DBus.ObjectManager and signals. Main thread.
 *
 * An object is looked up by its path at every call and never kept, so an object that was removed in
 * the meantime is simply unknown. */
#pragma once

#include "daemon/bus/kind.h"

typedef struct BusObjects BusObjects;

/* Registers all kinds on the connection of CONTEXT. */
BusObjects *bus_objects_new(BusContext *context);
void bus_objects_free(BusObjects *objects); /* NULL is fine */

/* Whether the sender of the current call sees objects and requests of OWNER. */
gboolean bus_object_caller_sees(BusContext *context, uid_t owner);
gboolean bus_object_caller_sees_requests(BusContext *context);

/* Whether there is an object of KIND, which has an owner, that the sender of the current call does
 * not see. */
gboolean bus_object_hides(BusContext *context, const BusKind *kind);

/* Signals: sent to everybody; on the system's bus, for an object with an owner, to its opener and
 * to those who see it and have asked (bus/subscriber.h). */
void bus_object_added(BusContext *context, const BusKind *kind, gpointer object);
void bus_object_removed(BusContext *context, const BusKind *kind, gpointer object);
/* The names of the changed properties, then NULL. */
void bus_object_changed(BusContext *context, const BusKind *kind, gpointer object,
                        ...) G_GNUC_NULL_TERMINATED;
/* The owner was BEFORE: OwnerUid has changed, and with it who sees the object. */
void bus_object_moved(BusContext *context, const BusKind *kind, gpointer object, uid_t before);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BusObjects, bus_objects_free)
