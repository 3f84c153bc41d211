/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bus choice: finds the bus on which streamd is, when the user named none. Main thread; nothing
 * blocks. */
#pragma once

#include <gio/gio.h>

/* Looks on both buses at once. In this order it prefers: the user's streamd if it runs, the
 * system's if it runs, the user's if it can be started, the system's if it can be started. */
void bus_choice_find(GCancellable *cancellable, GAsyncReadyCallback done, gpointer data);

/* The result. G_BUS_TYPE_SESSION when streamd is on neither bus. Fails only when cancelled; it is
 * G_BUS_TYPE_NONE then. */
GBusType bus_choice_find_finish(GAsyncResult *result, GError **error);

/* Opens a private connection to the bus. */
void bus_choice_connect(GBusType bus, GCancellable *cancellable, GAsyncReadyCallback done,
                        gpointer data);
GDBusConnection *bus_choice_connect_finish(GAsyncResult *result, GError **error);
