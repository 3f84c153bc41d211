/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/bus/call.h"

#include "daemon/bus/caller.h"
#include "daemon/bus/context.h"
#include "daemon/bus/error.h"
#include "daemon/bus/kind.h"
#include "daemon/bus/quota.h"
#include "daemon/bus/subscriber.h"

#include <unistd.h>

struct BusCall {
    BusContext *context; /* weak */
    sd_bus_message *message;
    CallerWatch *watch;
    uid_t uid;
    char *object; /* NULL: the one that was called */
    void (*cancel)(void *data);
    void *data;
};

static void
bus_call_free(BusCall *call)
{
    g_hash_table_remove(call->context->calls, call);
    quotas_end(call->context->quotas, call->uid);
    sd_bus_message_unref(call->message);
    g_free(call->object);
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
bus_call_begin(BusContext *context, sd_bus_message *message, sd_bus_error *error)
{
    Caller *caller = callers_find(context->callers, message);
    BusCall *call;

    if (!quotas_begin(context->quotas, caller_uid(caller))) {
        (void)bus_error_setf(error, STREAMD_ERROR_LIMIT,
                             "user %u has %d calls that wait for their reply, which is the limit",
                             (unsigned)caller_uid(caller), QUOTA_PENDING_MAX);
        return NULL;
    }
    call = g_new0(BusCall, 1);
    call->context = context;
    call->message = sd_bus_message_ref(message);
    call->uid = caller_uid(caller);
    call->watch = caller_watch(caller, bus_call_caller_gone, call);
    g_hash_table_add(context->calls, call);
    return call;
}

void
bus_call_set_cancel(BusCall *call, void (*cancel)(void *data), void *data)
{
    call->cancel = cancel;
    call->data = data;
}

BusContext *
bus_call_context(BusCall *call)
{
    return call->context;
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
    subscribers_add_opener(call->context->subscribers,
                           callers_find(call->context->callers, call->message), path);
    (void)sd_bus_reply_method_return(bus_call_message(call), "ho", fd, path);
    (void)close(fd);
    bus_call_end(call);
}

static void
bus_call_forget_change(void *data)
{
    app_forget_change(data);
}

void
bus_call_set_object(BusCall *call, const BusKind *kind, const char *name)
{
    g_free(call->object);
    call->object = NULL;
    if (sd_bus_path_encode(kind->prefix, name, &call->object) < 0)
        g_error("Out of memory");
}

int
bus_call_await(BusCall *call, AppChange *change, const GError *failure)
{
    if (change == NULL) {
        bus_call_fail(call, failure);
        return 1;
    }
    app_change_by(change, bus_context_author(call->context, call->message, call->object));
    bus_call_set_cancel(call, bus_call_forget_change, change);
    return 1;
}

void
bus_call_changed(gpointer object, const GError *error, void *data)
{
    BusCall *call = data;

    if (error != NULL) {
        bus_call_fail(call, error);
        return;
    }
    (void)sd_bus_reply_method_return(bus_call_message(call), NULL);
    bus_call_end(call);
}

void
bus_call_cancel(BusCall *call)
{
    if (call->cancel != NULL)
        call->cancel(call->data);
    bus_call_end(call);
}
