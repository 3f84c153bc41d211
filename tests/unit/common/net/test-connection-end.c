/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How a connection ends, and for how long its last words are waited for: at each bound and one past
 * it. */
#include "common/base/descriptors.h"
#include "common/net/connection.h"
#include "tests/unit/common/net/peer-fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MS G_TIME_SPAN_MILLISECOND
#define HARD_WAIT (100 * MS)

/* What the kernel says of the peer of a connection, but for how long it has been silent: that is
 * CONNECTION_DEAD here, and cannot be waited for. 0: as it is. */
static atomic_uint silent_ms;

int
getsockopt(int fd, int level, int name, void *value, socklen_t *len)
{
    int r = (int)syscall(SYS_getsockopt, fd, level, name, value, len);
    guint ms = atomic_load(&silent_ms);

    if (r == 0 && level == IPPROTO_TCP && name == TCP_INFO && ms > 0) {
        struct tcp_info *info = value;

        info->tcpi_probes = 1;
        info->tcpi_last_ack_recv = info->tcpi_last_data_recv = ms;
    }
    return r;
}

typedef struct {
    Reactor *reactor;
    int ours, theirs;
    Connection *connection;
    gint64 patience; /* < 0: a hard end */
    gboolean fin;
} End;

static void
end_ready(Connection *connection G_GNUC_UNUSED, void *data G_GNUC_UNUSED)
{
}

static void
end_init(End *end, Reactor *reactor)
{
    int fds[2];

    chain_tcp_pair(fds);
    *end = (End){.reactor = reactor, .ours = fds[0], .theirs = fds[1]};
}

/* Writes until there is no more room. */
static void
end_fill(const End *end)
{
    static const char block[65536];

    while (send(end->ours, block, sizeof block, MSG_NOSIGNAL | MSG_DONTWAIT) > 0)
        continue;
}

/* Reactor. */
static void
end_finish(void *data)
{
    End *end = data;

    g_assert_cmpint(connection_attach(end->connection, end->reactor, end_ready, NULL), ==, 0);
    if (end->patience < 0)
        connection_finish_hard(end->connection, HARD_WAIT, end->fin);
    else
        connection_finish_patiently(end->connection, end->patience);
}

static gboolean
end_is_open(const End *end)
{
    return fcntl(end->ours, F_GETFD) >= 0;
}

static void
end_wait_closed(const End *end)
{
    gint64 until = g_get_monotonic_time() + G_TIME_SPAN_MINUTE;

    while (end_is_open(end)) {
        g_assert_cmpint(g_get_monotonic_time(), <, until);
        g_usleep(1000);
    }
}

/* A reader that has said its last word and has no room for ours: waited for, but not when its
 * kernel has been silent for so long. */
static gboolean
waits_for_a_reader(gint64 silence)
{
    g_autoptr(Reactor) reactor = reactor_new("end");
    gboolean open;
    End end;

    end_init(&end, reactor);
    end.patience = G_TIME_SPAN_HOUR;
    end.connection = connection_new(end.ours);
    end_fill(&end);
    atomic_store(&silent_ms, (guint)(silence / MS));
    shutdown(end.theirs, SHUT_WR);
    chain_call(reactor, end_finish, &end);
    g_usleep(100 * MS);
    open = end_is_open(&end);
    atomic_store(&silent_ms, 0);
    close(end.theirs);
    return open;
}

static void
test_a_dead_reader(void)
{
    g_assert_true(waits_for_a_reader(0));
    g_assert_true(waits_for_a_reader(CONNECTION_DEAD - MS));
    g_assert_false(waits_for_a_reader(CONNECTION_DEAD));
    g_assert_cmpint(CONNECTION_DEAD, ==, 45 * G_TIME_SPAN_SECOND);
}

static void
wait_unanswered(Connection *connection)
{
    gint64 until = g_get_monotonic_time() + 10 * G_TIME_SPAN_SECOND;

    while (connection_unanswered(connection) < 200 * MS) {
        g_assert_cmpint(g_get_monotonic_time(), <, until);
        g_usleep(10 * MS);
    }
}

/* No test may take 45 s, so this says that the kernel's count of a real silence is what is asked
 * for: a peer whose machine is gone acknowledges nothing. */
static void
test_a_silence_is_counted(void)
{
    Connection *connection;
    End end;

    end_init(&end, NULL);
    connection = connection_new(end.ours);
    g_assert_cmpint(connection_unanswered(connection), ==, 0);
    peer_die(end.theirs);
    g_assert_cmpint(connection_write(connection, "x", 1), ==, 1);
    g_assert_cmpint(connection_unanswered(connection), ==, 0); /* it may be on its way */
    wait_unanswered(connection);
    connection_free(connection);
    close(end.theirs);
}

/* The same of a peer that has no room, and whose kernel does not answer the probes of that. */
static void
test_probes_are_counted(void)
{
    Connection *connection;
    End end;

    end_init(&end, NULL);
    connection = connection_new(end.ours);
    end_fill(&end);
    while (connection_outstanding(connection) > 0 && !connection_has_backlog(connection))
        g_usleep(1000);
    g_usleep(50 * MS);
    peer_die(end.theirs);
    wait_unanswered(connection);
    connection_free(connection);
    close(end.theirs);
}

/* A hard end stirs for as long as somebody takes a little of it now and then, but not for ever.
 * Returns how long it took. RET_STILL: the longest time in which nothing was taken, for a machine
 * that is busy may not let us take it. */
static gint64
hard_end_of(gint64 pause, gsize piece, gint64 *ret_still)
{
    g_autoptr(Reactor) reactor = reactor_new("end");
    g_autofree char *dropped = g_malloc(piece);
    gint64 since, took, taken;
    End end;

    end_init(&end, reactor);
    end.patience = -1;
    end.connection = connection_new(end.ours);
    end_fill(&end);
    since = g_get_monotonic_time();
    chain_call(reactor, end_finish, &end);
    *ret_still = 0;
    for (taken = since; end_is_open(&end); g_usleep((gulong)pause)) {
        gint64 now = g_get_monotonic_time();

        g_assert_cmpint(now - since, <, G_TIME_SPAN_MINUTE);
        *ret_still = MAX(*ret_still, now - taken);
        if (piece > 0 && recv(end.theirs, dropped, piece, MSG_DONTWAIT) > 0)
            taken = now;
    }
    took = g_get_monotonic_time() - since;
    peer_expect_reset(end.theirs);
    close(end.theirs);
    return took;
}

static void
test_a_hard_end_that_stirs(void)
{
    const gint64 look = HARD_WAIT / 8, busy = 500 * MS;
    gint64 pause = 0, still = hard_end_of(5 * MS, 0, &pause), stirs = 0;

    for (guint run = 0; run == 0 || (run < 10 && pause > HARD_WAIT / 2); run++)
        stirs = hard_end_of(10 * MS, 16384, &pause);
    g_assert_cmpint(still, >=, HARD_WAIT);
    g_assert_cmpint(still, <, HARD_WAIT + look + busy);
    g_assert_cmpint(stirs, >=, 6 * HARD_WAIT);
    g_assert_cmpint(stirs, <, 6 * HARD_WAIT + look + busy);
}

/* Everything is taken and the peer has ended: that is no reset, whoever said FIN first. */
static void
test_a_hard_end_that_is_over(void)
{
    for (guint fin = 0; fin < 2; fin++) {
        g_autoptr(Reactor) reactor = reactor_new("end");
        char got[8];
        End end;

        end_init(&end, reactor);
        end.patience = -1;
        end.fin = fin == 1;
        end.connection = connection_new(end.ours);
        g_assert_cmpint(connection_write(end.connection, "last", 4), ==, 4);
        chain_call(reactor, end_finish, &end);
        g_assert_cmpint(recv(end.theirs, got, 4, MSG_WAITALL), ==, 4);
        if (fin == 0) { /* it keeps its own back */
            struct pollfd early = {.fd = end.theirs, .events = POLLIN};

            g_assert_cmpint(poll(&early, 1, (int)(HARD_WAIT / MS / 2)), ==, 0);
        }
        shutdown(end.theirs, SHUT_WR);
        end_wait_closed(&end);
        peer_expect_end(end.theirs);
        close(end.theirs);
    }
}

/* Until it is finished the end of the process would be a reset, and afterwards it is none: not at
 * once, and not when the reactor goes under it. */
static void
test_a_finish_is_no_reset(void)
{
    for (guint attached = 0; attached < 2; attached++) {
        g_autoptr(Reactor) reactor = reactor_new("end");
        char got[8];
        End end;

        end_init(&end, reactor);
        end.connection = connection_new(end.ours);
        connection_expect_finish(end.connection);
        g_assert_cmpint(connection_write(end.connection, "last", 4), ==, 4);
        if (attached)
            chain_call(reactor, end_finish, &end);
        else
            connection_finish(end.connection);
        g_clear_pointer(&reactor, reactor_free);
        g_assert_false(end_is_open(&end));
        g_assert_cmpint(recv(end.theirs, got, 4, MSG_WAITALL), ==, 4);
        peer_expect_end(end.theirs);
        close(end.theirs);
    }
}

/* Without it, it is one. */
static void
test_an_expected_finish_that_does_not_come(void)
{
    End end;

    end_init(&end, NULL);
    end.connection = connection_new(end.ours);
    connection_expect_finish(end.connection);
    g_assert_cmpint(connection_write(end.connection, "last", 4), ==, 4);
    connection_free(end.connection);
    peer_expect_reset(end.theirs);
    close(end.theirs);
}

/* An app closes its socket: with bytes of ours unread that is a cut, and without an end. The first
 * word of the kernel is the same. */
static void
test_an_app_that_left(void)
{
    for (guint unread = 0; unread < 2; unread++) {
        Connection *connection;
        int fds[2];

        g_assert_no_errno(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds));
        connection = connection_new(fds[0]);
        if (unread)
            g_assert_cmpint(connection_write(connection, "x", 1), ==, 1);
        g_assert_false(connection_has_left(connection));
        close(fds[1]);
        g_assert_true(connection_has_left(connection));
        g_assert_cmpint(connection_write(connection, "y", 1), <, 0);
        g_assert_true(connection_is_broken(connection));
        g_assert_cmpint(connection_was_cut(connection), ==, unread == 1);
        connection_free(connection);
    }
}

/* Of TCP nobody can tell that, whatever poll says when both have sent FIN. */
static void
test_tcp_has_not_left(void)
{
    Connection *connection;
    struct pollfd both;
    End end;

    end_init(&end, NULL);
    connection = connection_new(end.ours);
    shutdown(end.theirs, SHUT_WR);
    g_assert_cmpint(connection_shutdown_write(connection), ==, 0);
    both = (struct pollfd){.fd = end.ours, .events = POLLRDHUP};
    g_assert_cmpint(poll(&both, 1, 2000), ==, 1);
    while (!(both.revents & POLLHUP)) {
        g_usleep(1000);
        (void)poll(&both, 1, 0);
    }
    g_assert_false(connection_has_left(connection));
    connection_free(connection);
    close(end.theirs);
}

static int
option_of(int fd, int level, int name)
{
    int value = -1;
    socklen_t len = sizeof value;

    g_assert_no_errno(getsockopt(fd, level, name, &value, &len));
    return value;
}

/* 15 s, and three questions that are half as far apart: 36 s in all. */
static void
test_keep_alive(void)
{
    Connection *connection;
    End end;

    end_init(&end, NULL);
    connection = connection_new(end.ours);
    connection_keep_alive(connection, CONNECTION_IDLE);
    g_assert_cmpint(option_of(end.ours, SOL_SOCKET, SO_KEEPALIVE), ==, 1);
    g_assert_cmpint(option_of(end.ours, IPPROTO_TCP, TCP_KEEPIDLE), ==, 15);
    g_assert_cmpint(option_of(end.ours, IPPROTO_TCP, TCP_KEEPINTVL), ==, 7);
    g_assert_cmpint(option_of(end.ours, IPPROTO_TCP, TCP_KEEPCNT), ==, 3);
    connection_keep_alive(connection, 0);
    g_assert_cmpint(option_of(end.ours, SOL_SOCKET, SO_KEEPALIVE), ==, 0);
    connection_free(connection);
    close(end.theirs);
}

/* A peer that has everything of ours and goes on sending is listened to for 1 MiB, and no longer.
 */
static void
test_a_peer_that_goes_on(void)
{
    static const char block[65536];
    g_autoptr(Reactor) reactor = reactor_new("end");
    gint64 since = g_get_monotonic_time();
    End end;

    end_init(&end, reactor);
    end.connection = connection_new(end.ours);
    chain_call(reactor, end_finish, &end);
    for (guint i = 0; i < 8; i++)
        chain_write_all(end.theirs, block, sizeof block);
    g_usleep(100 * MS);
    g_assert_true(end_is_open(&end)); /* half of that */
    while (send(end.theirs, block, sizeof block, MSG_NOSIGNAL) > 0)
        continue;
    end_wait_closed(&end);
    g_assert_cmpint(g_get_monotonic_time() - since, <, CONNECTION_LINGER);
    close(end.theirs);
}

/* So many peers that do not close may take their time; the others have a short one, and those that
 * are known are none of them. */
static void
test_a_crowd(void)
{
    const guint most = MIN(CONNECTION_LINGER_MAX, descriptors_capacity() / CONNECTION_LINGER_PART);
    const guint all = most + 10;
    g_autoptr(Reactor) reactor = reactor_new("end");
    g_autofree End *ends = g_new0(End, all + 1);
    guint open = 0;

    for (guint i = 0; i <= all; i++) {
        end_init(&ends[i], reactor);
        ends[i].connection = connection_new(ends[i].ours);
        if (i == all) {
            ends[i].patience = G_TIME_SPAN_HOUR;
            end_fill(&ends[i]);
        }
        chain_call(reactor, end_finish, &ends[i]);
    }
    g_usleep((gulong)(CONNECTION_LINGER_SHORT + 400 * MS));
    for (guint i = 0; i < all; i++)
        open += end_is_open(&ends[i]) ? 1 : 0;
    g_assert_cmpuint(open, ==, most);
    g_assert_true(end_is_open(&ends[all]));
    for (guint i = 0; i <= all; i++)
        close(ends[i].theirs);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/connection-end/dead/reader", test_a_dead_reader);
    g_test_add_func("/connection-end/dead/counted", test_a_silence_is_counted);
    g_test_add_func("/connection-end/dead/probes", test_probes_are_counted);
    g_test_add_func("/connection-end/hard/stirs", test_a_hard_end_that_stirs);
    g_test_add_func("/connection-end/hard/over", test_a_hard_end_that_is_over);
    g_test_add_func("/connection-end/app-left", test_an_app_that_left);
    g_test_add_func("/connection-end/tcp-has-not-left", test_tcp_has_not_left);
    g_test_add_func("/connection-end/keep-alive", test_keep_alive);
    g_test_add_func("/connection-end/goes-on", test_a_peer_that_goes_on);
    g_test_add_func("/connection-end/crowd", test_a_crowd);
    g_test_add_func("/connection-end/finish", test_a_finish_is_no_reset);
    g_test_add_func("/connection-end/no-finish", test_an_expected_finish_that_does_not_come);
    return g_test_run();
}
