/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/certificate/authority.h"

#include "common/base/error.h"
#include "common/base/secret.h"
#include "hub/certificate/private.h"
#include "hub/base/private-file.h"

#include <gnutls/abstract.h>
#include <string.h>

#define CERTIFICATE_COMMON_NAME_MAX 128

struct CertificateAuthority {
    Certificate certificate;
    CertificateKey key;
    char *pem;
};

void
certificate_authority_free(CertificateAuthority *authority)
{
    if (!authority)
        return;
    certificate_free(authority->certificate);
    certificate_key_free(authority->key);
    g_free(authority->pem);
    g_free(authority);
}

/* Whether the key is the certificate's: their public parts have the same id. */
static gboolean
fits(const CertificateAuthority *authority)
{
    guint8 of_cert[CERTIFICATE_KEY_ID_MAX], of_key[CERTIFICATE_KEY_ID_MAX];
    gsize cert_len = sizeof of_cert, key_len = sizeof of_key;

    return gnutls_x509_crt_get_key_id(authority->certificate, GNUTLS_KEYID_USE_SHA256, of_cert,
                                      &cert_len) >= 0 &&
           gnutls_x509_privkey_get_key_id(authority->key, GNUTLS_KEYID_USE_SHA256, of_key,
                                          &key_len) >= 0 &&
           cert_len == key_len && memcmp(of_cert, of_key, key_len) == 0;
}

CertificateAuthority *
certificate_authority_open(const char *cert_file, const char *key_file, GError **error)
{
    g_autoptr(CertificateAuthority) authority = g_new0(CertificateAuthority, 1);
    g_auto(SecretText) key = private_file_read(key_file, error);

    if (!key || !certificate_parse_key(key, key_file, &authority->key, error) ||
        !certificate_load(cert_file, &authority->certificate, error))
        return NULL;
    authority->pem = certificate_to_pem(authority->certificate, error);
    if (!authority->pem)
        return NULL;
    if (gnutls_x509_crt_get_ca_status(authority->certificate, NULL) > 0 && fits(authority))
        return g_steal_pointer(&authority);
    g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID,
                "%s is not the certificate of an authority with the key %s", cert_file, key_file);
    return NULL;
}

const char *
certificate_authority_pem(const CertificateAuthority *authority)
{
    return authority->pem;
}

gint64
certificate_authority_end(const CertificateAuthority *authority)
{
    return gnutls_x509_crt_get_expiration_time(authority->certificate);
}

gboolean
certificate_authority_may_cross(const CertificateAuthority *authority)
{
    int path_length = -1;

    return gnutls_x509_crt_get_basic_constraints(authority->certificate, NULL, NULL,
                                                 &path_length) >= 0 &&
           path_length != 0;
}

gboolean
certificate_authority_has_signed(const CertificateAuthority *authority, const CertificatePair *pair)
{
    g_auto(Certificate) server = NULL;
    Certificate issuer = authority->certificate;
    unsigned problems = 0;

    return certificate_parse(certificate_pair_pem(pair), "", &server, NULL) &&
           gnutls_x509_crt_verify(server, &issuer, 1,
                                  GNUTLS_VERIFY_DISABLE_TIME_CHECKS |
                                      GNUTLS_VERIFY_DISABLE_TRUSTED_TIME_CHECKS,
                                  &problems) >= 0 &&
           problems == 0;
}

CertificatePair *
certificate_authority_issue(const CertificateAuthority *authority, const char *const *names,
                            const char *cross, GError **error)
{
    g_auto(Certificate) server = NULL;
    g_auto(CertificateKey) key = NULL;
    g_autofree char *pem = NULL;
    g_autofree char *chain = NULL;
    g_auto(SecretText) key_pem = NULL;

    if (!certificate_sign_server(authority->certificate, authority->key, names, &server, &key,
                                 error))
        return NULL;
    pem = certificate_to_pem(server, error);
    key_pem = pem ? certificate_key_to_pem(key, error) : NULL;
    if (!key_pem)
        return NULL;
    chain = g_strconcat(pem, cross ? cross : "", NULL);
    return certificate_pair_new(chain, key_pem, error);
}

/* An authority of the name and key of NEXT, as this authority calls it: not signed yet. It ends
 * with this one, behind whose end nobody looks at it any more. */
static int
make_cross(const CertificateAuthority *by, const CertificateAuthority *next, Certificate *ret)
{
    guint8 id[CERTIFICATE_KEY_ID_MAX];
    gsize id_len = sizeof id, name_len = CERTIFICATE_COMMON_NAME_MAX;
    char name[CERTIFICATE_COMMON_NAME_MAX] = "";
    int result = gnutls_x509_crt_get_dn_by_oid(next->certificate, GNUTLS_OID_X520_COMMON_NAME, 0, 0,
                                               name, &name_len);

    if (result >= 0)
        result = certificate_fill_authority(ret, next->key, name);
    if (result >= 0)
        result = gnutls_x509_crt_set_expiration_time(*ret, (time_t)certificate_authority_end(by));
    if (result >= 0)
        result = gnutls_x509_crt_get_subject_key_id(by->certificate, id, &id_len, NULL);
    if (result >= 0)
        result = gnutls_x509_crt_set_authority_key_id(*ret, id, id_len);
    return result;
}

char *
certificate_authority_cross(const CertificateAuthority *authority, const CertificateAuthority *next,
                            GError **error)
{
    g_auto(Certificate) cross = NULL;
    int result = make_cross(authority, next, &cross);

    if (result >= 0)
        result = gnutls_x509_crt_sign2(cross, authority->certificate, authority->key,
                                       GNUTLS_DIG_SHA256, 0);
    if (result >= 0)
        return certificate_to_pem(cross, error);
    (void)certificate_fail(result, "the successor's certificate cannot be signed", error);
    return NULL;
}

static gboolean
take_root(Statement *statement, const CertificateAuthority *root, GError **error)
{
    g_auto(CertificateText) der = {0};
    int result = gnutls_x509_crt_export2(root->certificate, GNUTLS_X509_FMT_DER, &der);

    if (result < 0)
        return certificate_fail(result, "the successor", error);
    statement->root = g_memdup2(der.data, der.size);
    statement->root_len = der.size;
    return TRUE;
}

/* Signs with SHA-256, whatever the kind of the key is. */
static int
sign(const CertificateAuthority *authority, const char *text, gnutls_datum_t *ret)
{
    const gnutls_datum_t data = {(unsigned char *)(guintptr)text, (unsigned)strlen(text)};
    gnutls_privkey_t key = NULL;
    int result = gnutls_privkey_init(&key);

    if (result >= 0)
        result = gnutls_privkey_import_x509(key, authority->key, 0);
    if (result >= 0)
        result = gnutls_privkey_sign_data2(
            key,
            gnutls_pk_to_sign((gnutls_pk_algorithm_t)gnutls_privkey_get_pk_algorithm(key, NULL),
                              GNUTLS_DIG_SHA256),
            0, &data, ret);
    gnutls_privkey_deinit(key);
    return result;
}

char *
certificate_authority_state(const CertificateAuthority *authority, const Statement *statement,
                            const CertificateAuthority *root, GError **error)
{
    Statement whole = *statement;
    g_autofree char *text = NULL;
    g_autofree char *sealed = NULL;
    g_auto(CertificateText) signature = {0};
    int result;

    if (root && !take_root(&whole, root, error))
        return NULL;
    text = statement_format(&whole);
    if (root)
        g_free(whole.root);
    result = sign(authority, text, &signature);
    if (result < 0) {
        (void)certificate_fail(result, "the statement cannot be signed", error);
        return NULL;
    }
    sealed = statement_seal(text, signature.data, signature.size);
    if (strlen(sealed) <= STATEMENT_MAX)
        return g_steal_pointer(&sealed);
    g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_LIMIT,
                "the statement takes %zu bytes and may take %d: the hub has too many names",
                strlen(sealed), STATEMENT_MAX);
    return NULL;
}
