/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Certificate pair: a server's certificate with its issuers, and its key. This module reads a pair,
 * checks it, and installs it as the hub's.
 *
 * The hub's pair is two files in the state folder. Whoever has a new pair first *stages* it beside
 * them, with the owner of the folder. Then the pair is checked and *committed* by two renames. If
 * the machine dies between these, certificate_pair_open finishes the commit, so that there is
 * always a pair that fits. Any thread; waits for the disk. */
#pragma once

#include "common/net/tls-context.h"

#include <glib.h>

#define CERTIFICATE_CHAIN_MAX 16

typedef struct CertificatePair CertificatePair;

/* STREAMD_ERROR_INVALID with the file and what is wrong: not readable, no certificate, no key, or
 * a key that is not of this certificate. */
CertificatePair *certificate_pair_read(const char *cert_file, const char *key_file, GError **error);
/* The same of texts in PEM, which are copied. */
CertificatePair *certificate_pair_new(const char *cert, const char *key, GError **error);
void certificate_pair_free(CertificatePair *pair); /* NULL is fine; wipes the key */

/* The hub's pair in its state folder, and the pair that is staged there. A key that others than its
 * owner can read is refused. */
CertificatePair *certificate_pair_open(const char *state_dir, GError **error);
CertificatePair *certificate_pair_open_staged(const char *state_dir, GError **error);

/* Whether clients that use these names for the hub will accept the pair at the time NOW (s since
 * 1970): it is valid, made for servers and for each name, and every certificate is issued by the
 * next one. FALSE: STREAMD_ERROR_INVALID with all problems, joined by "; ". */
gboolean certificate_pair_check(const CertificatePair *pair, const char *const *names, gint64 now,
                                GError **error);

/* Removes what was staged before. FALSE with an error: nothing is staged. */
gboolean certificate_pair_stage(const CertificatePair *pair, const char *state_dir, GError **error);
gboolean certificate_pair_commit(const char *state_dir, GError **error);
void certificate_pair_unstage(const char *state_dir);

TlsContext *certificate_pair_tls(const CertificatePair *pair, GError **error);

const char *certificate_pair_pem(const CertificatePair *pair); /* the certificates alone */

/* What the certificate says. Names and addresses as in certificate_names; NULL-terminated. */
const char *const *certificate_pair_names(const CertificatePair *pair);
const char *certificate_pair_issuer(const CertificatePair *pair);
const char *certificate_pair_fingerprint(const CertificatePair *pair); /* SHA-256, hexadecimal */
gint64 certificate_pair_begin(const CertificatePair *pair);            /* s since 1970 */
gint64 certificate_pair_end(const CertificatePair *pair);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CertificatePair, certificate_pair_free)
