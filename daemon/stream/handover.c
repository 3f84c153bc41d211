/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/stream/handover.h"

#include "daemon/stream/struct.h"

#include <string.h>

gboolean
stream_may_be_left(const Stream *stream)
{
    return stream->carrier && stream->resume.talks &&
           (stream->state == STREAM_OPEN || stream->state == STREAM_SUSPENDED);
}

static void
stream_tell_frozen(Stream *stream, gboolean left)
{
    StreamFrozen frozen = stream->left.frozen;

    stream->left.frozen = NULL;
    if (frozen)
        frozen(stream, left, stream->left.data);
}

static void
stream_frozen(Carrier *carrier G_GNUC_UNUSED, Connection *local, const ResumeStream *resume,
              gint64 elapsed, void *data)
{
    Stream *stream = data;

    if (local) {
        stream->left.local = local;
        stream->left.resume = resume;
        stream->left.elapsed = elapsed;
        stream->table->runtime->away--;
        if (stream->ended) /* it is over for who counts it here */
            stream->ended(stream, stream->ended_data);
    }
    stream_tell_frozen(stream, local != NULL);
}

/* It had ended before it could be frozen. */
void
stream_left_ended(Stream *stream)
{
    stream_tell_frozen(stream, FALSE);
}

void
stream_freeze(Stream *stream, StreamFrozen frozen, void *data)
{
    stream->left.frozen = frozen;
    stream->left.data = data;
    carrier_freeze(stream->carrier, stream_frozen);
}

gboolean
stream_left_close(Stream *stream, Reason reason)
{
    if (!stream->left.local && !stream->left.frozen)
        return FALSE;
    if (stream->left.closed == REASON_NONE)
        stream->left.closed = reason;
    return stream->left.local != NULL;
}

Reason
stream_left_closed(const Stream *stream)
{
    return stream->left.closed;
}

void
stream_left_cut(Stream *stream, Reason reason)
{
    g_clear_pointer(&stream->left.local, connection_reset);
    stream->left.resume = NULL;
    stream_resume_ended(stream);
    stream->ended = NULL;  /* who counts it was told when it was frozen */
    stream->unsaid = TRUE; /* its leg is gone */
    stream_finish(stream, reason, NULL);
}

int
stream_left_fd(const Stream *stream)
{
    return connection_fd(stream->left.local);
}

static void
stream_save_holds(const Stream *stream, StoredStream *to)
{
    G_STATIC_ASSERT((int)STORED_HOLDS == (int)STREAM_HOLDS_MAX);
    G_STATIC_ASSERT((int)STORED_LIMITS >= (int)LIMIT_LAST);

    for (guint i = 0; i < STREAM_HOLDS_MAX; i++) {
        if (!stream->holds[i])
            continue;
        to->holds[i].what = g_strdup(limit_hold_what(stream->holds[i]));
        for (guint k = 0; k < LIMIT_LAST; k++)
            to->holds[i].limits[k] = stream->limits.of[k];
    }
}

static void
stream_save_resume(const Stream *stream, StoredStream *to)
{
    const StreamResume *resume = &stream->resume;
    const gboolean suspended = resume->since > 0;

    to->suspended_before = suspended;
    to->suspended_at = suspended ? (guint64)resume->since : 0;
    to->suspended_for = suspended ? resume->first : REASON_NONE;
    to->resumes = resume->count;
    to->attempt = resume->attempt;
    memcpy(to->secret, resume->secret, sizeof to->secret);
    to->time = (guint64)resume->time;
    to->time_left = (guint64)(suspended ? stream_resume_left(stream) : resume->time);
    to->caps = resume->caps;
    if (resume->grant)
        to->rule = g_strdup_printf("%u %s %s", resume->rule, resume->grant, resume->grant_address);
}

void
stream_save(const Stream *stream, StoredStream *to)
{
    to->id = stream->id;
    to->role = (guint8)stream->role;
    to->hub = g_strdup(stream->hub);
    to->device = g_strdup(stream->device);
    to->name = g_strdup(stream->name);
    to->hub_id = g_strdup(stream->sid);
    to->initiator = g_strdup(stream->initiator);
    to->address = g_strdup(stream->address);
    to->target = g_strdup(stream->target);
    to->tunnel = stream->tunnel;
    to->place = stream->place;
    to->owner_uid = stream->owner_uid;
    to->requested_at = stream->requested_at;
    to->opened_at = stream->opened_at;
    to->elapsed = (guint64)stream->left.elapsed;
    for (guint i = 0; i < 2; i++)
        to->bytes[i] = atomic_load(&stream->meter.bytes[i]);
    stream_save_holds(stream, to);
    stream_save_resume(stream, to);
    resume_stream_save(stream->left.resume, &to->saved);
    to->live = stream->left.resume;
}

/* It counts whatever is allowed now, as one that was open before a reload does. */
static void
stream_restore_holds(Stream *stream, const StoredStream *from)
{
    const Limits none = {0};

    for (guint i = 0; i < STREAM_HOLDS_MAX; i++) {
        Limits limits = {0};

        if (!from->holds[i].what)
            continue;
        for (guint k = 0; k < LIMIT_LAST; k++)
            limits.of[k] = from->holds[i].limits[k];
        stream->holds[i] = limit_counts_take(stream->table->counts, from->holds[i].what, &none,
                                             g_get_monotonic_time(), NULL);
        stream->limits = limits_tighter(&stream->limits, &limits);
    }
}

/* "RULE DIGEST ADDRESS". What is malformed is no grant, and so refused when it is led back. */
static void
stream_restore_grant(Stream *stream, const char *text)
{
    g_auto(GStrv) parts = g_strsplit(text, " ", 3);

    if (g_strv_length(parts) == 3)
        stream_set_grant(stream, (guint32)g_ascii_strtoull(parts[0], NULL, 10), parts[1], parts[2]);
}

/* The pause goes on, or begins now: then this program's stop is what it is for. */
static void
stream_restore_resume(Stream *stream, const StoredStream *from)
{
    StreamResume *resume = &stream->resume;
    const Reason reason =
        from->suspended_for != REASON_NONE ? from->suspended_for : REASON_STOPPING;

    stream_set_resume(stream, from->secret, (gint64)from->time);
    resume->caps = (Caps)from->caps;
    resume->talks = TRUE;
    resume->count = from->resumes;
    resume->attempt = from->attempt;
    resume->first = resume->last = resume->lost = reason;
    resume->pending = from->saved.kept_to - from->saved.kept_from;
    stream->state = STREAM_SUSPENDED;
    stream_suspend_since(stream,
                         from->suspended_at > 0 ? from->suspended_at : (guint64)g_get_real_time(),
                         (gint64)MIN(from->time_left, from->time));
}

static Stream *
stream_restore_plain(StreamTable *table, const StoredStream *from)
{
    Stream *stream = stream_make(table, &(StreamInfo){
                                            .id = from->id,
                                            .role = (StreamRole)from->role,
                                            .hub = from->hub,
                                            .device = from->device,
                                            .name = from->name,
                                            .initiator = from->initiator,
                                            .address = from->address,
                                            .hub_id = from->hub_id,
                                            .tunnel = from->tunnel,
                                            .place = from->place,
                                            .owner_uid = from->owner_uid,
                                        });

    if (from->target)
        stream_set_target(stream, from->target);
    stream->requested_at = from->requested_at;
    stream->opened_at = from->opened_at;
    for (guint i = 0; i < 2; i++)
        atomic_store(&stream->meter.bytes[i], from->bytes[i]);
    return stream;
}

Stream *
stream_restore(StreamTable *table, const StoredStream *from, int fd, gboolean taken)
{
    const gboolean fits = from->role <= STREAM_ROLE_SERVICE && !stream_table_find(table, from->id);
    ResumeStream *resume =
        fits ? resume_stream_restore(table->budget, &from->saved, from->kept) : NULL;
    Connection *local = connection_new(fd);
    Stream *stream;

    if (!resume) {
        connection_reset(local);
        return NULL;
    }
    stream = stream_restore_plain(table, from);
    stream->taken = taken;
    stream_restore_holds(stream, from);
    stream_restore_resume(stream, from);
    if (from->rule)
        stream_restore_grant(stream, from->rule);
    stream_table_add(table, stream);
    connection_expect_finish(local);
    stream_carry_on(stream, local, resume, (gint64)from->elapsed);
    return stream;
}
