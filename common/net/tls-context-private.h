/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What tls-session.c needs of a context; nobody else includes this. */
#pragma once

#include "common/net/tls-context.h"

#include <gnutls/gnutls.h>

gboolean tls_context_is_server(const TlsContext *context);

/* The hub's: clients are asked for a certificate. *RET_TRUST is the context's. */
gboolean tls_context_asks(const TlsContext *context, TlsTrust **ret_trust);

/* Priorities, credentials, ALPN and tickets of a new session. 0 or a GnuTLS error. */
int tls_context_set_up(TlsContext *context, gnutls_session_t session);

/* A client's: it has a certificate to show. */
gboolean tls_context_shows(const TlsContext *context);

/* For tls-own.c: it has one from now on. The copy of PIN lives as long as the context; NULL for
 * none. */
gnutls_certificate_credentials_t tls_context_credentials(TlsContext *context);
char *tls_context_keep_pin(TlsContext *context, const char *pin);

/* A reference; NULL: there is none. Any thread. */
TlsNext *tls_context_next(TlsContext *context);
gboolean tls_context_has_next(TlsContext *context, const TlsNext *next);

/* The client's cache of one ticket per server name. Any thread. */
void tls_context_save_ticket(TlsContext *context, const char *server_name, gnutls_datum_t ticket);
void tls_context_use_ticket(TlsContext *context, const char *server_name, gnutls_session_t session);
