/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A client that shows a certificate, and a hub that asks for one or does not; both ends in turns.
 */
#include "common/base/error.h"
#include "common/net/tls-session.h"
#include "tests/unit/common/net/client-fixture.h"
#include "tests/unit/common/net/relay-fixture.h"
#include "tests/unit/common/net/tls-fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <gnutls/gnutls.h>
#include <string.h>
#include <unistd.h>

typedef struct {
    char *folder;
    TlsContext *server, *client;
    ClientPair mine;
    char *pem, *key;
} Fixture;

static void
set_up(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    f->folder = tls_fixture_new(&f->server, &f->client);
    f->mine = client_pair_new(&(ClientWish){.name = "gw", .begin = -60, .end = 3600}, NULL);
    f->pem = client_pair_pem(&f->mine);
    f->key = client_pair_key_pem(&f->mine);
}

static void
tear_down(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    tls_context_unref(f->server);
    tls_context_unref(f->client);
    tls_fixture_remove(f->folder);
    client_pair_clear(&f->mine);
    g_free(f->pem);
    g_free(f->key);
}

static void
tcp_pair(int fds[2])
{
    chain_tcp_pair(fds);
    for (guint i = 0; i < 2; i++)
        g_assert_cmpint(fcntl(fds[i], F_SETFL, fcntl(fds[i], F_GETFL) | O_NONBLOCK), ==, 0);
}

/* What the hub gets to see in one connection. */
static TlsClient *
seen(Fixture *f, gboolean *ret_asked, gboolean *ret_resumed)
{
    g_autoptr(TlsSession) one = NULL, other = NULL;
    int fds[2], r = -EAGAIN, there = -EAGAIN;
    TlsClient *client;
    char byte;

    tcp_pair(fds);
    one = tls_session_new(f->client, fds[0], "localhost");
    other = tls_session_new(f->server, fds[1], NULL);
    while (r == -EAGAIN || there == -EAGAIN) {
        r = tls_session_handshake(one);
        there = tls_session_handshake(other);
    }
    g_assert_cmpint(r, ==, 0);
    g_assert_cmpint(there, ==, 0);
    g_assert_cmpint(tls_session_read(one, &byte, 1), ==, -EAGAIN);
    *ret_asked = tls_session_was_asked(one);
    *ret_resumed = tls_session_resumed(other);
    client = tls_session_client(other);
    close(fds[0]);
    close(fds[1]);
    return client;
}

static void
show(Fixture *f)
{
    const TlsOwn own = {.certificate = f->pem, .key = f->key};
    g_autoptr(GError) error = NULL;

    g_assert_true(tls_context_show(f->client, &own, &error));
    g_assert_no_error(error);
}

/* Every pair of a hub that asks or not and a client that has one or not; also when an earlier
 * session goes on. */
static void
test_asked(Fixture *f, gconstpointer data)
{
    guint which = GPOINTER_TO_UINT(data);
    gboolean asks = which & 1, has = which & 2;

    if (asks)
        tls_context_ask_clients(f->server, NULL);
    if (has)
        show(f);
    for (guint i = 0; i < 3; i++) {
        gboolean asked, resumed;
        g_autoptr(TlsClient) client = seen(f, &asked, &resumed);

        g_assert_cmpint(resumed, ==, i > 0);
        if (!resumed)
            g_assert_cmpint(asked, ==, asks);
        g_assert_cmpint(client != NULL, ==, asks && has);
        if (client) {
            g_assert_null(client->fault);
            g_assert_true(tls_client_has_name(client, "gw"));
        }
    }
}

static void
test_bad(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    ClientPair other = client_pair_new(&(ClientWish){.name = "x", .begin = -60, .end = 60}, NULL);
    g_autofree char *wrong = client_pair_key_pem(&other);
    const struct {
        TlsOwn own;
        const char *says;
    } rows[] = {
        {{.certificate = f->pem, .key = wrong}, "the key is not that of the certificate"},
        {{.certificate = f->pem, .key = f->pem}, "the key cannot be read"},
        {{.certificate = f->key, .key = f->key}, "the certificate cannot be used"},
        {{.certificate = "", .key = f->key}, "the certificate cannot be used"},
        {{.certificate = f->pem, .key_url = "pkcs11:token=none-of-that-name;object=x"},
         "the token does not give the key"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_false(tls_context_show(f->client, &rows[i].own, &error));
        g_assert_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID);
        if (!g_str_has_prefix(error->message, rows[i].says))
            g_error("row %u says %s", i, error->message);
    }
    client_pair_clear(&other);
}

static gnutls_certificate_credentials_t
thief(Fixture *f, const ClientPair *other)
{
    gnutls_certificate_credentials_t credentials;

    g_assert_cmpint(gnutls_certificate_allocate_credentials(&credentials), ==, 0);
    gnutls_certificate_set_flags(credentials, GNUTLS_CERTIFICATE_SKIP_KEY_CERT_MATCH);
    g_assert_cmpint(
        gnutls_certificate_set_x509_key(credentials, &f->mine.certificate, 1, other->key), >=, 0);
    return credentials;
}

/* Somebody who has a device's certificate, which is no secret, and signs with another key. */
static void
test_stolen(Fixture *f, gconstpointer priority)
{
    ClientPair other = client_pair_new(&(ClientWish){.name = "x", .begin = -60, .end = 60}, NULL);
    gnutls_certificate_credentials_t credentials = thief(f, &other);
    g_autoptr(TlsSession) hub = NULL;
    gnutls_session_t evil;
    int fds[2], r = GNUTLS_E_AGAIN, there = -EAGAIN;

    tcp_pair(fds);
    tls_context_ask_clients(f->server, NULL);
    hub = tls_session_new(f->server, fds[1], NULL);
    gnutls_init(&evil, GNUTLS_CLIENT | GNUTLS_NONBLOCK);
    gnutls_priority_set_direct(evil, priority, NULL);
    gnutls_credentials_set(evil, GNUTLS_CRD_CERTIFICATE, credentials);
    gnutls_transport_set_int(evil, fds[0]);
    for (guint i = 0; i < 10000 && there == -EAGAIN; i++) {
        if (r < 0 && !gnutls_error_is_fatal(r))
            r = gnutls_handshake(evil);
        there = tls_session_handshake(hub);
        g_usleep(there == -EAGAIN ? 500 : 0);
    }
    g_assert_cmpint(there, ==, -EPROTO);
    g_assert_null(tls_session_client(hub));
    gnutls_deinit(evil);
    gnutls_certificate_free_credentials(credentials);
    client_pair_clear(&other);
    close(fds[0]);
    close(fds[1]);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name, data, func) g_test_add("/tls-own/" name, Fixture, data, set_up, func, tear_down)
    ADD("asked/neither", GUINT_TO_POINTER(0), test_asked);
    ADD("asked/hub-asks", GUINT_TO_POINTER(1), test_asked);
    ADD("asked/client-has", GUINT_TO_POINTER(2), test_asked);
    ADD("asked/both", GUINT_TO_POINTER(3), test_asked);
    ADD("bad", NULL, test_bad);
    ADD("stolen/1.3", "NORMAL:-VERS-ALL:+VERS-TLS1.3", test_stolen);
    ADD("stolen/1.2", "NORMAL:-VERS-ALL:+VERS-TLS1.2:%SAFE_RENEGOTIATION", test_stolen);
    return g_test_run();
}
