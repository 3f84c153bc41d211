/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* io.streamd.Streamd1.Hub */
#include "common/bus/names.h"
#include "daemon/bus/call.h"
#include "daemon/bus/error.h"
#include "daemon/bus/object/hub-update.h"
#include "daemon/bus/objects.h"
#include "daemon/bus/options.h"
#include "daemon/diagnosis/diagnosis.h"

static void
bus_hub_record(const BusItem *item, sd_bus_message *message, const char *before, const char *after)
{
    const Hub *hub = item->object;

    bus_context_record(item->context, message, EVENT_HUB_CHANGED,
                       &(EventData){.hub = hub_name(hub),
                                    .device = hub_identity(hub),
                                    .before = before,
                                    .after = after});
}

/* A hub that is to be connected already is tried at once, and nothing is changed. */
static int
bus_hub_connect(sd_bus_message *message, void *data, sd_bus_error *error)
{
    const BusItem *item = data;
    gboolean wanted = hub_is_wanted(item->object);

    hub_connect(item->object);
    if (!wanted)
        bus_hub_record(item, message, "to be disconnected", "to be connected");
    return sd_bus_reply_method_return(message, NULL);
}

static int
bus_hub_disconnect(sd_bus_message *message, void *data, sd_bus_error *error)
{
    const BusItem *item = data;
    gboolean wanted = hub_is_wanted(item->object);

    hub_disconnect(item->object);
    if (wanted)
        bus_hub_record(item, message, "to be connected", "to be disconnected");
    return sd_bus_reply_method_return(message, NULL);
}

static int
bus_hub_accept_authority(sd_bus_message *message, void *data, sd_bus_error *error)
{
    g_autoptr(GError) failure = NULL;
    BusItem *item = data;

    if (!app_accept_authority(item->context->app, hub_name(item->object), &failure))
        return bus_error_set(error, failure);
    bus_hub_record(item, message, "its present authority is trusted, and the next one",
                   "its next authority alone is trusted");
    return sd_bus_reply_method_return(message, NULL);
}

static int
bus_hub_remove(sd_bus_message *message, void *data, sd_bus_error *error)
{
    g_autoptr(GError) failure = NULL;
    BusItem *item = data;
    BusCall *call = bus_call_begin(item->context, message, error);
    AppChange *change;

    if (call == NULL)
        return -EBUSY;
    change = app_remove_hub(item->context->app, hub_name(item->object), bus_call_changed, call,
                            &failure);
    return bus_call_await(call, change, failure);
}

static int
bus_hub_append_detail(sd_bus_message *reply, const CheckDetail *detail)
{
    const char type[] = {detail->type, '\0'};

    switch (detail->type) {
    case 's':
        return sd_bus_message_append(reply, "{sv}", detail->key, type, detail->text);
    case 'u':
        return sd_bus_message_append(reply, "{sv}", detail->key, type, (guint32)detail->number);
    default: /* x, t */
        return sd_bus_message_append(reply, "{sv}", detail->key, type, detail->number);
    }
}

static int
bus_hub_append_check(sd_bus_message *reply, const Check *check)
{
    int r = sd_bus_message_open_container(reply, 'r', "ssa{sv}");

    if (r >= 0)
        r = sd_bus_message_append(reply, "ss", check->step, check_result_name(check->result));
    if (r >= 0)
        r = sd_bus_message_open_container(reply, 'a', "{sv}");
    for (guint i = 0; r >= 0 && i < check->details->len; i++)
        r = bus_hub_append_detail(reply, &g_array_index(check->details, CheckDetail, i));
    if (r >= 0)
        r = sd_bus_message_close_container(reply);
    return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int
bus_hub_reply_checks(sd_bus_message *message, const GPtrArray *checks)
{
    g_autoptr(sd_bus_message) reply = NULL;
    int r = sd_bus_message_new_method_return(message, &reply);

    if (r >= 0)
        r = sd_bus_message_open_container(reply, 'a', "(ssa{sv})");
    for (guint i = 0; r >= 0 && i < checks->len; i++)
        r = bus_hub_append_check(reply, g_ptr_array_index(checks, i));
    if (r >= 0)
        r = sd_bus_message_close_container(reply);
    return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}

static void
bus_hub_diagnosed(GPtrArray *checks, void *data)
{
    BusCall *call = data;
    int r = bus_hub_reply_checks(bus_call_message(call), checks);

    if (r < 0)
        (void)sd_bus_reply_method_errno(bus_call_message(call), r, NULL);
    bus_call_end(call);
}

static void
bus_hub_diagnose_cancel(void *data)
{
    diagnosis_cancel(data);
}

static int
bus_hub_diagnose(sd_bus_message *message, void *data, sd_bus_error *error)
{
    g_autoptr(GError) failure = NULL;
    BusItem *item = data;
    DiagnosisOptions options = {0};
    BusOption known[] = {{"device", 's', &options.device},
                         {"stream", 's', &options.stream},
                         {"initiator", 's', &options.initiator}};
    Diagnosis *diagnosis;
    BusCall *call;
    int r = bus_options_read(message, known, G_N_ELEMENTS(known), error);

    if (r < 0)
        return r;
    call = bus_call_begin(item->context, message, error);
    if (call == NULL)
        return -EBUSY;
    options.uid = bus_call_uid(call);
    diagnosis = diagnosis_new(item->context->app, item->object, &options, bus_hub_diagnosed, call,
                              &failure);
    if (diagnosis == NULL)
        bus_call_fail(call, failure);
    else
        bus_call_set_cancel(call, bus_hub_diagnose_cancel, diagnosis);
    return 1;
}

static int
bus_hub_get_host_name(sd_bus *bus, const char *path, const char *interface, const char *property,
                      sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
    const Hub *hub = ((BusItem *)userdata)->object;
    g_autofree char *host = NULL;

    if (hub_port(hub) == 443)
        return sd_bus_message_append(reply, "s", hub_host_name(hub));
    host = g_strdup_printf("%s:%u", hub_host_name(hub), hub_port(hub));
    return sd_bus_message_append(reply, "s", host);
}

BUS_GETTER(bus_hub_get_name, Hub, "s", hub_name(object))
BUS_GETTER(bus_hub_get_role, Hub, "s", hub_role_name(hub_role(object)))
BUS_GETTER(bus_hub_get_identity, Hub, "s", hub_identity(object))
BUS_GETTER(bus_hub_get_proxy, Hub, "s", hub_proxy_url(object))
BUS_GETTER(bus_hub_get_ca_file, Hub, "s", hub_ca_file(object))
BUS_GETTER(bus_hub_get_certificate_file, Hub, "s", hub_certificate_file(object))
BUS_GETTER(bus_hub_get_key_file, Hub, "s", hub_key_file(object))
BUS_GETTER(bus_hub_get_certificate_expires, Hub, "t", hub_certificate_expires(object))
BUS_GETTER_TEXT(bus_hub_get_certificate_error, Hub, hub_certificate_error(object))
BUS_GETTER(bus_hub_get_source, Hub, "s", hub_source(object) != NULL ? "config" : "bus")
BUS_GETTER(bus_hub_get_transport, Hub, "s",
           hub_role(object) == HUB_ROLE_DEVICE ? hub_transport_name(hub_transport(object)) : "")
BUS_GETTER(bus_hub_get_state, Hub, "s", hub_state_name(hub_state(object)))
BUS_GETTER(bus_hub_get_since, Hub, "t", hub_since(object))
BUS_GETTER_TEXT(bus_hub_get_last_error, Hub, hub_last_error(object))
BUS_GETTER(bus_hub_get_next_authority, Hub, "s", hub_authority_state(object))
BUS_GETTER(bus_hub_get_next_authority_time, Hub, "t",
           (guint64)hub_authority_until(object) * G_USEC_PER_SEC)
BUS_GETTER(bus_hub_get_next_address, Hub, "s", hub_next_address(object))

/* As with streams: a caller gets only the counts of what it sees. */
static gboolean
bus_hub_caller_sees(guint32 uid, gpointer context)
{
    return bus_object_caller_sees(context, uid);
}

static TrafficCount
bus_hub_traffic(BusContext *context, const Hub *hub)
{
    return app_hub_traffic(context->app, hub, bus_hub_caller_sees, context);
}

static int
bus_hub_get_endpoints(sd_bus *bus, const char *path, const char *interface, const char *property,
                      sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
    const Hub *hub = ((BusItem *)userdata)->object;

    return sd_bus_message_append_strv(reply, (char **)hub_endpoints(hub));
}

BUS_GETTER(bus_hub_get_opened, Hub, "t", bus_hub_traffic(context, object).opened)
BUS_GETTER(bus_hub_get_rejected, Hub, "t", bus_hub_traffic(context, object).failed)
BUS_GETTER(bus_hub_get_bytes_in, Hub, "t", bus_hub_traffic(context, object).bytes_in)
BUS_GETTER(bus_hub_get_bytes_out, Hub, "t", bus_hub_traffic(context, object).bytes_out)
BUS_GETTER(bus_hub_get_reconnects, Hub, "t", hub_reconnects(object))

BUS_GETTER(bus_hub_get_resume, Hub, "b", hub_resume_time(object) > 0)
BUS_GETTER(bus_hub_get_resume_time, Hub, "t", (guint64)hub_resume_time(object))
BUS_GETTER(bus_hub_get_taken_over, Hub, "t", hub_taken_over(object))
BUS_GETTER(bus_hub_get_takeovers, Hub, "t", hub_takeovers(object))

static const sd_bus_vtable bus_hub_vtable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_METHOD_WITH_ARGS("AcceptAuthority", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT,
                            bus_hub_accept_authority, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("Connect", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, bus_hub_connect,
                            SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("Diagnose", SD_BUS_ARGS("a{sv}", options),
                            SD_BUS_RESULT("a(ssa{sv})", checks), bus_hub_diagnose,
                            SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("Disconnect", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, bus_hub_disconnect,
                            SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("Remove", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, bus_hub_remove,
                            SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("Update", SD_BUS_ARGS("a{sv}", options), SD_BUS_NO_RESULT,
                            bus_hub_update, SD_BUS_VTABLE_UNPRIVILEGED | SD_BUS_VTABLE_SENSITIVE),
    SD_BUS_PROPERTY("Name", "s", bus_hub_get_name, 0, SD_BUS_VTABLE_PROPERTY_CONST),
    SD_BUS_PROPERTY("HostName", "s", bus_hub_get_host_name, 0, SD_BUS_VTABLE_PROPERTY_CONST),
    SD_BUS_PROPERTY("Role", "s", bus_hub_get_role, 0, SD_BUS_VTABLE_PROPERTY_CONST),
    SD_BUS_PROPERTY("Identity", "s", bus_hub_get_identity, 0, SD_BUS_VTABLE_PROPERTY_CONST),
    SD_BUS_PROPERTY("Transport", "s", bus_hub_get_transport, 0, SD_BUS_VTABLE_PROPERTY_CONST),
    SD_BUS_PROPERTY("Proxy", "s", bus_hub_get_proxy, 0, SD_BUS_VTABLE_PROPERTY_CONST),
    SD_BUS_PROPERTY("Resume", "b", bus_hub_get_resume, 0, SD_BUS_VTABLE_PROPERTY_CONST),
    SD_BUS_PROPERTY("ResumeTime", "t", bus_hub_get_resume_time, 0, SD_BUS_VTABLE_PROPERTY_CONST),
    SD_BUS_PROPERTY("Source", "s", bus_hub_get_source, 0, SD_BUS_VTABLE_PROPERTY_CONST),
    SD_BUS_PROPERTY("CaFile", "s", bus_hub_get_ca_file, 0, SD_BUS_VTABLE_PROPERTY_CONST),
    SD_BUS_PROPERTY("CertificateFile", "s", bus_hub_get_certificate_file, 0,
                    SD_BUS_VTABLE_PROPERTY_CONST),
    SD_BUS_PROPERTY("KeyFile", "s", bus_hub_get_key_file, 0, SD_BUS_VTABLE_PROPERTY_CONST),
    SD_BUS_PROPERTY("CertificateExpires", "t", bus_hub_get_certificate_expires, 0,
                    SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
    SD_BUS_PROPERTY("CertificateError", "s", bus_hub_get_certificate_error, 0,
                    SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
    SD_BUS_PROPERTY("State", "s", bus_hub_get_state, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
    SD_BUS_PROPERTY("Since", "t", bus_hub_get_since, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
    SD_BUS_PROPERTY("LastError", "s", bus_hub_get_last_error, 0,
                    SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
    SD_BUS_PROPERTY("NextAuthority", "s", bus_hub_get_next_authority, 0,
                    SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
    SD_BUS_PROPERTY("NextAuthorityTime", "t", bus_hub_get_next_authority_time, 0,
                    SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
    SD_BUS_PROPERTY("NextAddress", "s", bus_hub_get_next_address, 0,
                    SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
    SD_BUS_PROPERTY("StreamingEndpoints", "as", bus_hub_get_endpoints, 0,
                    SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
    SD_BUS_PROPERTY("StreamsOpened", "t", bus_hub_get_opened, 0, 0),
    SD_BUS_PROPERTY("StreamsRejected", "t", bus_hub_get_rejected, 0, 0),
    SD_BUS_PROPERTY("BytesIn", "t", bus_hub_get_bytes_in, 0, 0),
    SD_BUS_PROPERTY("BytesOut", "t", bus_hub_get_bytes_out, 0, 0),
    SD_BUS_PROPERTY("Reconnects", "t", bus_hub_get_reconnects, 0, 0),
    SD_BUS_PROPERTY("TakenOver", "t", bus_hub_get_taken_over, 0, 0),
    SD_BUS_PROPERTY("TakeOvers", "t", bus_hub_get_takeovers, 0, 0),
    SD_BUS_VTABLE_END,
};

static gpointer
bus_hub_find(App *app, const char *key)
{
    return app_find_hub(app, key);
}

static char *
bus_hub_key(gconstpointer object)
{
    return g_strdup(hub_name(object));
}

const BusKind bus_hub_kind = {
    .interface = BUS_HUB,
    .vtable = bus_hub_vtable,
    .prefix = BUS_PATH_HUB,
    .find = bus_hub_find,
    .key = bus_hub_key,
    .list = app_list_hubs,
};
