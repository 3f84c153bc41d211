/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Shared by the files hub/admin/certificate*.c alone: what GnuTLS has no cleaning up for, and the
 * steps of making and reading that several of them take. Results are those of GnuTLS. Any thread.
 */
#pragma once

#include <glib.h>
#include <gnutls/x509.h>

#define CERTIFICATE_DAY 86400
#define CERTIFICATE_KEY_ID_MAX 64

typedef gnutls_x509_privkey_t CertificateKey;
typedef gnutls_x509_crt_t Certificate;
typedef gnutls_datum_t CertificateText; /* of GnuTLS; wiped when it is cleared */

void certificate_key_free(CertificateKey key);  /* NULL is fine */
void certificate_free(Certificate certificate); /* NULL is fine */
void certificate_text_clear(CertificateText *text);

/* "WHAT: reason of GnuTLS", STREAMD_ERROR_FAILED. Returns FALSE. */
gboolean certificate_fail(int result, const char *what, GError **error);

int certificate_key_make(CertificateKey *ret); /* ECDSA P-256 */

/* Sets what the certificates of authority and server have in common. */
int certificate_fill(Certificate certificate, CertificateKey key, const char *name, int days);

/* A new certificate of an authority for KEY, not signed yet: it may sign servers and its own
 * successor. */
int certificate_fill_authority(Certificate *ret, CertificateKey key, const char *name);

/* Makes a key and a certificate for NAMES, signed by the authority. STREAMD_ERROR_INVALID: one of
 * the names. */
gboolean certificate_sign_server(Certificate authority, CertificateKey authority_key,
                                 const char *const *names, Certificate *ret,
                                 CertificateKey *ret_key, GError **error);

/* As PEM, NUL-terminated; the key's is PKCS #8. NULL with an error. Free with g_free and
 * secret_free. */
char *certificate_to_pem(Certificate certificate, GError **error);
char *certificate_key_to_pem(CertificateKey key, GError **error);

/* Reads the first certificate of a file, or its key. STREAMD_ERROR_INVALID with the path. */
gboolean certificate_load(const char *path, Certificate *ret, GError **error);
gboolean certificate_parse(const char *pem, const char *where, Certificate *ret, GError **error);
gboolean
certificate_parse_key(const char *pem, const char *where, CertificateKey *ret, GError **error);
gboolean certificate_load_key(const char *path, CertificateKey *ret, GError **error);

/* As certificate_names, for a certificate in memory. */
char **certificate_names_in(gnutls_x509_crt_t certificate);

G_DEFINE_AUTO_CLEANUP_FREE_FUNC(CertificateKey, certificate_key_free, NULL)
G_DEFINE_AUTO_CLEANUP_FREE_FUNC(Certificate, certificate_free, NULL)
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(CertificateText, certificate_text_clear)
