/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* io.streamd.Streamd1.Stream */
#include "common/bus/names.h"
#include "daemon/bus/call.h"
#include "daemon/bus/kind.h"
#include "daemon/bus/object/report.h"

#include <errno.h>

/* The stream's own record says how it ended, and not who closed it. */
static void
bus_stream_record(const BusItem *item, sd_bus_message *message)
{
    const Stream *stream = item->object;
    g_autofree char *text = g_strdup_printf("stream %s of %s at hub %s", stream_name(stream),
                                            stream_device(stream), stream_hub(stream));

    bus_context_record(item->context, message, EVENT_CLOSED_BY,
                       &(EventData){.before = text, .after = "closed"});
}

static int
bus_stream_close(sd_bus_message *message, void *data, sd_bus_error *error)
{
    const BusItem *item = data;

    if (!stream_has_ended(item->object))
        bus_stream_record(item, message);
    stream_close(item->object, REASON_CLOSED_BY_USER);
    return sd_bus_reply_method_return(message, NULL);
}

static int
bus_stream_reply_inspection(sd_bus_message *message, const Inspection *inspection)
{
    g_autoptr(sd_bus_message) reply = NULL;
    BusReport out = {0};
    Report report = bus_report(&out);

    out.r = sd_bus_message_new_method_return(message, &reply);
    out.message = reply;
    if (out.r >= 0)
        out.r = sd_bus_message_open_container(reply, 'a', "{sv}");
    inspection_report(inspection, &report);
    if (out.r >= 0)
        out.r = sd_bus_message_close_container(reply);
    return out.r < 0 ? out.r : sd_bus_send(NULL, reply, NULL);
}

static void
bus_stream_inspected(const Inspection *inspection, void *data)
{
    BusCall *call = data;
    int r = bus_stream_reply_inspection(bus_call_message(call), inspection);

    if (r < 0)
        (void)sd_bus_reply_method_errno(bus_call_message(call), r, NULL);
    bus_call_end(call);
}

static void
bus_stream_inspect_cancel(void *data)
{
    inspection_cancel(data);
}

static int
bus_stream_inspect(sd_bus_message *message, void *data, sd_bus_error *error)
{
    BusItem *item = data;
    BusCall *call = bus_call_begin(item->context, message, error);
    Inspection *inspection;

    if (call == NULL)
        return -EBUSY;
    inspection = inspection_new(item->object, bus_stream_inspected, call);
    if (inspection != NULL)
        bus_call_set_cancel(call, bus_stream_inspect_cancel, inspection);
    return 1;
}

BUS_GETTER(bus_stream_get_id, Stream, "t", stream_id(object))
BUS_GETTER(bus_stream_get_role, Stream, "s", stream_role_name(stream_role(object)))
BUS_GETTER(bus_stream_get_hub, Stream, "s", stream_hub(object))
BUS_GETTER_TEXT(bus_stream_get_device, Stream, stream_device(object))
BUS_GETTER_TEXT(bus_stream_get_name, Stream, stream_name(object))
BUS_GETTER_TEXT(bus_stream_get_initiator, Stream, stream_initiator(object))
BUS_GETTER_TEXT(bus_stream_get_address, Stream, stream_address(object))
BUS_GETTER(bus_stream_get_target, Stream, "s", stream_target(object))
BUS_GETTER(bus_stream_get_owner, Stream, "u", stream_owner_uid(object))
BUS_GETTER(bus_stream_get_tunnel, Stream, "t", stream_tunnel(object))
BUS_GETTER(bus_stream_get_state, Stream, "s", stream_state_name(stream_state(object)))
BUS_GETTER(bus_stream_get_in, Stream, "t", stream_bytes_in(object))
BUS_GETTER(bus_stream_get_out, Stream, "t", stream_bytes_out(object))
BUS_GETTER(bus_stream_get_requested, Stream, "t", stream_requested_at(object))
BUS_GETTER(bus_stream_get_opened, Stream, "t", stream_opened_at(object))
BUS_GETTER(bus_stream_get_closed, Stream, "t", stream_ended_at(object))
BUS_GETTER(bus_stream_get_reason, Stream, "s",
           stream_has_ended(object) ? reason_code(stream_reason(object)) : "")
BUS_GETTER_TEXT(bus_stream_get_text, Stream, stream_message(object))

BUS_GETTER(bus_stream_get_suspended, Stream, "t", stream_suspended_since(object))
BUS_GETTER(bus_stream_get_suspend_reason, Stream, "s",
           stream_suspended_for(object) != REASON_NONE ? reason_code(stream_suspended_for(object))
                                                       : "")
BUS_GETTER(bus_stream_get_unconfirmed, Stream, "t",
           stream_suspended_since(object) > 0 ? stream_resume_pending(object) : 0)
BUS_GETTER(bus_stream_get_resumes, Stream, "u", stream_resumes(object))
BUS_GETTER(bus_stream_get_resumable, Stream, "b", stream_is_resumable(object))

static const sd_bus_vtable bus_stream_vtable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_METHOD_WITH_ARGS("Close", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, bus_stream_close,
                            SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("Inspect", SD_BUS_NO_ARGS, SD_BUS_RESULT("a{sv}", state),
                            bus_stream_inspect, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_PROPERTY("Id", "t", bus_stream_get_id, 0, SD_BUS_VTABLE_PROPERTY_CONST),
    SD_BUS_PROPERTY("Role", "s", bus_stream_get_role, 0, SD_BUS_VTABLE_PROPERTY_CONST),
    SD_BUS_PROPERTY("Hub", "s", bus_stream_get_hub, 0, SD_BUS_VTABLE_PROPERTY_CONST),
    SD_BUS_PROPERTY("DeviceId", "s", bus_stream_get_device, 0, SD_BUS_VTABLE_PROPERTY_CONST),
    SD_BUS_PROPERTY("StreamName", "s", bus_stream_get_name, 0, SD_BUS_VTABLE_PROPERTY_CONST),
    SD_BUS_PROPERTY("Initiator", "s", bus_stream_get_initiator, 0, SD_BUS_VTABLE_PROPERTY_CONST),
    SD_BUS_PROPERTY("InitiatorAddress", "s", bus_stream_get_address, 0,
                    SD_BUS_VTABLE_PROPERTY_CONST),
    SD_BUS_PROPERTY("Target", "s", bus_stream_get_target, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
    SD_BUS_PROPERTY("OwnerUid", "u", bus_stream_get_owner, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
    SD_BUS_PROPERTY("Tunnel", "t", bus_stream_get_tunnel, 0, SD_BUS_VTABLE_PROPERTY_CONST),
    SD_BUS_PROPERTY("State", "s", bus_stream_get_state, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
    SD_BUS_PROPERTY("BytesIn", "t", bus_stream_get_in, 0, 0),
    SD_BUS_PROPERTY("BytesOut", "t", bus_stream_get_out, 0, 0),
    SD_BUS_PROPERTY("RequestedAt", "t", bus_stream_get_requested, 0, SD_BUS_VTABLE_PROPERTY_CONST),
    SD_BUS_PROPERTY("OpenedAt", "t", bus_stream_get_opened, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
    SD_BUS_PROPERTY("Resumable", "b", bus_stream_get_resumable, 0, 0),
    SD_BUS_PROPERTY("Resumes", "u", bus_stream_get_resumes, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
    SD_BUS_PROPERTY("SuspendedSince", "t", bus_stream_get_suspended, 0,
                    SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
    SD_BUS_PROPERTY("SuspendReason", "s", bus_stream_get_suspend_reason, 0,
                    SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
    SD_BUS_PROPERTY("Unconfirmed", "t", bus_stream_get_unconfirmed, 0,
                    SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
    SD_BUS_PROPERTY("ClosedAt", "t", bus_stream_get_closed, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
    SD_BUS_PROPERTY("CloseReason", "s", bus_stream_get_reason, 0,
                    SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
    SD_BUS_PROPERTY("CloseText", "s", bus_stream_get_text, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
    SD_BUS_VTABLE_END,
};

static gpointer
bus_stream_find(App *app, const char *key)
{
    guint64 id;

    return g_ascii_string_to_unsigned(key, 10, 1, G_MAXUINT64, &id, NULL) ? app_find_stream(app, id)
                                                                          : NULL;
}

static char *
bus_stream_key(gconstpointer object)
{
    return g_strdup_printf("%" G_GUINT64_FORMAT, stream_id(object));
}

static uid_t
bus_stream_owner(gconstpointer object)
{
    return stream_owner_uid(object);
}

const BusKind bus_stream_kind = {
    .interface = BUS_STREAM,
    .vtable = bus_stream_vtable,
    .prefix = BUS_PATH_STREAM,
    .find = bus_stream_find,
    .key = bus_stream_key,
    .list = app_list_streams,
    .numbered = TRUE,
    .owner = bus_stream_owner,
};
