/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tickets of earlier sessions: whose they are, how many are kept, which goes first; and how much of
 * a peer's records is opened in one go. Both ends in turns, without a reactor. */
#include "common/net/tls-session.h"
#include "tests/unit/common/net/relay-fixture.h"
#include "tests/unit/common/net/tls-fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <gnutls/gnutls.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#define KEPT 4      /* tickets of one context, see tls-context.c */
#define RECORDS 256 /* of one read, see tls-session.c */
#define ALL (KEPT + 3)

static const char *const names[ALL + 1] = {"a.example", "b.example", "c.example", "d.example",
                                           "e.example", "f.example", "A.example", NULL};

typedef struct {
    char *folder;
    TlsContext *server, *client;
} Fixture;

static void
set_up(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    f->folder = tls_fixture_new_named(names, &f->server, &f->client);
}

static void
tear_down(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    tls_context_unref(f->server);
    tls_context_unref(f->client);
    tls_fixture_remove(f->folder);
}

static void
tcp_pair(int fds[2])
{
    const int yes = 1;

    chain_tcp_pair(fds);
    for (guint i = 0; i < 2; i++) {
        g_assert_cmpint(setsockopt(fds[i], IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes), ==, 0);
        g_assert_cmpint(fcntl(fds[i], F_SETFL, fcntl(fds[i], F_GETFL) | O_NONBLOCK), ==, 0);
    }
}

/* One connection as NAME; TRUE when an earlier session went on in it. Its tickets have come. */
static gboolean
resumes_by(TlsContext *client, TlsContext *server, const char *name)
{
    g_autoptr(TlsSession) one = NULL, other = NULL;
    int fds[2], r = -EAGAIN, there = -EAGAIN;
    gboolean resumed;
    char byte;

    tcp_pair(fds);
    one = tls_session_new(client, fds[0], name);
    other = tls_session_new(server, fds[1], NULL);
    while (r == -EAGAIN || there == -EAGAIN) {
        r = tls_session_handshake(one);
        there = tls_session_handshake(other);
    }
    g_assert_cmpint(r, ==, 0);
    g_assert_cmpint(there, ==, 0);
    g_assert_cmpint(tls_session_read(one, &byte, 1), ==, -EAGAIN);
    resumed = tls_session_resumed(one);
    g_assert_cmpint(tls_session_resumed(other), ==, resumed);
    close(fds[0]);
    close(fds[1]);
    return resumed;
}

static gboolean
resumes(Fixture *f, const char *name)
{
    return resumes_by(f->client, f->server, name);
}

/* A ticket is its name's: the hub of another one has not been verified by that. */
static void
test_ticket_is_its_names(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    for (guint i = 0; i < KEPT; i++) {
        for (guint j = 0; j < i; j++)
            g_assert_true(resumes(f, names[j]));
        g_assert_false(resumes(f, names[i]));
        g_assert_true(resumes(f, names[i]));
    }
    g_assert_false(resumes(f, "127.0.0.1"));
    g_assert_true(resumes(f, "127.0.0.1"));
}

/* Letters that differ in case are another name: verified once more, and that is all. */
static void
test_ticket_by_letter(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    g_assert_false(resumes(f, "a.example"));
    g_assert_false(resumes(f, "A.example"));
    g_assert_true(resumes(f, "A.example"));
}

/* Four are kept; for one more the one goes that came first, however often it was used. */
static void
test_tickets_bounded(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    for (guint i = 0; i < KEPT; i++)
        g_assert_false(resumes(f, names[i]));
    for (guint i = 0; i < KEPT; i++)
        g_assert_true(resumes(f, names[i]));
    g_assert_true(resumes(f, names[0]));
    g_assert_false(resumes(f, names[KEPT])); /* puts a out */
    for (guint i = 1; i <= KEPT; i++)
        g_assert_true(resumes(f, names[i]));
    g_assert_false(resumes(f, names[KEPT + 1])); /* puts b out */
    for (guint i = 2; i <= KEPT + 1; i++)
        g_assert_true(resumes(f, names[i]));
    g_assert_false(resumes(f, names[0])); /* puts c out */
    g_assert_false(resumes(f, names[1])); /* d */
    g_assert_false(resumes(f, names[2])); /* e */
    g_assert_true(resumes(f, names[KEPT + 1]));
}

/* Of another context, of a hub with another key: a handshake as the first one. */
static void
test_tickets_of_others(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    g_autofree char *cert = g_build_filename(f->folder, "cert.pem", NULL);
    g_autofree char *key = g_build_filename(f->folder, "key.pem", NULL);
    g_autoptr(TlsContext) client = tls_context_new_client(cert, "http/1.1", NULL);
    g_autoptr(TlsContext) server = tls_context_new_server(cert, key, NULL);

    g_assert_false(resumes(f, names[0]));
    g_assert_false(resumes_by(client, f->server, names[0]));
    g_assert_true(resumes(f, names[0]));
    g_assert_false(
        resumes_by(f->client, server, names[0])); /* and has another ticket from here on */
    g_assert_true(resumes_by(f->client, server, names[0]));
    g_assert_false(resumes(f, names[0]));
}

/* Our end, and a peer that is GnuTLS itself and does what we do not. */
typedef struct {
    int fds[2];
    TlsSession *ours;
    gnutls_session_t peer;
    gnutls_certificate_credentials_t credentials;
    gnutls_datum_t ticket_key;
} Strange;

static void
strange_shake(Strange *s)
{
    int r = -EAGAIN, there = GNUTLS_E_AGAIN;

    while (r == -EAGAIN || there == GNUTLS_E_AGAIN) {
        r = r == -EAGAIN ? tls_session_handshake(s->ours) : r;
        there = there == GNUTLS_E_AGAIN ? gnutls_handshake(s->peer) : there;
    }
    g_assert_cmpint(r, ==, 0);
    g_assert_cmpint(there, ==, 0);
}

static void
strange_open(Strange *s, Fixture *f, gboolean we_serve)
{
    g_autofree char *cert = g_build_filename(f->folder, "cert.pem", NULL);
    g_autofree char *key = g_build_filename(f->folder, "key.pem", NULL);

    tcp_pair(s->fds);
    s->ours =
        tls_session_new(we_serve ? f->server : f->client, s->fds[0], we_serve ? NULL : names[0]);
    gnutls_certificate_allocate_credentials(&s->credentials);
    gnutls_init(&s->peer, (we_serve ? GNUTLS_CLIENT : GNUTLS_SERVER) | GNUTLS_NONBLOCK |
                              GNUTLS_NO_SIGNAL | GNUTLS_NO_AUTO_SEND_TICKET);
    gnutls_priority_set_direct(s->peer, "NORMAL:-VERS-ALL:+VERS-TLS1.3", NULL);
    if (!we_serve) {
        g_assert_cmpint(
            gnutls_certificate_set_x509_key_file(s->credentials, cert, key, GNUTLS_X509_FMT_PEM),
            >=, 0);
        gnutls_session_ticket_key_generate(&s->ticket_key);
        gnutls_session_ticket_enable_server(s->peer, &s->ticket_key);
    }
    gnutls_credentials_set(s->peer, GNUTLS_CRD_CERTIFICATE, s->credentials);
    gnutls_transport_set_int(s->peer, s->fds[1]);
    strange_shake(s);
}

static void
strange_close(Strange *s)
{
    tls_session_free(s->ours);
    gnutls_deinit(s->peer);
    gnutls_certificate_free_credentials(s->credentials);
    gnutls_free(s->ticket_key.data);
    close(s->fds[0]);
    close(s->fds[1]);
}

/* A record for each byte: a read opens 256 and no more, and the next one goes on behind them. */
static void
test_records_of_a_read(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    Strange s = {0};
    guint8 bytes[2 * RECORDS];

    strange_open(&s, f, TRUE);
    for (guint i = 0; i < RECORDS + 44; i++) {
        const guint8 byte = (guint8)(i * 7);

        g_assert_cmpint(gnutls_record_send(s.peer, &byte, 1), ==, 1);
    }
    g_assert_cmpint(tls_session_read(s.ours, bytes, sizeof bytes), ==, RECORDS);
    g_assert_cmpint(tls_session_read(s.ours, bytes + RECORDS, RECORDS), ==, 44);
    for (guint i = 0; i < RECORDS + 44; i++)
        g_assert_cmpuint(bytes[i], ==, (guint8)(i * 7));
    g_assert_cmpint(tls_session_read(s.ours, bytes, sizeof bytes), ==, -EAGAIN);
    strange_close(&s);
}

/* Records without a byte in them, tickets here: 255 and then nothing are fine, 256 are nobody's
 * honest traffic. */
static void
test_records_without_data(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    for (guint over = 0; over < 2; over++) {
        Strange s = {0};
        guint8 bytes[10];

        strange_open(&s, f, FALSE);
        for (guint i = 0; i < RECORDS - 1 + over; i++)
            g_assert_cmpint(gnutls_session_ticket_send(s.peer, 1, 0), ==, 0);
        g_assert_cmpint(tls_session_read(s.ours, bytes, sizeof bytes), ==,
                        over ? -EPROTO : -EAGAIN);
        if (!over) { /* it goes on, and so does the count */
            g_assert_cmpint(gnutls_session_ticket_send(s.peer, 1, 0), ==, 0);
            g_assert_cmpint(gnutls_record_send(s.peer, "data", 4), ==, 4);
            g_assert_cmpint(tls_session_read(s.ours, bytes, sizeof bytes), ==, 4);
        }
        strange_close(&s);
    }
}

#define ADD(name, func) g_test_add("/tls-session/" name, Fixture, NULL, set_up, func, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("ticket-is-its-names", test_ticket_is_its_names);
    ADD("ticket-by-letter", test_ticket_by_letter);
    ADD("tickets-bounded", test_tickets_bounded);
    ADD("tickets-of-others", test_tickets_of_others);
    ADD("records-of-a-read", test_records_of_a_read);
    ADD("records-without-data", test_records_without_data);
    return g_test_run();
}
