/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Certificate authority: the hub's own one, opened with its key to sign something. Only those verbs
 * do this that root runs; the running hub cannot read the key. Any thread; waits for the disk. */
#pragma once

#include "common/extension/statement.h"
#include "hub/certificate/pair.h"

typedef struct CertificateAuthority CertificateAuthority;

/* STREAMD_ERROR_INVALID: not readable, no authority, or the key is not of this certificate. DENIED:
 * the key file could have been put there by somebody else (private_file_read). */
CertificateAuthority *
certificate_authority_open(const char *cert_file, const char *key_file, GError **error);
void certificate_authority_free(CertificateAuthority *authority); /* NULL is fine; wipes the key */

const char *certificate_authority_pem(const CertificateAuthority *authority);
gint64 certificate_authority_end(const CertificateAuthority *authority); /* s since 1970 */

/* Whether it may sign another authority: it has no path length, or one above 0. Those that 0.1.0
 * made have 0. */
gboolean certificate_authority_may_cross(const CertificateAuthority *authority);

/* Whether the server's certificate of PAIR is signed by it. */
gboolean certificate_authority_has_signed(const CertificateAuthority *authority,
                                          const CertificatePair *pair);

/* A new key and a certificate for NAMES (certificate.h). CROSS is sent behind it to those who do
 * not trust this authority, but the one before it: PEM, or NULL. */
CertificatePair *
certificate_authority_issue(const CertificateAuthority *authority, const char *const *names,
                            const char *cross, GError **error);

/* The certificate of NEXT, signed by this authority, as PEM: with it, who trusts this one can check
 * what NEXT signs. Free with g_free. */
char *certificate_authority_cross(const CertificateAuthority *authority,
                                  const CertificateAuthority *next, GError **error);

/* The text of the statement, with this authority's signature. An authority's has ROOT in it, which
 * replaces statement->root. Free with g_free. */
char *certificate_authority_state(const CertificateAuthority *authority, const Statement *statement,
                                  const CertificateAuthority *root, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CertificateAuthority, certificate_authority_free)
