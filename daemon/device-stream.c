/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/device-stream.h"

#include "common/device-id.h"
#include "common/error.h"
#include "common/stream-url.h"
#include "daemon/app-journal.h"
#include "daemon/ws-dial.h"

#include <string.h>
#include <unistd.h>

struct DeviceStreams {
    DeviceStreamsContext context;
    GQueue all; /* DeviceStream, the oldest first */
    guint pending;
};

typedef struct {
    DeviceStreams *owner;
    GList link;
    char *rid, *token, *url;
    char *answer; /* the topic, once decided */
    gboolean capable;
    Caps caps;
    gboolean pending;
    guint64 stream_id;
    Stream *stream; /* NULL once open or ended */
    Target *target;
    TargetWaiter waiter;
    gboolean has_place; /* among those that the target takes at once */
    Reactor *reactor;
    SocketDial *target_dial;
    WsDial *leg_dial;
    Connection *leg; /* up before the target was */
    guint deadline;
} DeviceStream;

static void
device_stream_answer(DeviceStream *self, gboolean accepted, Reason reason, const char *text)
{
    g_autoptr(GString) topic = g_string_new(NULL);
    StreamAnswer answer = {.accepted = accepted, .rid = self->rid};

    if (self->capable) {
        answer.caps = accepted ? self->caps : 0;
        answer.reason = accepted ? REASON_NONE : reason;
        answer.reason_text = accepted ? NULL : text;
    }
    if (stream_answer_build(topic, &answer) != STREAM_TOPIC_OK)
        return; /* a rid that cannot be echoed: the hub runs into its time-out */
    self->answer = g_strdup(topic->str);
    (void)self->owner->context.publish(self->answer, self->owner->context.data);
}

/* Giving the place back lets another stream begin, so this comes last. */
static void
device_stream_leave_target(DeviceStream *self)
{
    g_autoptr(Target) target = g_steal_pointer(&self->target);
    gboolean had_place = self->has_place;

    if (!target)
        return;
    self->has_place = FALSE;
    target_stop_waiting(target, &self->waiter);
    if (had_place)
        target_give_place(target);
}

/* The handshake's part is over; the entry stays until its deadline, to answer again. */
static void
device_stream_settle(DeviceStream *self)
{
    g_clear_pointer(&self->target_dial, socket_dial_cancel);
    g_clear_pointer(&self->leg_dial, ws_dial_cancel);
    g_clear_pointer(&self->leg, connection_free);
    if (self->pending)
        self->owner->pending--;
    self->pending = FALSE;
    self->stream = NULL;
    device_stream_leave_target(self);
}

static void
device_stream_free(DeviceStream *self)
{
    device_stream_settle(self);
    if (self->deadline)
        g_source_remove(self->deadline);
    g_queue_unlink(&self->owner->all, &self->link);
    g_free(self->rid);
    explicit_bzero(self->token, strlen(self->token));
    g_free(self->token);
    g_free(self->url);
    g_free(self->answer);
    g_free(self);
}

/* Ends the stream before it was open, and says so to the hub unless it was told already. */
static void
device_stream_fail(DeviceStream *self, Reason reason, const char *text)
{
    Stream *stream = self->stream;

    if (!self->answer)
        device_stream_answer(self, FALSE, reason, text);
    device_stream_settle(self);
    if (stream)
        stream_fail(stream, reason, text && *text ? text : NULL);
}

/* stream_close: the stream ends itself. */
static void
device_stream_cancelled(void *data)
{
    DeviceStream *self = data;

    if (!self->answer)
        device_stream_answer(self, FALSE, REASON_REJECTED, NULL);
    device_stream_settle(self);
}

/* A stream that is connected to its target counts there until it ends. */
static void
device_stream_ended(Stream *stream, void *data)
{
    Target *target = data;

    target->active--;
    target_unref(target);
}

static void
device_stream_pair(DeviceStream *self)
{
    Stream *stream = self->stream;

    if (!self->leg || !stream_has_local(stream))
        return;
    self->target->active++;
    stream_set_ended(stream, device_stream_ended, target_ref(self->target));
    stream_attach_leg(stream, g_steal_pointer(&self->leg), self->reactor,
                      self->capable ? self->caps : 0);
    device_stream_settle(self);
}

static void
device_stream_target_done(int fd, const GError *error, void *data)
{
    DeviceStream *self = data;
    Reason reason;

    self->target_dial = NULL;
    if (fd < 0) {
        reason = target_failure(error);
        device_stream_fail(self, reason, NULL);
        return;
    }
    stream_set_local(self->stream, connection_new(fd));
    device_stream_answer(self, TRUE, REASON_NONE, NULL);
    device_stream_pair(self);
}

static Reason
device_stream_leg_reason(const GError *error)
{
    if (g_error_matches(error, STREAMD_ERROR, STREAMD_ERROR_UNTRUSTED))
        return REASON_HUB_UNTRUSTED;
    if (g_error_matches(error, STREAMD_ERROR, STREAMD_ERROR_UNREACHABLE) ||
        g_error_matches(error, STREAMD_ERROR, STREAMD_ERROR_TIMED_OUT))
        return REASON_HUB_UNREACHABLE;
    return REASON_HUB_ERROR;
}

static void
device_stream_leg_done(Connection *connection, const GError *error, void *data)
{
    DeviceStream *self = data;

    self->leg_dial = NULL;
    if (error) {
        device_stream_fail(self, device_stream_leg_reason(error), error->message);
        return;
    }
    self->leg = connection;
    device_stream_pair(self);
}

static gboolean
device_stream_deadline(gpointer data)
{
    DeviceStream *self = data;

    self->deadline = 0;
    if (self->pending)
        device_stream_fail(self, REASON_NOT_PAIRED, NULL);
    device_stream_free(self);
    return G_SOURCE_REMOVE;
}

/* A place at the target is ours: target and leg, side by side. */
static void
device_stream_connect(void *data)
{
    DeviceStream *self = data;
    const DeviceStreamsContext *context = &self->owner->context;
    g_autofree char *host = NULL, *path = NULL;
    WsDialTo to = {.bearer = self->token};
    StreamUrl url;

    self->has_place = TRUE;
    if (!stream_url_parse(slice_of(self->url), &url)) {
        device_stream_fail(self, REASON_PROTOCOL, "the hub gave a malformed URL");
        return;
    }
    to.host = host = slice_dup(url.host);
    to.target = path = slice_dup(url.target);
    to.port = url.port;
    self->reactor = runtime_pick(context->runtime);
    stream_set_state(self->stream, STREAM_CONNECTING);
    self->target_dial =
        target_connect(self->target, context->runtime, device_stream_target_done, self);
    self->leg_dial = ws_dial_new(context->runtime, self->reactor, context->tls, &to, NULL,
                                 device_stream_leg_done, self);
}

static void
device_stream_go_to(DeviceStream *self, const char *name)
{
    const DeviceStreamsContext *context = &self->owner->context;
    Target *target = context->find_target(name, context->data);

    if (!target) {
        device_stream_fail(self, REASON_NO_TARGET, NULL);
        return;
    }
    self->target = target_ref(target);
    self->waiter = (TargetWaiter){.ready = device_stream_connect, .data = self};
    stream_set_target(self->stream, target_name(target));
    stream_set_handshake(self->stream, device_stream_cancelled, self);
    if (target_take_place(target, &self->waiter))
        device_stream_connect(self);
}

static AcceptVerdict
device_stream_judge(const DeviceStreamsContext *context, const StreamRequest *request)
{
    const AcceptRequest asked = {
        .hub = context->hub,
        .stream = request->name,
        .initiator = request->initiator,
        .address = request->from,
        .at = g_get_real_time(),
    };

    return accept_policy_test(context->policy, &asked, NULL, NULL);
}

/* Policy, then what it names. */
static void
device_stream_decide(DeviceStream *self, const StreamRequest *request)
{
    AcceptVerdict verdict = device_stream_judge(&self->owner->context, request);

    stream_set_state(self->stream, STREAM_DECIDING);
    app_journal_decided(self->stream, &verdict);
    switch (verdict.kind) {
    case ACCEPT_TARGET:
        device_stream_go_to(self, verdict.target);
        break;
    case ACCEPT_HANDLER:
        device_stream_fail(self, REASON_NO_HANDLER, NULL);
        break;
    case ACCEPT_ASK:
        device_stream_fail(self, REASON_NO_CONSENT, NULL);
        break;
    case ACCEPT_REJECT:
        device_stream_fail(self, REASON_POLICY, verdict.reject_text);
        break;
    }
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
        .owner_uid = getuid(),
    };

    if (streams->pending >= DEVICE_PENDING_MAX)
        return NULL;
    return stream_new(context->table, &info, NULL);
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
    self->token = g_strdup(request->token);
    self->url = g_strdup(request->url);
    self->capable = request->capable;
    self->caps = request->caps;
    self->deadline = g_timeout_add((guint)(left / 1000), device_stream_deadline, self);
    g_queue_push_tail_link(&streams->all, &self->link);
    return self;
}

/* The hub itself tells both, so there is nothing to be guessed here. */
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

/* Room for one more: an entry that was only kept to answer again goes first. */
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

void
device_streams_request(DeviceStreams *streams, const StreamRequest *request)
{
    DeviceStream *self = device_streams_find(streams, request);

    if (self && self->answer)
        (void)streams->context.publish(self->answer, streams->context.data);
    if (self || !device_streams_make_room(streams))
        return;
    self = device_stream_new(streams, request);
    if (!stream_name_is_valid(request->name, -1)) {
        device_stream_fail(self, REASON_POLICY, "no stream has such a name");
        return;
    }
    self->stream = device_stream_object(streams, request);
    if (!self->stream) {
        device_stream_fail(self, REASON_LIMIT, NULL);
        return;
    }
    self->stream_id = stream_id(self->stream);
    self->pending = TRUE;
    streams->pending++;
    device_stream_decide(self, request);
}

/* Accepted, and nothing has come from the other side yet: perhaps the hub does not know. */
static gboolean
device_stream_is_unheard(const DeviceStream *self)
{
    const Stream *stream = stream_table_find(self->owner->context.table, self->stream_id);

    return self->answer && stream && !stream_has_ended(stream) && stream_bytes_in(stream) == 0;
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
    return streams;
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
    g_free(streams);
}

guint
device_streams_pending(const DeviceStreams *streams)
{
    return streams->pending;
}
