/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What tls-session.c needs of it; nobody else includes this. */
#pragma once

#include "common/net/tls-next.h"

#include <gnutls/x509.h>

/* Verifies a server's CHAIN for NAME. 0, or the bits of GnuTLS's verification status. */
unsigned
tls_next_verify(TlsNext *next, const gnutls_datum_t *chain, unsigned count, const char *name);
