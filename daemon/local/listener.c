/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/local/listener.h"

#include "common/base/error.h"
#include "daemon/local/peer-uid.h"
#include "daemon/local/target-private.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

struct Listener {
    int fds[LISTENER_SOCKETS_MAX];
    guint count;
    char *address;
    char *path; /* of the socket file that this listener made */
    dev_t device;
    ino_t inode;
};

static gboolean
listener_fail(const char *address, const char *what, int code, GError **error)
{
    StreamdError kind = code == EADDRINUSE                ? STREAMD_ERROR_EXISTS
                        : code == EACCES || code == EPERM ? STREAMD_ERROR_DENIED
                        : code == EADDRNOTAVAIL           ? STREAMD_ERROR_INVALID
                                                          : STREAMD_ERROR_FAILED;

    g_set_error(error, STREAMD_ERROR, (int)kind, "cannot %s %s: %s", what, address,
                g_strerror(code));
    return FALSE;
}

/* The address of a socket of ours. */
typedef union {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    struct sockaddr_storage storage;
} TcpAddress;

static gboolean
tcp_address(const char *address, const LocalAddress *local, gboolean shared, TcpAddress *ret,
            GError **error)
{
    const char *host = g_strcmp0(local->host, "localhost") == 0 ? "127.0.0.1" : local->host;
    g_autoptr(GInetAddress) inet = g_inet_address_new_from_string(host);
    g_autoptr(GSocketAddress) socket_address = NULL;

    if (!inet) {
        g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID,
                    "\"%s\": an IP address to listen on is needed, for example tcp:127.0.0.1:2222",
                    address);
        return FALSE;
    }
    if (!shared && !g_inet_address_get_is_loopback(inet)) {
        g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_DENIED,
                    "\"%s\" is not a loopback address, so others could use the tunnel: give a "
                    "loopback address, or the option shared",
                    address);
        return FALSE;
    }
    socket_address = g_inet_socket_address_new(inet, local->port);
    return g_socket_address_to_native(socket_address, ret, sizeof *ret, error);
}

static socklen_t
tcp_size(const TcpAddress *address)
{
    return address->any.sa_family == AF_INET6 ? sizeof address->v6 : sizeof address->v4;
}

static char *
tcp_text(const TcpAddress *address)
{
    char host[INET6_ADDRSTRLEN] = "?";

    if (address->any.sa_family == AF_INET6) {
        (void)inet_ntop(AF_INET6, &address->v6.sin6_addr, host, sizeof host);
        return g_strdup_printf("tcp:[%s]:%u", host, ntohs(address->v6.sin6_port));
    }
    (void)inet_ntop(AF_INET, &address->v4.sin_addr, host, sizeof host);
    return g_strdup_printf("tcp:%s:%u", host, ntohs(address->v4.sin_port));
}

/* From 127.0.0.1 to ::1 or back, with the same port. FALSE: ADDRESS is neither. */
static gboolean
tcp_other_loopback(const TcpAddress *address, TcpAddress *ret)
{
    if (address->any.sa_family == AF_INET) {
        *ret = (TcpAddress){.v6 = {.sin6_family = AF_INET6,
                                   .sin6_port = address->v4.sin_port,
                                   .sin6_addr = IN6ADDR_LOOPBACK_INIT}};
        return address->v4.sin_addr.s_addr == htonl(INADDR_LOOPBACK);
    }
    *ret = (TcpAddress){.v4 = {.sin_family = AF_INET,
                               .sin_port = address->v6.sin6_port,
                               .sin_addr = {htonl(INADDR_LOOPBACK)}}};
    return IN6_IS_ADDR_LOOPBACK(&address->v6.sin6_addr);
}

/* Adds a socket that listens on ADDRESS, and sets the port in ADDRESS. 0 or an errno. */
static int
listener_add_tcp(Listener *listener, TcpAddress *address)
{
    socklen_t len = tcp_size(address);
    const int on = 1;
    int fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), r = 0;

    if (fd < 0)
        return errno;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, &address->any, len) < 0 || listen(fd, LISTENER_BACKLOG) < 0 ||
        getsockname(fd, &address->any, &len) < 0)
        r = errno;
    if (r != 0)
        close(fd);
    else
        listener->fds[listener->count++] = fd;
    return r;
}

static void
listener_close(Listener *listener)
{
    while (listener->count > 0)
        close(listener->fds[--listener->count]);
}

/* The errors of a machine that has no IPv6, or none on loopback. */
static gboolean
is_family_missing(int code)
{
    return code == EAFNOSUPPORT || code == EADDRNOTAVAIL || code == EPFNOSUPPORT;
}

/* Listens on ADDRESS and on the other loopback address, and sets the port in ADDRESS. 0, or an
 * errno: then *RET_AT is the address that failed, and the first socket stays open. */
static int
listener_try_tcp(Listener *listener, TcpAddress *address, TcpAddress *ret_at)
{
    TcpAddress other;
    int r;

    *ret_at = *address;
    r = listener_add_tcp(listener, address);
    if (r != 0 || !tcp_other_loopback(address, &other))
        return r;
    *ret_at = other;
    r = listener_add_tcp(listener, &other);
    return other.any.sa_family == AF_INET6 && is_family_missing(r) ? 0 : r;
}

/* Finds a port that is free on both. Sockets that were tried stay open meanwhile, so that the
 * kernel chooses another port. */
static int
listener_find_port(Listener *listener, TcpAddress *address, TcpAddress *ret_at)
{
    const TcpAddress wanted = *address;
    int held[LISTENER_PORT_TRIES], r = EADDRINUSE;
    guint count = 0;

    for (guint i = 0; i < LISTENER_PORT_TRIES && r == EADDRINUSE; i++) {
        *address = wanted;
        r = listener_try_tcp(listener, address, ret_at);
        if (r != 0 && listener->count > 0)
            held[count++] = listener->fds[--listener->count];
    }
    while (count > 0)
        close(held[--count]);
    return r;
}

static gboolean
listener_bind_tcp(Listener *listener, const char *address, const LocalAddress *local,
                  gboolean shared, GError **error)
{
    TcpAddress bound, at;
    g_autofree char *text = NULL;
    int r;

    if (!tcp_address(address, local, shared, &bound, error))
        return FALSE;
    r = local->port == 0 ? listener_find_port(listener, &bound, &at)
                         : listener_try_tcp(listener, &bound, &at);
    text = tcp_text(r == 0 ? &bound : &at);
    if (r != 0)
        return listener_fail(text, "listen on", r, error);
    listener->address = g_steal_pointer(&text);
    return TRUE;
}

/* TRUE when nothing is left at the path. */
static gboolean
unix_remove_stale(const char *address, const struct sockaddr_un *name, GError **error)
{
    struct stat status;
    int fd, r;

    if (lstat(name->sun_path, &status) < 0)
        return errno == ENOENT || listener_fail(address, "look at", errno, error);
    if (!S_ISSOCK(status.st_mode))
        return listener_fail(address, "listen on", EADDRINUSE, error);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return listener_fail(address, "make a socket for", errno, error);
    r = connect(fd, (const struct sockaddr *)name, sizeof *name) < 0 ? errno : 0;
    close(fd);
    if (r != ECONNREFUSED)
        return listener_fail(address, "listen on", r == EACCES ? EACCES : EADDRINUSE, error);
    return unlink(name->sun_path) == 0 || listener_fail(address, "replace", errno, error);
}

/* $RUNTIME_DIRECTORY/UID; NULL when the service manager has set none. */
static char *
user_directory(guint32 uid)
{
    g_autofree char *all = g_strdup(g_getenv("RUNTIME_DIRECTORY"));

    if (!all || !g_path_is_absolute(all))
        return NULL;
    all[strcspn(all, ":")] = '\0';
    return g_strdup_printf("%s/%u", all, uid);
}

/* Other users may pass through it to shared sockets, but not list it. */
static gboolean
user_directory_make(const char *address, const char *directory, GError **error)
{
    struct stat status;

    if (mkdir(directory, 0711) == 0 && chmod(directory, 0711) == 0)
        return TRUE;
    if (errno != EEXIST)
        return listener_fail(address, "make the directory of", errno, error);
    if (lstat(directory, &status) < 0)
        return listener_fail(address, "look at the directory of", errno, error);
    if (S_ISDIR(status.st_mode) && status.st_uid == geteuid())
        return TRUE;
    return listener_fail(address, "use the directory of", EACCES, error);
}

/* The socket of another user must be in that user's directory. That user must not use our rights to
 * write elsewhere. */
static gboolean
unix_check_place(const char *address, const char *path, guint32 uid, GError **error)
{
    g_autofree char *directory = user_directory(uid), *parent = g_path_get_dirname(path);
    g_autofree char *name = g_path_get_basename(path);

    if (uid == geteuid())
        return TRUE;
    if (!directory) {
        g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_DENIED,
                    "cannot listen on %s: a Unix socket for user %u needs the RuntimeDirectory= of "
                    "the service",
                    address, uid);
        return FALSE;
    }
    if (strcmp(parent, directory) == 0 && name[0] != '.')
        return user_directory_make(address, directory, error);
    g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_DENIED,
                "cannot listen on %s: the Unix sockets of user %u are in %s/", address, uid,
                directory);
    return FALSE;
}

/* Nobody can connect yet. The directory is ours, so the path still names our socket. */
static gboolean
unix_give_away(const char *address, const char *path, guint32 uid, GError **error)
{
    if (uid == geteuid() || lchown(path, uid, (gid_t)-1) == 0)
        return TRUE;
    return chmod(path, 0666) == 0 || listener_fail(address, "open to its user", errno, error);
}

static gboolean
listener_bind_unix(Listener *listener, const char *address, const LocalAddress *local,
                   const ListenerOptions *options, GError **error)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    struct stat status;
    mode_t mask;
    int fd, r;

    g_strlcpy(name.sun_path, local->path, sizeof name.sun_path);
    if (!unix_check_place(address, local->path, options->owner_uid, error) ||
        !unix_remove_stale(address, &name, error))
        return FALSE;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return listener_fail(address, "make a socket for", errno, error);
    listener->fds[listener->count++] = fd;
    mask = umask(options->shared ? 0111 : 0177); /* no other thread of ours makes files */
    r = bind(fd, (const struct sockaddr *)&name, sizeof name) < 0 ? errno : 0;
    umask(mask);
    if (r != 0)
        return listener_fail(address, "listen on", r, error);
    listener->path = g_strdup(local->path);
    if (lstat(listener->path, &status) == 0) {
        listener->device = status.st_dev;
        listener->inode = status.st_ino;
    }
    if (!options->shared && !unix_give_away(address, local->path, options->owner_uid, error))
        return FALSE;
    if (listen(fd, LISTENER_BACKLOG) < 0)
        return listener_fail(address, "listen on", errno, error);
    listener->address = g_strdup(address);
    return TRUE;
}

/* If the kernel cannot tell who owns a connection, all of them would be refused, so this fails now
 * instead. The test also loads the kernel's module, if there is one, before a client waits. */
static gboolean
listener_check_kernel(const Listener *listener, GError **error)
{
    int r = 0;

    for (guint i = 0; i < listener->count && r >= 0; i++)
        r = peer_uid_probe(listener->fds[i]);
    if (r >= 0)
        return TRUE;
    g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_FAILED,
                "cannot listen on %s for one user: the kernel does not tell whose a connection is "
                "(NETLINK_SOCK_DIAG: %s); a unix: address needs no such check, the option shared "
                "does without it",
                listener->address, g_strerror(-r));
    return FALSE;
}

/* A bare port, as in `2222` or `tcp:2222`, is on loopback. */
static char *
listener_full_address(const char *given)
{
    const char *port = given && g_str_has_prefix(given, "tcp:") ? given + strlen("tcp:") : given;

    if (!port || !*given)
        return g_strdup("tcp:127.0.0.1:0");
    if (*port && strspn(port, "0123456789") == strlen(port))
        return g_strconcat("tcp:127.0.0.1:", port, NULL);
    return g_strdup(given);
}

Listener *
listener_new(const ListenerOptions *options, GError **error)
{
    g_autofree char *address = listener_full_address(options->address);
    g_autoptr(Listener) listener = g_new0(Listener, 1);
    g_auto(LocalAddress) local = {0};
    gboolean bound;

    if (!local_address_parse(address, TRUE, &local, error))
        return NULL;
    bound = local.path ? listener_bind_unix(listener, address, &local, options, error)
                       : listener_bind_tcp(listener, address, &local, options->shared, error);
    if (!bound || (!local.path && !options->shared && !listener_check_kernel(listener, error)))
        return NULL;
    return g_steal_pointer(&listener);
}

/* Whether the file that it made is at its path. */
static gboolean
listener_has_file(const Listener *listener)
{
    struct stat status;

    return lstat(listener->path, &status) == 0 && status.st_dev == listener->device &&
           status.st_ino == listener->inode;
}

static gboolean
is_listening(int fd)
{
    int on = 0;
    socklen_t len = sizeof on;

    return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &on, &len) == 0 && on;
}

Listener *
listener_adopt(const char *address, const ListenerFile *file, const int *fds, guint count,
               GError **error)
{
    g_autoptr(Listener) listener = g_new0(Listener, 1);
    g_auto(LocalAddress) local = {0};
    gboolean ok = count > 0 && count <= LISTENER_SOCKETS_MAX &&
                  local_address_parse(address, TRUE, &local, NULL);

    for (guint i = 0; i < count; i++) {
        ok = ok && is_listening(fds[i]);
        if (i < LISTENER_SOCKETS_MAX)
            listener->fds[listener->count++] = fds[i];
        else
            close(fds[i]);
    }
    listener->address = g_strdup(address);
    listener->path = g_strdup(local.path);
    listener->device = (dev_t)file->device;
    listener->inode = (ino_t)file->inode;
    if (ok && (!listener->path || listener_has_file(listener)))
        return g_steal_pointer(&listener);
    g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID,
                "the sockets that were kept for %s do not listen there any more", address);
    return NULL;
}

ListenerFile
listener_file(const Listener *listener)
{
    return (ListenerFile){listener->device, listener->inode};
}

void
listener_leave(Listener *listener)
{
    if (!listener)
        return;
    listener_close(listener);
    g_free(listener->address);
    g_free(listener->path);
    g_free(listener);
}

void
listener_free(Listener *listener)
{
    if (listener && listener->path && listener_has_file(listener))
        (void)unlink(listener->path);
    listener_leave(listener);
}

const char *
listener_address(const Listener *listener)
{
    return listener->address;
}

guint
listener_sockets(const Listener *listener)
{
    return listener->count;
}

int
listener_fd(const Listener *listener, guint index)
{
    return listener->fds[index];
}
