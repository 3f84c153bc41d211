/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/stream/look.h"

#include "hub/stream/stream.h"

struct StreamLooks {
    Streams *streams;
    Clock *clock;
    GQueue under_way; /* of Look.link */
};

typedef struct Look Look;

typedef struct {
    RelayQuestion question;
    Look *look;
    StreamView view;
} Looked;

struct Look {
    StreamLooks *looks;
    GList link;
    Timer timer;
    Looked *looked; /* n of them */
    guint n;
    guint waiting; /* of those: not answered yet */
    gboolean more;
    StreamsLooked done;
    void *data;
};

static void
view_clear(StreamView *view)
{
    g_free(view->id);
    g_free(view->device);
    g_free(view->name);
    g_free(view->user);
    g_free(view->from);
    g_free(view->resumes);
}

/* Passes on copies of the views as one array. */
static void
look_finish(Look *look)
{
    g_autofree StreamView *views = g_new0(StreamView, look->n + 1);

    g_queue_unlink(&look->looks->under_way, &look->link);
    clock_clear(look->looks->clock, &look->timer);
    for (guint i = 0; i < look->n; i++) {
        relay_ask_cancel(&look->looked[i].question);
        views[i] = look->looked[i].view;
    }
    look->done(views, look->n, look->more, look->data);
    for (guint i = 0; i < look->n; i++)
        view_clear(&views[i]);
    g_free(look->looked);
    g_free(look);
}

static void
look_too_late(Timer *timer)
{
    look_finish(CONTAINER_OF(timer, Look, timer));
}

static const char *
bridge_waits(const RelayState *relay)
{
    guint full = relay_state_full(relay);

    if (full == (1u << LEG_DEVICE | 1u << LEG_SERVICE))
        return "both-read";
    if (full != 0)
        return full == 1u << LEG_DEVICE ? "device-reads" : "service-reads";
    return relay->reason == REASON_NONE ? "data" : "end";
}

static void
looked_answered(RelayQuestion *question, const RelayState *state)
{
    Looked *looked = CONTAINER_OF(question, Looked, question);
    Look *look = looked->look;

    looked->view.answered = TRUE;
    looked->view.relay = *state;
    looked->view.waits_for = bridge_waits(state);
    if (--look->waiting == 0)
        look_finish(look);
}

static const char *
stream_waits(const HubStream *stream)
{
    switch (stream->state) {
    case STREAM_WAITING:
        return "device-link";
    case STREAM_ASKED:
        return "device-answer";
    case STREAM_ACCEPTED:
        if (!stream->legs[LEG_DEVICE])
            return stream->legs[LEG_SERVICE] ? "device-leg" : "both-legs";
        return "service-leg";
    default:
        return "reactor"; /* its bridge is still on the way there, or has not answered yet */
    }
}

static void
view_fill(StreamView *view, const HubStream *stream)
{
    gint64 now = clock_now();
    gboolean early = stream->state < STREAM_OPEN;

    *view = (StreamView){
        .number = stream->number,
        .id = g_strdup(stream->id),
        .device = g_strdup(stream->client_id),
        .name = g_strdup(stream->name),
        .user = g_strdup(stream->policy),
        .from = g_strdup(stream->from),
        .resumes = stream->resume.resumes ? g_strdup(stream->resume.ask.id) : NULL,
        .state = stream->state == STREAM_ENDED ? "closing" : hub_stream_state_name(stream->state),
        .waits_for = stream_waits(stream),
        .reason = stream->reason,
        .age = now - stream->begun,
        .answer_in = stream->state == STREAM_ASKED ? MAX(stream->answer_by - now, 0) : -1,
        .deadline_in = early ? MAX(stream->deadline_at - now, 0) : -1,
        .bridged = stream->relay != NULL,
    };
    for (guint i = 0; i < LEG_SIDES; i++) {
        view->bytes[i] = atomic_load_explicit(&stream->meter.bytes[i], memory_order_relaxed);
        view->legs[i] = stream->legs[i] != NULL || stream->relay != NULL;
    }
}

static void
look_add(Look *look, HubStream *stream)
{
    Looked *looked = &look->looked[look->n++];

    looked->look = look;
    looked->question.answered = looked_answered;
    view_fill(&looked->view, stream);
    if (!stream->relay)
        return;
    look->waiting++;
    relay_ask(stream->relay, &looked->question);
}

static void
look_fill(Look *look, const StreamQuery *query)
{
    HubStream *stream = query->id ? streams_find(look->looks->streams, query->id)
                                  : streams_next(look->looks->streams, query->after);

    while (stream && look->n < query->limit) {
        look_add(look, stream);
        stream = query->id || !stream->by_number.next ? NULL : stream->by_number.next->data;
    }
    look->more = stream != NULL;
}

StreamLooks *
stream_looks_new(Streams *streams, Clock *clock)
{
    StreamLooks *looks = g_new0(StreamLooks, 1);

    looks->streams = streams;
    looks->clock = clock;
    return looks;
}

void
stream_looks_free(StreamLooks *looks)
{
    if (!looks)
        return;
    while (looks->under_way.head)
        look_finish(looks->under_way.head->data);
    g_free(looks);
}

void
stream_looks_begin(StreamLooks *looks, const StreamQuery *query, StreamsLooked done, void *data)
{
    Look *look = g_new0(Look, 1);

    look->looks = looks;
    look->link.data = look;
    look->looked = g_new0(Looked, query->limit);
    look->done = done;
    look->data = data;
    look->timer.func = look_too_late;
    g_queue_push_tail_link(&looks->under_way, &look->link);
    look_fill(look, query);
    if (look->waiting == 0)
        look_finish(look);
    else
        clock_set(looks->clock, &look->timer, RELAY_ANSWER);
}
