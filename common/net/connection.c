/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/net/connection-private.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* The kernel's longest pause between two attempts to reach a peer. Linux has it from 6.15 on and
 * older kernels refuse the option. Older headers do not define it. */
#ifndef TCP_RTO_MAX_MS
#define TCP_RTO_MAX_MS 44
#endif
#define RETRY_MAX (15 * G_TIME_SPAN_SECOND)

static void
connection_name_peer(Connection *connection)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } address = {0};
    socklen_t len = sizeof address;
    char text[INET6_ADDRSTRLEN] = "?";

    if (getpeername(connection->watch.fd, &address.any, &len) < 0) {
        g_strlcpy(connection->peer, "unconnected", sizeof connection->peer);
    } else if (address.any.sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&address.v6.sin6_addr)) {
        /* A dual-stack socket shows IPv4 peers in an IPv6 form, which nobody writes in a rule. */
        inet_ntop(AF_INET, address.v6.sin6_addr.s6_addr + 12, text, sizeof text);
        g_snprintf(connection->peer, sizeof connection->peer, "%s:%u", text,
                   ntohs(address.v6.sin6_port));
    } else if (address.any.sa_family == AF_INET) {
        inet_ntop(AF_INET, &address.v4.sin_addr, text, sizeof text);
        g_snprintf(connection->peer, sizeof connection->peer, "%s:%u", text,
                   ntohs(address.v4.sin_port));
    } else if (address.any.sa_family == AF_INET6) {
        inet_ntop(AF_INET6, &address.v6.sin6_addr, text, sizeof text);
        g_snprintf(connection->peer, sizeof connection->peer, "[%s]:%u", text,
                   ntohs(address.v6.sin6_port));
    } else {
        connection->is_unix = TRUE;
        g_strlcpy(connection->peer, "unix", sizeof connection->peer);
    }
}

static void
connection_run(Connection *connection)
{
    if (connection->ready)
        connection->ready(connection, connection->data);
}

static void
connection_task(Task *task)
{
    connection_run(CONTAINER_OF(task, Connection, task));
}

static int
connection_take_error(Connection *connection)
{
    int error = 0;
    socklen_t len = sizeof error;

    (void)getsockopt(connection->watch.fd, SOL_SOCKET, SO_ERROR, &error, &len);
    return error;
}

/* The kernel reports an error only once, to the first call. EPIPE of a Unix socket only says that
 * the peer is gone; a second look tells whether it left bytes of ours unread. */
static void
connection_note_error(Connection *connection, int error)
{
    int behind = error == EPIPE ? connection_take_error(connection) : 0;

    if (connection->error == 0)
        connection->error = behind ? behind : error;
}

static void
connection_watch_ready(Watch *watch, uint32_t events)
{
    Connection *connection = CONTAINER_OF(watch, Connection, watch);

    if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
        connection->readable = TRUE;
    if (events & (EPOLLOUT | EPOLLHUP | EPOLLERR))
        connection->writable = TRUE;
    if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
        connection->hung_up = TRUE;
    if (events & EPOLLERR)
        connection_note_error(connection, connection_take_error(connection));
    connection_run(connection);
}

Connection *
connection_new(int fd)
{
    Connection *connection = g_new0(Connection, 1);
    const int on = 1;

    connection->watch.fd = fd;
    connection->watch.ready = connection_watch_ready;
    connection->task.func = connection_task;
    connection->readable = connection->writable = TRUE;
    (void)fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    connection_name_peer(connection);
    /* Frames are written whole, so waiting for more would only delay a keystroke. */
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    /* Keep urgent data in its place in the stream, so that it is not lost. */
    (void)setsockopt(fd, SOL_SOCKET, SO_OOBINLINE, &on, sizeof on);
    return connection;
}

void
connection_free(Connection *connection)
{
    if (!connection)
        return;
    connection_detach(connection);
    tls_session_free(connection->tls);
    if (connection->released)
        connection->released(connection->released_data);
    close(connection->watch.fd);
    g_clear_pointer(&connection->unread, g_byte_array_unref);
    g_clear_pointer(&connection->queued, g_byte_array_unref);
    g_free(connection);
}

void
connection_on_release(Connection *connection, void (*released)(void *data), void *data)
{
    connection->released = released;
    connection->released_data = data;
}

void
connection_set_hard(Connection *connection, gboolean hard)
{
    const struct linger linger = {.l_onoff = hard, .l_linger = 0};

    (void)setsockopt(connection->watch.fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
}

void
connection_reset(Connection *connection)
{
    connection_set_hard(connection, TRUE);
    connection_free(connection);
}

void
connection_expect_finish(Connection *connection)
{
    connection_set_hard(connection, TRUE);
}

void
connection_start_tls(Connection *connection, TlsContext *context, const char *server_name)
{
    const int most = (int)(RETRY_MAX / G_TIME_SPAN_MILLISECOND);

    /* When a peer does not answer, or its window is closed, the kernel doubles the pause each time,
     * up to two minutes. That is too long to tell a dead hub from a slow one. */
    (void)setsockopt(connection->watch.fd, IPPROTO_TCP, TCP_RTO_MAX_MS, &most, sizeof most);
    connection->tls = tls_session_new(context, connection->watch.fd, server_name);
    tls_session_set_reactor(connection->tls, connection->reactor);
}

TlsSession *
connection_tls(Connection *connection)
{
    return connection->tls;
}

int
connection_attach(Connection *connection, Reactor *reactor, ConnectionReady ready, void *data)
{
    int r = reactor_add(reactor, &connection->watch);

    if (r < 0)
        return r;
    connection->reactor = reactor;
    if (connection->tls)
        tls_session_set_reactor(connection->tls, reactor);
    /* Bytes may wait in or before TLS; the kernel does not report those. */
    connection->readable = connection->writable = TRUE;
    connection_set_handler(connection, ready, data);
    return 0;
}

void
connection_set_handler(Connection *connection, ConnectionReady ready, void *data)
{
    connection->ready = ready;
    connection->data = data;
    reactor_defer(connection->reactor, &connection->task);
}

void
connection_detach(Connection *connection)
{
    if (!connection->reactor)
        return;
    reactor_remove(connection->reactor, &connection->watch);
    reactor_cancel(connection->reactor, &connection->task);
    reactor_clear_timer(connection->reactor, &connection->linger);
    if (connection->finishing)
        reactor_disown(connection->reactor, &connection->closing);
    connection->finishing = FALSE;
    if (connection->tls)
        tls_session_set_reactor(connection->tls, NULL);
    connection->reactor = NULL;
    connection->ready = NULL;
}

Reactor *
connection_reactor(Connection *connection)
{
    return connection->reactor;
}

int
connection_handshake(Connection *connection)
{
    return connection->tls ? tls_session_handshake(connection->tls) : 0;
}

static ssize_t
connection_read_unread(Connection *connection, void *buf, size_t len)
{
    GByteArray *unread = connection->unread;

    len = MIN(len, unread->len);
    memcpy(buf, unread->data, len);
    g_byte_array_remove_range(unread, 0, (guint)len);
    if (unread->len == 0)
        g_clear_pointer(&connection->unread, g_byte_array_unref);
    return (ssize_t)len;
}

ssize_t
connection_read_raw(int fd, void *buf, size_t len)
{
    ssize_t n;

    do
        n = recv(fd, buf, len, 0);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

ssize_t
connection_read(Connection *connection, void *buf, size_t len)
{
    ssize_t n;

    if (connection->unread)
        return connection_read_unread(connection, buf, len);
    if (!connection->readable)
        return -EAGAIN;
    n = connection->tls ? tls_session_read(connection->tls, buf, len)
                        : connection_read_raw(connection->watch.fd, buf, len);
    /* The error was already read from the kernel, which now reports an orderly end. */
    if (n == (connection->tls ? -ESHUTDOWN : 0) && connection_was_cut(connection))
        n = -connection->error;
    /* A short read does not mean that the socket is empty: urgent data cuts a read short without a
     * new edge. */
    if (n == -EAGAIN)
        connection->readable = FALSE;
    return n;
}

ssize_t
connection_peek(Connection *connection, void *buf, size_t len)
{
    ssize_t n;

    do
        n = recv(connection->watch.fd, buf, len, MSG_PEEK);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

void
connection_unread(Connection *connection, const void *data, size_t len)
{
    if (len == 0)
        return;
    if (!connection->unread)
        connection->unread = g_byte_array_new();
    g_byte_array_prepend(connection->unread, data, (guint)len);
}

static ssize_t
socket_write(int fd, const void *buf, size_t len)
{
    ssize_t n;

    do
        n = send(fd, buf, len, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

static ssize_t
connection_write_now(Connection *connection, const void *buf, size_t len)
{
    ssize_t n;

    if (!connection->writable)
        return -EAGAIN;
    n = connection->tls ? tls_session_write(connection->tls, buf, len)
                        : socket_write(connection->watch.fd, buf, len);
    if (n == -EAGAIN)
        connection->writable = FALSE;
    else if (n < 0)
        connection_note_error(connection, (int)-n);
    return n;
}

/* 0 when the queue is empty. */
static int
connection_send_queued(Connection *connection)
{
    while (connection->queued) {
        GByteArray *queued = connection->queued;
        ssize_t n = connection_write_now(connection, queued->data, queued->len);

        if (n < 0)
            return (int)n;
        explicit_bzero(queued->data, (gsize)n); /* answers of the hub may have keys */
        g_byte_array_remove_range(queued, 0, (guint)n);
        if (queued->len == 0)
            g_clear_pointer(&connection->queued, g_byte_array_unref);
    }
    return 0;
}

ssize_t
connection_write(Connection *connection, const void *buf, size_t len)
{
    int r = connection_send_queued(connection);

    return r < 0 ? r : connection_write_now(connection, buf, len);
}

gboolean
connection_queue(Connection *connection, const void *data, size_t len)
{
    guint held = connection->queued ? connection->queued->len : 0;

    if (len > CONNECTION_QUEUE_MAX - held)
        return FALSE;
    if (!connection->queued)
        connection->queued = g_byte_array_new();
    g_byte_array_append(connection->queued, data, (guint)len);
    return TRUE;
}

gsize
connection_queued(const Connection *connection)
{
    return connection->queued ? connection->queued->len : 0;
}

int
connection_flush(Connection *connection)
{
    int r = connection_send_queued(connection);

    if (connection->tls && (r == 0 || r == -EAGAIN)) {
        int flushed = connection->writable ? tls_session_flush(connection->tls) : -EAGAIN;

        if (flushed == -EAGAIN)
            connection->writable = FALSE;
        else if (flushed < 0)
            connection_note_error(connection, -flushed);
        r = flushed < 0 ? flushed : r;
    }
    return r;
}

int
connection_shutdown_write(Connection *connection)
{
    return shutdown(connection->watch.fd, SHUT_WR) < 0 ? -errno : 0;
}

gboolean
connection_hung_up(Connection *connection)
{
    return connection->hung_up;
}

gboolean
connection_has_left(const Connection *connection)
{
    struct pollfd peer = {.fd = connection->watch.fd};

    return connection->is_unix && poll(&peer, 1, 0) > 0 && (peer.revents & POLLHUP);
}

gboolean
connection_is_broken(const Connection *connection)
{
    return connection->error != 0;
}

gboolean
connection_was_cut(const Connection *connection)
{
    return connection->error != 0 && connection->error != EPIPE;
}

gsize
connection_outstanding(const Connection *connection)
{
    int left = 0;

    return ioctl(connection->watch.fd, SIOCOUTQ, &left) == 0 ? (gsize)MAX(left, 0) : 0;
}

gboolean
connection_has_backlog(const Connection *connection)
{
    int left = 0;

    return ioctl(connection->watch.fd, SIOCOUTQNSD, &left) == 0 && left > 0;
}

gint64
connection_unanswered(Connection *connection)
{
    struct tcp_info info = {0};
    socklen_t len = sizeof info;

    if (getsockopt(connection->watch.fd, IPPROTO_TCP, TCP_INFO, &info, &len) < 0)
        return 0;
    /* A live peer answers every probe of its closed window. The kernel counts those that were not
     * answered. */
    if (info.tcpi_retransmits == 0 && info.tcpi_probes == 0)
        return 0;
    return (gint64)MIN(info.tcpi_last_ack_recv, info.tcpi_last_data_recv) * G_TIME_SPAN_MILLISECOND;
}

void
connection_keep_alive(Connection *connection, gint64 idle)
{
    const int on = idle > 0, count = 3, seconds = (int)MAX(idle / G_TIME_SPAN_SECOND, 1);
    const int between = MAX(seconds / 2, 1);
    int fd = connection->watch.fd;

    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &seconds, sizeof seconds);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &between, sizeof between);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof count);
    (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
}

void
connection_retry_soon(Connection *connection)
{
    const int pause = (int)(CONNECTION_RETRY / G_TIME_SPAN_MILLISECOND);
    const unsigned int all = (unsigned int)(CONNECTION_RETRIES / G_TIME_SPAN_MILLISECOND);
    int fd = connection->watch.fd;

    (void)setsockopt(fd, IPPROTO_TCP, TCP_RTO_MAX_MS, &pause, sizeof pause);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &all, sizeof all);
}

void
connection_set_peer(Connection *connection, const char *peer)
{
    g_strlcpy(connection->peer, peer, sizeof connection->peer);
}

const char *
connection_peer(Connection *connection)
{
    return connection->peer;
}

int
connection_fd(Connection *connection)
{
    return connection->watch.fd;
}
