/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Streams that survive their legs, on the accepting side (docs/wire-protocol.md, section 8a): what
 * is kept of a new one, and what is answered to a service that leads one back. */
#include "daemon/link/device-stream-private.h"

#include <string.h>

/* Both look the same to whoever asks: there is no such stream, and the key is not its. */
static void
device_resume_unknown(DeviceStream *self)
{
    device_stream_fail(self, REASON_RESUME_UNKNOWN, NULL);
}

void
device_stream_note_key(DeviceStream *self, const StreamRequest *request)
{
    guint8 key[RESUME_KEY_LEN];

    if (!(self->caps & CAP_RESUME) || !request->rkey || !self->sid ||
        self->owner->context.resume_time <= 0 ||
        !resume_key_parse(request->rkey, strlen(request->rkey), key)) {
        self->caps &= ~(Caps)CAP_RESUME;
        return;
    }
    resume_key_digest(key, self->digest);
    explicit_bzero(key, sizeof key);
}

void
device_stream_allow_resume(DeviceStream *self, const AcceptVerdict *verdict)
{
    self->resume_time = self->owner->context.resume_time;
    if (verdict->resume_time > 0)
        self->resume_time = MIN(self->resume_time, verdict->resume_time);
    if (verdict->resume_time == ACCEPT_NO_RESUME)
        self->caps &= ~(Caps)CAP_RESUME;
    if (self->caps & CAP_RESUME)
        self->grant = accept_policy_digest(self->owner->context.policy, self->rule);
}

void
device_stream_keep_resume(DeviceStream *self)
{
    if (!(self->caps & CAP_RESUME))
        return;
    stream_set_resume(self->stream, self->digest, self->resume_time);
    stream_set_grant(self->stream, self->rule, self->grant,
                     self->target ? target_address(self->target) : "");
}

/* The rule that had let it in, as it was then, would do so from where the service is now. */
static gboolean
device_resume_is_admitted(const DeviceStream *self, const Stream *stream,
                          const StreamRequest *request)
{
    const DeviceStreamsContext *context = &self->owner->context;
    const AcceptRequest asked = {
        .hub = context->hub,
        .stream = request->name,
        .initiator = request->initiator,
        .address = request->from,
    };
    g_autofree char *rule = accept_policy_digest(context->policy, stream_rule(stream));

    return strcmp(rule, stream_grant(stream)) == 0 &&
           accept_policy_admits(context->policy, stream_rule(stream), &asked);
}

static gboolean
device_resume_has_target(const DeviceStream *self, const Stream *stream)
{
    const DeviceStreamsContext *context = &self->owner->context;
    const char *name = stream_target(stream);
    Target *target = *name ? context->find_target(name, context->data) : NULL;

    return !*name || (target && strcmp(target_address(target), stream_grant_address(stream)) == 0);
}

/* An app that has its end is there as long as the stream is: the carrier notices when it lets go.
 * It need not be registered, and is not yet when this program has just been restarted. */
static gboolean
device_resume_has_owner(const DeviceStream *self, const Stream *stream)
{
    const DeviceStreamsContext *context = &self->owner->context;
    const AcceptRule *rule = accept_policy_find(context->policy, stream_rule(stream));

    return !rule || rule->kind != ACCEPT_HANDLER || stream_is_taken(stream) ||
           handlers_find(context->handlers, rule->handler_uid, rule->handler);
}

/* REASON_NONE: it may go on. */
static Reason
device_resume_judge(const DeviceStream *self, const Stream *stream, const StreamRequest *request,
                    guint32 attempt)
{
    if (!stream_awaits_attempt(stream, attempt))
        return REASON_RESUME_STALE;
    if (!device_resume_is_admitted(self, stream, request))
        return REASON_POLICY;
    if (!device_resume_has_target(self, stream))
        return REASON_NO_TARGET;
    return device_resume_has_owner(self, stream) ? REASON_NONE : REASON_NO_HANDLER;
}

static void
device_resume_ended(DeviceStream *self, const ResumeAsk *ask)
{
    const DeviceStreamsContext *context = &self->owner->context;
    const Tombstone *tombstone =
        tombstones_find(context->tombstones, context->hub, ask->id, g_get_monotonic_time());

    if (tombstone && resume_digest_equals(tombstone->digest, self->digest))
        device_stream_fail(self, REASON_ENDED, reason_code(tombstone->reason));
    else
        device_resume_unknown(self);
}

/* A later attempt may have come, or the stream may have ended meanwhile. */
static void
device_resume_leg_done(Connection *connection, const GError *error, void *data)
{
    DeviceStream *self = data;
    Stream *stream = stream_table_find(self->owner->context.table, self->resumed);

    self->leg_dial = NULL;
    if (error) {
        g_debug("the leg of stream %" G_GUINT64_FORMAT " did not come back: %s", self->resumed,
                error->message);
    } else if (!stream || stream_has_ended(stream) ||
               stream_resume_attempt(stream) != self->attempt ||
               !stream_awaits_attempt(stream, self->attempt)) {
        connection_free(connection);
    } else {
        stream_set_leg_request(stream, self->rid, self->sid);
        stream_resume_leg(stream, connection);
    }
    device_stream_settle(self);
}

static void
device_resume_accept(DeviceStream *self, Stream *stream, guint32 attempt)
{
    StreamUrl url;

    self->resumed = stream_id(stream);
    self->attempt = attempt;
    self->rule = stream_rule(stream);
    stream_set_resume_attempt(stream, attempt);
    device_stream_answer(self, TRUE, REASON_NONE, NULL);
    stream_drop_leg(stream, REASON_CUT);
    if (!stream_url_parse(slice_of(self->url), &url))
        g_assert_not_reached(); /* it was checked when it came */
    device_stream_dial_leg(self, &url, stream_reactor(stream), device_resume_leg_done);
}

/* Who asks has proved the key, and ends with that answer: so does the stream here. An old attempt
 * says nothing about the stream. */
static void
device_resume_refuse(DeviceStream *self, Stream *stream, Reason reason)
{
    device_stream_fail(self, reason, NULL);
    if (reason != REASON_RESUME_STALE)
        stream_close(stream, reason);
}

void
device_stream_resume(DeviceStream *self, const StreamRequest *request)
{
    const DeviceStreamsContext *context = &self->owner->context;
    Stream *stream;
    ResumeAsk ask;
    Reason reason;

    if (!(self->caps & CAP_RESUME) ||
        !resume_ask_parse(request->resume, strlen(request->resume), RESUME_ASK_TOPIC, &ask)) {
        device_resume_unknown(self);
        return;
    }
    stream = stream_table_find_resume(context->table, context->hub, ask.id);
    if (!stream) {
        device_resume_ended(self, &ask);
    } else if (!resume_digest_equals(stream_resume_secret(stream), self->digest) ||
               strcmp(stream_name(stream), request->name) != 0 || !stream_reactor(stream)) {
        device_resume_unknown(self);
    } else {
        reason = device_resume_judge(self, stream, request, ask.attempt);
        if (reason == REASON_NONE)
            device_resume_accept(self, stream, ask.attempt);
        else
            device_resume_refuse(self, stream, reason);
    }
}
