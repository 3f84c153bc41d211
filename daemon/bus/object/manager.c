/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* io.streamd.Streamd1.Manager */
#include "common/base/program.h"
#include "common/bus/names.h"
#include "daemon/bus/agent.h"
#include "daemon/bus/call.h"
#include "daemon/bus/context.h"
#include "daemon/bus/error.h"
#include "daemon/bus/handler.h"
#include "daemon/bus/lease.h"
#include "daemon/bus/limits.h"
#include "daemon/bus/object/devices.h"
#include "daemon/bus/object/hub-add.h"
#include "daemon/bus/objects.h"
#include "daemon/bus/options.h"
#include "daemon/bus/subscriber.h"
#include "daemon/reload.h"

static void
bus_manager_target_added(gpointer object, const GError *error, void *data)
{
    bus_object_answer_added(data, &bus_target_kind, object, error);
}

static void
open_stream_cancel(void *data)
{
    app_cancel_open(data);
}

typedef struct {
    const char *hub;
    const char *device;
    const char *stream;
    const char *listen; /* OpenTunnel only */
    guint64 wait;
    guint64 timeout;
    int persistent;
    int shared;
    int resume;
} OpenArguments;

static int
open_check(const OpenArguments *open, sd_bus_error *error)
{
    const struct {
        const char *what;
        const char *value;
    } strings[] = {{"the hub's name", open->hub},
                   {"the device", open->device},
                   {"the stream's name", open->stream},
                   {"the address", open->listen}};
    int r = 0;

    for (guint i = 0; r >= 0 && i < G_N_ELEMENTS(strings); i++)
        if (strings[i].value != NULL)
            r = bus_options_check_string(strings[i].what, strings[i].value, error);
    if (r < 0)
        return r;
    if (open->wait > OPEN_WAIT_MAX)
        return bus_error_setf(error, STREAMD_ERROR_INVALID, "'wait' is at most %d seconds",
                              (int)(OPEN_WAIT_MAX / G_TIME_SPAN_SECOND));
    if (open->timeout > OPEN_TIMEOUT_MAX)
        return bus_error_setf(error, STREAMD_ERROR_INVALID, "'timeout' is at most %d seconds",
                              (int)(OPEN_TIMEOUT_MAX / G_TIME_SPAN_SECOND));
    return 0;
}

static int
bus_manager_open_stream(sd_bus_message *message, void *data, sd_bus_error *error)
{
    g_autoptr(GError) failure = NULL;
    BusItem *item = data;
    OpenArguments open = {.resume = TRUE};
    BusOption options[] = {
        {"wait", 't', &open.wait}, {"timeout", 't', &open.timeout}, {"resume", 'b', &open.resume}};
    OpenRequest *request;
    BusCall *call;
    int r;

    r = sd_bus_message_read(message, "sss", &open.hub, &open.device, &open.stream);
    if (r >= 0)
        r = bus_options_read(message, options, G_N_ELEMENTS(options), error);
    if (r >= 0)
        r = open_check(&open, error);
    if (r < 0)
        return r;
    call = bus_call_begin(item->context, message, error);
    if (call == NULL)
        return -EBUSY;
    request = app_open_stream(item->context->app,
                              &(OpenOptions){
                                  .hub = open.hub,
                                  .device = open.device,
                                  .stream = open.stream,
                                  .timeout = (gint64)open.timeout,
                                  .wait = (gint64)open.wait,
                                  .no_resume = !open.resume,
                                  .owner_uid = bus_call_uid(call),
                              },
                              bus_call_stream_done, call, &failure);
    if (request == NULL)
        bus_call_fail(call, failure);
    else
        bus_call_set_cancel(call, open_stream_cancel, request);
    return 1;
}

static int
open_tunnel_reply(BusContext *context, sd_bus_message *message, const Tunnel *tunnel)
{
    g_autofree char *path = bus_object_path(&bus_tunnel_kind, tunnel);

    subscribers_add_opener(context->subscribers, callers_find(context->callers, message), path);
    return sd_bus_reply_method_return(message, "os", path, tunnel_listen_address(tunnel));
}

static void
keep_tunnel_done(gpointer object, const GError *error, void *data)
{
    BusCall *call = data;

    if (error != NULL) {
        bus_call_fail(call, error);
        return;
    }
    (void)open_tunnel_reply(bus_call_context(call), bus_call_message(call), object);
    bus_call_end(call);
}

static int
open_tunnel_now(BusContext *context, sd_bus_message *message, const TunnelOptions *options,
                sd_bus_error *error)
{
    g_autoptr(GError) failure = NULL;
    Tunnel *tunnel = app_open_tunnel(context->app, options, &failure);

    if (tunnel == NULL)
        return bus_error_set(error, failure);
    bus_leases_add(context->leases, tunnel_id(tunnel), callers_find(context->callers, message));
    return open_tunnel_reply(context, message, tunnel);
}

static int
open_tunnel_kept(BusContext *context, sd_bus_message *message, const TunnelOptions *options,
                 sd_bus_error *error)
{
    g_autoptr(GError) failure = NULL;
    BusCall *call = bus_call_begin(context, message, error);
    AppChange *change;

    if (call == NULL)
        return -EBUSY;
    change = app_keep_tunnel(context->app, options, keep_tunnel_done, call, &failure);
    return bus_call_await(call, change, failure);
}

static int
bus_manager_open_tunnel(sd_bus_message *message, void *data, sd_bus_error *error)
{
    BusItem *item = data;
    OpenArguments open = {.resume = TRUE};
    BusOption known[] = {{"wait", 't', &open.wait},
                         {"timeout", 't', &open.timeout},
                         {"persistent", 'b', &open.persistent},
                         {"shared", 'b', &open.shared},
                         {"resume", 'b', &open.resume}};
    TunnelOptions options;
    int r;

    r = sd_bus_message_read(message, "ssss", &open.hub, &open.device, &open.stream, &open.listen);
    if (r >= 0)
        r = bus_options_read(message, known, G_N_ELEMENTS(known), error);
    if (r >= 0)
        r = open_check(&open, error);
    if (r < 0)
        return r;
    options = (TunnelOptions){
        .hub = open.hub,
        .device = open.device,
        .stream = open.stream,
        .listen = *open.listen != '\0' ? open.listen : NULL,
        .shared = open.shared,
        .persistent = open.persistent,
        .timeout = (gint64)open.timeout,
        .wait = (gint64)open.wait,
        .no_resume = !open.resume,
        .owner_uid = caller_uid(callers_find(item->context->callers, message)),
    };
    return open.persistent ? open_tunnel_kept(item->context, message, &options, error)
                           : open_tunnel_now(item->context, message, &options, error);
}

static int
bus_manager_expose_target(sd_bus_message *message, void *data, sd_bus_error *error)
{
    g_autoptr(GError) failure = NULL;
    TargetSettings settings = {0};
    BusOption options[LIMIT_LAST];
    BusLimits limits = {0};
    BusContext *context = ((BusItem *)data)->context;
    AppChange *change;
    BusCall *call;
    int r;

    bus_limits_expect(options, &limits);
    r = sd_bus_message_read(message, "ss", &settings.name, &settings.address);
    if (r >= 0)
        r = bus_options_check_string("the name", settings.name, error);
    if (r >= 0)
        r = bus_options_check_string("the address", settings.address, error);
    if (r >= 0)
        r = bus_options_read(message, options, LIMIT_LAST, error);
    if (r >= 0)
        r = bus_limits_take(options, &limits, &settings.limits, error);
    if (r < 0)
        return r;
    call = bus_call_begin(context, message, error);
    if (call == NULL)
        return -EBUSY;
    bus_call_set_object(call, &bus_target_kind, settings.name);
    change = app_add_target(context->app, &settings, bus_manager_target_added, call, &failure);
    return bus_call_await(call, change, failure);
}

static int
bus_manager_watch(sd_bus_message *message, void *data, sd_bus_error *error)
{
    BusContext *context = ((BusItem *)data)->context;
    int r;

    r = bus_options_read(message, NULL, 0, error);
    if (r < 0)
        return r;
    subscribers_add(context->subscribers, callers_find(context->callers, message), TRUE);
    return sd_bus_reply_method_return(message, NULL);
}

static int
bus_manager_get_metrics(sd_bus_message *message, void *data, sd_bus_error *error G_GNUC_UNUSED)
{
    BusContext *context = ((BusItem *)data)->context;
    g_autofree char *text = app_metrics_text(context->app, (gint64)context->started_at);

    return sd_bus_reply_method_return(message, "s", text);
}

static int
reload_fail(sd_bus_message *message, const GError *failure)
{
    g_auto(sd_bus_error) error = SD_BUS_ERROR_NULL;

    (void)bus_error_set_lines(&error, failure);
    return sd_bus_reply_method_error(message, &error);
}

static void
reload_done(const GError *error, void *data)
{
    BusCall *call = data;

    if (error != NULL)
        (void)reload_fail(bus_call_message(call), error);
    else
        (void)sd_bus_reply_method_return(bus_call_message(call), NULL);
    bus_call_end(call);
}

static void
reload_caller_gone(void *data)
{
    reload_forget(data);
}

static int
bus_manager_reload(sd_bus_message *message, void *data, sd_bus_error *error)
{
    BusContext *context = ((BusItem *)data)->context;
    g_autoptr(GError) failure = NULL;
    BusCall *call = bus_call_begin(context, message, error);
    Reload *reload;

    if (call == NULL)
        return -EBUSY;
    reload = reload_config(context->app, bus_context_author(context, message, NULL), reload_done,
                           call, &failure);
    if (reload == NULL)
        bus_call_fail(call, failure);
    else
        bus_call_set_cancel(call, reload_caller_gone, reload);
    return 1;
}

/* The length of a borrowed list, which is freed. */
static guint
bus_manager_count(GPtrArray *list)
{
    guint count = list->len;

    g_ptr_array_unref(list);
    return count;
}

/* SUSPENDED: of those that have not ended only the suspended ones. */
static guint
bus_manager_count_streams(BusContext *context, App *app, gboolean suspended)
{
    g_autoptr(GPtrArray) list = app_list_streams(app);
    guint count = 0;

    for (guint i = 0; i < list->len; i++) {
        const Stream *stream = g_ptr_array_index(list, i);

        if (!stream_has_ended(stream) && (!suspended || stream_state(stream) == STREAM_SUSPENDED) &&
            bus_object_caller_sees(context, stream_owner_uid(stream)))
            count++;
    }
    return count;
}

static guint
bus_manager_count_tunnels(BusContext *context, App *app)
{
    g_autoptr(GPtrArray) list = app_list_tunnels(app);
    guint count = 0;

    for (guint i = 0; i < list->len; i++)
        if (bus_object_caller_sees(context, tunnel_owner_uid(g_ptr_array_index(list, i))))
            count++;
    return count;
}

static guint
bus_manager_count_requests(BusContext *context, App *app)
{
    return bus_object_caller_sees_requests(context) ? bus_manager_count(app_list_consents(app)) : 0;
}

BUS_GETTER(bus_manager_get_version, App, "s", STREAMD_VERSION)
BUS_GETTER(bus_manager_get_started, App, "t", context->started_at)
BUS_GETTER(bus_manager_get_hubs, App, "u", bus_manager_count(app_list_hubs(object)))
BUS_GETTER(bus_manager_get_targets, App, "u", bus_manager_count(app_list_targets(object)))
BUS_GETTER(bus_manager_get_streams, App, "u", bus_manager_count_streams(context, object, FALSE))
BUS_GETTER(bus_manager_get_suspended, App, "u", bus_manager_count_streams(context, object, TRUE))
BUS_GETTER(bus_manager_get_tunnels, App, "u", bus_manager_count_tunnels(context, object))
BUS_GETTER(bus_manager_get_hidden_streams, App, "b", bus_object_hides(context, &bus_stream_kind))
BUS_GETTER(bus_manager_get_hidden_tunnels, App, "b", bus_object_hides(context, &bus_tunnel_kind))
BUS_GETTER_TEXT(bus_manager_get_state_error, App,
                app_state_error(object) != NULL ? app_state_error(object) : "")
BUS_GETTER(bus_manager_get_replaced, App, "b", program_is_replaced())
BUS_GETTER(bus_manager_get_closed, App, "b", app_knows_closed(object))
BUS_GETTER(bus_manager_get_requests, App, "u", bus_manager_count_requests(context, object))

static const sd_bus_vtable bus_manager_vtable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_METHOD_WITH_ARGS("AddHub", SD_BUS_ARGS("s", name, "h", credentials, "a{sv}", options),
                            SD_BUS_RESULT("o", hub), bus_hub_add,
                            SD_BUS_VTABLE_UNPRIVILEGED | SD_BUS_VTABLE_SENSITIVE),
    SD_BUS_METHOD_WITH_ARGS(
        "OpenStream", SD_BUS_ARGS("s", hub, "s", device, "s", stream, "a{sv}", options),
        SD_BUS_RESULT("h", fd, "o", path), bus_manager_open_stream, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS(
        "OpenTunnel",
        SD_BUS_ARGS("s", hub, "s", device, "s", stream, "s", listen, "a{sv}", options),
        SD_BUS_RESULT("o", tunnel, "s", address), bus_manager_open_tunnel,
        SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("ListDevices", SD_BUS_ARGS("s", hub, "a{sv}", options),
                            SD_BUS_RESULT("aa{sv}", devices, "s", after), bus_devices_on_list,
                            SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("ExposeTarget", SD_BUS_ARGS("s", name, "s", address, "a{sv}", options),
                            SD_BUS_RESULT("o", target), bus_manager_expose_target,
                            SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("Watch", SD_BUS_ARGS("a{sv}", options), SD_BUS_NO_RESULT,
                            bus_manager_watch, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("GetMetrics", SD_BUS_NO_ARGS, SD_BUS_RESULT("s", text),
                            bus_manager_get_metrics, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("RegisterAgent", SD_BUS_ARGS("o", agent, "a{sv}", options),
                            SD_BUS_NO_RESULT, agents_on_register, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("UnregisterAgent", SD_BUS_ARGS("o", agent), SD_BUS_NO_RESULT,
                            agents_on_unregister, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("RegisterHandler", SD_BUS_ARGS("o", handler, "a{sv}", match),
                            SD_BUS_NO_RESULT, bus_handlers_on_register, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("UnregisterHandler", SD_BUS_ARGS("o", handler), SD_BUS_NO_RESULT,
                            bus_handlers_on_unregister, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("Reload", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, bus_manager_reload,
                            SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_PROPERTY("Version", "s", bus_manager_get_version, 0, SD_BUS_VTABLE_PROPERTY_CONST),
    SD_BUS_PROPERTY("ProgramReplaced", "b", bus_manager_get_replaced, 0, 0),
    SD_BUS_PROPERTY("StartedAt", "t", bus_manager_get_started, 0, SD_BUS_VTABLE_PROPERTY_CONST),
    SD_BUS_PROPERTY("StateError", "s", bus_manager_get_state_error, 0,
                    SD_BUS_VTABLE_PROPERTY_CONST),
    SD_BUS_PROPERTY("KnowsClosedClients", "b", bus_manager_get_closed, 0,
                    SD_BUS_VTABLE_PROPERTY_CONST),
    SD_BUS_PROPERTY("Hubs", "u", bus_manager_get_hubs, 0, 0),
    SD_BUS_PROPERTY("Targets", "u", bus_manager_get_targets, 0, 0),
    SD_BUS_PROPERTY("Streams", "u", bus_manager_get_streams, 0, 0),
    SD_BUS_PROPERTY("SuspendedStreams", "u", bus_manager_get_suspended, 0, 0),
    SD_BUS_PROPERTY("Tunnels", "u", bus_manager_get_tunnels, 0, 0),
    SD_BUS_PROPERTY("HiddenStreams", "b", bus_manager_get_hidden_streams, 0, 0),
    SD_BUS_PROPERTY("HiddenTunnels", "b", bus_manager_get_hidden_tunnels, 0, 0),
    SD_BUS_PROPERTY("Requests", "u", bus_manager_get_requests, 0, 0),
    SD_BUS_VTABLE_END,
};

const BusKind bus_manager_kind = {
    .interface = BUS_MANAGER,
    .vtable = bus_manager_vtable,
    .prefix = BUS_ROOT,
};
