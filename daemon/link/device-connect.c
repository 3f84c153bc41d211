/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Connects to the target and the leg in parallel. */
#include "daemon/link/device-stream-private.h"

#include "common/base/error.h"
#include "common/codec/stream-url.h"

#include <string.h>

/* Comes last: giving back the place lets another stream begin. */
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

void
device_stream_disconnect(DeviceStream *self)
{
    if (self->turn_timer)
        g_source_remove(self->turn_timer);
    self->turn_timer = 0;
    g_clear_pointer(&self->target_dial, socket_dial_cancel);
    g_clear_pointer(&self->leg_dial, ws_dial_cancel);
    g_clear_pointer(&self->leg, connection_free);
    device_stream_leave_target(self);
}

/* A connected stream counts at its target until it ends. */
static void
device_stream_ended(Stream *stream, void *data)
{
    Target *target = data;

    target->active--;
    target_unref(target);
}

/* The hub sends nothing on the leg before the initiator's leg is there, and closes the leg if that
 * one does not come. This is our own limit in case the hub does not. */
static void
device_stream_set_times(DeviceStream *self)
{
    RelayTimes times = self->owner->context.times;

    times.pair = MAX(self->pair_by - g_get_monotonic_time(), G_TIME_SPAN_SECOND);
    stream_set_leg_times(self->stream, &times);
}

static void
device_stream_pair(DeviceStream *self)
{
    Stream *stream = self->stream;
    AppEnd *end;

    if (!self->leg || !stream_has_local(stream))
        return;
    if (self->target) {
        self->target->active++;
        stream_set_ended(stream, device_stream_ended, target_ref(self->target));
    }
    device_stream_set_times(self);
    device_stream_keep_resume(self);
    stream_attach_leg(stream, g_steal_pointer(&self->leg), self->reactor,
                      self->capable ? self->caps : 0);
    end = g_steal_pointer(&self->app_end);
    device_stream_settle(self);
    if (end)
        app_end_finish(end, NULL);
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
    order_gate_leave(&self->turn);
    device_stream_pair(self);
}

static Reason
device_stream_leg_reason(const GError *error)
{
    if (g_error_matches(error, STREAMD_ERROR, STREAMD_ERROR_UNTRUSTED))
        return REASON_HUB_UNTRUSTED;
    if (g_error_matches(error, STREAMD_ERROR, STREAMD_ERROR_PROXY_REFUSED))
        return REASON_PROXY_REFUSED;
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
        device_stream_fail_here(self, device_stream_leg_reason(error), error->message);
        return;
    }
    self->leg = connection;
    device_stream_pair(self);
}

void
device_stream_dial_leg(DeviceStream *self, const StreamUrl *url, Reactor *reactor, WsDialDone done)
{
    const DeviceStreamsContext *context = &self->owner->context;
    g_autofree char *host = slice_dup(url->host), *path = slice_dup(url->target);
    const WsDialTo to = {.host = host,
                         .port = url->port,
                         .target = path,
                         .proxy = context->proxy,
                         .bearer = self->token};

    self->reactor = reactor;
    self->leg_dial = ws_dial_new(context->runtime, reactor, context->tls, &to, NULL, done, self);
}

static void
device_stream_dial(DeviceStream *self)
{
    g_autofree char *host = NULL;
    StreamUrl url;

    if (!stream_url_parse(slice_of(self->url), &url))
        g_assert_not_reached(); /* it was checked when it came */
    host = slice_dup(url.host);
    stream_set_endpoint(self->stream, host, url.port);
    stream_set_state(self->stream, STREAM_CONNECTING);
    device_stream_dial_leg(self, &url, runtime_pick(self->owner->context.runtime),
                           device_stream_leg_done);
}

static void device_stream_take_turn(DeviceStream *self);

/* The stream has a place at the target: connects target and leg in parallel. */
static void
device_stream_connect(void *data)
{
    DeviceStream *self = data;

    self->has_place = TRUE;
    device_stream_dial(self);
    self->target_dial =
        target_connect(self->target, self->owner->context.runtime, device_stream_target_done, self);
}

static gboolean
device_stream_turn_is_over(gpointer data)
{
    device_stream_take_turn(data);
    return G_SOURCE_REMOVE;
}

/* Keeps the order of the connections at the other end. This comes before the target's own queue. */
static void
device_stream_take_turn(DeviceStream *self)
{
    gint64 left = order_gate_wait(&self->turn, g_get_monotonic_time());

    if (self->turn_timer)
        g_source_remove(self->turn_timer);
    self->turn_timer = 0;
    if (left > 0) {
        self->turn_timer =
            g_timeout_add((guint)((left + 999) / 1000), device_stream_turn_is_over, self);
        return;
    }
    self->waiter = (TargetWaiter){.ready = device_stream_connect, .data = self};
    if (target_take_place(self->target, &self->waiter))
        device_stream_connect(self);
}

/* The stream before this one is connected, or has failed. */
static void
device_stream_turn_came(void *data)
{
    DeviceStream *self = data;

    if (self->turn_timer)
        device_stream_take_turn(self);
}

void
device_stream_line_up(DeviceStream *self, const StreamRequest *request)
{
    StreamOrder order;

    self->turn.ready = device_stream_turn_came;
    self->turn.data = self;
    if (request->capable && request->order &&
        stream_order_parse(request->order, strlen(request->order), &order))
        order_gate_enter(self->owner->gate, &self->turn, request->initiator, &order,
                         g_get_monotonic_time());
}

void
device_stream_to_target(DeviceStream *self, Target *target)
{
    stream_set_target(self->stream, target_name(target));
    self->target = target_ref(target);
    device_stream_take_turn(self);
}

AppEnd *
device_stream_to_app(DeviceStream *self, AppEndDone done, void *data, GError **error)
{
    self->app_end = app_end_new(self->stream, done, data, error);
    if (!self->app_end)
        return NULL;
    device_stream_answer(self, TRUE, REASON_NONE, NULL);
    device_stream_dial(self);
    return self->app_end;
}
