/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/link/device-stream-private.h"

#include "common/base/error.h"
#include "common/codec/device-id.h"
#include "common/codec/stream-url.h"

#include <string.h>
#include <unistd.h>

void
device_stream_answer(DeviceStream *self, gboolean accepted, Reason reason, const char *text)
{
    g_autoptr(GString) topic = g_string_new(NULL);
    StreamAnswer answer = {.accepted = accepted, .rid = self->rid, .sid = self->sid};
    g_autofree char *rule = self->rule > 0 ? g_strdup_printf("%u", self->rule) : NULL;

    if (self->capable) {
        answer.caps = accepted ? self->caps : 0;
        answer.reason = accepted ? REASON_NONE : reason;
        answer.reason_text = accepted ? NULL : text;
        answer.rule = self->sid ? rule : NULL;
    }
    if (stream_answer_build(topic, &answer) != STREAM_TOPIC_OK)
        return; /* the rid cannot be sent back: the hub will time out */
    self->answer = g_strdup(topic->str);
    (void)self->owner->context.publish(self->answer, self->owner->context.data);
}

void
device_stream_settle(DeviceStream *self)
{
    if (self->pending)
        self->owner->pending--;
    self->pending = FALSE;
    self->stream = NULL;
    device_stream_stop_asking(self);
    device_stream_disconnect(self);
    order_gate_leave(&self->turn);
}

static void
device_stream_free(DeviceStream *self)
{
    device_stream_settle(self);
    if (self->deadline)
        g_source_remove(self->deadline);
    g_queue_unlink(&self->owner->all, &self->link);
    g_free(self->rid);
    g_free(self->sid);
    explicit_bzero(self->token, strlen(self->token));
    g_free(self->token);
    g_free(self->url);
    g_free(self->grant);
    g_free(self->answer);
    g_free(self);
}

static StreamdError
error_of_reason(Reason reason)
{
    switch (reason) {
    case REASON_HUB_UNREACHABLE:
        return STREAMD_ERROR_UNREACHABLE;
    case REASON_HUB_UNTRUSTED:
        return STREAMD_ERROR_UNTRUSTED;
    case REASON_NOT_PAIRED:
        return STREAMD_ERROR_TIMED_OUT;
    case REASON_HUB_ERROR:
    case REASON_PROTOCOL:
        return STREAMD_ERROR_PROTOCOL;
    default:
        return STREAMD_ERROR_CANCELLED;
    }
}

/* Tells the app that was to get the stream why it does not get it. */
static void
device_stream_fail_app(AppEnd *end, Reason reason, const char *text)
{
    g_autoptr(GError) error = g_error_new_literal(STREAMD_ERROR, (gint)error_of_reason(reason),
                                                  text && *text ? text : reason_text(reason));

    app_end_finish(end, error);
}

static void
device_stream_end(DeviceStream *self, Reason reason, const char *text)
{
    AppEnd *end = g_steal_pointer(&self->app_end);
    Stream *stream = self->stream;

    device_stream_settle(self);
    if (stream)
        stream_fail(stream, reason, text && *text ? text : NULL);
    if (end)
        device_stream_fail_app(end, reason, text);
}

void
device_stream_fail(DeviceStream *self, Reason reason, const char *text)
{
    if (!self->answer)
        device_stream_answer(self, FALSE, reason, text);
    device_stream_end(self, reason, text);
}

void
device_stream_fail_here(DeviceStream *self, Reason reason, const char *text)
{
    if (!self->answer)
        device_stream_answer(self, FALSE, reason, NULL);
    device_stream_end(self, reason, text);
}

/* stream_close: the stream ends itself. */
static void
device_stream_cancelled(void *data)
{
    DeviceStream *self = data;
    AppEnd *end = g_steal_pointer(&self->app_end);

    if (!self->answer)
        device_stream_answer(self, FALSE, REASON_REJECTED, NULL);
    device_stream_settle(self);
    if (end)
        device_stream_fail_app(end, REASON_CLOSED_BY_USER, NULL);
}

/* The time for the answer is over. A stream that was accepted by then may take longer to open. */
static gboolean
device_stream_deadline(gpointer data)
{
    DeviceStream *self = data;
    gint64 left = self->pair_by - g_get_monotonic_time();

    self->deadline = 0;
    if (self->pending && self->answer && left > G_TIME_SPAN_SECOND) {
        self->deadline = g_timeout_add((guint)(left / 1000), device_stream_deadline, self);
        return G_SOURCE_REMOVE;
    }
    if (self->pending)
        device_stream_fail(self, REASON_NOT_PAIRED, NULL);
    device_stream_free(self);
    return G_SOURCE_REMOVE;
}

static Stream *
device_stream_object(DeviceStreams *streams, const StreamRequest *request)
{
    const DeviceStreamsContext *context = &streams->context;
    const StreamInfo info = {
        .id = context->next_id(context->data),
        .role = STREAM_ROLE_DEVICE,
        .hub = context->hub,
        .device = context->device,
        .name = request->name,
        .initiator = request->initiator,
        .address = request->from,
        .hub_id = request->sid,
        .owner_uid = getuid(),
    };

    Stream *stream;

    if (streams->pending >= DEVICE_PENDING_MAX)
        return NULL;
    stream = stream_new(context->table, &info, NULL);
    if (stream)
        stream_set_leg_times(stream, &context->times);
    return stream;
}

static DeviceStream *
device_stream_new(DeviceStreams *streams, const StreamRequest *request)
{
    DeviceStream *self = g_new0(DeviceStream, 1);
    gint64 left = DEVICE_DEADLINE;

    if (request->capable && request->deadline >= 0)
        left = MIN(left, request->deadline * G_TIME_SPAN_MILLISECOND);
    self->owner = streams;
    self->link.data = self;
    self->rid = g_strdup(request->rid);
    self->sid = g_strdup(request->sid);
    self->token = g_strdup(request->token);
    self->url = g_strdup(request->url);
    self->capable = request->capable;
    self->deadline_at = g_get_monotonic_time() + left;
    self->pair_by = g_get_monotonic_time() + DEVICE_DEADLINE;
    self->caps = request->caps;
    device_stream_note_key(self, request);
    self->deadline = g_timeout_add((guint)(left / 1000), device_stream_deadline, self);
    g_queue_push_tail_link(&streams->all, &self->link);
    return self;
}

/* The hub chooses rid and token, so both together identify the stream. */
static DeviceStream *
device_streams_find(DeviceStreams *streams, const StreamRequest *request)
{
    for (GList *l = streams->all.tail; l; l = l->prev) {
        DeviceStream *self = l->data;

        if (g_str_equal(self->rid, request->rid) && g_str_equal(self->token, request->token))
            return self;
    }
    return NULL;
}

/* Makes room for one more. An entry that was only kept to answer again goes first. */
static gboolean
device_streams_make_room(DeviceStreams *streams)
{
    if (streams->all.length < DEVICE_REMEMBERED_MAX)
        return TRUE;
    for (GList *l = streams->all.head; l; l = l->next) {
        DeviceStream *self = l->data;

        if (!self->pending) {
            device_stream_free(self);
            return TRUE;
        }
    }
    return FALSE;
}

/* A hub under an attacker's control might send us to hosts of our own network. */
static gboolean
device_stream_may_go(DeviceStream *self, const StreamUrl *url)
{
    g_autofree char *host = slice_dup(url->host), *text = NULL;

    if (stream_hosts_allow(self->owner->context.stream_hosts, host, url->port))
        return TRUE;
    text = stream_hosts_refusal(host, url->port);
    device_stream_fail_here(self, REASON_BAD_URL, text);
    return FALSE;
}

static void
device_stream_lead_back(DeviceStream *self, const StreamRequest *request, const StreamUrl *url)
{
    if (self->owner->pending >= DEVICE_PENDING_MAX) {
        device_stream_fail(self, REASON_LIMIT, NULL);
        return;
    }
    self->pending = TRUE;
    self->owner->pending++;
    if (device_stream_may_go(self, url))
        device_stream_resume(self, request);
}

void
device_streams_request(DeviceStreams *streams, const StreamRequest *request)
{
    DeviceStream *self = device_streams_find(streams, request);
    StreamUrl url;

    /* The hub asks the next process, when that is there. */
    if (request->resume && stream_table_leaves(streams->context.table))
        return;
    if (self && self->answer)
        (void)streams->context.publish(self->answer, streams->context.data);
    if (self || !device_streams_make_room(streams))
        return;
    self = device_stream_new(streams, request);
    if (!stream_name_is_valid(request->name, -1)) {
        device_stream_fail(self, REASON_POLICY, "no stream has such a name");
        return;
    }
    if (!stream_url_parse(slice_of(request->url), &url)) {
        device_stream_fail(self, REASON_PROTOCOL, "the hub gave a malformed URL");
        return;
    }
    if (request->resume) {
        device_stream_lead_back(self, request, &url);
        return;
    }
    self->stream = device_stream_object(streams, request);
    if (!self->stream) {
        device_stream_fail(self, REASON_LIMIT, NULL);
        return;
    }
    if (self->capable)
        stream_set_request(self->stream, self->rid, self->sid);
    self->pending = TRUE;
    streams->pending++;
    stream_set_handshake(self->stream, device_stream_cancelled, self);
    device_stream_line_up(self, request);
    if (device_stream_may_go(self, &url))
        device_stream_decide(self, request);
}

/* The stream was accepted, and the leg is not up yet: the hub may have missed the answer and still
 * wait for it. Once the leg is up, a hub without the answer asks again. */
static gboolean
device_stream_is_unheard(const DeviceStream *self)
{
    return self->pending && self->answer && !self->leg &&
           g_get_monotonic_time() < self->deadline_at;
}

void
device_streams_link_ready(DeviceStreams *streams)
{
    for (GList *l = streams->all.head; l; l = l->next) {
        DeviceStream *self = l->data;

        if (device_stream_is_unheard(self))
            (void)streams->context.publish(self->answer, streams->context.data);
    }
}

DeviceStreams *
device_streams_new(const DeviceStreamsContext *context)
{
    DeviceStreams *streams = g_new0(DeviceStreams, 1);

    streams->context = *context;
    g_queue_init(&streams->all);
    streams->gate = order_gate_new();
    return streams;
}

void
device_streams_set_hosts(DeviceStreams *streams, const StreamHosts *hosts)
{
    streams->context.stream_hosts = hosts;
}

void
device_streams_free(DeviceStreams *streams)
{
    if (!streams)
        return;
    while (streams->all.head) {
        DeviceStream *self = streams->all.head->data;

        if (self->pending)
            device_stream_fail(self, REASON_STOPPING, NULL);
        device_stream_free(self);
    }
    order_gate_free(streams->gate);
    g_free(streams);
}

guint
device_streams_pending(const DeviceStreams *streams)
{
    return streams->pending;
}
