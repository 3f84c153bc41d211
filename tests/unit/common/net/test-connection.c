/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Connections and their TLS: trust, names, ends, and what is given back. Driven without a reactor,
 * by turns: a connection that is not attached belongs to whoever holds it. */
#include "common/net/connection.h"
#include "tests/unit/common/net/relay-fixture.h"
#include "tests/unit/common/net/tls-fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct {
    Connection *client, *server;
    int client_result, server_result;
} Ends;

static Ends
ends_new(TlsContext *server, TlsContext *client, const char *name)
{
    int fds[2];
    Ends ends = {.client_result = -EAGAIN, .server_result = -EAGAIN};

    chain_tcp_pair(fds);
    ends.client = connection_new(fds[0]);
    ends.server = connection_new(fds[1]);
    connection_start_tls(ends.client, client, name);
    connection_start_tls(ends.server, server, NULL);
    while (ends.client_result == -EAGAIN ||
           (ends.server_result == -EAGAIN && !ends.client_result)) {
        ends.client_result = connection_handshake(ends.client);
        ends.server_result = connection_handshake(ends.server);
    }
    return ends;
}

static void
ends_free(Ends *ends)
{
    connection_free(ends->client);
    connection_free(ends->server);
}

static ssize_t
read_some(Connection *connection, void *buf, size_t len)
{
    /* Loopback: what was sent is there. */
    return connection_read(connection, buf, len);
}

typedef struct {
    char *folder;
    TlsContext *server, *client;
} Trust;

static void
trust_set_up(Trust *trust, gconstpointer data G_GNUC_UNUSED)
{
    trust->folder = tls_fixture_new(&trust->server, &trust->client);
}

static void
trust_tear_down(Trust *trust, gconstpointer data G_GNUC_UNUSED)
{
    tls_context_unref(trust->server);
    tls_context_unref(trust->client);
    tls_fixture_remove(trust->folder);
}

static void
test_names(Trust *trust, gconstpointer data G_GNUC_UNUSED)
{
    const struct {
        const char *name;
        int result;
    } rows[] = {
        {"localhost", 0},
        {"127.0.0.1", 0},
        {"127.0.0.2", -EKEYREJECTED},
        {"example.org", -EKEYREJECTED},
        {"localhost.example.org", -EKEYREJECTED},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        Ends ends = ends_new(trust->server, trust->client, rows[i].name);

        g_test_message("%s", rows[i].name);
        g_assert_cmpint(ends.client_result, ==, rows[i].result);
        if (rows[i].result < 0)
            g_assert_nonnull(strstr(tls_session_error(connection_tls(ends.client)), "name"));
        else
            g_assert_cmpstr(tls_session_alpn(connection_tls(ends.server)), ==, "http/1.1");
        ends_free(&ends);
    }
}

static void
test_a_stranger_is_not_trusted(Trust *trust, gconstpointer data G_GNUC_UNUSED)
{
    Trust other = {0};
    Ends ends;

    trust_set_up(&other, NULL);
    ends = ends_new(trust->server, other.client, "localhost");
    g_assert_cmpint(ends.client_result, ==, -EKEYREJECTED);
    ends_free(&ends);
    trust_tear_down(&other, NULL);
}

static void
exchange(Connection *from, Connection *to, const char *text)
{
    char got[64] = "";
    size_t len = strlen(text);

    g_assert_cmpint(connection_write(from, text, len), ==, (gssize)len);
    g_assert_cmpint(connection_flush(from), ==, 0);
    g_assert_cmpint(read_some(to, got, sizeof got), ==, (gssize)len);
    g_assert_cmpstr(got, ==, text);
}

static void
test_bytes_given_back_come_first(Trust *trust, gconstpointer data G_GNUC_UNUSED)
{
    Ends ends = ends_new(trust->server, trust->client, "localhost");
    char got[64] = "";

    exchange(ends.client, ends.server, "hello");
    connection_unread(ends.server, "llo", 3);
    connection_unread(ends.server, "he", 2);
    g_assert_cmpint(read_some(ends.server, got, 4), ==, 4);
    g_assert_cmpint(read_some(ends.server, got + 4, 4), ==, 1);
    g_assert_cmpstr(got, ==, "hello");
    ends_free(&ends);
}

static void
test_queued_output_goes_before_written(Trust *trust, gconstpointer data G_GNUC_UNUSED)
{
    Ends ends = ends_new(trust->server, trust->client, "localhost");
    char got[64] = "";

    g_assert_true(connection_queue(ends.client, "one ", 4));
    g_assert_cmpint(connection_write(ends.client, "two", 3), ==, 3);
    g_assert_cmpint(connection_flush(ends.client), ==, 0);
    g_assert_cmpint(read_some(ends.server, got, sizeof got), ==, 7);
    g_assert_cmpstr(got, ==, "one two");
    g_autofree char *much = g_malloc0(CONNECTION_QUEUE_MAX);
    g_assert_true(connection_queue(ends.client, much, CONNECTION_QUEUE_MAX));
    g_assert_false(connection_queue(ends.client, much, 1));
    ends_free(&ends);
}

/* A FIN without close_notify may be an attacker's: it is not the same as an orderly end. */
static void
test_ends_are_told_apart(Trust *trust, gconstpointer data G_GNUC_UNUSED)
{
    Ends ends = ends_new(trust->server, trust->client, "localhost");
    char got[8];

    tls_session_bye(connection_tls(ends.client));
    g_assert_cmpint(read_some(ends.server, got, sizeof got), ==, 0);
    g_assert_cmpint(read_some(ends.server, got, sizeof got), ==, 0);
    ends_free(&ends);
    ends = ends_new(trust->server, trust->client, "localhost");
    shutdown(connection_fd(ends.client), SHUT_WR);
    g_assert_cmpint(read_some(ends.server, got, sizeof got), ==, -ESHUTDOWN);
    g_assert_cmpint(read_some(ends.server, got, sizeof got), ==, -ESHUTDOWN);
    ends_free(&ends);
}

/* The second connection brings the first one's ticket. */
static void
test_resumption(Trust *trust, gconstpointer data G_GNUC_UNUSED)
{
    for (guint i = 0; i < 2; i++) {
        Ends ends = ends_new(trust->server, trust->client, "localhost");

        g_assert_cmpint(tls_session_resumed(connection_tls(ends.client)), ==, i > 0);
        /* Tickets come with the first bytes. */
        exchange(ends.server, ends.client, "x");
        ends_free(&ends);
    }
}

/* A peer that has gone resets us when we write. Its last words are still to be read. */
static void
test_last_words_are_read_after_a_write_fails(Trust *trust, gconstpointer data G_GNUC_UNUSED)
{
    Ends ends = ends_new(trust->server, trust->client, "localhost");
    g_autofree char *much = g_malloc0(65536);
    char got[64] = "";
    ssize_t n;

    exchange(ends.client, ends.server, "hello");
    g_assert_cmpint(connection_write(ends.server, "last words", 10), ==, 10);
    g_assert_cmpint(connection_flush(ends.server), ==, 0);
    g_assert_cmpint(tls_session_bye(connection_tls(ends.server)), ==, 0);
    connection_free(ends.server);
    do {
        n = connection_write(ends.client, much, 65536);
        g_usleep(1000);
    } while (n > 0);
    g_assert_true(n == -EPIPE || n == -ECONNRESET);
    g_assert_cmpint(read_some(ends.client, got, sizeof got), ==, 10);
    g_assert_cmpstr(got, ==, "last words");
    g_assert_cmpint(read_some(ends.client, got, sizeof got), ==, 0);
    connection_free(ends.client);
}

/* Urgent data (telnet sends it) ends a read early with more behind it, of which no event tells; and
 * the urgent byte itself is one of the stream's. */
static void
test_urgent_data_is_data(void)
{
    int fds[2];
    char got[16] = "";
    gsize len = 0;
    ssize_t n;
    Connection *connection;

    chain_tcp_pair(fds);
    connection = connection_new(fds[1]);
    chain_write_all(fds[0], "abc", 3);
    g_assert_cmpint(send(fds[0], "d", 1, MSG_OOB), ==, 1);
    chain_write_all(fds[0], "efg", 3);
    g_usleep(10 * 1000);
    while ((n = connection_read(connection, got + len, sizeof got - 1 - len)) > 0)
        len += (gsize)n;
    g_assert_cmpint(n, ==, -EAGAIN);
    g_assert_cmpstr(got, ==, "abcdefg");
    connection_free(connection);
    close(fds[0]);
}

/* Alerts that end nothing, without end: each costs the hub work before it knows anybody. */
static void
test_alerts_do_not_keep_a_handshake_busy(Trust *trust, gconstpointer data G_GNUC_UNUSED)
{
    const guint8 alert[] = {0x15, 0x03, 0x03, 0x00, 0x02, 0x01, 0x5a};
    int fds[2];
    Connection *connection;

    chain_tcp_pair(fds);
    connection = connection_new(fds[1]);
    connection_start_tls(connection, trust->server, NULL);
    for (guint i = 0; i < 64; i++)
        chain_write_all(fds[0], alert, sizeof alert);
    g_usleep(10 * 1000);
    g_assert_cmpint(connection_handshake(connection), ==, -EPROTO);
    connection_free(connection);
    close(fds[0]);
}

static void
test_bad_files_are_named(void)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(tls_context_new_server("/nonexistent/cert.pem", "/nonexistent/key.pem", &error));
    g_assert_nonnull(strstr(error->message, "/nonexistent/cert.pem"));
    g_clear_error(&error);
    g_assert_null(tls_context_new_client("/dev/null", NULL, &error));
    g_assert_nonnull(strstr(error->message, "/dev/null"));
}

/* Readers that never read, of streams that have ended: more than there is patience for. */
#define STUCK (CONNECTION_PATIENT_MAX + 16)

typedef struct {
    Reactor *reactor;
    int ours[STUCK], theirs[STUCK];
} Stuck;

static void
stuck_ready(Connection *connection G_GNUC_UNUSED, void *data G_GNUC_UNUSED)
{
}

/* Reactor. */
static void
stuck_finish(void *data)
{
    Stuck *stuck = data;
    static const char block[65536];

    for (guint i = 0; i < STUCK; i++) {
        Connection *connection = connection_new(stuck->ours[i]);

        while (send(stuck->ours[i], block, sizeof block, MSG_NOSIGNAL | MSG_DONTWAIT) > 0)
            continue;
        g_assert_cmpint(connection_attach(connection, stuck->reactor, stuck_ready, NULL), ==, 0);
        connection_finish_patiently(connection, G_TIME_SPAN_HOUR);
    }
}

static guint
stuck_count(const Stuck *stuck)
{
    guint open = 0;

    for (guint i = 0; i < STUCK; i++)
        open += fcntl(stuck->ours[i], F_GETFD) >= 0;
    return open;
}

static void
test_patience_is_bounded(void)
{
    gint64 until = g_get_monotonic_time() + G_TIME_SPAN_MINUTE;
    g_autofree Stuck *stuck = g_new0(Stuck, 1);
    const int little = 4096;

    stuck->reactor = reactor_new("stuck");
    for (guint i = 0; i < STUCK; i++) {
        int fds[2];

        chain_tcp_pair(fds);
        stuck->ours[i] = fds[0];
        stuck->theirs[i] = fds[1];
        setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &little, sizeof little);
        setsockopt(fds[1], SOL_SOCKET, SO_RCVBUF, &little, sizeof little);
    }
    reactor_call(stuck->reactor, stuck_finish, stuck);
    while (stuck_count(stuck) > CONNECTION_PATIENT_MAX) {
        g_assert_cmpint(g_get_monotonic_time(), <, until);
        g_usleep(50 * G_TIME_SPAN_MILLISECOND);
    }
    g_assert_cmpuint(stuck_count(stuck), ==, CONNECTION_PATIENT_MAX);
    reactor_free(stuck->reactor);
    g_assert_cmpuint(stuck_count(stuck), ==, 0);
    for (guint i = 0; i < STUCK; i++)
        close(stuck->theirs[i]);
}

typedef struct {
    Reactor *reactor;
    int ours;
    gboolean hard;
} Last;

/* Reactor. */
static void
last_finish(void *data)
{
    Last *last = data;
    Connection *connection = connection_new(last->ours);
    static const char block[65536];

    while (send(last->ours, block, sizeof block, MSG_NOSIGNAL | MSG_DONTWAIT) > 0)
        continue;
    g_assert_cmpint(connection_attach(connection, last->reactor, stuck_ready, NULL), ==, 0);
    if (last->hard)
        connection_finish_hard(connection, 400 * G_TIME_SPAN_MILLISECOND, FALSE);
    else
        connection_finish_patiently(connection, G_TIME_SPAN_HOUR);
}

static gint64
last_wait_closed(const Last *last)
{
    gint64 since = g_get_monotonic_time();

    while (fcntl(last->ours, F_GETFD) >= 0) {
        g_assert_cmpint(g_get_monotonic_time() - since, <, G_TIME_SPAN_MINUTE);
        g_usleep(1000);
    }
    return g_get_monotonic_time() - since;
}

/* A reset ends the patience with a reader, whatever the kernel still counts as unsent. */
static void
test_patience_ends_with_a_reset(void)
{
    g_autoptr(Reactor) reactor = reactor_new("last");
    const struct linger at_once = {1, 0};
    int fds[2];

    chain_tcp_pair(fds);
    Last last = {reactor, fds[0], FALSE};
    reactor_call(reactor, last_finish, &last);
    g_usleep(100 * G_TIME_SPAN_MILLISECOND);
    g_assert_cmpint(fcntl(fds[0], F_GETFD), >=, 0);
    setsockopt(fds[1], SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(fds[1]);
    g_assert_cmpint(last_wait_closed(&last), <, CONNECTION_LINGER);
}

/* Nobody takes anything: it is given up at the bound, with a reset. */
static void
test_a_hard_end_is_bounded(void)
{
    g_autoptr(Reactor) reactor = reactor_new("last");
    struct pollfd end = {.events = POLLRDHUP};
    int fds[2];

    chain_tcp_pair(fds);
    Last last = {reactor, fds[0], TRUE};
    end.fd = fds[1];
    reactor_call(reactor, last_finish, &last);
    g_assert_cmpint(last_wait_closed(&last), >=, 300 * G_TIME_SPAN_MILLISECOND);
    g_assert_cmpint(poll(&end, 1, 5000), ==, 1);
    g_assert_true(end.revents & POLLERR);
    close(fds[1]);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(path, func) g_test_add(path, Trust, NULL, trust_set_up, func, trust_tear_down)
    ADD("/connection/tls/names", test_names);
    ADD("/connection/tls/stranger", test_a_stranger_is_not_trusted);
    ADD("/connection/tls/ends", test_ends_are_told_apart);
    ADD("/connection/tls/resumption", test_resumption);
    ADD("/connection/tls/last-words", test_last_words_are_read_after_a_write_fails);
    ADD("/connection/tls/alerts", test_alerts_do_not_keep_a_handshake_busy);
    ADD("/connection/unread", test_bytes_given_back_come_first);
    ADD("/connection/queue", test_queued_output_goes_before_written);
#undef ADD
    g_test_add_func("/connection/patience", test_patience_is_bounded);
    g_test_add_func("/connection/patience/reset", test_patience_ends_with_a_reset);
    g_test_add_func("/connection/hard", test_a_hard_end_is_bounded);
    g_test_add_func("/connection/urgent", test_urgent_data_is_data);
    g_test_add_func("/connection/tls/files", test_bad_files_are_named);
    return g_test_run();
}
