/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What tls-session.c needs of a context; nobody else includes this. */
#pragma once

#include "common/net/tls-context.h"

#include <gnutls/gnutls.h>

gboolean tls_context_is_server(const TlsContext *context);

/* Priorities, credentials, ALPN and tickets of a new session. 0 or a GnuTLS error. */
int tls_context_set_up(TlsContext *context, gnutls_session_t session);

/* The client's cache of one ticket per server name. Any thread. */
void tls_context_save_ticket(TlsContext *context, const char *server_name, gnutls_datum_t ticket);
void tls_context_use_ticket(TlsContext *context, const char *server_name, gnutls_session_t session);
