/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Listeners and tunnels: who may listen where, and whose connections are taken. */
#include "common/base/error.h"
#include "daemon/local/listener.h"
#include "daemon/local/tunnel-private.h"
#include "tests/unit/daemon/local/user-fixture.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct {
    Runtime *runtime;
    char *dir;         /* $RUNTIME_DIRECTORY */
    guint opened;      /* connections that were taken */
    guint changed;     /* times the last error changed */
    guint limit;       /* of streams that have not ended; 0: none, and each ends as it is opened */
    guint64 begun;     /* the last that was begun */
    GPtrArray *locals; /* their connections, in the order of their streams, from 1 */
} Fixture;

static void
connection_put_down(gpointer connection)
{
    connection_free(connection);
}

static guint64
on_add(Tunnel *tunnel, Connection *local, guint64 place, void *data, GError **error)
{
    Fixture *fixture = data;

    if (fixture->limit && tunnel_streams(tunnel) > fixture->limit) {
        connection_reset(local);
        g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_LIMIT, "that is %u", fixture->limit);
        return 0;
    }
    fixture->opened++;
    g_ptr_array_add(fixture->locals, local);
    g_assert_cmpuint(place, ==, tunnel_accepted(tunnel));
    return fixture->locals->len;
}

static gboolean
on_begin(Tunnel *tunnel, guint64 stream, void *data)
{
    Fixture *fixture = data;
    Connection *local = fixture->locals->pdata[stream - 1];

    g_assert_cmpuint(stream, >, fixture->begun); /* in the order they came */
    fixture->begun = stream;
    if (fixture->limit)
        return TRUE;
    g_assert_cmpint(write(connection_fd(local), "y", 1), ==, 1);
    connection_free(local);
    fixture->locals->pdata[stream - 1] = NULL;
    tunnel_opened(tunnel, tunnel_accepted(tunnel), NULL);
    tunnel_stream_ended(tunnel, stream);
    return TRUE;
}

static void
on_changed(Tunnel *tunnel, void *data)
{
    Fixture *fixture = data;

    fixture->changed++;
}

static void
on_closed(Tunnel *tunnel, void *data)
{
    tunnel_free(tunnel);
}

static void
set_up(Fixture *fixture, gconstpointer data)
{
    fixture->runtime = runtime_new(1);
    fixture->locals = g_ptr_array_new_with_free_func(connection_put_down);
    fixture->dir = g_dir_make_tmp("streamd-run-XXXXXX", NULL);
    g_assert_nonnull(fixture->dir);
    g_assert_cmpint(g_chmod(fixture->dir, 0755), ==, 0);
    g_setenv("RUNTIME_DIRECTORY", fixture->dir, TRUE);
}

static void
tear_down(Fixture *fixture, gconstpointer data)
{
    const char *argv[] = {"rm", "-r", fixture->dir, NULL};

    g_assert_true(g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL,
                               NULL, NULL, NULL));
    g_unsetenv("RUNTIME_DIRECTORY");
    g_ptr_array_unref(fixture->locals);
    runtime_free(fixture->runtime);
    g_free(fixture->dir);
}

static Tunnel *
tunnel_start(Fixture *fixture, const char *listen, uid_t owner, gboolean shared)
{
    const TunnelContext context = {fixture->runtime, on_add,    on_begin,
                                   on_changed,       on_closed, fixture};
    const TunnelOptions options = {.hub = "h",
                                   .device = "d",
                                   .stream = "s",
                                   .listen = listen,
                                   .shared = shared,
                                   .owner_uid = owner};
    g_autoptr(GError) error = NULL;
    Tunnel *tunnel = tunnel_new(&context, 1, &options, FALSE, &error);

    g_assert_no_error(error);
    return tunnel;
}

/* How a client that is UID fares. */
static ClientEnd
try_as(const Tunnel *tunnel, uid_t uid)
{
    pid_t pid = client_start(uid, tunnel_listen_address(tunnel));
    ClientEnd end;

    while (!client_poll(pid, &end))
        if (!g_main_context_iteration(NULL, FALSE))
            g_usleep(200);
    return end;
}

static void
assert_ends(const Tunnel *tunnel, ClientEnd owner, ClientEnd other)
{
    g_assert_cmpint(try_as(tunnel, USER_A), ==, owner);
    g_assert_cmpint(try_as(tunnel, USER_B), ==, other);
    g_assert_cmpint(try_as(tunnel, 0), ==, CLIENT_SERVED);
    g_assert_cmpint(try_as(tunnel, USER_A), ==, owner); /* the refusal has harmed nobody else */
}

static void
test_tcp_users(Fixture *fixture, gconstpointer address)
{
    g_autoptr(Tunnel) tunnel = NULL, shared = NULL;

    if (!user_can_change())
        return;
    tunnel = tunnel_start(fixture, address, USER_A, FALSE);
    g_assert_cmpint(try_as(tunnel, USER_B), ==, CLIENT_CUT);
    g_assert_cmpstr(tunnel_last_error(tunnel), ==, "a connection of user 4712 was refused");
    g_assert_cmpuint(fixture->opened, ==, 0);
    g_assert_cmpuint(tunnel_accepted(tunnel), ==, 0);
    assert_ends(tunnel, CLIENT_SERVED, CLIENT_CUT);
    shared = tunnel_start(fixture, address, USER_A, TRUE);
    assert_ends(shared, CLIENT_SERVED, CLIENT_SERVED);
}

static guint
mode_of(const char *path, uid_t *ret_owner)
{
    struct stat status;

    g_assert_cmpint(lstat(path, &status), ==, 0);
    if (ret_owner)
        *ret_owner = status.st_uid;
    return status.st_mode & 07777;
}

/* Root can give the socket to its user: nobody else gets as far as to connect. */
static void
test_unix_given(Fixture *fixture, gconstpointer data)
{
    g_autofree char *listen = g_strdup_printf("unix:%s/%d/web", fixture->dir, USER_A);
    g_autoptr(Tunnel) tunnel = NULL;
    uid_t owner;

    if (!user_can_change())
        return;
    tunnel = tunnel_start(fixture, listen, USER_A, FALSE);
    g_assert_cmpuint(mode_of(listen + 5, &owner), ==, 0600);
    g_assert_cmpuint(owner, ==, USER_A);
    assert_ends(tunnel, CLIENT_SERVED, CLIENT_DENIED);
}

/* The system's instance is a user of its own and cannot: the peer's UID decides. */
static void
test_unix_asked(Fixture *fixture, gconstpointer data)
{
    g_autofree char *listen = g_strdup_printf("unix:%s/%d/web", fixture->dir, USER_A);
    g_autofree char *open = g_strdup_printf("unix:%s/%d/open", fixture->dir, USER_A);
    g_autofree char *folder = g_path_get_dirname(listen + 5);
    Tunnel *tunnel, *shared;

    if (!user_can_change())
        return;
    g_assert_cmpint(chown(fixture->dir, USER_DAEMON, 0), ==, 0);
    g_assert_cmpint(seteuid(USER_DAEMON), ==, 0);
    tunnel = tunnel_start(fixture, listen, USER_A, FALSE);
    g_assert_cmpuint(mode_of(folder, NULL), ==, 0711);
    g_assert_cmpuint(mode_of(listen + 5, NULL), ==, 0666);
    assert_ends(tunnel, CLIENT_SERVED, CLIENT_CUT);
    g_assert_cmpstr(tunnel_last_error(tunnel), ==, "");
    shared = tunnel_start(fixture, open, USER_A, TRUE);
    assert_ends(shared, CLIENT_SERVED, CLIENT_SERVED);
    tunnel_free(tunnel);
    tunnel_free(shared);
    g_assert_cmpint(g_access(listen + 5, F_OK), <, 0);
    g_assert_cmpint(seteuid(0), ==, 0);
}

static void
listen_fails(const char *address, uid_t owner, gboolean shared, StreamdError code, const char *part)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Listener) listener = listener_new(&(ListenerOptions){address, shared, owner}, &error);

    g_assert_null(listener);
    g_assert_error(error, STREAMD_ERROR, (int)code);
    if (!strstr(error->message, part))
        g_error("\"%s\" is not in: %s", part, error->message);
}

/* For another user we make a socket in that user's directory, and in no other place. */
static void
test_unix_place(Fixture *fixture, gconstpointer data)
{
    const char *const names[] = {"x", "4712/x", "4711/../x", "4711/deep/x", "4711/.hidden", "4711"};
    g_autofree char *none = g_strdup_printf("unix:%s/%d/x", fixture->dir, USER_A);

    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *address = g_strdup_printf("unix:%s/%s", fixture->dir, names[i]);

        listen_fails(address, USER_A, FALSE, STREAMD_ERROR_DENIED, "the Unix sockets of user 4711");
        listen_fails(address, USER_A, TRUE, STREAMD_ERROR_DENIED, "the Unix sockets of user 4711");
    }
    g_unsetenv("RUNTIME_DIRECTORY");
    listen_fails(none, USER_A, FALSE, STREAMD_ERROR_DENIED, "RuntimeDirectory=");
}

static Listener *
listen_own(const char *address)
{
    g_autoptr(GError) error = NULL;
    Listener *listener = listener_new(&(ListenerOptions){address, FALSE, geteuid()}, &error);

    g_assert_no_error(error);
    return listener;
}

/* Our own: 0600 whatever the umask; a live socket and a file are left alone, a dead one is not. */
static void
test_unix_own(Fixture *fixture, gconstpointer data)
{
    g_autofree char *address = g_strdup_printf("unix:%s/own", fixture->dir);
    g_autofree char *kept = g_strdup_printf("%s/kept", fixture->dir);
    const char *path = address + 5;
    mode_t mask = umask(0);
    Listener *listener = listen_own(address);

    umask(mask);
    g_assert_cmpuint(mode_of(path, NULL), ==, 0600);
    listen_fails(address, geteuid(), FALSE, STREAMD_ERROR_EXISTS, "in use");
    g_assert_cmpint(link(path, kept), ==, 0);
    listener_free(listener);
    g_assert_cmpint(g_access(path, F_OK), <, 0);
    g_assert_cmpint(rename(kept, path), ==, 0); /* what a crash leaves */
    listener = listen_own(address);
    g_assert_cmpint(unlink(path), ==, 0);
    g_assert_true(g_file_set_contents(path, "a file", -1, NULL));
    listen_fails(address, geteuid(), FALSE, STREAMD_ERROR_EXISTS, "in use");
    listener_free(listener); /* and what is in the place of its socket stays */
    g_assert_cmpint(g_access(path, F_OK), ==, 0);
}

/* Fault F33. */
static void
test_tcp_taken(Fixture *fixture, gconstpointer data)
{
    g_autoptr(Listener) listener = listen_own(NULL);

    listen_fails(listener_address(listener), geteuid(), FALSE, STREAMD_ERROR_EXISTS, "in use");
    listen_fails("tcp:0.0.0.0:0", geteuid(), FALSE, STREAMD_ERROR_DENIED, "not a loopback address");
    listen_fails("tcp:[::]:0", geteuid(), FALSE, STREAMD_ERROR_DENIED, "not a loopback address");
    listen_fails("tcp:example.org:0", geteuid(), FALSE, STREAMD_ERROR_INVALID, "an IP address");
}

/* A tunnel that was kept tries again when its address is taken at the start. */
static void
test_restored(Fixture *fixture, gconstpointer data)
{
    const TunnelContext context = {fixture->runtime, on_add,    on_begin,
                                   on_changed,       on_closed, fixture};
    g_autoptr(Listener) listener = listen_own(NULL);
    g_autofree char *address = g_strdup(listener_address(listener));
    const TunnelOptions options = {
        .hub = "h", .device = "d", .stream = "s", .listen = address, .owner_uid = geteuid()};
    g_autoptr(Tunnel) tunnel = tunnel_new(&context, 1, &options, TRUE, NULL);

    g_assert_nonnull(tunnel);
    g_assert_nonnull(strstr(tunnel_last_error(tunnel), "in use; trying again"));
    g_clear_pointer(&listener, listener_free);
    while (*tunnel_last_error(tunnel) != '\0')
        (void)g_main_context_iteration(NULL, TRUE);
    g_assert_cmpstr(tunnel_listen_address(tunnel), ==, address);
    listen_fails(address, geteuid(), FALSE, STREAMD_ERROR_EXISTS, "in use");
}

/* The kernel cannot be asked: no listener for one user, and the error says what else there is. */
static void
test_no_kernel(Fixture *fixture, gconstpointer data)
{
    struct rlimit limit, few;
    int next = dup(0), last = dup(0);

    g_assert_cmpint(getrlimit(RLIMIT_NOFILE, &limit), ==, 0);
    few = (struct rlimit){(rlim_t)last + 1, limit.rlim_max}; /* the listener's are the last two */
    close(next);
    close(last);
    g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &few), ==, 0);
    listen_fails("tcp:127.0.0.1:0", geteuid(), FALSE, STREAMD_ERROR_FAILED, "NETLINK_SOCK_DIAG");
    g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &limit), ==, 0);
}

static void
run_until_accepted(Tunnel *tunnel, guint count)
{
    const gint64 end = g_get_monotonic_time() + 10 * G_TIME_SPAN_SECOND;

    while (tunnel_accepted(tunnel) < count) {
        g_assert_cmpint(g_get_monotonic_time(), <, end);
        if (!g_main_context_iteration(NULL, FALSE))
            g_usleep(200);
    }
}

static gboolean
is_reset(int fd)
{
    char byte;

    return recv(fd, &byte, 1, 0) < 0 && errno == ECONNRESET;
}

static gboolean
is_waiting(int fd)
{
    char byte;

    return recv(fd, &byte, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

/* All connections are taken at once, 32 of them are opened at a time, in the order they came, and
 * the one beyond the limit is reset at once, on either loopback. */
static void
test_many(Fixture *fixture, gconstpointer data)
{
    g_autoptr(Tunnel) tunnel = tunnel_start(fixture, "0", geteuid(), FALSE);
    const char *v4 = tunnel_listen_address(tunnel);
    g_autofree char *v6 = g_strconcat("tcp:[::1]", strrchr(v4, ':'), NULL);
    const guint limit = fixture->limit = 3 * TUNNEL_OPENING_MAX;
    g_autofree int *fds = g_new0(int, limit + 2);

    for (guint i = 0; i < limit + 2; i++) {
        fds[i] = client_connect(i % 2 ? v6 : v4);
        run_until_accepted(tunnel, i + 1);
    }
    g_assert_cmpuint(tunnel_streams(tunnel), ==, limit);
    g_assert_cmpuint(fixture->opened, ==, limit);
    g_assert_cmpuint(fixture->begun, ==, TUNNEL_OPENING_MAX);
    g_assert_true(is_waiting(fds[limit - 1]));
    g_assert_true(is_reset(fds[limit]) && is_reset(fds[limit + 1]));
    g_assert_cmpstr(tunnel_last_error(tunnel), ==, "that is 96");
    g_assert_cmpuint(fixture->changed, ==, 1);
    /* One opens, another begins; it was there before the error, which stays. */
    tunnel_opened(tunnel, 1, NULL);
    g_assert_cmpuint(fixture->begun, ==, TUNNEL_OPENING_MAX + 1);
    g_assert_cmpstr(tunnel_last_error(tunnel), ==, "that is 96");
    /* One that waits ends: it is not begun. The next in line is. */
    tunnel_stream_ended(tunnel, TUNNEL_OPENING_MAX + 2);
    tunnel_opened(tunnel, 2, NULL);
    g_assert_cmpuint(fixture->begun, ==, TUNNEL_OPENING_MAX + 3);
    g_assert_cmpuint(tunnel_streams(tunnel), ==, limit - 1);
    /* There is room for one, and its success is one. */
    close(fds[limit]);
    fds[limit] = client_connect(v4);
    run_until_accepted(tunnel, limit + 3);
    g_assert_cmpuint(tunnel_streams(tunnel), ==, limit);
    g_assert_true(is_waiting(fds[limit]));
    tunnel_opened(tunnel, limit + 3, NULL);
    g_assert_cmpstr(tunnel_last_error(tunnel), ==, "");
    for (guint i = 0; i < limit + 2; i++)
        close(fds[i]);
}

/* Once it is held it takes nobody, and resets nobody: who comes then is served by who takes the
 * sockets over. */
static void
test_held(Fixture *fixture, gconstpointer data)
{
    const TunnelContext context = {fixture->runtime, on_add,    on_begin,
                                   on_changed,       on_closed, fixture};
    Tunnel *before = tunnel_start(fixture, "0", geteuid(), FALSE);
    g_autofree char *address = g_strdup(tunnel_listen_address(before));
    const TunnelOptions options = {.hub = "h", .device = "d", .stream = "s", .listen = address};
    g_autoptr(Tunnel) after = NULL;
    const ListenerFile file = {0, 0};
    const Listener *listener;
    int fds[LISTENER_SOCKETS_MAX], early = client_connect(address), late;
    char byte = 0;

    run_until_accepted(before, 1);
    g_assert_cmpint(recv(early, &byte, 1, 0), ==, 1);
    tunnel_hold(before);
    late = client_connect(address);
    listener = tunnel_rest(before); /* which may follow, and waits for the door once more */
    for (guint i = 0; i < listener_sockets(listener); i++)
        fds[i] = dup(listener_fd(listener, i));
    while (g_main_context_iteration(NULL, FALSE))
        ;
    g_assert_cmpuint(tunnel_accepted(before), ==, 1);
    g_assert_true(is_waiting(late));
    after =
        tunnel_restore(&context, 1, &options,
                       listener_adopt(address, &file, fds, listener_sockets(listener), NULL), 1, 0);
    tunnel_free(before);
    run_until_accepted(after, 2);
    g_assert_cmpint(recv(late, &byte, 1, 0), ==, 1);
    close(early);
    close(late);
}

#define ADD(name, data, function)                                                                  \
    g_test_add("/tunnel/" name, Fixture, data, set_up, function, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("tcp-users", "tcp:127.0.0.1:0", test_tcp_users);
    ADD("tcp-users-v6", "tcp:[::1]:0", test_tcp_users);
    ADD("unix-given", NULL, test_unix_given);
    ADD("unix-asked", NULL, test_unix_asked);
    ADD("unix-place", NULL, test_unix_place);
    ADD("unix-own", NULL, test_unix_own);
    ADD("tcp-taken", NULL, test_tcp_taken);
    ADD("restored", NULL, test_restored);
    ADD("no-kernel", NULL, test_no_kernel);
    ADD("many", NULL, test_many);
    ADD("held", NULL, test_held);
    return g_test_run();
}
