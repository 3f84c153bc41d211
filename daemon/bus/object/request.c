/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* io.streamd.Streamd1.Request */
#include "common/bus/names.h"
#include "daemon/bus/call.h"
#include "daemon/bus/context.h"
#include "daemon/bus/error.h"
#include "daemon/bus/kind.h"
#include "daemon/bus/options.h"

#include <unistd.h>

static void
accept_cancel(void *data)
{
    app_end_cancel(data);
}

static int
bus_request_accept(sd_bus_message *message, void *data, sd_bus_error *error)
{
    g_autoptr(GError) failure = NULL;
    BusItem *item = data;
    BusCall *call;
    AppEnd *end;
    int r;

    r = bus_options_read(message, NULL, 0, error);
    if (r < 0)
        return r;
    call = bus_call_begin(item->context, message, error);
    if (call == NULL)
        return -EBUSY;
    end = consent_accept(item->object, bus_call_uid(call), bus_call_stream_done, call, &failure);
    if (end == NULL)
        bus_call_fail(call, failure);
    else
        bus_call_set_cancel(call, accept_cancel, end);
    return 1;
}

typedef gboolean Decide(Consent *request, guint32 uid, const char *text, GError **error);

/* For methods that take one string and return at once. */
static int
bus_request_decide(sd_bus_message *message, const BusItem *item, Decide *decide,
                   sd_bus_error *error)
{
    g_autoptr(GError) failure = NULL;
    const Caller *caller = callers_find(item->context->callers, message);
    const char *text;
    int r;

    r = sd_bus_message_read(message, "s", &text);
    if (r < 0)
        return r;
    if (!decide(item->object, caller_uid(caller), text, &failure))
        return bus_error_set(error, failure);
    return sd_bus_reply_method_return(message, NULL);
}

static int
bus_request_accept_to(sd_bus_message *message, void *data, sd_bus_error *error)
{
    return bus_request_decide(message, data, consent_accept_to, error);
}

static int
bus_request_reject(sd_bus_message *message, void *data, sd_bus_error *error)
{
    return bus_request_decide(message, data, consent_reject, error);
}

static int
bus_request_append_stream(sd_bus_message *reply, const Consent *request)
{
    g_autofree char *path = bus_object_path(&bus_stream_kind, consent_stream(request));

    return sd_bus_message_append(reply, "o", path);
}

static int
bus_request_get_stream(sd_bus *bus, const char *path, const char *interface, const char *property,
                       sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
    return bus_request_append_stream(reply, ((BusItem *)userdata)->object);
}

BUS_GETTER(bus_request_get_id, Consent, "t", consent_id(object))
BUS_GETTER(bus_request_get_hub, Consent, "s", stream_hub(consent_stream(object)))
BUS_GETTER_TEXT(bus_request_get_device, Consent, stream_device(consent_stream(object)))
BUS_GETTER_TEXT(bus_request_get_name, Consent, stream_name(consent_stream(object)))
BUS_GETTER_TEXT(bus_request_get_initiator, Consent, stream_initiator(consent_stream(object)))
BUS_GETTER_TEXT(bus_request_get_address, Consent, stream_address(consent_stream(object)))
BUS_GETTER(bus_request_get_rule, Consent, "t", (uint64_t)consent_rule(object))
BUS_GETTER_TEXT(bus_request_get_target, Consent, consent_target(object))
BUS_GETTER(bus_request_get_requested, Consent, "t", consent_requested_at(object))
BUS_GETTER(bus_request_get_deadline, Consent, "t", consent_deadline(object))

#define CONST SD_BUS_VTABLE_PROPERTY_CONST

static const sd_bus_vtable bus_request_vtable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_METHOD_WITH_ARGS("Accept", SD_BUS_ARGS("a{sv}", options),
                            SD_BUS_RESULT("h", fd, "o", stream), bus_request_accept,
                            SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("AcceptTo", SD_BUS_ARGS("s", target), SD_BUS_NO_RESULT,
                            bus_request_accept_to, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("Reject", SD_BUS_ARGS("s", reason), SD_BUS_NO_RESULT,
                            bus_request_reject, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_PROPERTY("Id", "t", bus_request_get_id, 0, CONST),
    SD_BUS_PROPERTY("Hub", "s", bus_request_get_hub, 0, CONST),
    SD_BUS_PROPERTY("DeviceId", "s", bus_request_get_device, 0, CONST),
    SD_BUS_PROPERTY("StreamName", "s", bus_request_get_name, 0, CONST),
    SD_BUS_PROPERTY("Initiator", "s", bus_request_get_initiator, 0, CONST),
    SD_BUS_PROPERTY("Address", "s", bus_request_get_address, 0, CONST),
    SD_BUS_PROPERTY("Rule", "t", bus_request_get_rule, 0, CONST),
    SD_BUS_PROPERTY("Target", "s", bus_request_get_target, 0, CONST),
    SD_BUS_PROPERTY("RequestedAt", "t", bus_request_get_requested, 0, CONST),
    SD_BUS_PROPERTY("Deadline", "t", bus_request_get_deadline, 0, CONST),
    SD_BUS_PROPERTY("Stream", "o", bus_request_get_stream, 0, CONST),
    SD_BUS_VTABLE_END,
};

static gpointer
bus_request_find(App *app, const char *key)
{
    guint64 id;

    return g_ascii_string_to_unsigned(key, 10, 1, G_MAXUINT64, &id, NULL)
               ? app_find_consent(app, id)
               : NULL;
}

static char *
bus_request_key(gconstpointer object)
{
    return g_strdup_printf("%" G_GUINT64_FORMAT, consent_id(object));
}

/* Requests belong to streamd itself: those who see everything see them, and so do agents. */
static uid_t
bus_request_owner(gconstpointer object)
{
    return getuid();
}

const BusKind bus_request_kind = {
    .interface = BUS_REQUEST,
    .vtable = bus_request_vtable,
    .prefix = BUS_PATH_REQUEST,
    .find = bus_request_find,
    .key = bus_request_key,
    .list = app_list_consents,
    .numbered = TRUE,
    .owner = bus_request_owner,
    .for_agents = TRUE,
    .missing = "there is no such request: it is decided, withdrawn or timed out",
};
