/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/net/tls-context-private.h"

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/secret.h"
#include "common/net/tls-cpu.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

/* Tickets kept per client context. A hub has one name, or two when its streams use another host. */
#define TLS_TICKETS_MAX 4

#define TLS_PRIORITY                                                                               \
    "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-KX-ALL:+ECDHE-ECDSA:+ECDHE-RSA:-CIPHER-ALL:%s:"   \
    "-GROUP-ALL:+GROUP-X25519:+GROUP-SECP256R1:+GROUP-SECP384R1:-COMP-ALL:+COMP-NULL:"             \
    "%%SAFE_RENEGOTIATION"
#define TLS_AES_FIRST "+AES-128-GCM:+AES-256-GCM:+CHACHA20-POLY1305"
#define TLS_CHACHA_FIRST "+CHACHA20-POLY1305:+AES-128-GCM:+AES-256-GCM"

typedef struct {
    char *server_name;
    gnutls_datum_t data;
} Ticket;

struct TlsContext {
    atomic_uint references;
    gboolean server;
    gboolean asks; /* clients for a certificate */
    TlsTrust *trust;
    gboolean shows; /* a certificate of its own */
    char *pin;      /* of the token that has our key; NULL: none */
    gnutls_certificate_credentials_t credentials;
    gnutls_priority_t priority;
    gnutls_datum_t ticket_key;
    const char *alpn;
    pthread_mutex_t ticket_lock; /* and of NEXT */
    TlsNext *next;
    Ticket tickets[TLS_TICKETS_MAX];
    guint ticket_next;
};

static TlsContext *
tls_context_new(gboolean server)
{
    TlsContext *context = g_new0(TlsContext, 1);
    g_autofree char *priority =
        g_strdup_printf(TLS_PRIORITY, tls_cpu_has_aes() ? TLS_AES_FIRST : TLS_CHACHA_FIRST);
    int r = gnutls_priority_init(&context->priority, priority, NULL);

    if (r < 0)
        g_error("TLS priorities: %s", gnutls_strerror(r));
    context->references = 1;
    context->server = server;
    pthread_mutex_init(&context->ticket_lock, NULL);
    gnutls_certificate_allocate_credentials(&context->credentials);
    return context;
}

static gnutls_datum_t
datum_of(const char *text)
{
    return (gnutls_datum_t){(unsigned char *)(guintptr)text, (unsigned)strlen(text)};
}

TlsContext *
tls_context_new_server_pem(const char *cert, const char *key, GError **error)
{
    g_autoptr(TlsContext) context = tls_context_new(TRUE);
    const gnutls_datum_t chain = datum_of(cert), secret = datum_of(key);
    int r = gnutls_certificate_set_x509_key_mem2(context->credentials, &chain, &secret,
                                                 GNUTLS_X509_FMT_PEM, NULL, 0);

    if (r < 0) {
        g_set_error_literal(error, STREAMD_ERROR, STREAMD_ERROR_INVALID, gnutls_strerror(r));
        return NULL;
    }
    gnutls_session_ticket_key_generate(&context->ticket_key);
    return g_steal_pointer(&context);
}

TlsContext *
tls_context_new_server(const char *cert_file, const char *key_file, GError **error)
{
    g_autofree char *cert = file_read(cert_file, FILE_PEM_MAX, NULL, error);
    g_auto(SecretText) key = cert ? file_read(key_file, FILE_PEM_MAX, NULL, error) : NULL;
    TlsContext *context;

    if (!cert || !key)
        return NULL;
    context = tls_context_new_server_pem(cert, key, error);
    if (!context)
        g_prefix_error(error, "certificate %s with key %s cannot be used: ", cert_file, key_file);
    return context;
}

/* CA NULL: the system's list. An empty list is an error. */
static TlsContext *
client_new(const char *ca, const char *where, const char *alpn, GError **error)
{
    g_autoptr(TlsContext) context = tls_context_new(FALSE);
    const gnutls_datum_t text = datum_of(ca ? ca : "");
    int r =
        ca ? gnutls_certificate_set_x509_trust_mem(context->credentials, &text, GNUTLS_X509_FMT_PEM)
           : gnutls_certificate_set_x509_system_trust(context->credentials);

    if (r < 0 || (ca && r == 0)) {
        g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID,
                    "%s holds no CA certificate that can be used: %s", where,
                    r < 0 ? gnutls_strerror(r) : "no PEM block found");
        return NULL;
    }
    context->alpn = alpn ? g_intern_string(alpn) : NULL;
    return g_steal_pointer(&context);
}

TlsContext *
tls_context_new_client(const char *ca_file, const char *alpn, GError **error)
{
    g_autofree char *ca = ca_file ? file_read(ca_file, FILE_PEM_MAX, NULL, error) : NULL;

    if (ca_file && !ca)
        return NULL;
    return client_new(ca, ca_file ? ca_file : "the system's trust store", alpn, error);
}

TlsContext *
tls_context_new_client_pem(const char *ca, const char *alpn, GError **error)
{
    return client_new(ca, "what was given", alpn, error);
}

TlsContext *
tls_context_ref(TlsContext *context)
{
    atomic_fetch_add(&context->references, 1);
    return context;
}

static void
ticket_clear(Ticket *ticket)
{
    if (ticket->data.data)
        gnutls_memset(ticket->data.data, 0, ticket->data.size);
    gnutls_free(ticket->data.data);
    g_free(ticket->server_name);
    memset(ticket, 0, sizeof *ticket);
}

void
tls_context_unref(TlsContext *context)
{
    if (!context || atomic_fetch_sub(&context->references, 1) != 1)
        return;
    for (guint i = 0; i < TLS_TICKETS_MAX; i++)
        ticket_clear(&context->tickets[i]);
    if (context->ticket_key.data)
        gnutls_memset(context->ticket_key.data, 0, context->ticket_key.size);
    gnutls_free(context->ticket_key.data);
    gnutls_certificate_free_credentials(context->credentials);
    tls_trust_unref(context->trust);
    secret_free(context->pin);
    tls_next_unref(context->next);
    gnutls_priority_deinit(context->priority);
    pthread_mutex_destroy(&context->ticket_lock);
    g_free(context);
}

void
tls_context_ask_clients(TlsContext *context, TlsTrust *trust)
{
    context->asks = TRUE;
    context->trust = trust ? tls_trust_ref(trust) : NULL;
}

gboolean
tls_context_asks(const TlsContext *context, TlsTrust **ret_trust)
{
    *ret_trust = context->trust;
    return context->asks;
}

gboolean
tls_context_shows(const TlsContext *context)
{
    return context->shows;
}

gnutls_certificate_credentials_t
tls_context_credentials(TlsContext *context)
{
    context->shows = TRUE;
    return context->credentials;
}

char *
tls_context_keep_pin(TlsContext *context, const char *pin)
{
    secret_free(context->pin);
    context->pin = g_strdup(pin);
    return context->pin;
}

void
tls_context_set_next(TlsContext *context, TlsNext *next)
{
    TlsNext *former;

    pthread_mutex_lock(&context->ticket_lock);
    former = context->next;
    context->next = next ? tls_next_ref(next) : NULL;
    for (guint i = 0; i < TLS_TICKETS_MAX; i++)
        ticket_clear(&context->tickets[i]);
    pthread_mutex_unlock(&context->ticket_lock);
    tls_next_unref(former);
}

TlsNext *
tls_context_next(TlsContext *context)
{
    TlsNext *next;

    pthread_mutex_lock(&context->ticket_lock);
    next = context->next ? tls_next_ref(context->next) : NULL;
    pthread_mutex_unlock(&context->ticket_lock);
    return next;
}

gboolean
tls_context_has_next(TlsContext *context, const TlsNext *next)
{
    gboolean has;

    pthread_mutex_lock(&context->ticket_lock);
    has = context->next == next;
    pthread_mutex_unlock(&context->ticket_lock);
    return has;
}

gboolean
tls_context_is_server(const TlsContext *context)
{
    return context->server;
}

static int
tls_context_set_alpn(TlsContext *context, gnutls_session_t session)
{
    /* GnuTLS does not copy the names. These are constants. */
    gnutls_datum_t names[2];
    guint count = 0;

    if (context->server) {
        names[count++] = (gnutls_datum_t){(unsigned char *)(guintptr) "mqtt", 4};
        names[count++] = (gnutls_datum_t){(unsigned char *)(guintptr) "http/1.1", 8};
    } else if (context->alpn) {
        names[count++] = (gnutls_datum_t){(unsigned char *)(guintptr)context->alpn,
                                          (unsigned)strlen(context->alpn)};
    }
    /* A client that offers no protocol is accepted. One that offers only others, such as h2, gets
     * an alert. */
    return count > 0 ? gnutls_alpn_set_protocols(session, names, count,
                                                 context->server ? GNUTLS_ALPN_MANDATORY : 0)
                     : 0;
}

int
tls_context_set_up(TlsContext *context, gnutls_session_t session)
{
    int r = gnutls_priority_set(session, context->priority);

    if (r >= 0)
        r = gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, context->credentials);
    if (r >= 0)
        r = tls_context_set_alpn(context, session);
    if (r >= 0 && context->server)
        r = gnutls_session_ticket_enable_server(session, &context->ticket_key);
    if (context->asks)
        gnutls_certificate_server_set_request(session, GNUTLS_CERT_REQUEST);
    return r;
}

static Ticket *
tls_context_find_ticket(TlsContext *context, const char *server_name)
{
    for (guint i = 0; i < TLS_TICKETS_MAX; i++)
        if (g_strcmp0(context->tickets[i].server_name, server_name) == 0)
            return &context->tickets[i];
    return NULL;
}

void
tls_context_save_ticket(TlsContext *context, const char *server_name, gnutls_datum_t data)
{
    pthread_mutex_lock(&context->ticket_lock);
    Ticket *ticket = tls_context_find_ticket(context, server_name);

    if (!ticket)
        ticket = &context->tickets[context->ticket_next++ % TLS_TICKETS_MAX];
    ticket_clear(ticket);
    ticket->server_name = g_strdup(server_name);
    ticket->data = data;
    pthread_mutex_unlock(&context->ticket_lock);
}

void
tls_context_use_ticket(TlsContext *context, const char *server_name, gnutls_session_t session)
{
    pthread_mutex_lock(&context->ticket_lock);
    Ticket *ticket = tls_context_find_ticket(context, server_name);

    if (ticket)
        gnutls_session_set_data(session, ticket->data.data, ticket->data.size);
    pthread_mutex_unlock(&context->ticket_lock);
}
