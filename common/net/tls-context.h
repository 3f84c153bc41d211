/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* TLS context: credentials and rules shared by sessions (security: TLS 1.2 and 1.3 only, AEAD with
 * forward secrecy, no early data, no renegotiation, resumption on). Reference counted; immutable
 * once made but for the client's cache of tickets and its next authority, so any thread may make
 * sessions from it. */
#pragma once

#include "common/net/tls-client.h"
#include "common/net/tls-next.h"

#include <glib.h>

typedef struct TlsContext TlsContext;

/* The hub's side: PEM files. ALPN offers mqtt and http/1.1. STREAMD_ERROR_INVALID
 * with the file and what is wrong. */
TlsContext *tls_context_new_server(const char *cert_file, const char *key_file, GError **error);

/* The same of texts in PEM: the chain and its key. */
TlsContext *tls_context_new_server_pem(const char *cert, const char *key, GError **error);

/* The hub's side asks every client for a certificate from now on; one that sends none is served as
 * well. Names no authorities, so that a client shows what it has. TRUST judges what comes. Before
 * the first session. */
void tls_context_ask_clients(TlsContext *context, TlsTrust *trust);

/* A client's side: trusts CA_FILE alone, or the system's store when NULL. ALPN is NULL, "http/1.1"
 * or "mqtt". */
TlsContext *tls_context_new_client(const char *ca_file, const char *alpn, GError **error);

/* The same, trusting the certificates of CA alone, a text in PEM. */
TlsContext *tls_context_new_client_pem(const char *ca, const char *alpn, GError **error);

/* What a client shows to a hub that asks for it. PIN: for a key in a token; wiped by the caller. */
typedef struct {
    const char *certificate; /* PEM: its own, then those above it */
    const char *key;         /* PEM, or NULL with KEY_URL */
    const char *key_url;     /* "pkcs11:..." (RFC 7512) */
    const char *pin;         /* NULL: none is needed */
} TlsOwn;

/* Before the first session. STREAMD_ERROR_INVALID: what is wrong, such as a key of another
 * certificate. May ask a token, which takes time. */
gboolean tls_context_show(TlsContext *context, const TlsOwn *own, GError **error);

/* A client's: what it trusts beside or in the place of the above, from the next handshake on. NULL:
 * nothing. Forgets the tickets. Any thread. */
void tls_context_set_next(TlsContext *context, TlsNext *next);

TlsContext *tls_context_ref(TlsContext *context);
void tls_context_unref(TlsContext *context);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(TlsContext, tls_context_unref)
