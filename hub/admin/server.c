/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/admin/server.h"

#include "common/base/error.h"
#include "common/base/secret.h"
#include "common/codec/http-build.h"
#include "common/codec/http-head.h"
#include "common/log/events.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 64
#define ACCEPT_PAUSE_MS 1000 /* when descriptors have run out */

struct AdminServer {
    char *path;
    int fd;
    uid_t owner;
    const AdminHub *hub;
    guint accepting; /* source; 0 while full or paused */
    guint pause;     /* source */
    GQueue connections;
};

typedef struct {
    GList link; /* in the server's connections */
    AdminServer *server;
    int fd;
    uid_t uid;     /* of the peer */
    guint watch;   /* source: for input, then for output */
    guint timeout; /* source */
    AdminRequest *request;
    char input[HTTP_HEAD_MAX + ADMIN_BODY_MAX];
    gsize input_len;
    char *output; /* may hold a key */
    gsize output_len, output_done;
} AdminConnection;

static void server_accept_again(AdminServer *server);

static void
source_clear(guint *source)
{
    if (*source)
        g_source_remove(*source);
    *source = 0;
}

static void
output_clear(AdminConnection *connection)
{
    if (connection->output)
        explicit_bzero(connection->output, connection->output_len);
    g_clear_pointer(&connection->output, g_free);
}

static void
connection_end(AdminConnection *connection)
{
    AdminServer *server = connection->server;

    if (connection->request)
        admin_request_abandon(connection->request);
    source_clear(&connection->watch);
    source_clear(&connection->timeout);
    close(connection->fd);
    output_clear(connection);
    explicit_bzero(connection->input, connection->input_len); /* an import has keys */
    g_queue_unlink(&server->connections, &connection->link);
    g_free(connection);
    server_accept_again(server);
}

static gboolean
on_timeout(void *data)
{
    AdminConnection *connection = data;

    connection->timeout = 0;
    connection_end(connection);
    return G_SOURCE_REMOVE;
}

static gboolean
on_writable(int fd, GIOCondition condition G_GNUC_UNUSED, void *data)
{
    AdminConnection *connection = data;
    ssize_t done = send(fd, connection->output + connection->output_done,
                        connection->output_len - connection->output_done, MSG_NOSIGNAL);

    if (done < 0 && (errno == EAGAIN || errno == EINTR))
        return G_SOURCE_CONTINUE;
    if (done > 0)
        connection->output_done += (gsize)done;
    if (done > 0 && connection->output_done < connection->output_len)
        return G_SOURCE_CONTINUE;
    connection->watch = 0;
    connection_end(connection);
    return G_SOURCE_REMOVE;
}

static void
on_answer(guint status, const char *content_type, char *body, void *data)
{
    AdminConnection *connection = data;
    g_autoptr(GString) head = g_string_new(NULL);
    gsize body_len = strlen(body);

    connection->request = NULL;
    http_status_line(head, status);
    if (!http_header_append(head, "Content-Type", content_type) ||
        !http_header_append(head, "Connection", "close"))
        g_assert_not_reached();
    http_header_append_number(head, "Content-Length", body_len);
    http_head_end(head);
    connection->output_len = head->len + body_len;
    connection->output = g_malloc(connection->output_len);
    memcpy(connection->output, head->str, head->len);
    memcpy(connection->output + head->len, body, body_len);
    secret_free(body);
    source_clear(&connection->watch);
    connection->watch = g_unix_fd_add(connection->fd, G_IO_OUT, on_writable, connection);
}

static void
connection_refuse(AdminConnection *connection, guint status, const char *text)
{
    on_answer(status, "application/json",
              g_strdup_printf("{\"error\":{\"code\":\"invalid\",\"message\":\"%s\"}}", text),
              connection);
}

/* TRUE when the request was started or refused: nothing more is read. */
static gboolean
connection_parse(AdminConnection *connection)
{
    HttpRequest head;
    HttpRefusal refusal;
    HttpHeadResult result =
        http_request_parse(connection->input, connection->input_len, &head, &refusal);
    gsize body_len;

    if (result == HTTP_HEAD_MORE)
        return FALSE;
    if (result == HTTP_HEAD_REFUSED) {
        connection_refuse(connection, refusal.status, refusal.text);
        return TRUE;
    }
    if (head.content_length > ADMIN_BODY_MAX) {
        connection_refuse(connection, 413, "the body is too large");
        return TRUE;
    }
    if (head.chunked) {
        connection_refuse(connection, 501, "bodies of this socket have a Content-Length");
        return TRUE;
    }
    body_len = (gsize)head.content_length;
    if (connection->input_len - head.head_len < body_len)
        return FALSE;
    source_clear(&connection->watch);
    admin_request_start(connection->server->hub, connection->uid, head.method, head.path,
                        head.query, (Slice){connection->input + head.head_len, body_len}, on_answer,
                        connection, &connection->request);
    return TRUE;
}

static gboolean
on_readable(int fd, GIOCondition condition G_GNUC_UNUSED, void *data)
{
    AdminConnection *connection = data;
    ssize_t count = recv(fd, connection->input + connection->input_len,
                         sizeof connection->input - connection->input_len, 0);

    if (count < 0 && (errno == EAGAIN || errno == EINTR))
        return G_SOURCE_CONTINUE;
    if (count <= 0) {
        connection->watch = 0;
        connection_end(connection);
        return G_SOURCE_REMOVE;
    }
    connection->input_len += (gsize)count;
    /* Parsing has removed this source by its id, and the answer may have added another. */
    return connection_parse(connection) ? G_SOURCE_REMOVE : G_SOURCE_CONTINUE;
}

static gboolean
peer_is_allowed(const AdminServer *server, int fd, uid_t *ret_uid)
{
    struct ucred peer = {.uid = (uid_t)-1};
    socklen_t len = sizeof peer;

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0 || len != sizeof peer)
        return FALSE;
    *ret_uid = peer.uid;
    return peer.uid == server->owner || peer.uid == 0;
}

static void
connection_start(AdminServer *server, int fd)
{
    AdminConnection *connection;
    uid_t uid = (uid_t)-1;

    if (!peer_is_allowed(server, fd, &uid)) {
        event_log(EVENT_REGISTRY_CHANGED,
                  &(EventData){.uid = uid, .detail = "is not let in at the admin socket"});
        close(fd);
        return;
    }
    connection = g_new0(AdminConnection, 1);
    connection->link.data = connection;
    connection->server = server;
    connection->fd = fd;
    connection->uid = uid;
    connection->watch = g_unix_fd_add(fd, G_IO_IN, on_readable, connection);
    connection->timeout = g_timeout_add_seconds(ADMIN_TIMEOUT_S, on_timeout, connection);
    g_queue_push_tail_link(&server->connections, &connection->link);
}

static gboolean
on_pause_over(void *data)
{
    AdminServer *server = data;

    server->pause = 0;
    server_accept_again(server);
    return G_SOURCE_REMOVE;
}

static gboolean
on_connecting(int listener, GIOCondition condition G_GNUC_UNUSED, void *data)
{
    AdminServer *server = data;
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (fd >= 0)
        connection_start(server, fd);
    else if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
        server->pause = g_timeout_add(ACCEPT_PAUSE_MS, on_pause_over, server);
    if (!server->pause && server->connections.length < ADMIN_CONNECTIONS_MAX)
        return G_SOURCE_CONTINUE;
    server->accepting = 0;
    return G_SOURCE_REMOVE;
}

static void
server_accept_again(AdminServer *server)
{
    if (!server->accepting && !server->pause && server->fd >= 0 &&
        server->connections.length < ADMIN_CONNECTIONS_MAX)
        server->accepting = g_unix_fd_add(server->fd, G_IO_IN, on_connecting, server);
}

static gboolean
set_error(const char *path, StreamdError code, const char *text, GError **error)
{
    g_set_error(error, STREAMD_ERROR, (int)code, "admin socket %s: %s", path, text);
    return FALSE;
}

/* For the last call that failed. A fault of the disk is BUSY: it may go away. */
static gboolean
set_system_error(const char *path, GError **error)
{
    int number = errno;
    gboolean disk = number == ENOSPC || number == EDQUOT || number == EROFS || number == EIO;

    return set_error(path, disk ? STREAMD_ERROR_BUSY : STREAMD_ERROR_FAILED, g_strerror(number),
                     error);
}

/* Removes the socket that an earlier server left behind, and nothing else. */
static gboolean
clear_stale(const char *path, const struct sockaddr_un *address, GError **error)
{
    struct stat info;
    gboolean alive;
    int fd;

    if (lstat(path, &info) < 0)
        return errno == ENOENT || set_error(path, STREAMD_ERROR_FAILED, g_strerror(errno), error);
    if (!S_ISSOCK(info.st_mode))
        return set_error(path, STREAMD_ERROR_INVALID, "something else has that name", error);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return set_error(path, STREAMD_ERROR_FAILED, g_strerror(errno), error);
    alive = connect(fd, (const struct sockaddr *)address, sizeof *address) == 0 ||
            errno != ECONNREFUSED;
    close(fd);
    if (alive)
        return set_error(path, STREAMD_ERROR_EXISTS, "another streamhub listens there", error);
    return unlink(path) == 0 || set_system_error(path, error);
}

static gboolean
server_bind(AdminServer *server, GError **error)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    if (strlen(server->path) >= sizeof address.sun_path)
        return set_error(server->path, STREAMD_ERROR_INVALID, "the path is too long", error);
    memcpy(address.sun_path, server->path, strlen(server->path));
    if (!clear_stale(server->path, &address, error))
        return FALSE;
    server->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    /* Nobody can connect before listen(2). For each peer, the kernel tells who it is. */
    if (server->fd < 0 || bind(server->fd, (const struct sockaddr *)&address, sizeof address) < 0 ||
        chmod(server->path, 0660) < 0 || listen(server->fd, BACKLOG) < 0)
        return set_system_error(server->path, error);
    return TRUE;
}

AdminServer *
admin_server_new(const char *path, uid_t owner, const AdminHub *hub, GError **error)
{
    AdminServer *server = g_new0(AdminServer, 1);

    server->path = g_strdup(path);
    server->fd = -1;
    server->owner = owner;
    server->hub = hub;
    if (server_bind(server, error)) {
        server_accept_again(server);
        return server;
    }
    if (server->fd >= 0)
        close(server->fd);
    g_free(server->path);
    g_free(server);
    return NULL;
}

void
admin_server_free(AdminServer *server)
{
    if (!server)
        return;
    (void)unlink(server->path);
    close(server->fd);
    server->fd = -1; /* no more is accepted */
    source_clear(&server->accepting);
    source_clear(&server->pause);
    while (server->connections.head)
        connection_end(server->connections.head->data);
    g_free(server->path);
    g_free(server);
}

guint
admin_server_connections(AdminServer *server)
{
    return server->connections.length;
}
