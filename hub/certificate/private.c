/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/certificate/private.h"

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/secret.h"

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <string.h>

#define SERIAL_SIZE 16

void
certificate_key_free(CertificateKey key)
{
    if (key)
        gnutls_x509_privkey_deinit(key);
}

void
certificate_free(Certificate certificate)
{
    if (certificate)
        gnutls_x509_crt_deinit(certificate);
}

void
certificate_text_clear(CertificateText *text)
{
    if (text->data)
        gnutls_memset(text->data, 0, text->size);
    gnutls_free(text->data);
    text->data = NULL;
}

gboolean
certificate_fail(int result, const char *what, GError **error)
{
    g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_FAILED, "%s: %s", what,
                gnutls_strerror(result));
    return FALSE;
}

int
certificate_key_make(CertificateKey *ret)
{
    int result = gnutls_x509_privkey_init(ret);

    if (result < 0)
        return result;
    return gnutls_x509_privkey_generate2(
        *ret, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0, NULL, 0);
}

int
certificate_fill(Certificate certificate, CertificateKey key, const char *name, int days)
{
    guint8 serial[SERIAL_SIZE], id[CERTIFICATE_KEY_ID_MAX];
    gsize id_len = sizeof id;
    time_t now = time(NULL);
    int result = gnutls_rnd(GNUTLS_RND_NONCE, serial, sizeof serial);

    serial[0] = (guint8)((serial[0] & 0x7f) | 0x40); /* positive, and always of the same length */
    if (result >= 0)
        result = gnutls_x509_crt_set_version(certificate, 3);
    if (result >= 0)
        result = gnutls_x509_crt_set_serial(certificate, serial, sizeof serial);
    /* A gateway's clock may be behind. */
    if (result >= 0)
        result = gnutls_x509_crt_set_activation_time(certificate, now - CERTIFICATE_DAY);
    if (result >= 0)
        result =
            gnutls_x509_crt_set_expiration_time(certificate, now + (time_t)days * CERTIFICATE_DAY);
    if (result >= 0)
        result = gnutls_x509_crt_set_dn_by_oid(certificate, GNUTLS_OID_X520_COMMON_NAME, 0, name,
                                               (unsigned)strlen(name));
    if (result >= 0)
        result = gnutls_x509_crt_set_key(certificate, key);
    if (result >= 0)
        result = gnutls_x509_crt_get_key_id(certificate, GNUTLS_KEYID_USE_SHA1, id, &id_len);
    if (result >= 0)
        result = gnutls_x509_crt_set_subject_key_id(certificate, id, id_len);
    return result;
}

static char *
text_of(int result, const CertificateText *pem, const char *what, GError **error)
{
    if (result >= 0)
        return g_strndup((const char *)pem->data, pem->size);
    (void)certificate_fail(result, what, error);
    return NULL;
}

char *
certificate_to_pem(Certificate certificate, GError **error)
{
    g_auto(CertificateText) pem = {0};
    int result = gnutls_x509_crt_export2(certificate, GNUTLS_X509_FMT_PEM, &pem);

    return text_of(result, &pem, "the certificate", error);
}

char *
certificate_key_to_pem(CertificateKey key, GError **error)
{
    g_auto(CertificateText) pem = {0};
    int result =
        gnutls_x509_privkey_export2_pkcs8(key, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN, &pem);

    return text_of(result, &pem, "the key", error);
}

static gnutls_datum_t
datum_of(const char *text)
{
    return (gnutls_datum_t){(unsigned char *)(guintptr)text, (unsigned)strlen(text)};
}

gboolean
certificate_parse(const char *pem, const char *where, Certificate *ret, GError **error)
{
    const gnutls_datum_t text = datum_of(pem);
    g_auto(Certificate) certificate = NULL;
    int result = gnutls_x509_crt_init(&certificate);

    if (result >= 0)
        result = gnutls_x509_crt_import(certificate, &text, GNUTLS_X509_FMT_PEM);
    if (result < 0) {
        g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID, "%s: not a certificate: %s", where,
                    gnutls_strerror(result));
        return FALSE;
    }
    *ret = g_steal_pointer(&certificate);
    return TRUE;
}

gboolean
certificate_load(const char *path, Certificate *ret, GError **error)
{
    g_autofree char *pem = file_read(path, FILE_PEM_MAX, NULL, error);

    return pem && certificate_parse(pem, path, ret, error);
}

gboolean
certificate_parse_key(const char *pem, const char *where, CertificateKey *ret, GError **error)
{
    const gnutls_datum_t text = datum_of(pem);
    g_auto(CertificateKey) key = NULL;
    int result = gnutls_x509_privkey_init(&key);

    if (result >= 0)
        result = gnutls_x509_privkey_import2(key, &text, GNUTLS_X509_FMT_PEM, NULL, 0);
    if (result < 0) {
        g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID, "%s: not a key: %s", where,
                    gnutls_strerror(result));
        return FALSE;
    }
    *ret = g_steal_pointer(&key);
    return TRUE;
}

gboolean
certificate_load_key(const char *path, CertificateKey *ret, GError **error)
{
    g_auto(SecretText) pem = file_read(path, FILE_PEM_MAX, NULL, error);

    return pem && certificate_parse_key(pem, path, ret, error);
}
