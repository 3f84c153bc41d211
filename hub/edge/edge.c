/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/edge/private.h"

#include "common/base/descriptors.h"
#include "common/base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#define LISTEN_BACKLOG 1024
#define ACCEPTS_PER_TURN 64
#define ACCEPT_PAUSE (200 * G_TIME_SPAN_MILLISECOND)

static void
worker_watch(EdgeWorker *worker, gboolean on)
{
    for (guint i = 0; i < worker->n_listeners; i++) {
        EdgeListener *listener = &worker->listeners[i];

        if (on == listener->added)
            continue;
        if (on)
            listener->added = reactor_add_shared(worker->reactor, &listener->watch) == 0;
        else
            reactor_remove(worker->reactor, &listener->watch);
        listener->added = on && listener->added;
    }
}

static void
worker_resume(Timer *timer)
{
    EdgeWorker *worker = CONTAINER_OF(timer, EdgeWorker, pause);

    worker->paused = FALSE;
    if (!worker->stopping)
        worker_watch(worker, TRUE);
}

/* The shared watch is level-triggered: without a pause, this thread would spin while there are no
 * descriptors (R26). */
static void
worker_pause(EdgeWorker *worker)
{
    worker->paused = TRUE;
    worker_watch(worker, FALSE);
    reactor_set_timer(worker->reactor, &worker->pause, ACCEPT_PAUSE);
}

static void
worker_accepted(EdgeWorker *worker, int fd)
{
    Edge *edge = worker->edge;
    Connection *connection = connection_new(fd);
    const char *peer = connection_peer(connection);
    gboolean greeted = networks_have(worker->terms->balancers, peer);
    gint64 now = reactor_now(worker->reactor);
    Slot *slot = greeted ? admission_greet(edge->admission, fd, peer, now)
                         : admission_take(edge->admission, fd, peer, now, g_random_int());

    meter_count(slot ? &edge->meter.accepted : &edge->meter.dropped);
    if (!slot)
        connection_free(connection);
    else
        edge_connection_new(worker, connection, slot, greeted);
}

static void
listener_ready(Watch *watch, uint32_t events)
{
    EdgeListener *listener = CONTAINER_OF(watch, EdgeListener, watch);
    EdgeWorker *worker = listener->worker;

    for (guint i = 0; i < ACCEPTS_PER_TURN; i++) {
        int fd = accept4(watch->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (fd >= 0 && descriptors_are_scarce(fd)) {
            close(fd);
            worker_pause(worker);
            return;
        }
        if (fd >= 0) {
            worker_accepted(worker, fd);
            continue;
        }
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
            worker_pause(worker);
        if (errno != EINTR && errno != ECONNABORTED)
            return;
    }
}

Edge *
edge_new(const Settings *settings, ReactorPool *reactors, Queue *queue, TlsContext *tls,
         Admission *admission, const EdgeEvents *events, void *data)
{
    Edge *edge = g_new0(Edge, 1);

    edge->settings = settings;
    edge->reactors = reactors;
    edge->queue = queue;
    edge->terms = edge_terms_new(tls, NULL, NULL);
    edge->admission = admission;
    edge->events = events;
    edge->data = data;
    atomic_init(&edge->live, 1);
    edge->n_workers = reactor_pool_size(reactors);
    edge->workers = g_new0(EdgeWorker, edge->n_workers);
    for (guint i = 0; i < edge->n_workers; i++) {
        edge->workers[i].edge = edge;
        edge->workers[i].reactor = reactor_pool_get(reactors, i);
        edge->workers[i].pause.func = worker_resume;
    }
    return edge;
}

void
edge_free(Edge *edge)
{
    if (!edge)
        return;
    for (guint i = 0; i < edge->n_fds; i++)
        close(edge->fds[i]);
    for (guint i = 0; i < edge->n_workers; i++)
        edge_terms_unref(edge->workers[i].terms);
    edge_terms_unref(edge->terms);
    g_free(edge->workers);
    g_free(edge);
}

static GSocketAddress *
address_parse(const char *text, GError **error)
{
    const char *colon = strrchr(text, ':');
    gboolean six = text[0] == '[';
    g_autofree char *host = NULL;
    GSocketAddress *address = NULL;
    guint64 port = 0;

    if (colon && colon > text && g_ascii_string_to_unsigned(colon + 1, 10, 0, 65535, &port, NULL)) {
        gsize len = (gsize)(colon - text);

        if (!six)
            host = g_strndup(text, len);
        else if (len > 2 && colon[-1] == ']')
            host = g_strndup(text + 1, len - 2);
    }
    if (host && (six || !strchr(host, ':')))
        address = g_inet_socket_address_new_from_string(host, (guint)port);
    if (!address)
        g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID,
                    "%s: want ADDRESS:PORT, as 0.0.0.0:443 or [::]:443", text);
    return address;
}

/* As g_socket_bind does it, which never shares. */
static gboolean
socket_bind(GSocket *sock, GSocketAddress *address, gboolean shared, GError **error)
{
    struct sockaddr_storage storage;

    if (!shared)
        return g_socket_bind(sock, address, TRUE, error);
    if (!g_socket_set_option(sock, SOL_SOCKET, SO_REUSEADDR, 1, error) ||
        !g_socket_set_option(sock, SOL_SOCKET, SO_REUSEPORT, 1, error) ||
        !g_socket_address_to_native(address, &storage, sizeof storage, error))
        return FALSE;
    if (bind(g_socket_get_fd(sock), (struct sockaddr *)&storage,
             (socklen_t)g_socket_address_get_native_size(address)) == 0)
        return TRUE;
    g_set_error_literal(error, STREAMD_ERROR, STREAMD_ERROR_FAILED, g_strerror(errno));
    return FALSE;
}

/* The socket, or -1. */
static int
socket_listen(const char *text, gboolean six_only, gboolean shared, char **ret_bound,
              GError **error)
{
    g_autoptr(GSocketAddress) address = address_parse(text, error);
    g_autoptr(GSocket) sock = NULL;
    g_autoptr(GSocketAddress) bound = NULL;
    g_autofree char *host = NULL;
    guint port;

    if (!address)
        return -1;
    sock = g_socket_new(g_socket_address_get_family(address), G_SOCKET_TYPE_STREAM,
                        G_SOCKET_PROTOCOL_TCP, error);
    if (!sock)
        return -1;
    if (g_socket_get_family(sock) == G_SOCKET_FAMILY_IPV6 &&
        !g_socket_set_option(sock, IPPROTO_IPV6, IPV6_V6ONLY, six_only, error))
        return -1;
    g_socket_set_blocking(sock, FALSE);
    g_socket_set_listen_backlog(sock, LISTEN_BACKLOG);
    if (!socket_bind(sock, address, shared, error) || !g_socket_listen(sock, error)) {
        g_prefix_error(error, "%s: ", text);
        return -1;
    }
    bound = g_socket_get_local_address(sock, error);
    if (!bound)
        return -1;
    port = g_inet_socket_address_get_port(G_INET_SOCKET_ADDRESS(bound));
    host = g_strndup(text, (gsize)(strrchr(text, ':') - text));
    *ret_bound = g_strdup_printf("%s:%u", host, port);
    return fcntl(g_socket_get_fd(sock), F_DUPFD_CLOEXEC, 3);
}

static gboolean
edge_has_room(Edge *edge, GError **error)
{
    if (edge->n_fds < EDGE_LISTENERS_MAX)
        return TRUE;
    g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_LIMIT, "at most %d addresses to listen on",
                EDGE_LISTENERS_MAX);
    return FALSE;
}

gboolean
edge_listen(Edge *edge, const char *address, gboolean six_only, char **ret_bound, GError **error)
{
    g_autofree char *bound = NULL;
    int fd;

    if (!edge_has_room(edge, error))
        return FALSE;
    fd = socket_listen(address, six_only, edge->shares, &bound, error);
    if (fd < 0) {
        if (error && !*error)
            g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_FAILED, "%s: %s", address,
                        g_strerror(errno));
        return FALSE;
    }
    edge->fds[edge->n_fds++] = fd;
    *ret_bound = g_steal_pointer(&bound);
    return TRUE;
}

void
edge_share_addresses(Edge *edge, gboolean on)
{
    edge->shares = on;
    for (guint i = 0; i < edge->n_fds; i++)
        (void)setsockopt(edge->fds[i], SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
}

/* "192.0.2.1:443", "[::]:443"; NULL when FD is no listening TCP socket. */
static char *
socket_bound(int fd)
{
    struct sockaddr_storage storage;
    socklen_t len = sizeof storage;
    g_autoptr(GSocketAddress) address = NULL;

    if (sd_is_socket_inet(fd, AF_UNSPEC, SOCK_STREAM, 1, 0) <= 0 ||
        getsockname(fd, (struct sockaddr *)&storage, &len) < 0)
        return NULL;
    address = g_socket_address_new_from_native(&storage, len);
    return g_socket_connectable_to_string(G_SOCKET_CONNECTABLE(address));
}

gboolean
edge_adopt(Edge *edge, int fd, char **ret_bound, GError **error)
{
    char *bound = NULL;

    if (!edge_has_room(edge, error)) {
        close(fd);
        return FALSE;
    }
    bound = socket_bound(fd);
    if (!bound || fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) < 0) {
        g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID,
                    "descriptor %d of the service manager is not a listening TCP socket", fd);
        g_free(bound);
        close(fd);
        return FALSE;
    }
    edge->fds[edge->n_fds++] = fd;
    *ret_bound = bound;
    return TRUE;
}

static void
worker_start(void *data)
{
    EdgeWorker *worker = data;

    worker_watch(worker, TRUE);
}

gboolean
edge_start(Edge *edge, GError **error)
{
    if (edge->n_fds == 0) {
        g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID, "no address to listen on");
        return FALSE;
    }
    edge->started = TRUE;
    for (guint i = 0; i < edge->n_workers; i++) {
        EdgeWorker *worker = &edge->workers[i];

        worker->terms = edge_terms_ref(edge->terms);
        worker->n_listeners = edge->n_fds;
        for (guint j = 0; j < edge->n_fds; j++) {
            worker->listeners[j].worker = worker;
            worker->listeners[j].watch.fd = edge->fds[j];
            worker->listeners[j].watch.ready = listener_ready;
        }
        reactor_call(worker->reactor, worker_start, worker);
    }
    return TRUE;
}

const EdgeMeter *
edge_meter(const Edge *edge)
{
    return &edge->meter;
}

const OpeningMeter *
edge_openings(const Edge *edge)
{
    return &edge->openings;
}

guint
edge_queued(const Edge *edge)
{
    guint sum = 0;

    for (guint i = 0; i < edge->n_workers; i++)
        sum += queue_length(reactor_queue(edge->workers[i].reactor));
    return sum;
}

typedef struct {
    EdgeWorker *worker;
    EdgeTerms *terms;
} TermsChange;

static void
worker_set_terms(void *data)
{
    g_autofree TermsChange *change = data;

    edge_terms_unref(change->worker->terms);
    change->worker->terms = change->terms;
}

/* Takes TERMS. */
static void
edge_set_terms(Edge *edge, EdgeTerms *terms)
{
    edge_terms_unref(edge->terms);
    edge->terms = terms;
    for (guint i = 0; edge->started && i < edge->n_workers; i++) {
        TermsChange *change = g_new0(TermsChange, 1);

        change->worker = &edge->workers[i];
        change->terms = edge_terms_ref(terms);
        reactor_call(change->worker->reactor, worker_set_terms, change);
    }
}

void
edge_set_tls(Edge *edge, TlsContext *tls)
{
    edge_set_terms(edge, edge_terms_new(tls, edge->terms->balancers, edge->terms->origins));
}

void
edge_set_balancers(Edge *edge, Networks *balancers)
{
    edge_set_terms(edge, edge_terms_new(edge->terms->tls, balancers, edge->terms->origins));
}

void
edge_set_origins(Edge *edge, Origins *origins)
{
    edge_set_terms(edge, edge_terms_new(edge->terms->tls, edge->terms->balancers, origins));
}

static void
edge_emptied(void *data)
{
    Edge *edge = data;

    edge->stopped(edge->stopped_data);
}

void
edge_release(Edge *edge)
{
    if (atomic_fetch_sub(&edge->live, 1) == 1)
        queue_call(edge->queue, edge_emptied, edge);
}

static void
worker_stopped(void *data)
{
    Edge *edge = data;

    if (--edge->stopping == 0)
        edge_release(edge);
}

static void
worker_stop(void *data)
{
    EdgeWorker *worker = data;
    GList *link = worker->connections.head;

    worker->stopping = TRUE;
    worker_watch(worker, FALSE);
    reactor_clear_timer(worker->reactor, &worker->pause);
    while (link) {
        GList *next = link->next;

        edge_connection_stop(link->data);
        link = next;
    }
    queue_call(worker->edge->queue, worker_stopped, worker->edge);
}

void
edge_stop(Edge *edge, void (*done)(void *data), void *data)
{
    edge->stopped = done;
    edge->stopped_data = data;
    edge->stopping = edge->n_workers;
    for (guint i = 0; i < edge->n_workers; i++)
        reactor_call(edge->workers[i].reactor, worker_stop, &edge->workers[i]);
}
