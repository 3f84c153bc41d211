/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/stream/struct.h"

#include <glib-unix.h>
#include <string.h>
#include <sys/ioctl.h>

static const char *const role_names[] = {"device", "service"};

static const char *const state_names[] = {
    [STREAM_REQUESTED] = "requested",
    [STREAM_DECIDING] = "deciding",
    [STREAM_INITIATING] = "initiating",
    [STREAM_ACCEPTED] = "accepted",
    [STREAM_CONNECTING] = "connecting",
    [STREAM_OPEN] = "open",
    [STREAM_SUSPENDED] = "suspended",
    [STREAM_CLOSING] = "closing",
    [STREAM_CLOSED] = "closed",
    [STREAM_REJECTED] = "rejected",
    [STREAM_TIMED_OUT] = "timed-out",
    [STREAM_OFFLINE] = "offline",
    [STREAM_UNAUTHORIZED] = "unauthorized",
};

Stream *
stream_make(StreamTable *table, const StreamInfo *info)
{
    Stream *stream = g_new0(Stream, 1);

    stream->table = table;
    stream->id = info->id;
    stream->role = info->role;
    stream->hub = g_strdup(info->hub);
    stream->device = g_strdup(info->device);
    stream->name = g_strdup(info->name);
    stream->initiator = g_strdup(info->initiator ? info->initiator : "");
    stream->address = g_strdup(info->address ? info->address : "");
    stream->sid = g_strdup(info->hub_id);
    stream->target = g_strdup("");
    stream->message = g_strdup("");
    stream->tunnel = info->tunnel;
    stream->place = info->place;
    stream->owner_uid = info->owner_uid;
    stream->ended = info->ended;
    stream->ended_data = info->data;
    stream->state = info->role == STREAM_ROLE_DEVICE ? STREAM_REQUESTED : STREAM_INITIATING;
    stream->requested_at = (guint64)g_get_real_time();
    stream->leg_times = (RelayTimes){RELAY_QUIET, RELAY_PING, RELAY_DEAD};
    return stream;
}

Stream *
stream_new(StreamTable *table, const StreamInfo *info, GError **error)
{
    Stream *stream;

    if (!stream_table_has_room(table, info, error))
        return NULL;
    stream = stream_make(table, info);
    stream_table_add(table, stream);
    return stream;
}

static void
stream_let_go(Stream *stream)
{
    for (guint i = 0; i < STREAM_HOLDS_MAX; i++)
        g_clear_pointer(&stream->holds[i], limit_hold_free);
}

static void
stream_unwatch_local(Stream *stream)
{
    if (stream->local_watch)
        g_source_remove(stream->local_watch);
    stream->local_watch = 0;
}

void
stream_free(Stream *stream)
{
    if (!stream)
        return;
    g_clear_pointer(&stream->relay, relay_unref);
    stream_resume_clear(stream);
    stream_unwatch_local(stream);
    g_clear_pointer(&stream->local, connection_reset);
    g_clear_pointer(&stream->left.local, connection_free); /* it is open elsewhere */
    stream_let_go(stream);
    g_free(stream->hub);
    g_free(stream->device);
    g_free(stream->name);
    g_free(stream->initiator);
    g_free(stream->rid);
    g_free(stream->sid);
    g_free(stream->address);
    g_free(stream->target);
    g_free(stream->message);
    g_free(stream->endpoint);
    g_free(stream);
}

void
stream_set_state(Stream *stream, StreamState state)
{
    if (stream->state == state)
        return;
    stream->state = state;
    stream_table_changed(stream->table, stream);
}

void
stream_set_target(Stream *stream, const char *target)
{
    g_free(stream->target);
    stream->target = g_strdup(target);
}

gboolean
stream_take(Stream *stream, guint32 uid, GError **error)
{
    guint32 before = stream->owner_uid;

    if (!stream_table_has_room_of(stream->table, uid, error))
        return FALSE;
    stream->owner_uid = uid;
    stream->taken = TRUE;
    if (before != uid)
        stream_table_taken(stream->table, stream, before);
    return TRUE;
}

gboolean
stream_is_taken(const Stream *stream)
{
    return stream->taken;
}

gboolean
stream_limit(Stream *stream, const char *what, const Limits *limits, GError **error)
{
    LimitHold *hold =
        limit_counts_take(stream->table->counts, what, limits, g_get_monotonic_time(), error);
    guint at = 0;

    if (!hold)
        return FALSE;
    while (at < STREAM_HOLDS_MAX && stream->holds[at])
        at++;
    g_assert(at < STREAM_HOLDS_MAX);
    stream->holds[at] = hold;
    stream->limits = limits_tighter(&stream->limits, limits);
    return TRUE;
}

void
stream_set_request(Stream *stream, const char *rid, const char *sid)
{
    g_free(stream->rid);
    g_free(stream->sid);
    stream->rid = g_strdup(rid);
    stream->sid = g_strdup(sid);
}

gboolean
stream_unsaid_end(const Stream *stream, StreamAnswer *ret)
{
    return stream_has_ended(stream) && stream->unsaid && stream_answer(stream, stream->reason, ret);
}

void
stream_set_leg_times(Stream *stream, const RelayTimes *times)
{
    stream->leg_times = *times;
}

void
stream_set_endpoint(Stream *stream, const char *host, guint16 port)
{
    const gboolean bare = strchr(host, ':') != NULL;

    g_free(stream->endpoint);
    stream->endpoint = g_strdup_printf(bare ? "[%s]:%u" : "%s:%u", host, port);
}

void
stream_set_ended(Stream *stream, void (*ended)(Stream *stream, void *data), void *data)
{
    stream->ended = ended;
    stream->ended_data = data;
}

void
stream_set_handshake(Stream *stream, void (*cancel)(void *data), void *data)
{
    stream->cancel = cancel;
    stream->cancel_data = data;
}

/* The application has reset its connection, or closed both directions of a Unix socket: it does not
 * wait for anything. Bytes that it has left for us must still be delivered. */
static gboolean
stream_local_gone(gint fd, GIOCondition condition, gpointer data)
{
    Stream *stream = data;
    int unread = 0;

    stream->local_watch = 0;
    if (ioctl(fd, FIONREAD, &unread) < 0 || unread == 0)
        stream_close(stream, REASON_LOCAL_CUT);
    return G_SOURCE_REMOVE;
}

void
stream_set_local(Stream *stream, Connection *local)
{
    g_return_if_fail(!stream->local);
    stream->local = local;
    connection_expect_finish(local);
    if (stream->role == STREAM_ROLE_SERVICE)
        stream->local_watch =
            g_unix_fd_add(connection_fd(local), G_IO_HUP | G_IO_ERR, stream_local_gone, stream);
}

gboolean
stream_has_local(const Stream *stream)
{
    return stream->local != NULL;
}

/* The final state for a reason. A stream that was open, or that came to us, is just closed. */
static StreamState
stream_last_state(const Stream *stream, Reason reason)
{
    if (stream->role == STREAM_ROLE_DEVICE || stream->opened_at > 0)
        return STREAM_CLOSED;
    switch (reason) {
    case REASON_REJECTED:
    case REASON_POLICY:
    case REASON_NO_TARGET:
    case REASON_TARGET_REFUSED:
    case REASON_TARGET_UNREACHABLE:
    case REASON_TARGET_TIMED_OUT:
    case REASON_NO_CONSENT:
    case REASON_NO_HANDLER:
        return STREAM_REJECTED;
    case REASON_TIMED_OUT:
        return STREAM_TIMED_OUT;
    case REASON_OFFLINE:
        return STREAM_OFFLINE;
    case REASON_UNAUTHORIZED:
        return STREAM_UNAUTHORIZED;
    default:
        return STREAM_CLOSED;
    }
}

void
stream_finish(Stream *stream, Reason reason, const char *message)
{
    stream->reason = reason;
    stream->ended_at = (guint64)g_get_real_time();
    stream->kept_from = g_get_monotonic_time();
    stream->cancel = NULL;
    g_free(stream->message);
    stream->message = g_strdup(message ? message : reason_text(reason));
    stream->state = stream_last_state(stream, reason);
    stream_let_go(stream);
    if (stream->ended)
        stream->ended(stream, stream->ended_data);
    stream_table_ended(stream->table, stream);
}

static void
stream_relay_ended(Relay *relay, Reason reason, void *data)
{
    Stream *stream = data;

    stream->unsaid = relay_is_unsaid(relay);
    g_clear_pointer(&stream->relay, relay_unref);
    stream->table->runtime->away--;
    stream_finish(stream, reason, NULL);
}

RelayTimes
stream_times(const Stream *stream)
{
    RelayTimes times = stream->leg_times;

    times.limits = (RelayLimits){
        .bytes = stream->limits.of[LIMIT_BYTES],
        .duration = (gint64)stream->limits.of[LIMIT_DURATION],
        .idle = (gint64)stream->limits.of[LIMIT_IDLE],
        .stall = (gint64)stream->limits.of[LIMIT_STALL],
    };
    return times;
}

static void
stream_relay(Stream *stream, Connection *local, Connection *leg, Reactor *reactor, Caps caps,
             const RelayTimes *times)
{
    const gboolean device = stream->role == STREAM_ROLE_DEVICE;
    const RelaySide here = {
        .connection = local,
        .closed = device ? REASON_DEVICE_CLOSED : REASON_SERVICE_CLOSED,
    };
    const RelaySide remote = {
        .connection = leg,
        .framed = TRUE,
        .client = TRUE,
        .caps = caps & ~(Caps)CAP_RESUME,
        .closed = device ? REASON_SERVICE_CLOSED : REASON_DEVICE_CLOSED,
    };

    stream->relay = relay_new(reactor, &here, &remote, times, &stream->meter,
                              stream->table->runtime->home, stream_relay_ended, stream);
}

void
stream_attach_leg(Stream *stream, Connection *leg, Reactor *reactor, Caps caps)
{
    const RelayTimes times = stream_times(stream);
    Connection *local = g_steal_pointer(&stream->local);

    stream_unwatch_local(stream);
    stream->cancel = NULL;
    stream->opened_at = (guint64)g_get_real_time();
    stream->table->runtime->away++;
    if ((caps & CAP_RESUME) && stream->resume.wanted)
        stream_carry(stream, local, leg, reactor, caps, &times);
    else
        stream_relay(stream, local, leg, reactor, caps, &times);
    stream_set_state(stream, STREAM_OPEN);
}
void
stream_fail(Stream *stream, Reason reason, const char *message)
{
    stream_unwatch_local(stream);
    g_clear_pointer(&stream->local, connection_reset);
    stream_finish(stream, reason, message);
}

void
stream_close(Stream *stream, Reason reason)
{
    void (*cancel)(void *data) = stream->cancel;
    void *cancel_data = stream->cancel_data;

    if (stream_has_ended(stream) || stream_left_close(stream, reason))
        return;
    if (stream->relay || stream->carrier) {
        if (stream->relay)
            relay_close(stream->relay, reason);
        else
            carrier_end(stream->carrier, reason);
        stream_set_state(stream, STREAM_CLOSING);
        return;
    }
    stream_fail(stream, reason, NULL);
    if (cancel)
        cancel(cancel_data);
}

guint64
stream_id(const Stream *stream)
{
    return stream->id;
}

StreamRole
stream_role(const Stream *stream)
{
    return stream->role;
}

const char *
stream_hub(const Stream *stream)
{
    return stream->hub;
}

const char *
stream_device(const Stream *stream)
{
    return stream->device;
}

const char *
stream_hub_id(const Stream *stream)
{
    return stream->sid;
}

const char *
stream_name(const Stream *stream)
{
    return stream->name;
}

const char *
stream_initiator(const Stream *stream)
{
    return stream->initiator;
}

const char *
stream_address(const Stream *stream)
{
    return stream->address;
}

const char *
stream_target(const Stream *stream)
{
    return stream->target;
}

const char *
stream_endpoint(const Stream *stream)
{
    return stream->endpoint;
}

guint64
stream_tunnel(const Stream *stream)
{
    return stream->tunnel;
}

guint64
stream_place(const Stream *stream)
{
    return stream->place;
}

guint32
stream_owner_uid(const Stream *stream)
{
    return stream->owner_uid;
}

StreamState
stream_state(const Stream *stream)
{
    return stream->state;
}

gboolean
stream_has_ended(const Stream *stream)
{
    return stream->state >= STREAM_CLOSED;
}

Reason
stream_reason(const Stream *stream)
{
    return stream->reason;
}

const char *
stream_message(const Stream *stream)
{
    return stream->message;
}

guint64
stream_requested_at(const Stream *stream)
{
    return stream->requested_at;
}

guint64
stream_opened_at(const Stream *stream)
{
    return stream->opened_at;
}

guint64
stream_ended_at(const Stream *stream)
{
    return stream->ended_at;
}

guint64
stream_bytes_in(const Stream *stream)
{
    return atomic_load(&stream->meter.bytes[1]);
}

guint64
stream_bytes_out(const Stream *stream)
{
    return atomic_load(&stream->meter.bytes[0]);
}

const char *
stream_role_name(StreamRole role)
{
    return role_names[role];
}

const char *
stream_state_name(StreamState state)
{
    return state_names[state];
}
