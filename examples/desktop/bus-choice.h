/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bus choice: on which bus streamd is, when nobody said. Main thread; nothing blocks. */
#pragma once

#include <gio/gio.h>

/* Looks on both buses at once and prefers, in this order: streamd of the user that runs, streamd of
 * the system that runs, one of the user that could be started, one of the system that could be. */
void bus_choice_find(GCancellable *cancellable, GAsyncReadyCallback done, gpointer data);

/* The bus. G_BUS_TYPE_SESSION when streamd is nowhere. Fails only when it was cancelled; then it is
 * G_BUS_TYPE_NONE. */
GBusType bus_choice_find_finish(GAsyncResult *result, GError **error);

/* A connection to that bus which is nobody else's. */
void bus_choice_connect(GBusType bus, GCancellable *cancellable, GAsyncReadyCallback done,
                        gpointer data);
GDBusConnection *bus_choice_connect_finish(GAsyncResult *result, GError **error);
