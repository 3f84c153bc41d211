/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/local/tunnel-private.h"

#include "common/base/descriptors.h"
#include "common/base/error.h"
#include "daemon/local/listener.h"
#include "daemon/local/peer-uid.h"

#include <errno.h>
#include <glib-unix.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct Tunnel {
    TunnelContext context;
    guint64 id;
    char *hub, *device, *stream, *listen;
    gboolean shared, persistent;
    gint64 timeout, wait;
    guint32 owner_uid;
    Listener *listener; /* NULL: a restored one that waits for its address */
    guint watch;        /* accepting */
    guint timer;        /* until it accepts, or tries to listen, again */
    guint opening;
    guint streams;
    guint64 accepted;
    char *last_error;
};

static void tunnel_watch(Tunnel *tunnel);

static void
tunnel_set_error(Tunnel *tunnel, const char *text)
{
    if (strcmp(tunnel->last_error, text) == 0)
        return;
    g_free(tunnel->last_error);
    tunnel->last_error = g_strdup(text);
    tunnel->context.changed(tunnel, tunnel->context.data);
}

/* A port on loopback can be reached by every local user: only the owner's own processes, and
 * root's, may. Whose cannot be told is nobody's. */
static gboolean
tunnel_peer_allowed(Tunnel *tunnel, int fd)
{
    g_autofree char *text = NULL;
    guint32 uid;
    int r;

    if (tunnel->shared)
        return TRUE;
    r = peer_uid_get(fd, &uid);
    if (r >= 0 && (uid == tunnel->owner_uid || uid == 0))
        return TRUE;
    if (r >= 0)
        text = g_strdup_printf("a connection of user %u was refused", uid);
    else if (r == -ESRCH)
        text = g_strdup("a connection was refused: it was gone, or not from this machine");
    else
        text = g_strdup_printf("a connection was refused: the kernel does not tell whose it is: %s",
                               g_strerror(-r));
    tunnel_set_error(tunnel, text);
    return FALSE;
}

static gboolean
tunnel_is_full(const Tunnel *tunnel)
{
    return tunnel->opening >= TUNNEL_OPENING_MAX || tunnel->streams >= TUNNEL_STREAMS_MAX;
}

static void
tunnel_take(Tunnel *tunnel, int fd)
{
    g_autoptr(GError) error = NULL;
    Connection *local = connection_new(fd);

    if (!tunnel_peer_allowed(tunnel, fd)) {
        connection_reset(local);
        return;
    }
    tunnel->accepted++;
    tunnel->opening++;
    tunnel->streams++;
    if (tunnel->context.open(tunnel, local, tunnel->context.data, &error))
        return;
    tunnel->opening--;
    tunnel->streams--;
    tunnel_set_error(tunnel, error->message);
}

static gboolean
tunnel_resume(gpointer data)
{
    Tunnel *tunnel = data;

    tunnel->timer = 0;
    tunnel_watch(tunnel);
    return G_SOURCE_REMOVE;
}

/* Requirement R26: out of descriptors is no reason to spin. */
static void
tunnel_pause(Tunnel *tunnel, int code)
{
    g_autofree char *text = g_strdup_printf("cannot take connections: %s", g_strerror(code));

    tunnel_set_error(tunnel, text);
    tunnel->timer = g_timeout_add(TUNNEL_PAUSE, tunnel_resume, tunnel);
}

static gboolean
tunnel_accept(gint fd, GIOCondition condition, gpointer data)
{
    Tunnel *tunnel = data;

    for (guint i = 0; i < TUNNEL_ACCEPTS_PER_TURN && !tunnel_is_full(tunnel); i++) {
        int accepted = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

        if (accepted >= 0 && descriptors_are_scarce(accepted)) {
            close(accepted);
            tunnel_pause(tunnel, EMFILE);
            break;
        } else if (accepted >= 0) {
            tunnel_take(tunnel, accepted);
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            tunnel_pause(tunnel, errno);
            break;
        } else if (errno != ECONNABORTED && errno != EINTR) {
            break; /* EAGAIN */
        }
    }
    if (!tunnel_is_full(tunnel) && !tunnel->timer)
        return G_SOURCE_CONTINUE;
    tunnel->watch = 0;
    return G_SOURCE_REMOVE;
}

static void
tunnel_watch(Tunnel *tunnel)
{
    if (tunnel->listener && !tunnel->watch && !tunnel->timer && !tunnel_is_full(tunnel))
        tunnel->watch =
            g_unix_fd_add(listener_fd(tunnel->listener), G_IO_IN, tunnel_accept, tunnel);
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
    tunnel_watch(tunnel);
    return TRUE;
}

/* Fault F33. */
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
    tunnel_watch(tunnel);
    tunnel_set_error(tunnel, "");
    return G_SOURCE_REMOVE;
}

Tunnel *
tunnel_new(const TunnelContext *context, guint64 id, const TunnelOptions *options,
           gboolean restored, GError **error)
{
    g_autoptr(Tunnel) tunnel = g_new0(Tunnel, 1);
    g_autoptr(GError) reason = NULL;

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
    tunnel->owner_uid = options->owner_uid;
    tunnel->last_error = g_strdup("");
    if (tunnel_listen(tunnel, &reason))
        return g_steal_pointer(&tunnel);
    if (!restored) {
        g_propagate_error(error, g_steal_pointer(&reason));
        return NULL;
    }
    g_free(tunnel->last_error);
    tunnel->last_error = tunnel_retry_text(reason);
    tunnel->timer = g_timeout_add_seconds(TUNNEL_RETRY_SECONDS, tunnel_retry, tunnel);
    return g_steal_pointer(&tunnel);
}

void
tunnel_free(Tunnel *tunnel)
{
    if (!tunnel)
        return;
    if (tunnel->watch)
        g_source_remove(tunnel->watch);
    if (tunnel->timer)
        g_source_remove(tunnel->timer);
    listener_free(tunnel->listener);
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
        .owner_uid = tunnel->owner_uid,
    };
}

void
tunnel_opened(Tunnel *tunnel, const GError *error)
{
    tunnel->opening--;
    tunnel_set_error(tunnel, error ? error->message : "");
    tunnel_watch(tunnel);
}

void
tunnel_stream_ended(Tunnel *tunnel)
{
    tunnel->streams--;
    tunnel_watch(tunnel);
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
