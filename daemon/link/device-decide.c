/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Decides about a stream: by the policy, or by the person or app that the policy names. */
#include "daemon/link/device-stream-private.h"

#include "common/base/error.h"

#include <unistd.h>

/* The initiator is not told which limit was reached. */
static void
device_stream_over_limit(DeviceStream *self, const GError *error)
{
    device_stream_fail_here(self, REASON_LIMIT, error->message);
}

static gboolean
device_stream_count_target(DeviceStream *self, const Target *target, GError **error)
{
    g_autofree char *what = g_strconcat("target ", target_name(target), NULL);

    return stream_limit(self->stream, what, target_limits(target), error);
}

static gboolean
device_stream_count_rule(DeviceStream *self, const AcceptVerdict *verdict, GError **error)
{
    g_autofree char *what = g_strdup_printf("rule %u", verdict->rule);

    if (verdict->kind == ACCEPT_REJECT || verdict->rule == 0)
        return TRUE;
    return stream_limit(self->stream, what, &verdict->limits, error);
}

static void
device_stream_go_to(DeviceStream *self, const char *name)
{
    const DeviceStreamsContext *context = &self->owner->context;
    Target *target = context->find_target(name, context->data);
    g_autoptr(GError) error = NULL;

    if (!target) {
        device_stream_fail(self, REASON_NO_TARGET, NULL);
    } else if (!device_stream_count_target(self, target, &error)) {
        stream_set_target(self->stream, name);
        device_stream_over_limit(self, error);
    } else {
        device_stream_to_target(self, target);
    }
}

/* WANTED, clamped to the hub's deadline. */
static gint64
device_stream_time(const DeviceStream *self, gint64 wanted)
{
    gint64 left = MAX(self->deadline_at - g_get_monotonic_time(), 0);

    return MIN(wanted, left - MIN(DEVICE_CONNECT_TIME, left / 4));
}

void
device_stream_stop_asking(DeviceStream *self)
{
    g_clear_pointer(&self->consent, consent_withdraw);
    g_clear_pointer(&self->ask, handler_ask_cancel);
}

static AppEnd *
decide_accept(guint32 uid, AppEndDone done, void *done_data, void *data, GError **error)
{
    DeviceStream *self = data;
    AppEnd *end;

    if (!stream_take(self->stream, uid, error))
        return NULL;
    end = device_stream_to_app(self, done, done_data, error);
    if (end)
        self->consent = NULL;
    return end;
}

static gboolean
decide_accept_to(const char *target, void *data, GError **error)
{
    DeviceStream *self = data;
    const DeviceStreamsContext *context = &self->owner->context;
    Target *found = context->find_target(target, context->data);

    if (!found) {
        g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_NOT_FOUND, "there is no target \"%s\"",
                    target);
        return FALSE;
    }
    /* If this target is full, one may still choose another, or wait for a stream to end. */
    if (!device_stream_count_target(self, found, error))
        return FALSE;
    self->consent = NULL;
    device_stream_to_target(self, found);
    return TRUE;
}

static void
decide_refuse(Reason reason, const char *text, void *data)
{
    DeviceStream *self = data;

    self->consent = NULL;
    device_stream_fail(self, reason, text);
}

static const ConsentOps decide_ops = {
    .accept = decide_accept,
    .accept_to = decide_accept_to,
    .refuse = decide_refuse,
};

static void
device_stream_ask_person(DeviceStream *self, const AcceptVerdict *verdict)
{
    Consents *consents = self->owner->context.consents;
    const ConsentInfo info = {
        .stream = self->stream,
        .rule = verdict->rule,
        .target = verdict->target,
        .timeout = device_stream_time(self, verdict->ask_timeout),
    };

    if (consents_agents(consents) == 0) {
        device_stream_fail(self, REASON_NO_CONSENT, "no agent on the device can be asked");
        return;
    }
    self->consent = consent_new(consents, &info, &decide_ops, self);
    if (!self->consent)
        device_stream_fail(self, REASON_LIMIT, "too many streams wait for consent");
}

static HandlerStream
device_stream_describe(const DeviceStream *self, Stream *stream, gint64 timeout)
{
    return (HandlerStream){
        .stream = stream,
        .rule = self->rule,
        .deadline = timeout > 0 ? (guint64)(g_get_real_time() + timeout) : 0,
    };
}

/* The stream is open, or has failed. In that case the handler learns it from the Stream. */
static void
device_stream_deliver(Stream *stream, int fd, const GError *error, void *data)
{
    DeviceStream *self = data;
    const HandlerStream what = device_stream_describe(self, stream, 0);

    if (error || handlers_deliver(self->owner->context.handlers, self->handler, &what, fd))
        return;
    stream_close(stream, REASON_LOCAL_CUT);
    close(fd);
}

/* The policy may have changed before the app answered. */
static gboolean
device_stream_rule_stands(const DeviceStream *self)
{
    const AcceptRule *rule = accept_policy_find(self->owner->context.policy, self->rule);

    return rule && rule->kind == ACCEPT_HANDLER &&
           rule->handler_uid == stream_owner_uid(self->stream);
}

static void
device_stream_handler_answered(Reason reason, const char *text, void *data)
{
    DeviceStream *self = data;
    g_autoptr(GError) error = NULL;

    self->ask = NULL;
    if (reason != REASON_NONE)
        device_stream_fail(self, reason, text);
    else if (!device_stream_rule_stands(self))
        device_stream_fail(self, REASON_NO_HANDLER, "the rule for this stream has been removed");
    else if (!device_stream_to_app(self, device_stream_deliver, self, &error))
        device_stream_fail(self, REASON_LIMIT, NULL);
}

static void
device_stream_ask_handler(DeviceStream *self, const AcceptVerdict *verdict)
{
    Handlers *handlers = self->owner->context.handlers;
    Handler *handler = handlers_find(handlers, verdict->handler_uid, verdict->handler);
    gint64 timeout = device_stream_time(self, HANDLER_ANSWER_TIME);
    const HandlerStream what = device_stream_describe(self, self->stream, timeout);

    if (!handler) {
        device_stream_fail(self, REASON_NO_HANDLER, NULL);
        return;
    }
    if (!stream_take(self->stream, verdict->handler_uid, NULL)) {
        device_stream_fail(self, REASON_LIMIT, "the user of the app has too many streams");
        return;
    }
    self->handler = handler_id(handler);
    self->ask = handler_ask(handler, &what, timeout, device_stream_handler_answered, self);
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

void
device_stream_decide(DeviceStream *self, const StreamRequest *request)
{
    AcceptVerdict verdict = device_stream_judge(&self->owner->context, request);
    g_autoptr(GError) error = NULL;

    self->rule = verdict.rule;
    device_stream_allow_resume(self, &verdict);
    stream_set_state(self->stream, STREAM_DECIDING);
    if (self->owner->context.decided)
        self->owner->context.decided(self->stream, &verdict);
    if (!device_stream_count_rule(self, &verdict, &error)) {
        device_stream_over_limit(self, error);
        return;
    }
    if (verdict.kind == ACCEPT_ASK || verdict.kind == ACCEPT_HANDLER)
        order_gate_leave(&self->turn); /* this may take long: no other stream waits for it */
    switch (verdict.kind) {
    case ACCEPT_TARGET:
        device_stream_go_to(self, verdict.target);
        break;
    case ACCEPT_HANDLER:
        device_stream_ask_handler(self, &verdict);
        break;
    case ACCEPT_ASK:
        device_stream_ask_person(self, &verdict);
        break;
    case ACCEPT_REJECT:
        device_stream_fail(self, REASON_POLICY, verdict.reject_text);
        break;
    }
}
