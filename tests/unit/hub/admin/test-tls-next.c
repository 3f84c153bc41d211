/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The next authority as a client trusts it: beside the present one and alone, by what the hub
 * shows; the tickets of the time before; and what proves it. The hub's own authorities are the
 * fixture. */
#include "common/base/error.h"
#include "common/base/file.h"
#include "common/net/tls-session.h"
#include "hub/certificate/authority.h"
#include "hub/certificate/certificate.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <gnutls/x509.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

typedef enum { PRESENT, NEXT, OTHER, AUTHORITIES } Who;

typedef struct {
    char *folder;
    CertificateAuthority *authorities[AUTHORITIES];
    char *cross; /* NEXT by PRESENT */
} Fixture;

static const char *const wanted[] = {"hub.example", NULL};

static void
set_up(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    f->folder = g_dir_make_tmp("next-XXXXXX", NULL);
    for (guint i = 0; i < AUTHORITIES; i++) {
        g_autofree char *name = g_strdup_printf("CA %u", i);
        g_autofree char *cert = g_build_filename(f->folder, "cert", NULL);
        g_autofree char *key = g_build_filename(f->folder, "key", NULL);
        g_autoptr(GError) error = NULL;

        g_assert_true(certificate_make_authority(name, cert, key, &error));
        f->authorities[i] = certificate_authority_open(cert, key, &error);
        g_assert_no_error(error);
        (void)g_unlink(cert);
        (void)g_unlink(key);
    }
    f->cross = certificate_authority_cross(f->authorities[PRESENT], f->authorities[NEXT], NULL);
    g_assert_nonnull(f->cross);
}

static void
tear_down(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    for (guint i = 0; i < AUTHORITIES; i++)
        certificate_authority_free(f->authorities[i]);
    g_free(f->cross);
    g_assert_cmpint(g_rmdir(f->folder), ==, 0);
    g_free(f->folder);
}

static TlsContext *
server_of(const Fixture *f, Who who, const char *cross)
{
    g_autoptr(CertificatePair) pair =
        certificate_authority_issue(f->authorities[who], wanted, cross, NULL);

    return certificate_pair_tls(pair, NULL);
}

static TlsContext *
client_of(const Fixture *f, Who who)
{
    return tls_context_new_client_pem(certificate_authority_pem(f->authorities[who]), NULL, NULL);
}

static TlsNext *
next_of(const Fixture *f, Who who, gboolean alone)
{
    return tls_next_new(certificate_authority_pem(f->authorities[who]), alone, NULL);
}

/* The result of the client's handshake. */
static int
shake(TlsContext *client, TlsContext *server, const char *name, TlsPeer *ret_peer,
      gboolean *ret_resumed)
{
    g_autoptr(TlsSession) one = NULL, other = NULL;
    int fds[2], r = -EAGAIN, there = -EAGAIN;
    char byte;

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), ==, 0);
    one = tls_session_new(client, fds[0], name);
    other = tls_session_new(server, fds[1], NULL);
    for (guint i = 0; i < 100 && (r == -EAGAIN || (r == 0 && there == -EAGAIN)); i++) {
        r = tls_session_handshake(one);
        there = tls_session_handshake(other);
    }
    if (r == 0)
        (void)tls_session_read(one, &byte, 1); /* the ticket */
    *ret_peer = tls_session_peer(one);
    *ret_resumed = r == 0 && tls_session_resumed(one);
    close(fds[0]);
    close(fds[1]);
    return r;
}

typedef enum { NOTHING, BESIDE, ALONE, TRUSTS } Trust;
typedef enum { OLD, LINKED, NEW, FOREIGN, SHOWN } Shown;

/* What the hub shows, by how the client trusts: "o" taken, "x" not; and whether the next one has
 * proved itself. */
static void
test_matrix(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    static const struct {
        gboolean taken, proved;
    } cells[TRUSTS][SHOWN] = {
        [NOTHING] = {{TRUE, FALSE}, {TRUE, FALSE}, {FALSE, FALSE}, {FALSE, FALSE}},
        [BESIDE] = {{TRUE, FALSE}, {TRUE, TRUE}, {TRUE, TRUE}, {FALSE, FALSE}},
        [ALONE] = {{FALSE, FALSE}, {TRUE, TRUE}, {TRUE, TRUE}, {FALSE, FALSE}},
    };

    for (int trust = 0; trust < TRUSTS; trust++)
        for (int shown = 0; shown < SHOWN; shown++) {
            g_autoptr(TlsContext) client = client_of(f, PRESENT);
            g_autoptr(TlsContext) server = server_of(f,
                                                     shown == OLD       ? PRESENT
                                                     : shown == FOREIGN ? OTHER
                                                                        : NEXT,
                                                     shown == LINKED ? f->cross : NULL);
            g_autoptr(TlsNext) next = trust ? next_of(f, NEXT, trust == ALONE) : NULL;
            gboolean resumed;
            TlsPeer peer;
            int r;

            g_test_message("trust %d, shown %d", trust, shown);
            tls_context_set_next(client, next);
            r = shake(client, server, "hub.example", &peer, &resumed);
            g_assert_cmpint(r, ==, cells[trust][shown].taken ? 0 : -EKEYREJECTED);
            g_assert_cmpint(peer.fault, ==,
                            cells[trust][shown].taken ? TLS_FAULT_NONE : TLS_FAULT_ISSUER);
            if (next)
                g_assert_cmpint(tls_next_has_verified(next), ==, cells[trust][shown].proved);
        }
}

/* Another name than the certificate's is refused by both, and proves nothing. */
static void
test_name(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    for (int alone = 0; alone < 2; alone++) {
        g_autoptr(TlsContext) client = client_of(f, PRESENT);
        g_autoptr(TlsContext) server = server_of(f, NEXT, NULL);
        g_autoptr(TlsNext) next = next_of(f, NEXT, alone);
        gboolean resumed;
        TlsPeer peer;

        tls_context_set_next(client, next);
        g_assert_cmpint(shake(client, server, "other.example", &peer, &resumed), ==, -EKEYREJECTED);
        g_assert_cmpint(peer.fault, !=, TLS_FAULT_NONE);
        g_assert_false(tls_next_has_verified(next));
    }
}

/* What was verified before does not spare the check afterwards. */
static void
test_tickets(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    g_autoptr(TlsContext) client = client_of(f, PRESENT);
    g_autoptr(TlsContext) server = server_of(f, PRESENT, NULL);
    g_autoptr(TlsNext) next = next_of(f, NEXT, TRUE);
    gboolean resumed;
    TlsPeer peer;

    for (int i = 0; i < 2; i++) {
        g_assert_cmpint(shake(client, server, "hub.example", &peer, &resumed), ==, 0);
        g_assert_cmpint(resumed, ==, i > 0);
    }
    tls_context_set_next(client, next);
    g_assert_cmpint(shake(client, server, "hub.example", &peer, &resumed), ==, -EKEYREJECTED);
    tls_context_set_next(client, NULL);
    g_assert_cmpint(shake(client, server, "hub.example", &peer, &resumed), ==, 0);
    g_assert_false(resumed);
}

static char *
statement_by(const Fixture *f, Who who, Who root)
{
    const Statement statement = {
        .kind = STATEMENT_AUTHORITY, .serial = 7, .names = (char **)(guintptr)wanted};

    return certificate_authority_state(f->authorities[who], &statement, f->authorities[root], NULL);
}

static gboolean
signed_by(const Fixture *f, Who who, const char *text)
{
    g_autoptr(Statement) statement = statement_parse(text, strlen(text), NULL);

    return statement &&
           tls_signed_by(certificate_authority_pem(f->authorities[who]), text,
                         statement->signed_len, statement->signature, statement->signature_len);
}

/* Signed by one, it is of that one alone; and no character of it can be another. */
static void
test_signature(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    g_autofree char *text = statement_by(f, PRESENT, NEXT);
    g_autofree char *both = g_strconcat(certificate_authority_pem(f->authorities[OTHER]),
                                        certificate_authority_pem(f->authorities[PRESENT]), NULL);
    g_autoptr(Statement) statement = statement_parse(text, strlen(text), NULL);

    g_assert_true(signed_by(f, PRESENT, text));
    g_assert_false(signed_by(f, NEXT, text) || signed_by(f, OTHER, text));
    g_assert_true(tls_signed_by(both, text, statement->signed_len, statement->signature,
                                statement->signature_len));
    for (gsize i = 0; i < strlen(text); i += 7) {
        g_autofree char *changed = g_strdup(text);

        changed[i] = changed[i] == 'A' ? 'B' : 'A';
        g_assert_false(signed_by(f, PRESENT, changed));
    }
    g_assert_false(tls_signed_by("", text, 1, statement->signature, statement->signature_len));
    g_assert_false(tls_signed_by("nonsense", text, 1, statement->signature, 1));
}

/* The root of a statement is the next authority; others are none. */
static void
test_root(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    g_autofree char *text = statement_by(f, PRESENT, NEXT);
    g_autoptr(Statement) statement = statement_parse(text, strlen(text), NULL);
    const gint64 end = certificate_authority_end(f->authorities[NEXT]);
    g_autoptr(GError) error = NULL;
    g_autofree char *pem =
        tls_authority_check(statement->root, statement->root_len, end - 1, &error);
    g_autoptr(GError) late = NULL, cut = NULL, crossed = NULL, leaf = NULL;
    g_autoptr(CertificatePair) pair =
        certificate_authority_issue(f->authorities[PRESENT], wanted, NULL, NULL);
    const char *const others[] = {f->cross, certificate_pair_pem(pair)};
    GError **const errors[] = {&crossed, &leaf};

    g_assert_no_error(error);
    g_assert_cmpstr(pem, ==, certificate_authority_pem(f->authorities[NEXT]));
    g_assert_null(tls_authority_check(statement->root, statement->root_len, end, &late));
    g_assert_nonnull(strstr(late->message, "expired"));
    g_assert_null(tls_authority_check(statement->root, statement->root_len - 1, 0, &cut));
    g_assert_nonnull(strstr(cut->message, "not a certificate"));
    for (gsize i = 0; i < G_N_ELEMENTS(others); i++) {
        gnutls_datum_t in = {(unsigned char *)(guintptr)others[i], (unsigned)strlen(others[i])};
        gnutls_datum_t der = {0};
        gnutls_x509_crt_t crt;

        g_assert_cmpint(gnutls_x509_crt_init(&crt), >=, 0);
        g_assert_cmpint(gnutls_x509_crt_import(crt, &in, GNUTLS_X509_FMT_PEM), >=, 0);
        g_assert_cmpint(gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_DER, &der), >=, 0);
        g_assert_null(tls_authority_check(der.data, der.size, 0, errors[i]));
        gnutls_free(der.data);
        gnutls_x509_crt_deinit(crt);
    }
    g_assert_nonnull(strstr(crossed->message, "issued by another one"));
    g_assert_nonnull(strstr(leaf->message, "not that of an authority"));
    g_assert_null(tls_next_new("", FALSE, NULL));
    g_assert_null(tls_next_new("nonsense", TRUE, NULL));
}

#define ADD(path, func) g_test_add(path, Fixture, NULL, set_up, func, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("/tls-next/matrix", test_matrix);
    ADD("/tls-next/name", test_name);
    ADD("/tls-next/tickets", test_tickets);
    ADD("/tls-next/signature", test_signature);
    ADD("/tls-next/root", test_root);
    return g_test_run();
}
