/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/bus/call.h"

#include "daemon/bus/caller.h"
#include "daemon/bus/error.h"
#include "daemon/bus/objects.h"
#include "daemon/bus/quota.h"
#include "daemon/bus/server-private.h"

#include <unistd.h>

struct BusCall {
    BusServer *server; /* weak */
    sd_bus_message *message;
    CallerWatch *watch;
    uid_t uid;
    void (*cancel)(void *data);
    void *data;
};

static void
bus_call_free(BusCall *call)
{
    g_hash_table_remove(bus_server_calls(call->server), call);
    quotas_end(bus_server_quotas(call->server), call->uid);
    sd_bus_message_unref(call->message);
    g_free(call);
}

static void
bus_call_caller_gone(void *data)
{
    BusCall *call = data;

    if (call->cancel != NULL)
        call->cancel(call->data);
    bus_call_free(call);
}

BusCall *
bus_call_begin(BusServer *server, sd_bus_message *message, sd_bus_error *error)
{
    Caller *caller = callers_find(bus_server_callers(server), message);
    BusCall *call;

    if (!quotas_begin(bus_server_quotas(server), caller_uid(caller))) {
        (void)bus_error_setf(error, STREAMD_ERROR_LIMIT,
                             "user %u has %d calls that wait for their reply, which is the limit",
                             (unsigned)caller_uid(caller), QUOTA_PENDING_MAX);
        return NULL;
    }
    call = g_new0(BusCall, 1);
    call->server = server;
    call->message = sd_bus_message_ref(message);
    call->uid = caller_uid(caller);
    call->watch = caller_watch(caller, bus_call_caller_gone, call);
    g_hash_table_add(bus_server_calls(server), call);
    return call;
}

void
bus_call_set_cancel(BusCall *call, void (*cancel)(void *data), void *data)
{
    call->cancel = cancel;
    call->data = data;
}

BusServer *
bus_call_server(BusCall *call)
{
    return call->server;
}

sd_bus_message *
bus_call_message(BusCall *call)
{
    return call->message;
}

uid_t
bus_call_uid(BusCall *call)
{
    return call->uid;
}

void
bus_call_end(BusCall *call)
{
    caller_unwatch(call->watch);
    bus_call_free(call);
}

void
bus_call_fail(BusCall *call, const GError *error)
{
    int r = bus_error_reply(call->message, error);

    if (r < 0)
        g_debug("Cannot answer a call: %s", g_strerror(-r));
    bus_call_end(call);
}

void
bus_call_stream_done(Stream *stream, int fd, const GError *error, void *data)
{
    g_autofree char *path = NULL;
    BusCall *call = data;

    if (fd < 0) {
        bus_call_fail(call, error);
        return;
    }
    path = bus_object_path(&bus_stream_kind, stream);
    (void)sd_bus_reply_method_return(bus_call_message(call), "ho", fd, path);
    (void)close(fd);
    bus_call_end(call);
}

void
bus_call_cancel(BusCall *call)
{
    if (call->cancel != NULL)
        call->cancel(call->data);
    bus_call_end(call);
}
