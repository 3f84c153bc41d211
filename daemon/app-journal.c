/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/app-journal.h"

#include "common/log/events.h"

#define ID_SIZE 24

static EventData
of_hub(Hub *hub)
{
    return (EventData){.hub = hub_name(hub), .device = hub_identity(hub)};
}

void
app_journal_hub_added(Hub *hub)
{
    const EventData data = of_hub(hub);

    event_log(EVENT_HUB_ADDED, &data);
}

void
app_journal_hub_removed(Hub *hub)
{
    const EventData data = of_hub(hub);

    event_log(EVENT_HUB_REMOVED, &data);
}

/* Neither connecting nor a disconnection that was asked for is an event. */
void
app_journal_hub_changed(Hub *hub)
{
    EventData data = of_hub(hub);

    data.detail = hub_last_error(hub);
    if (hub_state(hub) == HUB_CONNECTED)
        event_log(EVENT_HUB_CONNECTED, &data);
    else if (hub_state(hub) == HUB_REFUSED)
        event_log(EVENT_HUB_REFUSED, &data);
    else if (hub_state(hub) == HUB_DISCONNECTED && *data.detail)
        event_log(EVENT_HUB_LOST, &data);
}

void
app_journal_hub_key(Hub *hub, const char *detail)
{
    EventData data = of_hub(hub);

    data.detail = detail;
    event_log(EVENT_HUB_KEY, &data);
}

void
app_journal_hub_taken_over(Hub *hub)
{
    const EventData data = of_hub(hub);

    event_log(EVENT_HUB_TAKEN_OVER, &data);
}

static EventData
of_target(Target *target)
{
    return (EventData){.target = target_name(target), .address = target_address(target)};
}

void
app_journal_target_added(Target *target)
{
    const EventData data = of_target(target);

    event_log(EVENT_TARGET_ADDED, &data);
}

void
app_journal_target_removed(Target *target)
{
    const EventData data = of_target(target);

    event_log(EVENT_TARGET_REMOVED, &data);
}

void
app_journal_policy_changed(AcceptPolicy *policy G_GNUC_UNUSED)
{
    event_log(EVENT_POLICY_CHANGED, &(EventData){0});
}

/* ID: ID_SIZE bytes that live as long as what is returned. */
static EventData
of_stream(Stream *stream, char *id)
{
    (void)g_snprintf(id, ID_SIZE, "%" G_GUINT64_FORMAT, stream_id(stream));
    return (EventData){
        .hub = stream_hub(stream),
        .device = stream_device(stream),
        .stream = stream_name(stream),
        .stream_id = id,
        .initiator = stream_initiator(stream),
        .target = stream_target(stream),
        .uid = stream_owner_uid(stream),
    };
}

void
app_journal_stream_added(Stream *stream)
{
    char id[ID_SIZE];
    const EventData data = of_stream(stream, id);

    event_log(EVENT_STREAM_REQUESTED, &data);
}

void
app_journal_decided(Stream *stream, const AcceptVerdict *verdict)
{
    g_autofree char *rule =
        verdict->rule ? g_strdup_printf("rule %u", verdict->rule) : g_strdup("the default");
    gboolean rejected = verdict->kind == ACCEPT_REJECT;
    char id[ID_SIZE];
    EventData data = of_stream(stream, id);

    /* With the other outcomes, a person or a handler decides later. */
    if (!rejected && verdict->kind != ACCEPT_TARGET)
        return;
    data.rule = rule;
    data.reason = reason_code(REASON_POLICY);
    data.detail = rejected ? verdict->reject_text : NULL;
    if (!rejected)
        data.target = verdict->target;
    event_log(rejected ? EVENT_STREAM_REJECTED : EVENT_STREAM_ACCEPTED, &data);
}

static gboolean
is_of_target(Reason reason)
{
    return reason == REASON_TARGET_REFUSED || reason == REASON_TARGET_UNREACHABLE ||
           reason == REASON_TARGET_TIMED_OUT;
}

/* Each stream has one record of its end; a rejection by the policy has its own already. */
static void
stream_end(Stream *stream)
{
    gboolean device = stream_role(stream) == STREAM_ROLE_DEVICE;
    Reason reason = stream_reason(stream);
    guint64 opened = stream_opened_at(stream);
    char id[ID_SIZE];
    EventData data = of_stream(stream, id);

    data.reason = reason_code(reason);
    data.detail = stream_message(stream);
    data.bytes_in = stream_bytes_in(stream);
    data.bytes_out = stream_bytes_out(stream);
    if (opened > 0 && stream_ended_at(stream) > opened)
        data.duration = stream_ended_at(stream) - opened;
    if (opened > 0)
        event_log(reason_is_orderly(reason) ? EVENT_STREAM_ENDED : EVENT_STREAM_CUT, &data);
    else if (device && is_of_target(reason))
        event_log(EVENT_TARGET_DOWN, &data);
    else if (!device || reason != REASON_POLICY)
        event_log(EVENT_STREAM_FAILED, &data);
}

void
app_journal_stream_changed(Stream *stream)
{
    char id[ID_SIZE];
    EventData data;

    if (stream_has_ended(stream)) {
        stream_end(stream);
    } else if (stream_state(stream) == STREAM_OPEN) {
        data = of_stream(stream, id);
        event_log(EVENT_STREAM_OPENED, &data);
    }
}

/* No event: the stream ended some minutes ago, and that was recorded then. */
void
app_journal_stream_removed(Stream *stream G_GNUC_UNUSED)
{
}

void
app_journal_request_added(Consent *request)
{
    char id[ID_SIZE];
    const EventData data = of_stream(consent_stream(request), id);

    event_log(EVENT_CONSENT_ASKED, &data);
}

/* If nobody decided, the record of the stream's end is enough. */
void
app_journal_request_removed(Consent *request)
{
    char id[ID_SIZE];
    EventData data = of_stream(consent_stream(request), id);

    if (consent_end(request) != CONSENT_DECIDED)
        return;
    data.uid = consent_decided_by(request);
    data.detail = consent_decision(request);
    event_log(EVENT_CONSENT_DECIDED, &data);
}

static EventData
of_tunnel(Tunnel *tunnel)
{
    return (EventData){
        .hub = tunnel_hub(tunnel),
        .device = tunnel_device(tunnel),
        .stream = tunnel_stream(tunnel),
        .address = tunnel_listen_address(tunnel),
        .detail = tunnel_last_error(tunnel),
        .tunnel = tunnel_id(tunnel),
        .uid = tunnel_owner_uid(tunnel),
    };
}

void
app_journal_tunnel_added(Tunnel *tunnel)
{
    const EventData data = of_tunnel(tunnel);

    event_log(*data.detail ? EVENT_TUNNEL_FAULT : EVENT_TUNNEL_OPENED, &data);
}

void
app_journal_tunnel_changed(Tunnel *tunnel)
{
    const EventData data = of_tunnel(tunnel);

    if (*data.detail)
        event_log(EVENT_TUNNEL_FAULT, &data);
}

void
app_journal_tunnel_removed(Tunnel *tunnel)
{
    const EventData data = of_tunnel(tunnel);

    event_log(EVENT_TUNNEL_CLOSED, &data);
}
