/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/app-journal.h"

#include "common/log/events.h"

#include <time.h>

static EventData
of_hub(Hub *hub)
{
    return (EventData){.hub = hub_name(hub), .device = hub_identity(hub)};
}

static gint64
now_with_sleep(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_BOOTTIME, &now);
    return now.tv_sec * G_USEC_PER_SEC + now.tv_nsec / 1000;
}

/* "2 d 3 h", "4 h 5 min", "6 min 7 s", "8 s". */
static char *
span_text(gint64 span)
{
    gint64 s = span / G_TIME_SPAN_SECOND;

    if (s >= 24 * 3600)
        return g_strdup_printf("%d d %d h", (int)(s / 86400), (int)(s / 3600 % 24));
    if (s >= 3600)
        return g_strdup_printf("%d h %d min", (int)(s / 3600), (int)(s / 60 % 60));
    if (s >= 60)
        return g_strdup_printf("%d min %d s", (int)(s / 60), (int)(s % 60));
    return g_strdup_printf("%d s", (int)s);
}

static void
hub_is_back(Outage *outage, EventData *data)
{
    g_autofree char *text = NULL, *span = NULL;
    guint64 attempts = 0;
    gint64 length = outage_end(outage, now_with_sleep(), &attempts);

    if (length > 0) {
        span = span_text(length);
        text =
            g_strdup_printf("after %s without it, at attempt %" G_GUINT64_FORMAT, span, attempts);
    }
    data->detail = text ? text : "at once";
    data->duration = (guint64)length;
    data->attempts = attempts;
    event_log(EVENT_HUB_CONNECTED, data);
}

/* What is told again says for how long it has been so. */
static void
hub_is_away(Outage *outage, EventData *data, EventKind kind)
{
    gint64 now = now_with_sleep();
    gint64 length = outage_length(outage, now);
    g_autofree char *text = NULL, *span = NULL;

    if (!outage_failed(outage, data->detail, now))
        return;
    data->duration = (guint64)length;
    data->attempts = outage_attempts(outage);
    if (length > 0) {
        span = span_text(length);
        text = g_strdup_printf("%s (away for %s, attempt %" G_GUINT64_FORMAT ")", data->detail,
                               span, data->attempts);
        data->detail = text;
    }
    event_log(kind, data);
}

/* Neither connecting nor a disconnection that was asked for is an event. */
void
app_journal_hub_changed(Hub *hub, Outage *outage)
{
    EventData data = of_hub(hub);
    guint64 attempts;

    data.detail = hub_last_error(hub);
    if (hub_state(hub) == HUB_CONNECTED)
        hub_is_back(outage, &data);
    else if (hub_state(hub) == HUB_REFUSED)
        hub_is_away(outage, &data, EVENT_HUB_REFUSED);
    else if (hub_state(hub) == HUB_CONNECTING)
        outage_attempt(outage);
    else if (*data.detail)
        hub_is_away(outage, &data, EVENT_HUB_LOST);
    else
        (void)outage_end(outage, 0, &attempts);
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
of_stream(Stream *stream)
{
    return (EventData){
        .hub = stream_hub(stream),
        .device = stream_device(stream),
        .stream = stream_name(stream),
        .stream_id = stream_hub_id(stream),
        .stream_number = stream_id(stream),
        .initiator = stream_initiator(stream),
        .peer = stream_address(stream),
        .target = stream_target(stream),
        .uid = stream_owner_uid(stream),
    };
}

void
app_journal_stream_added(Stream *stream)
{
    const EventData data = of_stream(stream);

    event_log(EVENT_STREAM_REQUESTED, &data);
}

void
app_journal_decided(Stream *stream, const AcceptVerdict *verdict)
{
    g_autofree char *rule =
        verdict->rule ? g_strdup_printf("rule %u", verdict->rule) : g_strdup("the default");
    gboolean rejected = verdict->kind == ACCEPT_REJECT;
    EventData data = of_stream(stream);

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
    guint64 since = opened > 0 ? opened : stream_requested_at(stream);
    EventData data = of_stream(stream);

    data.reason = reason_code(reason);
    data.detail = stream_message(stream);
    data.bytes_in = stream_bytes_in(stream);
    data.bytes_out = stream_bytes_out(stream);
    data.resumes = stream_resumes(stream);
    if (stream_ended_at(stream) > since)
        data.duration = stream_ended_at(stream) - since;
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
    EventData data;

    if (stream_has_ended(stream)) {
        stream_end(stream);
    } else if (stream_state(stream) == STREAM_OPEN && stream_resumes(stream) == 0) {
        data = of_stream(stream);
        event_log(EVENT_STREAM_OPENED, &data);
    }
}

void
app_journal_stream_suspended(Stream *stream)
{
    EventData data = of_stream(stream);

    data.reason = reason_code(stream_suspended_for(stream));
    data.bytes_again = stream_resume_pending(stream);
    event_log(EVENT_STREAM_SUSPENDED, &data);
}

void
app_journal_stream_resumed(Stream *stream, gint64 pause)
{
    EventData data = of_stream(stream);

    data.reason = reason_code(stream_suspended_for(stream));
    data.duration = (guint64)pause;
    data.resumes = stream_resumes(stream);
    data.bytes_again = stream_resume_pending(stream);
    event_log(EVENT_STREAM_RESUMED, &data);
}

void
app_journal_request_added(Consent *request)
{
    const EventData data = of_stream(consent_stream(request));

    event_log(EVENT_CONSENT_ASKED, &data);
}

/* If nobody decided, the record of the stream's end is enough. */
void
app_journal_request_removed(Consent *request, Changes *changes)
{
    const Author author = {.uid = consent_decided_by(request)};
    EventData data = of_stream(consent_stream(request));

    if (consent_end(request) != CONSENT_DECIDED)
        return;
    data.detail = consent_decision(request);
    changes_add(changes, EVENT_CONSENT_DECIDED, &author, &data);
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
