/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/bus/handler.h"

#include "common/bus/names.h"
#include "daemon/bus/context.h"
#include "daemon/bus/error.h"
#include "daemon/bus/kind.h"
#include "daemon/bus/options.h"
#include "daemon/bus/outcall.h"
#include "daemon/bus/subscriber.h"

#include <string.h>
#include <unistd.h>

struct BusHandlers {
    BusContext *context; /* weak */
    GPtrArray *all;      /* BusHandler */
};

typedef struct {
    BusHandlers *handlers; /* weak */
    Caller *caller;        /* weak; valid while WATCH exists */
    CallerWatch *watch;
    char *path;
    Handler *handler;
    GQueue deliveries; /* Delivery */
} BusHandler;

/* A NewStream call that was not answered yet. */
typedef struct {
    BusHandler *handler;
    GList link;
    Outcall *call;
    guint limit;   /* GSource */
    guint waited;  /* how many of the limit's periods it has waited to be sent */
    gboolean sent; /* as of the last period */
    guint64 stream;
    int fd;
} Delivery;

static App *
bus_handler_app(const BusHandler *handler)
{
    return handler->handlers->context->app;
}

static void
delivery_free(Delivery *delivery)
{
    g_queue_unlink(&delivery->handler->deliveries, &delivery->link);
    if (delivery->limit != 0)
        g_source_remove(delivery->limit);
    (void)close(delivery->fd);
    g_free(delivery);
}

/* Ends the stream of a delivery that failed. */
static void
delivery_fail(Delivery *delivery)
{
    Stream *stream = app_find_stream(bus_handler_app(delivery->handler), delivery->stream);

    if (stream != NULL)
        stream_close(stream, REASON_LOCAL_CUT);
    delivery_free(delivery);
}

/* If the call was sent, the app has the descriptor, and the stream goes on. If not, it will never
 * be sent. */
static void
delivery_end(Delivery *delivery)
{
    gboolean sent = outcall_is_sent(delivery->call);

    outcall_cancel(delivery->call);
    if (sent)
        delivery_free(delivery);
    else
        delivery_fail(delivery);
}

static gboolean
delivery_late(gpointer data)
{
    Delivery *delivery = data;
    gboolean sent = outcall_is_sent(delivery->call);

    if (!delivery->sent && (sent || ++delivery->waited < HANDLER_DELIVER_WAITS)) {
        delivery->sent = sent;
        return G_SOURCE_CONTINUE;
    }
    delivery->limit = 0;
    delivery_end(delivery);
    return G_SOURCE_REMOVE;
}

/* A missing reply is no failure: the app has the descriptor, and the stream goes on. */
static void
delivery_done(sd_bus_message *reply, void *data)
{
    if (reply == NULL || (sd_bus_message_is_method_error(reply, NULL) > 0 &&
                          sd_bus_message_is_method_error(reply, SD_BUS_ERROR_NO_REPLY) <= 0))
        delivery_fail(data);
    else
        delivery_free(data);
}

static int
bus_handler_append_text(sd_bus_message *message, const char *name, const char *value)
{
    int r;

    r = sd_bus_message_open_container(message, 'e', "sv");
    if (r >= 0)
        r = sd_bus_message_append(message, "s", name);
    if (r >= 0)
        r = sd_bus_message_open_container(message, 'v', "s");
    if (r >= 0)
        r = bus_object_append_text(message, value);
    if (r >= 0)
        r = sd_bus_message_close_container(message);
    return r < 0 ? r : sd_bus_message_close_container(message);
}

static int
bus_handler_append_details(sd_bus_message *message, const HandlerStream *what)
{
    const struct {
        const char *name;
        const char *value;
    } texts[] = {
        {"Hub", stream_hub(what->stream)},         {"DeviceId", stream_device(what->stream)},
        {"StreamName", stream_name(what->stream)}, {"Initiator", stream_initiator(what->stream)},
        {"Address", stream_address(what->stream)},
    };
    int r;

    r = sd_bus_message_open_container(message, 'a', "{sv}");
    for (guint i = 0; r >= 0 && i < G_N_ELEMENTS(texts); i++)
        r = bus_handler_append_text(message, texts[i].name, texts[i].value);
    if (r >= 0)
        r = sd_bus_message_append(message, "{sv}", "Rule", "t", (uint64_t)what->rule);
    if (r >= 0 && what->deadline != 0)
        r = sd_bus_message_append(message, "{sv}", "Deadline", "t", what->deadline);
    return r < 0 ? r : sd_bus_message_close_container(message);
}

/* Makes the call with its stream; FD -1: none. */
static int
bus_handler_new_call(const BusHandler *handler, const char *member, const HandlerStream *what,
                     int fd, sd_bus_message **ret_message)
{
    sd_bus *bus = handler->handlers->context->bus;
    g_autofree char *path = bus_object_path(&bus_stream_kind, what->stream);
    g_autoptr(sd_bus_message) message = NULL;
    int r;

    r = sd_bus_message_new_method_call(bus, &message, caller_name(handler->caller), handler->path,
                                       BUS_HANDLER, member);
    if (r >= 0)
        r = sd_bus_message_append(message, "o", path);
    if (r >= 0 && fd >= 0)
        r = sd_bus_message_append(message, "h", fd);
    if (r >= 0)
        r = bus_handler_append_details(message, what);
    if (r >= 0)
        *ret_message = g_steal_pointer(&message);
    return r;
}

static void
bus_handler_answered(sd_bus_message *reply, void *data)
{
    const char *text = "";
    int accept = 0;

    if (reply == NULL || sd_bus_message_is_method_error(reply, NULL) > 0)
        handler_ask_failed(data, "the device's app for this stream failed");
    else if (sd_bus_message_has_signature(reply, "bs") <= 0 ||
             sd_bus_message_read(reply, "bs", &accept, &text) < 0)
        handler_ask_failed(data, "the device's app for this stream gave no proper answer");
    else
        handler_ask_answer(data, accept, text);
}

static gpointer
bus_handler_ask(const HandlerStream *what, HandlerAsk *ask, void *data)
{
    const BusHandler *handler = data;
    g_autoptr(sd_bus_message) message = NULL;

    if (bus_handler_new_call(handler, "HandleRequest", what, -1, &message) < 0)
        return NULL;
    /* The call needs no time limit: the caller has its own, which starts now. */
    return outcalls_send(handler->handlers->context->outcalls, caller_uid(handler->caller), message,
                         bus_handler_answered, ask);
}

static void
bus_handler_cancel(gpointer call, void *data)
{
    outcall_cancel(call);
}

static void
bus_handler_deliver(const HandlerStream *what, int fd, void *data)
{
    BusHandler *handler = data;
    g_autoptr(sd_bus_message) message = NULL;
    g_autofree char *path = bus_object_path(&bus_stream_kind, what->stream);
    Delivery *delivery = g_new0(Delivery, 1);
    int r = bus_handler_new_call(handler, "NewStream", what, fd, &message);

    subscribers_add_opener(handler->handlers->context->subscribers, handler->caller, path);
    delivery->fd = fd; /* the message has a duplicate */
    delivery->handler = handler;
    delivery->link.data = delivery;
    delivery->stream = stream_id(what->stream);
    g_queue_push_tail_link(&handler->deliveries, &delivery->link);
    if (r >= 0)
        delivery->call =
            outcalls_send(handler->handlers->context->outcalls, caller_uid(handler->caller),
                          message, delivery_done, delivery);
    if (delivery->call == NULL) {
        delivery_fail(delivery);
        return;
    }
    delivery->sent = outcall_is_sent(delivery->call);
    delivery->limit = g_timeout_add((guint)(HANDLER_DELIVER_TIME / G_TIME_SPAN_MILLISECOND),
                                    delivery_late, delivery);
}

static const HandlerOps bus_handler_ops = {
    .ask = bus_handler_ask,
    .cancel = bus_handler_cancel,
    .deliver = bus_handler_deliver,
};

static void
bus_handler_end_deliveries(BusHandler *handler)
{
    while (handler->deliveries.head != NULL)
        delivery_end(handler->deliveries.head->data);
}

static void
bus_handler_remove(BusHandler *handler)
{
    (void)g_ptr_array_remove(handler->handlers->all, handler);
    if (handler->handler != NULL)
        handler_remove(handler->handler);
    bus_handler_end_deliveries(handler);
    caller_unwatch(handler->watch);
    g_free(handler->path);
    g_free(handler);
}

static void
bus_handler_gone(void *data)
{
    bus_handler_remove(data);
}

static void
bus_handler_release(const BusHandler *handler)
{
    g_autoptr(sd_bus_message) message = NULL;
    sd_bus *bus = handler->handlers->context->bus;
    int r;

    r = sd_bus_message_new_method_call(bus, &message, caller_name(handler->caller), handler->path,
                                       BUS_HANDLER, "Release");
    if (r >= 0)
        r = sd_bus_message_set_expect_reply(message, 0);
    if (r >= 0)
        (void)sd_bus_send(bus, message, NULL);
}

BusHandlers *
bus_handlers_new(BusContext *context)
{
    BusHandlers *handlers = g_new0(BusHandlers, 1);

    handlers->context = context;
    handlers->all = g_ptr_array_new();
    return handlers;
}

void
bus_handlers_free(BusHandlers *handlers)
{
    if (handlers == NULL)
        return;
    while (handlers->all->len > 0) {
        bus_handler_release(g_ptr_array_index(handlers->all, 0));
        bus_handler_remove(g_ptr_array_index(handlers->all, 0));
    }
    g_ptr_array_unref(handlers->all);
    g_free(handlers);
}

static BusHandler *
bus_handlers_find(const BusHandlers *handlers, const Caller *caller, const char *path)
{
    for (guint i = 0; i < handlers->all->len; i++) {
        BusHandler *handler = g_ptr_array_index(handlers->all, i);

        if (handler->caller == caller && strcmp(handler->path, path) == 0)
            return handler;
    }
    return NULL;
}

static int
bus_handlers_add(BusHandlers *handlers, Caller *caller, const char *path, const char *name,
                 sd_bus_error *error)
{
    Handlers *registry = app_handlers(handlers->context->app);
    g_autofree BusHandler *handler = g_new0(BusHandler, 1);
    g_autoptr(GError) failure = NULL;

    handler->handler =
        handlers_add(registry, caller_uid(caller), name, &bus_handler_ops, handler, &failure);
    if (handler->handler == NULL)
        return bus_error_set(error, failure);
    handler->handlers = handlers;
    handler->caller = caller;
    handler->path = g_strdup(path);
    g_queue_init(&handler->deliveries);
    handler->watch = caller_watch(caller, bus_handler_gone, handler);
    g_ptr_array_add(handlers->all, g_steal_pointer(&handler));
    return 0;
}

int
bus_handlers_on_register(sd_bus_message *message, void *data, sd_bus_error *error)
{
    BusContext *context = ((BusItem *)data)->context;
    BusHandlers *handlers = context->handlers;
    Caller *caller = callers_find(context->callers, message);
    const char *path, *name = NULL;
    BusOption match[] = {{"name", 's', &name}};
    int r;

    r = sd_bus_message_read(message, "o", &path);
    if (r >= 0)
        r = bus_options_read(message, match, G_N_ELEMENTS(match), error);
    if (r < 0)
        return r;
    if (name == NULL)
        return bus_error_setf(error, STREAMD_ERROR_INVALID, "'name' is missing");
    if (bus_handlers_find(handlers, caller, path) != NULL)
        return bus_error_setf(error, STREAMD_ERROR_EXISTS, "the handler %s is registered already",
                              path);
    r = bus_handlers_add(handlers, caller, path, name, error);
    return r < 0 ? r : sd_bus_reply_method_return(message, NULL);
}

int
bus_handlers_on_unregister(sd_bus_message *message, void *data, sd_bus_error *error)
{
    BusContext *context = ((BusItem *)data)->context;
    BusHandler *handler;
    const char *path;
    int r;

    r = sd_bus_message_read(message, "o", &path);
    if (r < 0)
        return r;
    handler = bus_handlers_find(context->handlers, callers_find(context->callers, message), path);
    if (handler == NULL)
        return bus_error_setf(error, STREAMD_ERROR_NOT_FOUND,
                              "this connection has registered no handler %s", path);
    bus_handler_remove(handler);
    return sd_bus_reply_method_return(message, NULL);
}
