/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* TLS against a peer that uses what we do not: key updates, small records, another handshake. The
 * peer is GnuTLS, blocking; our end sends back what comes, over a small socket buffer. */
#include "common/net/connection.h"
#include "tests/unit/common/net/relay-fixture.h"
#include "tests/unit/common/net/tls-fixture.h"

#include <errno.h>
#include <gnutls/gnutls.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PIECE (300 * 1000)

typedef struct {
    Reactor *reactor;
    Connection *connection; /* the reactor's; NULL once over */
    GByteArray *held;       /* came, and is not sent back yet */
    atomic_int error;       /* how reading ended: 1 for an orderly end */
} Echo;

typedef struct {
    char *folder;
    TlsContext *server, *client;
    Echo echo;
    int fd;
    gnutls_certificate_credentials_t credentials;
    gnutls_session_t session;
} Fixture;

static void
echo_end(Echo *echo, int error)
{
    g_clear_pointer(&echo->connection, connection_free);
    atomic_store(&echo->error, error == 0 ? 1 : error);
}

/* FALSE when it ended. */
static gboolean
echo_read(Echo *echo)
{
    guint8 bytes[10000];
    ssize_t n;

    while ((n = connection_read(echo->connection, bytes, sizeof bytes)) > 0)
        g_byte_array_append(echo->held, bytes, (guint)n);
    if (n != -EAGAIN)
        echo_end(echo, (int)n);
    return n == -EAGAIN;
}

static void
echo_ready(Connection *connection, void *data)
{
    Echo *echo = data;
    int r = connection_handshake(connection);
    ssize_t n = 1;

    if (r < 0 || !echo_read(echo))
        return;
    while (n > 0 && echo->held->len > 0) {
        n = connection_write(connection, echo->held->data, MIN(echo->held->len, 65536));
        if (n > 0)
            g_byte_array_remove_range(echo->held, 0, (guint)n);
    }
    r = connection_flush(connection);
    if ((n < 0 && n != -EAGAIN) || (r < 0 && r != -EAGAIN))
        echo_end(echo, r);
}

static void
echo_start(void *data)
{
    Echo *echo = data;

    g_assert_cmpint(connection_attach(echo->connection, echo->reactor, echo_ready, echo), ==, 0);
}

static void
session_new(Fixture *fixture, const char *priority)
{
    gnutls_certificate_allocate_credentials(&fixture->credentials);
    gnutls_init(&fixture->session, GNUTLS_CLIENT | GNUTLS_NO_SIGNAL);
    g_assert_cmpint(gnutls_priority_set_direct(fixture->session, priority, NULL), ==, 0);
    gnutls_credentials_set(fixture->session, GNUTLS_CRD_CERTIFICATE, fixture->credentials);
    gnutls_transport_set_int(fixture->session, fixture->fd);
}

static Fixture *
fixture_new(const char *priority)
{
    Fixture *fixture = g_new0(Fixture, 1);
    const int small = 8192;
    int fds[2];

    fixture->folder = tls_fixture_new(&fixture->server, &fixture->client);
    chain_tcp_pair(fds);
    setsockopt(fds[1], SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
    fixture->fd = fds[0];
    fixture->echo.reactor = reactor_new("test");
    fixture->echo.held = g_byte_array_new();
    fixture->echo.connection = connection_new(fds[1]);
    connection_start_tls(fixture->echo.connection, fixture->server, NULL);
    reactor_call(fixture->echo.reactor, echo_start, &fixture->echo);
    session_new(fixture, priority);
    return fixture;
}

static void
fixture_free(Fixture *fixture)
{
    gnutls_deinit(fixture->session);
    gnutls_certificate_free_credentials(fixture->credentials);
    close(fixture->fd);
    while (atomic_load(&fixture->echo.error) == 0)
        g_usleep(1000);
    reactor_free(fixture->echo.reactor);
    g_byte_array_unref(fixture->echo.held);
    tls_context_unref(fixture->server);
    tls_context_unref(fixture->client);
    tls_fixture_remove(fixture->folder);
    g_free(fixture);
}

static void
handshake(Fixture *fixture)
{
    int r;

    do
        r = gnutls_handshake(fixture->session);
    while (r < 0 && !gnutls_error_is_fatal(r));
    g_assert_cmpint(r, ==, 0);
}

static void
send_piece(Fixture *fixture, const guint8 *bytes, gsize len)
{
    for (gsize at = 0; at < len;) {
        ssize_t n = gnutls_record_send(fixture->session, bytes + at, len - at);

        g_assert_cmpint(n, >, 0);
        at += (gsize)n;
    }
}

static void
expect_piece(Fixture *fixture, const guint8 *bytes, gsize len)
{
    g_autofree guint8 *got = g_malloc(len);

    for (gsize at = 0; at < len;) {
        ssize_t n = gnutls_record_recv(fixture->session, got + at, len - at);

        if (n == GNUTLS_E_AGAIN || n == GNUTLS_E_INTERRUPTED)
            continue;
        g_assert_cmpint(n, >, 0);
        at += (gsize)n;
    }
    g_assert_cmpint(memcmp(got, bytes, len), ==, 0);
}

static void
exchange(Fixture *fixture, guint round)
{
    g_autofree guint8 *bytes = g_malloc(PIECE);

    for (gsize i = 0; i < PIECE; i++)
        bytes[i] = (guint8)(i * 7 + (i >> 8) + round);
    send_piece(fixture, bytes, PIECE / 2);
    send_piece(fixture, bytes + PIECE / 2, PIECE - PIECE / 2);
    expect_piece(fixture, bytes, PIECE);
}

/* The peer changes its key and asks us to change ours, while our output waits for its reader. */
static void
test_key_updates(void)
{
    Fixture *fixture = fixture_new("NORMAL:-VERS-ALL:+VERS-TLS1.3");
    g_autofree guint8 *bytes = g_malloc0(PIECE);

    handshake(fixture);
    for (guint i = 0; i < 3; i++) {
        send_piece(fixture, bytes, PIECE);
        g_usleep(20 * 1000);
        g_assert_cmpint(gnutls_session_key_update(fixture->session, GNUTLS_KU_PEER), ==, 0);
        send_piece(fixture, bytes, PIECE);
        g_usleep(20 * 1000);
        expect_piece(fixture, bytes, PIECE);
        expect_piece(fixture, bytes, PIECE);
        exchange(fixture, i);
    }
    gnutls_bye(fixture->session, GNUTLS_SHUT_WR);
    fixture_free(fixture);
}

/* RFC 8449: the peer takes no record above 512 bytes. */
static void
test_small_records(void)
{
    Fixture *fixture = fixture_new("NORMAL:-VERS-ALL:+VERS-TLS1.3");

    gnutls_record_set_max_recv_size(fixture->session, 512);
    handshake(fixture);
    for (guint i = 0; i < 3; i++)
        exchange(fixture, i);
    gnutls_bye(fixture->session, GNUTLS_SHUT_WR);
    fixture_free(fixture);
}

/* A record for each byte: none is lost where one read ends and the next begins. */
static void
test_a_byte_a_record(void)
{
    Fixture *fixture = fixture_new("NORMAL:-VERS-ALL:+VERS-TLS1.3");
    guint8 bytes[5000];

    handshake(fixture);
    for (gsize i = 0; i < sizeof bytes; i++) {
        bytes[i] = (guint8)(i * 31 + (i >> 8));
        send_piece(fixture, bytes + i, 1);
    }
    expect_piece(fixture, bytes, sizeof bytes);
    gnutls_bye(fixture->session, GNUTLS_SHUT_WR);
    fixture_free(fixture);
}

/* TLS 1.2 alone could renegotiate; it is refused, and not by a loop. */
static void
test_another_handshake_is_refused(void)
{
    Fixture *fixture = fixture_new("NORMAL:-VERS-ALL:+VERS-TLS1.2");

    handshake(fixture);
    exchange(fixture, 0);
    g_assert_cmpint(gnutls_handshake(fixture->session), <, 0);
    while (atomic_load(&fixture->echo.error) == 0)
        g_usleep(1000);
    g_assert_cmpint(atomic_load(&fixture->echo.error), ==, -EPROTO);
    fixture_free(fixture);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/tls-peer/key-updates", test_key_updates);
    g_test_add_func("/tls-peer/small-records", test_small_records);
    g_test_add_func("/tls-peer/byte-a-record", test_a_byte_a_record);
    g_test_add_func("/tls-peer/another-handshake", test_another_handshake_is_refused);
    return g_test_run();
}
