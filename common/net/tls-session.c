/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/net/tls-session.h"

#include "common/base/escape.h"
#include "common/net/tls-context-private.h"
#include "common/net/tls-next-private.h"

#include <arpa/inet.h>
#include <errno.h>
#include <gnutls/x509.h>
#include <string.h>
#include <sys/socket.h>

/* The largest plaintext of one TLS record, and its size on the wire with header, tag and a key
 * update before it. */
#define TLS_RECORD_MAX 16384
#define TLS_RECORD_ROOM (TLS_RECORD_MAX + 512)

/* How many records one read opens, however little is in them. That many without data are not honest
 * traffic. */
#define TLS_READ_RECORDS 256

/* The longest handshake message. A client's hello is small, but a hub may send a long chain. */
#define TLS_HELLO_MAX (16 * 1024)
#define TLS_CHAIN_MAX (64 * 1024)

#define SHOWN_NAME_MAX 128 /* bytes of a name in an error */

/* Ciphertext of one direction, between the socket and GnuTLS. BYTES is NULL while it is empty. */
typedef struct {
    uint8_t *bytes;
    size_t start, end;
} Wire;

struct TlsSession {
    gnutls_session_t session;
    TlsContext *context;
    Reactor *reactor;
    char *server_name;
    char *error;
    int fd;
    Wire in, out;
    ssize_t end;        /* how reading ended; -EAGAIN while it has not. Later calls return it too */
    gboolean connected; /* the handshake is done */
    TlsNext *next;      /* a client's; NULL: there is none */
    unsigned status;    /* with NEXT: of the verification, as GnuTLS has it */
    gboolean dry;       /* the socket was empty at the last pull */
};

static uint8_t *
wire_buffer(TlsSession *session)
{
    return session->reactor ? reactor_buffer_take(session->reactor) : g_malloc(BUFFER_SIZE);
}

static void
wire_release(TlsSession *session, Wire *wire)
{
    if (session->reactor)
        reactor_buffer_give(session->reactor, wire->bytes);
    else
        g_free(wire->bytes);
    *wire = (Wire){0};
}

static ssize_t
tls_pull(gnutls_transport_ptr_t data, void *buf, size_t len)
{
    TlsSession *session = data;
    Wire *in = &session->in;

    if (in->start == in->end) {
        if (!in->bytes)
            in->bytes = wire_buffer(session);
        ssize_t n = recv(session->fd, in->bytes, BUFFER_SIZE, 0);
        session->dry = n < 0;
        if (n <= 0) {
            gnutls_transport_set_errno(session->session, errno);
            return n;
        }
        in->start = 0;
        in->end = (size_t)n;
    }
    len = MIN(len, in->end - in->start);
    memcpy(buf, in->bytes + in->start, len);
    in->start += len;
    return (ssize_t)len;
}

/* GnuTLS calls this only where it would wait for a ticket. We never wait. */
static int
tls_pull_timeout(gnutls_transport_ptr_t data, unsigned ms G_GNUC_UNUSED)
{
    TlsSession *session = data;

    return session->in.end > session->in.start ? 1 : 0;
}

static int
wire_send(TlsSession *session)
{
    Wire *out = &session->out;

    while (out->start < out->end) {
        ssize_t n = send(session->fd, out->bytes + out->start, out->end - out->start, MSG_NOSIGNAL);
        if (n < 0 && errno != EINTR)
            return -errno;
        out->start += (size_t)MAX(n, 0);
    }
    out->start = out->end = 0;
    return 0;
}

/* Gathers records, so that a frame of 64 KiB takes one system call and wakes the peer once. */
static ssize_t
tls_push(gnutls_transport_ptr_t data, const void *buf, size_t len)
{
    TlsSession *session = data;
    Wire *out = &session->out;

    if (!out->bytes)
        out->bytes = wire_buffer(session);
    if (len > BUFFER_SIZE - out->end) {
        int r = wire_send(session);
        if (r < 0) {
            gnutls_transport_set_errno(session->session, -r);
            return -1;
        }
    }
    len = MIN(len, BUFFER_SIZE - out->end);
    memcpy(out->bytes + out->end, buf, len);
    out->end += len;
    return (ssize_t)len;
}

static int
tls_ticket_arrived(gnutls_session_t raw, unsigned type G_GNUC_UNUSED, unsigned when G_GNUC_UNUSED,
                   unsigned incoming G_GNUC_UNUSED, const gnutls_datum_t *message G_GNUC_UNUSED)
{
    TlsSession *session = gnutls_session_get_ptr(raw);
    gnutls_datum_t ticket = {0};

    /* One of a session that other authorities have verified would spare the next one its check. */
    if (session->server_name && tls_context_has_next(session->context, session->next) &&
        gnutls_session_get_data2(raw, &ticket) >= 0)
        tls_context_save_ticket(session->context, session->server_name, ticket);
    return 0;
}

static gboolean
is_address(const char *name)
{
    struct in6_addr address;

    return inet_pton(AF_INET, name, &address) == 1 || inet_pton(AF_INET6, name, &address) == 1;
}

/* Verified by what the context trusts, or by the next authority alone. */
static int
tls_verify_both(gnutls_session_t raw)
{
    TlsSession *session = gnutls_session_get_ptr(raw);
    unsigned count = 0, status = GNUTLS_CERT_INVALID, next_status;
    const gnutls_datum_t *chain = gnutls_certificate_get_peers(raw, &count);

    next_status = tls_next_verify(session->next, chain, chain ? count : 0, session->server_name);
    if (tls_next_is_alone(session->next) || next_status == 0)
        status = next_status;
    else if (gnutls_certificate_verify_peers3(raw, session->server_name, &status) < 0)
        status |= GNUTLS_CERT_INVALID;
    session->status = status;
    return status == 0 ? 0 : GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR;
}

static unsigned
tls_verify_status(const TlsSession *session)
{
    return session->next ? session->status
                         : gnutls_session_get_verify_cert_status(session->session);
}

static void
tls_session_set_up_client(TlsSession *session)
{
    if (!is_address(session->server_name))
        gnutls_server_name_set(session->session, GNUTLS_NAME_DNS, session->server_name,
                               strlen(session->server_name));
    session->next = tls_context_next(session->context);
    if (session->next)
        gnutls_session_set_verify_function(session->session, tls_verify_both);
    else
        gnutls_session_set_verify_cert(session->session, session->server_name, 0);
    tls_context_use_ticket(session->context, session->server_name, session->session);
    gnutls_handshake_set_hook_function(session->session, GNUTLS_HANDSHAKE_NEW_SESSION_TICKET,
                                       GNUTLS_HOOK_POST, tls_ticket_arrived);
}

TlsSession *
tls_session_new(TlsContext *context, int fd, const char *server_name)
{
    TlsSession *session = g_new0(TlsSession, 1);
    gboolean server = tls_context_is_server(context);
    int r;

    session->context = tls_context_ref(context);
    session->fd = fd;
    session->end = -EAGAIN;
    session->server_name = g_strdup(server_name);
    r = gnutls_init(&session->session,
                    (server ? GNUTLS_SERVER : GNUTLS_CLIENT) | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL);
    if (r >= 0)
        r = tls_context_set_up(context, session->session);
    if (r < 0)
        g_error("TLS session: %s", gnutls_strerror(r));
    gnutls_session_set_ptr(session->session, session);
    gnutls_transport_set_ptr(session->session, session);
    gnutls_transport_set_pull_function(session->session, tls_pull);
    gnutls_transport_set_pull_timeout_function(session->session, tls_pull_timeout);
    gnutls_transport_set_push_function(session->session, tls_push);
    gnutls_handshake_set_timeout(session->session, GNUTLS_INDEFINITE_TIMEOUT);
    gnutls_handshake_set_max_packet_length(session->session,
                                           server ? TLS_HELLO_MAX : TLS_CHAIN_MAX);
    if (!server && server_name)
        tls_session_set_up_client(session);
    return session;
}

void
tls_session_free(TlsSession *session)
{
    if (!session)
        return;
    gnutls_deinit(session->session);
    wire_release(session, &session->in);
    wire_release(session, &session->out);
    tls_context_unref(session->context);
    tls_next_unref(session->next);
    g_free(session->server_name);
    g_free(session->error);
    g_free(session);
}

void
tls_session_set_reactor(TlsSession *session, Reactor *reactor)
{
    session->reactor = reactor;
}

/* An idle session holds no buffer. */
static void
wire_trim(TlsSession *session)
{
    if (session->in.bytes && session->in.start == session->in.end)
        wire_release(session, &session->in);
    if (session->out.bytes && session->out.start == session->out.end)
        wire_release(session, &session->out);
}

static void
tls_session_set_error(TlsSession *session, int code)
{
    g_autofree char *alert = NULL;

    if (code == GNUTLS_E_FATAL_ALERT_RECEIVED || code == GNUTLS_E_WARNING_ALERT_RECEIVED)
        alert = g_strdup_printf("the peer ended TLS with the alert \"%s\"",
                                gnutls_alert_get_name(gnutls_alert_get(session->session)));
    g_free(session->error);
    session->error = alert ? g_steal_pointer(&alert) : g_strdup(gnutls_strerror(code));
}

/* A name of a certificate, to be shown: what somebody else wrote. NULL: none. Caller frees. */
static char *
shown_name(const gnutls_datum_t *name)
{
    return name->size > 0 ? escape_text((const char *)name->data, SHOWN_NAME_MAX) : NULL;
}

/* " It is the certificate of CN=..., issued by CN=...": who answers in the hub's place is often
 * recognised by it. "" where there is none. Caller frees. */
static char *
certificate_whose(TlsSession *session)
{
    unsigned count = 0;
    const gnutls_datum_t *chain = gnutls_certificate_get_peers(session->session, &count);
    gnutls_datum_t subject = {0}, issuer = {0};
    g_autofree char *whose = NULL, *by = NULL;
    gnutls_x509_crt_t certificate;

    if (!chain || count == 0 || gnutls_x509_crt_init(&certificate) < 0)
        return g_strdup("");
    if (gnutls_x509_crt_import(certificate, &chain[0], GNUTLS_X509_FMT_DER) >= 0) {
        (void)gnutls_x509_crt_get_dn3(certificate, &subject, 0);
        (void)gnutls_x509_crt_get_issuer_dn3(certificate, &issuer, 0);
    }
    whose = shown_name(&subject);
    by = shown_name(&issuer);
    gnutls_free(subject.data);
    gnutls_free(issuer.data);
    gnutls_x509_crt_deinit(certificate);
    if (!whose && !by)
        return g_strdup("");
    return g_strdup_printf(" It is the certificate of %s, issued by %s.", whose ? whose : "nobody",
                           by ? by : "nobody");
}

static void
tls_session_set_certificate_error(TlsSession *session)
{
    g_autofree char *reason = NULL, *whose = NULL;
    gnutls_datum_t text = {0};
    unsigned status = tls_verify_status(session);

    if (gnutls_certificate_verification_status_print(status, GNUTLS_CRT_X509, &text, 0) < 0)
        return;
    reason = g_strstrip(g_strndup((const char *)text.data, text.size));
    gnutls_free(text.data);
    whose = certificate_whose(session);
    g_free(session->error);
    session->error = g_strconcat(reason, whose, NULL);
}

/* The peer's alert is about the certificate that we have shown, or about our signature. */
static gboolean
tls_session_is_refused(const TlsSession *session)
{
    if (!tls_context_shows(session->context))
        return FALSE;
    switch (gnutls_alert_get(session->session)) {
    case GNUTLS_A_BAD_CERTIFICATE:
    case GNUTLS_A_UNSUPPORTED_CERTIFICATE:
    case GNUTLS_A_CERTIFICATE_REVOKED:
    case GNUTLS_A_CERTIFICATE_EXPIRED:
    case GNUTLS_A_CERTIFICATE_UNKNOWN:
    case GNUTLS_A_CERTIFICATE_REQUIRED:
    case GNUTLS_A_UNKNOWN_CA:
    case GNUTLS_A_ACCESS_DENIED:
    case GNUTLS_A_DECRYPT_ERROR:
        return TRUE;
    default:
        return FALSE;
    }
}

/* Turns a GnuTLS result into a negative errno, and keeps its text. */
static int
tls_session_fail(TlsSession *session, int code)
{
    if (code == GNUTLS_E_AGAIN || code == GNUTLS_E_INTERRUPTED)
        return -EAGAIN;
    tls_session_set_error(session, code);
    switch (code) {
    case GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR:
        tls_session_set_certificate_error(session);
        return -EKEYREJECTED;
    case GNUTLS_E_FATAL_ALERT_RECEIVED:
        return tls_session_is_refused(session) ? -EACCES : -EPROTO;
    case GNUTLS_E_PREMATURE_TERMINATION:
        return -ESHUTDOWN;
    case GNUTLS_E_PULL_ERROR:
    case GNUTLS_E_PUSH_ERROR:
        return -ECONNRESET;
    default:
        return -EPROTO;
    }
}

int
tls_session_handshake(TlsSession *session)
{
    int r, flushed;

    if (session->connected)
        return 0;
    do
        r = gnutls_handshake(session->session);
    while (r < 0 && !gnutls_error_is_fatal(r) && r != GNUTLS_E_AGAIN);
    if (r < 0 && gnutls_error_is_fatal(r)) /* GnuTLS does not send the alert itself */
        (void)gnutls_alert_send_appropriate(session->session, r);
    if (r < 0)
        r = tls_session_fail(session, r);
    flushed = tls_session_flush(session);
    if (r < 0)
        return r;
    session->connected = TRUE;
    return flushed == -EAGAIN ? 0 : flushed;
}

const char *
tls_session_error(const TlsSession *session)
{
    return session->error ? session->error : "the connection was lost";
}

static TlsFault
tls_fault(unsigned status)
{
    static const struct {
        unsigned bit;
        TlsFault fault;
    } rows[] = {
        {GNUTLS_CERT_NOT_ACTIVATED, TLS_FAULT_NOT_YET},
        {GNUTLS_CERT_EXPIRED, TLS_FAULT_EXPIRED},
        {GNUTLS_CERT_SIGNER_NOT_FOUND | GNUTLS_CERT_SIGNER_NOT_CA, TLS_FAULT_ISSUER},
        {GNUTLS_CERT_UNEXPECTED_OWNER, TLS_FAULT_NAME},
        {GNUTLS_CERT_INVALID, TLS_FAULT_OTHER},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        if (status & rows[i].bit)
            return rows[i].fault;
    return TLS_FAULT_NONE;
}

TlsPeer
tls_session_peer(const TlsSession *session)
{
    unsigned count = 0;
    const gnutls_datum_t *chain = gnutls_certificate_get_peers(session->session, &count);
    unsigned status = tls_verify_status(session);
    TlsPeer peer = {0};
    gnutls_x509_crt_t certificate;

    if (!chain || count == 0 || gnutls_x509_crt_init(&certificate) < 0)
        return peer;
    if (gnutls_x509_crt_import(certificate, &chain[0], GNUTLS_X509_FMT_DER) >= 0) {
        peer.fault = tls_fault(status);
        peer.not_before = (gint64)gnutls_x509_crt_get_activation_time(certificate);
        peer.not_after = (gint64)gnutls_x509_crt_get_expiration_time(certificate);
    }
    gnutls_x509_crt_deinit(certificate);
    return peer;
}

TlsClient *
tls_session_client(const TlsSession *session)
{
    unsigned count = 0;
    TlsTrust *trust = NULL;
    const gnutls_datum_t *sent;
    GPtrArray *chain;

    if (!session->connected || !tls_context_asks(session->context, &trust))
        return NULL;
    sent = gnutls_certificate_get_peers(session->session, &count);
    if (!sent || count == 0)
        return NULL;
    chain = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
    for (unsigned i = 0; i < count && i <= TLS_CLIENT_CHAIN_MAX; i++)
        g_ptr_array_add(chain, g_bytes_new(sent[i].data, sent[i].size));
    return tls_client_new(chain, trust);
}

gboolean
tls_session_was_asked(const TlsSession *session)
{
    return gnutls_certificate_client_get_request_status(session->session) != 0;
}

const char *
tls_session_alpn(const TlsSession *session)
{
    gnutls_datum_t name;

    if (gnutls_alpn_get_selected_protocol(session->session, &name) < 0)
        return NULL;
    if (name.size == 4 && memcmp(name.data, "mqtt", 4) == 0)
        return "mqtt";
    return "http/1.1";
}

gboolean
tls_session_resumed(const TlsSession *session)
{
    return gnutls_session_is_resumed(session->session) != 0;
}

ssize_t
tls_session_read(TlsSession *session, void *buf, size_t len)
{
    size_t got = 0;
    guint records = 0;

    while (got < len && session->end == -EAGAIN) {
        ssize_t n;

        if (++records > TLS_READ_RECORDS) {
            session->end = got == 0 ? -EPROTO : session->end;
            break;
        }
        session->dry = FALSE;
        n = gnutls_record_recv(session->session, (uint8_t *)buf + got, len - got);
        /* GnuTLS also returns this after a message of its own, such as a ticket. Only when the
         * socket is empty will another event come. */
        if ((n == GNUTLS_E_AGAIN || n == GNUTLS_E_INTERRUPTED) && !session->dry)
            continue;
        if (n > 0) {
            got += (size_t)n;
            continue;
        }
        /* A request for another handshake ends the session too: TLS 1.2 renegotiation is refused.
         */
        session->end = n == 0 ? 0 : tls_session_fail(session, (int)n);
        if (session->end == -EAGAIN)
            break;
    }
    wire_trim(session);
    return got > 0 ? (ssize_t)got : session->end;
}

/* Makes room for a record, so that GnuTLS never has to keep one back: 3.7 counts wrongly what it
 * kept when the peer asks for a key update meanwhile. */
static int
wire_make_room(TlsSession *session)
{
    return session->out.end + TLS_RECORD_ROOM > BUFFER_SIZE ? wire_send(session) : 0;
}

ssize_t
tls_session_write(TlsSession *session, const void *buf, size_t len)
{
    size_t sent = 0;

    while (sent < len) {
        int r = wire_make_room(session);
        ssize_t n;

        if (r == -EAGAIN)
            break;
        if (r < 0)
            return r;
        n = gnutls_record_send(session->session, (const uint8_t *)buf + sent,
                               MIN(len - sent, TLS_RECORD_MAX));
        if (n < 0)
            return tls_session_fail(session, (int)n);
        sent += (size_t)n;
    }
    return sent > 0 ? (ssize_t)sent : -EAGAIN;
}

int
tls_session_flush(TlsSession *session)
{
    int r = session->out.bytes ? wire_send(session) : 0;

    wire_trim(session);
    return r;
}

int
tls_session_bye(TlsSession *session)
{
    int r = 0;

    if (session->connected)
        r = gnutls_bye(session->session, GNUTLS_SHUT_WR);
    if (r < 0)
        return tls_session_fail(session, r);
    return tls_session_flush(session);
}
