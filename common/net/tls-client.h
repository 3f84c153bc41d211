/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* TLS client: the certificate that a client has shown to the hub in its handshake, and what the
 * authorities say about it. The handshake has proved that the client has the key; nothing more is
 * known of it. Both types are constant once made and reference counted: any thread. */
#pragma once

#include <glib.h>
#include <stdatomic.h>

#define TLS_CLIENT_CHAIN_MAX 5  /* certificates that a client may send */
#define TLS_CLIENT_NAMES_MAX 16 /* alternative names that are looked at */
#define TLS_CLIENT_NAME_MAX 257 /* bytes of a name: a device, a slash and a module */

#define TLS_SHA1_SIZE 20
#define TLS_SHA256_SIZE 32

/* Authorities that may name clients, and what they have revoked. */
typedef struct TlsTrust TlsTrust;

/* AUTHORITIES and LISTS are paths of PEM files with any number of certificates, and of lists of
 * revoked ones (CRLs); NULL-terminated, or NULL. A list must be signed by one of the authorities.
 * STREAMD_ERROR_INVALID with the file and what is wrong. */
TlsTrust *tls_trust_new(const char *const *authorities, const char *const *lists, GError **error);
TlsTrust *tls_trust_ref(TlsTrust *trust);
void tls_trust_unref(TlsTrust *trust);

/* For the administrator: a list that should have been replaced, which is used all the same; or
 * NULL. */
const char *tls_trust_warning(const TlsTrust *trust);

typedef enum {
    TLS_CLIENT_TRUSTED,
    TLS_CLIENT_NO_AUTHORITY, /* none is set */
    TLS_CLIENT_STRANGE,      /* issued by none of them */
    TLS_CLIENT_REVOKED,
    TLS_CLIENT_NOT_YET, /* it, or a certificate above it, is valid from a later date on */
    TLS_CLIENT_EXPIRED, /* the same */
    TLS_CLIENT_PURPOSE, /* it may not be used by clients */
    TLS_CLIENT_UNFIT,   /* anything else, such as an algorithm that is not safe any more */
} TlsClientStanding;

typedef struct {
    atomic_uint references;
    const char *fault; /* why it cannot be used at all; then nothing else is set. NULL: it can */
    guint8 sha1[TLS_SHA1_SIZE];
    guint8 sha256[TLS_SHA256_SIZE];
    gint64 not_before, not_after; /* s since 1970, its own */
    gint64 until;                 /* the first end in the chain that was sent */
    char **names; /* its common name, if it has exactly one, and its alternative DNS names */
    const char *name_fault; /* why one of its names does not count; NULL: all do */
    GPtrArray *chain;       /* of GBytes: DER, its own first */
    TlsTrust *trust;
    TlsClientStanding standing; /* as TRUST sees it, when it was made */
} TlsClient;

/* CHAIN: of GBytes in DER, its own first; taken. TRUST NULL: there are no authorities. Takes about
 * as long as a handshake. */
TlsClient *tls_client_new(GPtrArray *chain, TlsTrust *trust);

/* The first certificate of a PEM file, as no authority sees it. */
TlsClient *tls_client_new_file(const char *path, GError **error);
TlsClient *tls_client_ref(TlsClient *client);
void tls_client_unref(TlsClient *client); /* NULL is fine */

/* How it stands with TRUST now. */
TlsClientStanding tls_client_judge(const TlsClient *client, const TlsTrust *trust);

/* It names exactly this client. */
gboolean tls_client_has_name(const TlsClient *client, const char *name);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(TlsTrust, tls_trust_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(TlsClient, tls_client_unref)
