/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Handlers on the bus: apps that take streams (dbus/io.streamd.Streamd1.Handler.xml), in the form
 * that stream/handler.h calls. The bus tells which user owns an app. A registration ends with its
 * connection. Main thread. */
#pragma once

#include "daemon/bus/caller.h"
#include "daemon/bus/context.h"

typedef struct BusHandlers BusHandlers;

/* For the reply to NewStream. Until then streamd keeps the descriptor open, too, so that an error
 * reply becomes the stream's reason, and not the closed descriptor. */
#define HANDLER_DELIVER_TIME (5 * G_TIME_SPAN_SECOND)

/* How many such periods a delivery may wait to be sent (bus/outcall.h); then the stream ends. */
#define HANDLER_DELIVER_WAITS 6

BusHandlers *bus_handlers_new(BusContext *context);
void bus_handlers_free(BusHandlers *handlers); /* as agents_free */

/* Manager.RegisterHandler and UnregisterHandler. */
int bus_handlers_on_register(sd_bus_message *message, void *data, sd_bus_error *error);
int bus_handlers_on_unregister(sd_bus_message *message, void *data, sd_bus_error *error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BusHandlers, bus_handlers_free)
