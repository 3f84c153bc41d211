/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/stream/inspect.h"

#include "common/net/relay-state.h"
#include "daemon/stream/struct.h"

/* In the order of the relay's sides (stream_attach_leg). */
enum { SIDE_LOCAL, SIDE_HUB };

static const char *const side_names[2] = {"local", "hub"};

struct Inspection {
    RelayQuestion question;
    guint timer;
    gboolean asked, answered;
    RelayState relay;
    /* of the stream, at the time of the question */
    const char *state, *waits_for;
    guint64 age;
    guint64 bytes[2];
    gboolean has_local;
    char *sid, *endpoint;
    Inspected done;
    void *data;
};

static void
inspection_free(Inspection *inspection)
{
    relay_ask_cancel(&inspection->question);
    if (inspection->timer)
        g_source_remove(inspection->timer);
    g_free(inspection->sid);
    g_free(inspection->endpoint);
    g_free(inspection);
}

static void
inspection_end(Inspection *inspection)
{
    inspection->done(inspection, inspection->data);
    inspection_free(inspection);
}

static const char *
relay_waits_for(const RelayState *relay)
{
    guint full = relay_state_full(relay);

    if (full == (1u << SIDE_LOCAL | 1u << SIDE_HUB))
        return "both-read";
    if (full != 0)
        return full == 1u << SIDE_LOCAL ? "local-reads" : "hub-reads";
    return relay->reason == REASON_NONE ? "data" : "end";
}

static void
inspection_answered(RelayQuestion *question, const RelayState *state)
{
    Inspection *inspection = CONTAINER_OF(question, Inspection, question);

    inspection->answered = TRUE;
    inspection->relay = *state;
    inspection->waits_for =
        state->kept.suspended >= 0 && state->kept.survives ? "leg" : relay_waits_for(state);
    inspection_end(inspection);
}

static gboolean
inspection_too_late(void *data)
{
    Inspection *inspection = data;

    inspection->timer = 0;
    inspection_end(inspection);
    return G_SOURCE_REMOVE;
}

/* What a stream without a relay, or whose relay does not answer, waits for. */
static const char *
stream_waits_for(const Stream *stream)
{
    switch (stream->state) {
    case STREAM_REQUESTED:
    case STREAM_DECIDING:
        return "decision";
    case STREAM_INITIATING:
        return "hub-answer";
    case STREAM_ACCEPTED:
    case STREAM_SUSPENDED:
        return "leg";
    case STREAM_CONNECTING:
        return stream->role == STREAM_ROLE_DEVICE ? "target-and-leg" : "leg";
    case STREAM_OPEN:
    case STREAM_CLOSING:
        return "reactor";
    default:
        return "nothing";
    }
}

Inspection *
inspection_new(Stream *stream, Inspected done, void *data)
{
    Inspection *inspection = g_new0(Inspection, 1);

    inspection->done = done;
    inspection->data = data;
    inspection->state = stream_state_name(stream->state);
    inspection->waits_for = stream_waits_for(stream);
    inspection->age = (guint64)MAX(g_get_real_time() - (gint64)stream->requested_at, 0);
    for (guint i = 0; i < 2; i++)
        inspection->bytes[i] = atomic_load_explicit(&stream->meter.bytes[i], memory_order_relaxed);
    inspection->has_local = stream->local || stream->relay || stream->carrier;
    inspection->sid = g_strdup(stream->sid);
    inspection->endpoint = g_strdup(stream->endpoint);
    inspection->question.answered = inspection_answered;
    if (!stream->relay && !stream->carrier) {
        inspection_end(inspection);
        return NULL;
    }
    inspection->asked = TRUE;
    inspection->timer =
        g_timeout_add(RELAY_ANSWER / G_TIME_SPAN_MILLISECOND, inspection_too_late, inspection);
    if (stream->relay)
        relay_ask(stream->relay, &inspection->question);
    else
        carrier_ask(stream->carrier, &inspection->question);
    return inspection;
}

void
inspection_cancel(Inspection *inspection)
{
    inspection_free(inspection);
}

void
inspection_report(const Inspection *inspection, const Report *report)
{
    report->text("state", inspection->state, report->data);
    report->text("waits-for", inspection->waits_for, report->data);
    report->number("age", inspection->age, report->data);
    report->number("bytes-from-local", inspection->bytes[SIDE_LOCAL], report->data);
    report->number("bytes-from-hub", inspection->bytes[SIDE_HUB], report->data);
    if (inspection->sid)
        report->text("hub-stream", inspection->sid, report->data);
    if (inspection->endpoint)
        report->text("endpoint", inspection->endpoint, report->data);
    report->boolean("local-end", inspection->has_local, report->data);
    if (!inspection->asked)
        return;
    report->boolean("answered", inspection->answered, report->data);
    if (inspection->answered)
        relay_state_report(&inspection->relay, side_names, report);
}
