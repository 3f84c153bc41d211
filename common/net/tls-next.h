/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* TLS next: the authority that comes after the one that a client trusts (docs/wire-protocol.md,
 * section 8): what proves it, and the trust in it. Immutable once made but for whether it has
 * verified anything; any thread. */
#pragma once

#include <gio/gio.h>

#define TLS_AUTHORITY_DER_MAX 4096

typedef struct TlsNext TlsNext;

/* Trusts the authorities of PEM, beside what the context trusts or, with ALONE, in its place.
 * STREAMD_ERROR_INVALID: there is none. */
TlsNext *tls_next_new(const char *pem, gboolean alone, GError **error);
TlsNext *tls_next_ref(TlsNext *next);
void tls_next_unref(TlsNext *next); /* NULL is fine */

gboolean tls_next_is_alone(const TlsNext *next);

/* Whether a handshake was verified by these authorities, and needed no others. */
gboolean tls_next_has_verified(const TlsNext *next);

/* Whether SIGNATURE of DATA was made with the key of one of the authorities in CA, a text in PEM.
 * With SHA-256, by RSA, ECDSA or Ed25519. */
gboolean tls_signed_by(const char *ca, const void *data, gsize len, const guint8 *signature,
                       gsize signature_len);

/* A certificate in DER as PEM, if it is that of an authority issued by itself, with a key that we
 * take, and has not ended at NOW (s since 1970). STREAMD_ERROR_INVALID with what is wrong. Free
 * with g_free. */
char *tls_authority_check(const guint8 *der, gsize len, gint64 now, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(TlsNext, tls_next_unref)
