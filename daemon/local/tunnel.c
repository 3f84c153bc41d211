/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/local/tunnel-private.h"

#include "common/base/error.h"
#include "common/codec/stream-order.h"
#include "daemon/local/door.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

struct Tunnel {
    TunnelContext context;
    guint64 id;
    char *hub, *device, *stream, *listen;
    gboolean shared, persistent;
    gint64 timeout, wait;
    gboolean no_resume;
    guint32 owner_uid;
    Listener *listener; /* NULL: restored, and its address is not free yet */
    Door *door;         /* the same */
    gboolean resting;   /* the sockets are handed on */
    guint timer;        /* until the next try to listen */
    GArray *waiting;    /* guint64: streams whose opening has not begun */
    StreamOrder order;  /* of the stream begun last */
    guint opening;
    guint streams;
    guint64 accepted;
    char *last_error;
    guint64 error_place; /* how many connections were accepted when it was set */
};

static void
tunnel_set_error(Tunnel *tunnel, const char *text)
{
    tunnel->error_place = tunnel->accepted;
    if (strcmp(tunnel->last_error, text) == 0)
        return;
    g_free(tunnel->last_error);
    tunnel->last_error = g_strdup(text);
    tunnel->context.changed(tunnel, tunnel->context.data);
}

/* A port on loopback can be reached by every local user: only processes of the owner and of root
 * may connect. A connection of unknown owner is refused. ERROR and UID are the door's. */
static gboolean
tunnel_peer_allowed(Tunnel *tunnel, int error, guint32 uid)
{
    g_autofree char *text = NULL;

    if (tunnel->shared || (error == 0 && (uid == tunnel->owner_uid || uid == 0)))
        return TRUE;
    if (error == 0)
        text = g_strdup_printf("a connection of user %u was refused", uid);
    else if (error == -ESRCH)
        text = g_strdup("a connection was refused: it had ended, or it was not from this machine");
    else if (error == -ENODATA)
        text = g_strdup(
            "a connection was refused: its client had closed it already, and then the kernel does "
            "not tell whose it was; use a unix: address, which needs no such check");
    else
        text = g_strdup_printf("a connection was refused: the kernel does not tell whose it is: %s",
                               g_strerror(-error));
    tunnel_set_error(tunnel, text);
    return FALSE;
}

static void
tunnel_begin(Tunnel *tunnel)
{
    while (tunnel->opening < TUNNEL_OPENING_MAX && tunnel->waiting->len > 0) {
        guint64 stream = g_array_index(tunnel->waiting, guint64, 0);

        g_array_remove_index(tunnel->waiting, 0);
        tunnel->opening++;
        if (!tunnel->context.begin(tunnel, stream, tunnel->context.data))
            tunnel->opening--;
    }
}

static void
tunnel_take(Tunnel *tunnel, Connection *local)
{
    g_autoptr(GError) error = NULL;
    guint64 stream;

    tunnel->accepted++;
    tunnel->streams++;
    stream = tunnel->context.add(tunnel, local, tunnel->accepted, tunnel->context.data, &error);
    if (stream == 0) {
        tunnel->streams--;
        tunnel_set_error(tunnel, error->message);
        return;
    }
    g_array_append_val(tunnel->waiting, stream);
    tunnel_begin(tunnel);
}

static void
tunnel_arrived(int fd, int error, guint32 uid, void *data)
{
    Tunnel *tunnel = data;

    if (fd < 0) {
        g_autofree char *text = g_strdup_printf("cannot take connections: %s", g_strerror(-error));

        tunnel_set_error(tunnel, text);
    } else if (tunnel_peer_allowed(tunnel, error, uid)) {
        tunnel_take(tunnel, connection_new(fd));
    } else {
        connection_reset(connection_new(fd));
    }
}

static void
tunnel_open_door(Tunnel *tunnel)
{
    tunnel->door = door_new(tunnel->context.runtime, tunnel->listener, !tunnel->shared,
                            tunnel_arrived, tunnel);
}

static gboolean
tunnel_listen(Tunnel *tunnel, GError **error)
{
    tunnel->listener = listener_new(&(ListenerOptions){.address = tunnel->listen,
                                                       .shared = tunnel->shared,
                                                       .owner_uid = tunnel->owner_uid},
                                    error);
    if (!tunnel->listener)
        return FALSE;
    g_free(tunnel->listen);
    tunnel->listen = g_strdup(listener_address(tunnel->listener));
    tunnel_open_door(tunnel);
    return TRUE;
}

/* Handles fault F33. */
static char *
tunnel_retry_text(const GError *error)
{
    return g_strdup_printf("%s; trying again every %d s", error->message, TUNNEL_RETRY_SECONDS);
}

static gboolean
tunnel_retry(gpointer data)
{
    Tunnel *tunnel = data;
    g_autoptr(GError) error = NULL;

    if (!tunnel_listen(tunnel, &error)) {
        g_autofree char *text = tunnel_retry_text(error);

        tunnel_set_error(tunnel, text);
        return G_SOURCE_CONTINUE;
    }
    tunnel->timer = 0;
    tunnel_set_error(tunnel, "");
    return G_SOURCE_REMOVE;
}

/* A name that cannot be guessed: whoever knew it could delay our streams. */
static void
tunnel_name_order(StreamOrder *order)
{
    guint8 bytes[STREAM_ORDER_TUNNEL_MAX / 2];

    if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes)
        g_error("getrandom: %s", g_strerror(errno));
    for (gsize i = 0; i < sizeof bytes; i++)
        (void)g_snprintf(order->tunnel + 2 * i, 3, "%02x", bytes[i]);
}

char *
tunnel_next_order(Tunnel *tunnel)
{
    tunnel->order.seq++;
    return stream_order_format(&tunnel->order);
}

static Tunnel *
tunnel_make(const TunnelContext *context, guint64 id, const TunnelOptions *options)
{
    Tunnel *tunnel = g_new0(Tunnel, 1);

    tunnel->context = *context;
    tunnel->id = id;
    tunnel->hub = g_strdup(options->hub);
    tunnel->device = g_strdup(options->device);
    tunnel->stream = g_strdup(options->stream);
    tunnel->listen = g_strdup(options->listen);
    tunnel->shared = options->shared;
    tunnel->persistent = options->persistent;
    tunnel->timeout = options->timeout;
    tunnel->wait = options->wait;
    tunnel->no_resume = options->no_resume;
    tunnel->owner_uid = options->owner_uid;
    tunnel_name_order(&tunnel->order);
    tunnel->waiting = g_array_new(FALSE, FALSE, sizeof(guint64));
    tunnel->last_error = g_strdup("");
    return tunnel;
}

static void
tunnel_try_later(Tunnel *tunnel, const GError *reason)
{
    g_free(tunnel->last_error);
    tunnel->last_error = tunnel_retry_text(reason);
    tunnel->timer = g_timeout_add_seconds(TUNNEL_RETRY_SECONDS, tunnel_retry, tunnel);
}

Tunnel *
tunnel_new(const TunnelContext *context, guint64 id, const TunnelOptions *options,
           gboolean restored, GError **error)
{
    g_autoptr(Tunnel) tunnel = tunnel_make(context, id, options);
    g_autoptr(GError) reason = NULL;

    if (tunnel_listen(tunnel, &reason))
        return g_steal_pointer(&tunnel);
    if (!restored) {
        g_propagate_error(error, g_steal_pointer(&reason));
        return NULL;
    }
    tunnel_try_later(tunnel, reason);
    return g_steal_pointer(&tunnel);
}

Tunnel *
tunnel_restore(const TunnelContext *context, guint64 id, const TunnelOptions *options,
               Listener *listener, guint64 accepted, guint streams)
{
    Tunnel *tunnel = tunnel_make(context, id, options);
    g_autoptr(GError) reason = NULL;

    tunnel->accepted = accepted;
    tunnel->streams = streams;
    tunnel->listener = listener;
    if (listener)
        tunnel_open_door(tunnel);
    else if (!tunnel_listen(tunnel, &reason))
        tunnel_try_later(tunnel, reason);
    return tunnel;
}

void
tunnel_hold(Tunnel *tunnel)
{
    if (tunnel->timer)
        g_source_remove(tunnel->timer);
    tunnel->timer = 0;
    if (tunnel->door)
        door_hold(tunnel->door);
}

const Listener *
tunnel_rest(Tunnel *tunnel)
{
    tunnel_hold(tunnel);
    tunnel->resting = TRUE;
    g_clear_pointer(&tunnel->door, door_free);
    return tunnel->listener;
}

void
tunnel_free(Tunnel *tunnel)
{
    if (!tunnel)
        return;
    if (tunnel->timer)
        g_source_remove(tunnel->timer);
    door_free(tunnel->door);
    (tunnel->resting ? listener_leave : listener_free)(tunnel->listener);
    g_array_unref(tunnel->waiting);
    g_free(tunnel->hub);
    g_free(tunnel->device);
    g_free(tunnel->stream);
    g_free(tunnel->listen);
    g_free(tunnel->last_error);
    g_free(tunnel);
}

TunnelOptions
tunnel_options(const Tunnel *tunnel)
{
    return (TunnelOptions){
        .hub = tunnel->hub,
        .device = tunnel->device,
        .stream = tunnel->stream,
        .listen = tunnel->listen,
        .shared = tunnel->shared,
        .persistent = tunnel->persistent,
        .timeout = tunnel->timeout,
        .wait = tunnel->wait,
        .no_resume = tunnel->no_resume,
        .owner_uid = tunnel->owner_uid,
    };
}

/* An opened stream clears only errors that are older than its own connection. */
void
tunnel_opened(Tunnel *tunnel, guint64 place, const GError *error)
{
    tunnel->opening--;
    if (error)
        tunnel_set_error(tunnel, error->message);
    else if (place > tunnel->error_place)
        tunnel_set_error(tunnel, "");
    tunnel_begin(tunnel);
}

void
tunnel_stream_ended(Tunnel *tunnel, guint64 stream)
{
    tunnel->streams--;
    for (guint i = 0; i < tunnel->waiting->len; i++)
        if (g_array_index(tunnel->waiting, guint64, i) == stream) {
            g_array_remove_index(tunnel->waiting, i);
            return;
        }
}

void
tunnel_close(Tunnel *tunnel)
{
    tunnel->context.closed(tunnel, tunnel->context.data);
}

guint64
tunnel_id(const Tunnel *tunnel)
{
    return tunnel->id;
}

const char *
tunnel_hub(const Tunnel *tunnel)
{
    return tunnel->hub;
}

const char *
tunnel_device(const Tunnel *tunnel)
{
    return tunnel->device;
}

const char *
tunnel_stream(const Tunnel *tunnel)
{
    return tunnel->stream;
}

const char *
tunnel_listen_address(const Tunnel *tunnel)
{
    return tunnel->listen;
}

guint32
tunnel_owner_uid(const Tunnel *tunnel)
{
    return tunnel->owner_uid;
}

gboolean
tunnel_shared(const Tunnel *tunnel)
{
    return tunnel->shared;
}

gboolean
tunnel_persistent(const Tunnel *tunnel)
{
    return tunnel->persistent;
}

guint
tunnel_streams(const Tunnel *tunnel)
{
    return tunnel->streams;
}

guint64
tunnel_accepted(const Tunnel *tunnel)
{
    return tunnel->accepted;
}

const char *
tunnel_last_error(const Tunnel *tunnel)
{
    return tunnel->last_error;
}
