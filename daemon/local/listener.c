/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/local/listener.h"

#include "common/base/error.h"
#include "daemon/local/peer-uid.h"
#include "daemon/local/target-private.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

struct Listener {
    int fd;
    char *address;
    char *path; /* of the socket file that we made */
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

static GSocketAddress *
tcp_address(const char *address, const LocalAddress *local, gboolean shared, GError **error)
{
    const char *host = g_strcmp0(local->host, "localhost") == 0 ? "127.0.0.1" : local->host;
    g_autoptr(GInetAddress) inet = g_inet_address_new_from_string(host);

    if (!inet) {
        g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID,
                    "\"%s\": to listen on, an IP address is needed, for example tcp:127.0.0.1:2222",
                    address);
        return NULL;
    }
    if (!shared && !g_inet_address_get_is_loopback(inet)) {
        g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_DENIED,
                    "\"%s\" is not a loopback address: others could use the tunnel; that needs the "
                    "option shared",
                    address);
        return NULL;
    }
    return g_inet_socket_address_new(inet, local->port);
}

static char *
tcp_bound_text(int fd)
{
    union {
        struct sockaddr any;
        struct sockaddr_storage storage;
    } bound = {0};
    socklen_t len = sizeof bound;
    g_autoptr(GSocketAddress) address = NULL;
    g_autofree char *text = NULL;
    GInetAddress *inet;

    if (getsockname(fd, &bound.any, &len) < 0)
        return g_strdup("tcp:?");
    address = g_socket_address_new_from_native(&bound, len);
    inet = g_inet_socket_address_get_address(G_INET_SOCKET_ADDRESS(address));
    text = g_inet_address_to_string(inet);
    return g_strdup_printf(strchr(text, ':') ? "tcp:[%s]:%u" : "tcp:%s:%u", text,
                           g_inet_socket_address_get_port(G_INET_SOCKET_ADDRESS(address)));
}

static gboolean
listener_bind_tcp(Listener *listener, const char *address, const LocalAddress *local,
                  gboolean shared, GError **error)
{
    g_autoptr(GSocketAddress) to = tcp_address(address, local, shared, error);
    struct sockaddr_storage native;
    const int on = 1;
    int size;

    if (!to)
        return FALSE;
    size = (int)g_socket_address_get_native_size(to);
    if (!g_socket_address_to_native(to, &native, sizeof native, error))
        return FALSE;
    listener->fd = socket(native.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (listener->fd < 0)
        return listener_fail(address, "make a socket for", errno, error);
    (void)setsockopt(listener->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener->fd, (const struct sockaddr *)&native, (socklen_t)size) < 0 ||
        listen(listener->fd, LISTENER_BACKLOG) < 0)
        return listener_fail(address, "listen on", errno, error);
    listener->address = tcp_bound_text(listener->fd);
    return TRUE;
}

/* TRUE when there is nothing at the path any more. */
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

/* $RUNTIME_DIRECTORY/UID; NULL when the service manager gave us none. */
static char *
user_directory(guint32 uid)
{
    g_autofree char *all = g_strdup(g_getenv("RUNTIME_DIRECTORY"));

    if (!all || !g_path_is_absolute(all))
        return NULL;
    all[strcspn(all, ":")] = '\0';
    return g_strdup_printf("%s/%u", all, uid);
}

/* Others may pass through it, to sockets that are shared, but not look around. */
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

/* Another user's socket has one place; what we may write elsewhere is not his to use. */
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

/* Nobody can be connected yet. The directory is ours, so the path is what we have bound. */
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
    int r;

    g_strlcpy(name.sun_path, local->path, sizeof name.sun_path);
    if (!unix_check_place(address, local->path, options->owner_uid, error) ||
        !unix_remove_stale(address, &name, error))
        return FALSE;
    listener->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (listener->fd < 0)
        return listener_fail(address, "make a socket for", errno, error);
    mask = umask(options->shared ? 0111 : 0177); /* no other thread of ours makes files */
    r = bind(listener->fd, (const struct sockaddr *)&name, sizeof name) < 0 ? errno : 0;
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
    if (listen(listener->fd, LISTENER_BACKLOG) < 0)
        return listener_fail(address, "listen on", errno, error);
    listener->address = g_strdup(address);
    return TRUE;
}

/* Without the kernel's word on whose a connection is, all of them would have to be refused: better
 * to say so now. It also loads the kernel's module, when it is one, before anybody waits. */
static gboolean
listener_check_kernel(const Listener *listener, GError **error)
{
    int r = peer_uid_probe(listener->fd);

    if (r >= 0)
        return TRUE;
    g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_FAILED,
                "cannot listen on %s for one user: the kernel does not tell whose a connection is "
                "(NETLINK_SOCK_DIAG: %s); a unix: address needs no such check, the option shared "
                "does without it",
                listener->address, g_strerror(-r));
    return FALSE;
}

Listener *
listener_new(const ListenerOptions *options, GError **error)
{
    const char *address = options->address;
    g_autoptr(Listener) listener = g_new0(Listener, 1);
    g_auto(LocalAddress) local = {0};
    gboolean bound;

    listener->fd = -1;
    if (!address || !*address)
        address = "tcp:127.0.0.1:0";
    if (!local_address_parse(address, TRUE, &local, error))
        return NULL;
    bound = local.path ? listener_bind_unix(listener, address, &local, options, error)
                       : listener_bind_tcp(listener, address, &local, options->shared, error);
    if (!bound || (!local.path && !options->shared && !listener_check_kernel(listener, error)))
        return NULL;
    return g_steal_pointer(&listener);
}

void
listener_free(Listener *listener)
{
    struct stat status;

    if (!listener)
        return;
    if (listener->path && lstat(listener->path, &status) == 0 &&
        status.st_dev == listener->device && status.st_ino == listener->inode)
        (void)unlink(listener->path);
    if (listener->fd >= 0)
        close(listener->fd);
    g_free(listener->address);
    g_free(listener->path);
    g_free(listener);
}

const char *
listener_address(const Listener *listener)
{
    return listener->address;
}

int
listener_fd(const Listener *listener)
{
    return listener->fd;
}
