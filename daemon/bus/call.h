/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bus call: a method call that is answered later. When its caller leaves the bus first, it is
 * cancelled and nobody is answered. Main thread. */
#pragma once

#include "daemon/bus/context.h"

typedef struct BusCall BusCall;

/* Holds MESSAGE. NULL with ERROR set when the caller has too many. */
BusCall *bus_call_begin(BusContext *context, sd_bus_message *message, sd_bus_error *error);

/* How to stop what is under way: called when the caller has gone or the server ends, never after
 * bus_call_end. */
void bus_call_set_cancel(BusCall *call, void (*cancel)(void *data), void *data);

BusContext *bus_call_context(BusCall *call);
sd_bus_message *bus_call_message(BusCall *call);
uid_t bus_call_uid(BusCall *call);

/* The reply is sent, by whoever calls this: frees the call. */
void bus_call_end(BusCall *call);

/* The same after sending ERROR. */
void bus_call_fail(BusCall *call, const GError *error);

/* For a call whose DATA it is and that gets a stream: takes FD and answers with it and the stream's
 * path, or sends ERROR when FD is negative; frees the call. */
void bus_call_stream_done(Stream *stream, int fd, const GError *error, void *data);

/* Waits for CHANGE, whose DATA the call is: when the caller leaves, the change goes on and nobody
 * is answered. CHANGE NULL: sends FAILURE. For a method of the vtable to return. */
int bus_call_await(BusCall *call, AppChange *change, const GError *failure);

/* An AppDone for a method that returns nothing: answers, or sends ERROR; frees the call. */
void bus_call_changed(gpointer object, const GError *error, void *data);

/* For the server's own end. */
void bus_call_cancel(BusCall *call);
