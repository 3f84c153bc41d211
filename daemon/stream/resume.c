/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A stream that survives its legs: how it is suspended and goes on. */
#include "common/base/secret.h"
#include "daemon/stream/struct.h"

#include <string.h>

void
stream_set_resume(Stream *stream, const guint8 secret[STREAM_RESUME_KEY], gint64 time)
{
    stream->resume.wanted = TRUE;
    memcpy(stream->resume.secret, secret, STREAM_RESUME_KEY);
    stream->resume.time = time;
}

void
stream_set_grant(Stream *stream, guint32 rule, const char *digest, const char *address)
{
    stream->resume.rule = rule;
    g_free(stream->resume.grant);
    g_free(stream->resume.grant_address);
    stream->resume.grant = g_strdup(digest);
    stream->resume.grant_address = g_strdup(address);
}

void
stream_set_leg_request(Stream *stream, const char *rid, const char *sid)
{
    g_free(stream->resume.leg_rid);
    g_free(stream->resume.leg_sid);
    stream->resume.leg_rid = g_strdup(rid);
    stream->resume.leg_sid = g_strdup(sid);
    stream->resume.lost = REASON_NONE;
    stream->resume.led = stream->resume.attempt;
}

gboolean
stream_answer(const Stream *stream, Reason reason, StreamAnswer *ret)
{
    const StreamResume *resume = &stream->resume;

    if (!resume->leg_rid && !stream->rid)
        return FALSE;
    *ret = (StreamAnswer){.rid = resume->leg_rid ? resume->leg_rid : stream->rid,
                          .sid = resume->leg_rid ? resume->leg_sid : stream->sid,
                          .reason = reason};
    return TRUE;
}

gboolean
stream_lost_leg(const Stream *stream, StreamAnswer *ret)
{
    return stream->role == STREAM_ROLE_DEVICE && stream->resume.lost != REASON_NONE &&
           stream_answer(stream, stream->resume.lost, ret);
}

void
stream_last_offsets(const Stream *stream, guint64 *ret_consumed, guint64 *ret_limit)
{
    *ret_consumed = stream->resume.consumed;
    *ret_limit = stream->resume.limit;
}

guint32
stream_rule(const Stream *stream)
{
    return stream->resume.rule;
}

const char *
stream_grant(const Stream *stream)
{
    return stream->resume.grant ? stream->resume.grant : "";
}

const char *
stream_grant_address(const Stream *stream)
{
    return stream->resume.grant_address ? stream->resume.grant_address : "";
}

gint64
stream_resume_time(const Stream *stream)
{
    return stream->resume.time;
}

static void
stream_stop_timer(Stream *stream)
{
    if (stream->resume.timer)
        g_source_remove(stream->resume.timer);
    stream->resume.timer = 0;
}

void
stream_resume_clear(Stream *stream)
{
    stream_stop_timer(stream);
    g_clear_pointer(&stream->carrier, carrier_unref);
    g_clear_pointer(&stream->resume.parting, carrier_unref);
    explicit_bzero(stream->resume.secret, sizeof stream->resume.secret);
    g_clear_pointer(&stream->resume.leg_rid, g_free);
    g_clear_pointer(&stream->resume.leg_sid, g_free);
    g_clear_pointer(&stream->resume.grant, g_free);
    g_clear_pointer(&stream->resume.grant_address, g_free);
}

static gboolean
stream_time_is_over(gpointer data)
{
    Stream *stream = data;

    stream->resume.timer = 0;
    stream_give_up(stream);
    return G_SOURCE_REMOVE;
}

void
stream_suspend_since(Stream *stream, guint64 since, gint64 left)
{
    StreamResume *resume = &stream->resume;

    resume->since = since;
    resume->until = g_get_monotonic_time() + left;
    resume->timer = g_timeout_add((guint)((left + 999) / 1000), stream_time_is_over, stream);
}

gboolean
stream_has_settled(gint64 went_on, gint64 now, gboolean advanced)
{
    return advanced || went_on == 0 || now - went_on >= STREAM_SETTLED;
}

/* It has lost a leg after it had talked, and not before: the pause goes on otherwise. */
static void
stream_suspend(Stream *stream, Reason reason, gboolean advanced)
{
    StreamResume *resume = &stream->resume;
    gint64 now = g_get_monotonic_time();

    /* A hub that takes every leg and loses it again must not keep it alive for ever. */
    resume->settled = stream_has_settled(resume->went_on, now, advanced);
    resume->first = reason;
    stream_suspend_since(stream, (guint64)g_get_real_time(),
                         resume->settled ? resume->time : MAX(resume->until - now, 0));
    stream_set_state(stream, STREAM_SUSPENDED);
}

static void
stream_lost(Carrier *carrier, Reason reason, guint64 pending, void *data)
{
    Stream *stream = data;
    gboolean advanced = carrier_take_advance(carrier);

    stream->resume.last = stream->resume.lost = reason;
    stream->resume.pending = pending;
    if (stream->state == STREAM_CLOSING)
        return;
    if (stream->resume.since == 0)
        stream_suspend(stream, reason, advanced);
    stream_table_suspended(stream->table, stream);
}

static void
stream_goes_on(Stream *stream)
{
    StreamResume *resume = &stream->resume;

    stream_stop_timer(stream);
    resume->since = 0;
    resume->went_on = g_get_monotonic_time();
    resume->first = REASON_NONE;
    resume->count++;
    if (stream->state == STREAM_SUSPENDED)
        stream_set_state(stream, STREAM_OPEN);
}

static void
stream_talking(Carrier *carrier G_GNUC_UNUSED, void *data)
{
    Stream *stream = data;

    stream->resume.talks = TRUE;
    if (stream->resume.since > 0)
        stream_goes_on(stream);
}

void
stream_resume_ended(Stream *stream)
{
    stream_stop_timer(stream);
    stream->resume.since = 0;
    g_clear_pointer(&stream->carrier, carrier_unref);
}

static void
stream_parted(Carrier *carrier G_GNUC_UNUSED, gboolean lost, void *data)
{
    Stream *stream = data;

    g_clear_pointer(&stream->resume.parting, carrier_unref);
    stream->unsaid |= lost;
    if (lost)
        stream_table_unsaid(stream->table, stream);
}

static void
stream_carrier_ended(Carrier *carrier, Reason reason, const ResumeFigures *figures, void *data)
{
    Stream *stream = data;

    stream->unsaid = carrier_is_unsaid(carrier);
    stream->resume.known = carrier_is_known(carrier);
    if (carrier_is_parting(carrier))
        stream->resume.parting = g_steal_pointer(&stream->carrier);
    stream->resume.consumed = figures->consumed;
    stream->resume.limit = figures->told_limit;
    stream_resume_ended(stream);
    stream->table->runtime->away--;
    stream_left_ended(stream);
    stream_finish(stream, reason, NULL);
}

static void
stream_take_carrier(Stream *stream, const CarrierOptions *given, ResumeStream *restored)
{
    static const CarrierEvents events = {stream_talking, stream_lost, stream_carrier_ended,
                                         stream_parted};
    CarrierOptions options = *given;

    options.device = stream->role == STREAM_ROLE_DEVICE;
    options.caps = stream->resume.caps;
    options.budget = stream->table->budget;
    options.meter = &stream->meter;
    stream->carrier = carrier_new(stream->resume.reactor, &options, restored, &events,
                                  stream->table->runtime->home, stream);
}

void
stream_carry(Stream *stream, Connection *local, Connection *leg, Reactor *reactor, Caps caps,
             const RelayTimes *times)
{
    stream->resume.reactor = reactor;
    stream->resume.caps = caps;
    stream_take_carrier(stream, &(CarrierOptions){.local = local, .times = *times}, NULL);
    carrier_attach(stream->carrier, leg);
}

void
stream_carry_on(Stream *stream, Connection *local, ResumeStream *restored, gint64 elapsed)
{
    const CarrierOptions options = {
        .local = local, .times = stream_times(stream), .elapsed = elapsed};

    stream->resume.reactor = runtime_pick(stream->table->runtime);
    stream->table->runtime->away++;
    stream_take_carrier(stream, &options, restored);
}

void
stream_resume_leg(Stream *stream, Connection *leg)
{
    if (stream->carrier)
        carrier_attach(stream->carrier, leg);
    else
        connection_free(leg);
}

void
stream_drop_leg(Stream *stream, Reason reason)
{
    if (stream->carrier)
        carrier_detach(stream->carrier, reason);
}

void
stream_ended_there(Stream *stream, Reason reason)
{
    if (!stream->carrier)
        return;
    carrier_ended_there(stream->carrier, reason);
    stream_set_state(stream, STREAM_CLOSING);
}

void
stream_give_up(Stream *stream)
{
    if (!stream->carrier)
        return;
    stream->resume.gave_up = TRUE;
    stream_close(stream, stream->resume.first != REASON_NONE ? stream->resume.first : REASON_CUT);
}

gboolean
stream_gave_up(const Stream *stream)
{
    return stream->resume.gave_up;
}

gboolean
stream_end_is_known(const Stream *stream)
{
    return stream->resume.known;
}

gint64
stream_lost_at(const Stream *stream)
{
    gint64 since = (gint64)stream->resume.since;
    gint64 ago = since > 0 ? g_get_real_time() - since : 0;

    return g_get_monotonic_time() - CLAMP(ago, 0, stream->resume.time);
}

gboolean
stream_is_settled(const Stream *stream)
{
    return stream->resume.settled;
}

gboolean
stream_is_parting(const Stream *stream)
{
    return stream->role == STREAM_ROLE_SERVICE && stream_has_ended(stream) && stream->unsaid &&
           stream->resume.wanted && stream->resume.talks;
}

const guint8 *
stream_resume_secret(const Stream *stream)
{
    return stream->resume.wanted ? stream->resume.secret : NULL;
}

gint64
stream_resume_left(const Stream *stream)
{
    return stream->resume.since > 0 ? MAX(stream->resume.until - g_get_monotonic_time(), 0) : 0;
}

guint64
stream_resume_pending(const Stream *stream)
{
    return stream->resume.pending;
}

guint32
stream_resume_attempt(const Stream *stream)
{
    return stream->resume.attempt;
}

gboolean
stream_awaits_attempt(const Stream *stream, guint32 attempt)
{
    const StreamResume *resume = &stream->resume;

    return attempt > resume->attempt || (attempt == resume->attempt && attempt > resume->led);
}

void
stream_set_resume_attempt(Stream *stream, guint32 attempt)
{
    stream->resume.attempt = attempt;
}

Reactor *
stream_reactor(const Stream *stream)
{
    return stream->resume.reactor;
}

guint64
stream_suspended_since(const Stream *stream)
{
    return stream->resume.since;
}

Reason
stream_suspended_for(const Stream *stream)
{
    return stream->resume.last;
}

guint
stream_resumes(const Stream *stream)
{
    return stream->resume.count;
}

gboolean
stream_is_resumable(const Stream *stream)
{
    return stream->resume.talks;
}
