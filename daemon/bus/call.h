/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bus call: a method call that is answered later. If its caller leaves the bus first, the call is
 * cancelled and not answered. Main thread. */
#pragma once

#include "daemon/bus/context.h"
#include "daemon/bus/kind.h"

typedef struct BusCall BusCall;

/* Takes a reference to MESSAGE. NULL with ERROR set when the caller has too many calls. */
BusCall *bus_call_begin(BusContext *context, sd_bus_message *message, sd_bus_error *error);

/* CANCEL stops the work. It is called when the caller has gone or the server ends, never after
 * bus_call_end. */
void bus_call_set_cancel(BusCall *call, void (*cancel)(void *data), void *data);

BusContext *bus_call_context(BusCall *call);
sd_bus_message *bus_call_message(BusCall *call);
uid_t bus_call_uid(BusCall *call);

/* The caller of this function has sent the reply; frees the call. */
void bus_call_end(BusCall *call);

/* Sends ERROR and frees the call. */
void bus_call_fail(BusCall *call, const GError *error);

/* For a call that opens a stream; DATA is the BusCall. Takes FD and replies with it and the
 * stream's path, or sends ERROR when FD is negative; frees the call. */
void bus_call_stream_done(Stream *stream, int fd, const GError *error, void *data);

/* The record of the change is about OBJECT, a path, and not about the object that was called. */
void bus_call_set_object(BusCall *call, const BusKind *kind, const char *name);

/* Waits for CHANGE, whose DATA is the call, and whose record names the caller. If the caller leaves, the change goes on and nobody is
 * answered. CHANGE NULL: sends FAILURE. A method of the vtable returns the result. */
int bus_call_await(BusCall *call, AppChange *change, const GError *failure);

/* An AppDone for a method that returns nothing: replies, or sends ERROR; frees the call. */
void bus_call_changed(gpointer object, const GError *error, void *data);

/* For the end of the server. */
void bus_call_cancel(BusCall *call);
