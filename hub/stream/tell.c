/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/stream/tell.h"

#include "common/log/events.h"

#include <string.h>

static guint64
bytes_from(const HubStream *stream, LegSide side)
{
    return atomic_load_explicit(&stream->meter.bytes[side], memory_order_relaxed);
}

Reason
stream_end_reason(const HubStream *stream)
{
    return stream->rejection != REASON_NONE ? stream->rejection : stream->reason;
}

static EventData
event_of_stream(const HubStream *stream)
{
    return (EventData){
        .device = stream->client_id,
        .stream = stream->name,
        .stream_id = stream->id,
        .initiator = stream->policy,
        .peer = stream->from,
        .rule = stream->rule,
        .reason = reason_code(stream_end_reason(stream)),
        .duration = (guint64)(clock_now() - stream->begun),
    };
}

void
stream_tell_asked(const HubStream *stream)
{
    const EventData data = event_of_stream(stream);

    event_log(EVENT_ROUTE_ASKED, &data);
}

static void
record_stream_end(const HubStream *stream, gint64 duration)
{
    const StreamsNeeds *needs = &stream->world->needs;
    const char *slash = strchr(stream->client_id, '/');
    const RecordEnd end = {
        .stream = {.hub = stream->world->hub,
                   .device = stream->device,
                   .module = slash ? slash + 1 : NULL,
                   .name = stream->name,
                   .id = stream->id,
                   .user = stream->policy,
                   .address = stream->from,
                   .resumes = stream->resume.resumes ? stream->resume.ask.id : NULL},
        .duration = duration,
        .device_address = stream->device_from,
        .to_device = bytes_from(stream, LEG_SERVICE),
        .to_service = bytes_from(stream, LEG_DEVICE),
        .reason = reason_code(stream->reason),
        .orderly = reason_is_orderly(stream->reason),
        .rule = stream->rule,
        .paused = stream->resume.informed,
        .pause = stream->resume.info.pause,
        .replayed = stream->resume.info.replayed,
    };

    records_end(needs->records, &end);
}

void
stream_tell_end(HubStream *stream)
{
    EventData data = event_of_stream(stream);

    if (stream->opened == 0)
        return;
    data.duration = (guint64)(clock_now() - stream->opened);
    data.bytes_in = bytes_from(stream, LEG_SERVICE);
    data.bytes_out = bytes_from(stream, LEG_DEVICE);
    event_log(reason_is_orderly(stream->reason) ? EVENT_ROUTE_ENDED : EVENT_ROUTE_CUT, &data);
    record_stream_end(stream, (gint64)data.duration);
    stream->opened = 0;
}

void
stream_tell(HubStream *stream, HubStreamState before)
{
    const EventData data = event_of_stream(stream);

    if (stream->state == STREAM_ENDED && !stream->relay)
        stream_tell_end(stream);
    if (stream->state == before)
        return;
    if (stream->state == STREAM_ACCEPTED)
        event_log(EVENT_ROUTE_ACCEPTED, &data);
    else if (stream->state == STREAM_OPEN)
        event_log(EVENT_ROUTE_OPENED, &data);
    else if (stream->state == STREAM_ENDED && before != STREAM_OPEN)
        event_log(EVENT_ROUTE_REJECTED, &data);
    if (stream->state == STREAM_OPEN)
        stream->opened = clock_now();
}
