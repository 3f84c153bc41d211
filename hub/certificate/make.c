/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Makes certificates of an authority and of a server. */
#include "hub/certificate/certificate.h"

#include "common/base/error.h"
#include "common/base/secret.h"
#include "hub/certificate/private.h"
#include "hub/base/private-file.h"

#include <arpa/inet.h>
#include <glib/gstdio.h>
#include <gnutls/abstract.h>
#include <string.h>

/* Writes both files or none. */
static gboolean
write_pair(Certificate certificate, CertificateKey key, const char *cert_file, const char *key_file,
           GError **error)
{
    g_autofree char *cert_pem = certificate_to_pem(certificate, error);
    g_auto(SecretText) key_pem = cert_pem ? certificate_key_to_pem(key, error) : NULL;

    if (!key_pem || !private_file_write(key_file, key_pem, strlen(key_pem), error))
        return FALSE;
    if (public_file_write(cert_file, cert_pem, strlen(cert_pem), error))
        return TRUE;
    (void)g_unlink(key_file);
    return FALSE;
}

int
certificate_fill_authority(Certificate *ret, CertificateKey key, const char *name)
{
    g_auto(Certificate) authority = NULL;
    int result = gnutls_x509_crt_init(&authority);

    if (result >= 0)
        result = certificate_fill(authority, key, name, CERTIFICATE_AUTHORITY_DAYS);
    /* Without a path length: it has to sign its successor one day. */
    if (result >= 0)
        result = gnutls_x509_crt_set_basic_constraints(authority, 1, -1);
    if (result >= 0)
        result = gnutls_x509_crt_set_key_usage(authority,
                                               GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_CRL_SIGN);
    if (result >= 0)
        *ret = g_steal_pointer(&authority);
    return result;
}

gboolean
certificate_make_authority(const char *name, const char *cert_file, const char *key_file,
                           GError **error)
{
    g_auto(CertificateKey) key = NULL;
    g_auto(Certificate) authority = NULL;
    int result = certificate_key_make(&key);

    if (result >= 0)
        result = certificate_fill_authority(&authority, key, name);
    if (result >= 0)
        result = gnutls_x509_crt_sign2(authority, authority, key, GNUTLS_DIG_SHA256, 0);
    if (result < 0)
        return certificate_fail(result, "the authority cannot be made", error);
    return write_pair(authority, key, cert_file, key_file, error);
}

static int
add_name(Certificate certificate, const char *name)
{
    guint8 address[sizeof(struct in6_addr)];

    if (inet_pton(AF_INET, name, address) == 1)
        return gnutls_x509_crt_set_subject_alt_name(certificate, GNUTLS_SAN_IPADDRESS, address, 4,
                                                    GNUTLS_FSAN_APPEND);
    if (inet_pton(AF_INET6, name, address) == 1)
        return gnutls_x509_crt_set_subject_alt_name(certificate, GNUTLS_SAN_IPADDRESS, address, 16,
                                                    GNUTLS_FSAN_APPEND);
    return gnutls_x509_crt_set_subject_alt_name(certificate, GNUTLS_SAN_DNSNAME, name,
                                                (unsigned)strlen(name), GNUTLS_FSAN_APPEND);
}

static int
server_fill(Certificate server, CertificateKey key, const char *const *names, Certificate authority)
{
    guint8 id[CERTIFICATE_KEY_ID_MAX];
    gsize id_len = sizeof id;
    int result = certificate_fill(server, key, names[0], CERTIFICATE_SERVER_DAYS);

    for (guint i = 0; names[i] && result >= 0; i++)
        result = add_name(server, names[i]);
    if (result >= 0)
        result = gnutls_x509_crt_set_basic_constraints(server, 0, -1);
    if (result >= 0)
        result = gnutls_x509_crt_set_key_usage(server, GNUTLS_KEY_DIGITAL_SIGNATURE);
    if (result >= 0)
        result = gnutls_x509_crt_set_key_purpose_oid(server, GNUTLS_KP_TLS_WWW_SERVER, 0);
    if (result >= 0)
        result = gnutls_x509_crt_get_subject_key_id(authority, id, &id_len, NULL);
    if (result >= 0)
        result = gnutls_x509_crt_set_authority_key_id(server, id, id_len);
    return result;
}

static gboolean
certificate_check_names(const char *const *names, GError **error)
{
    for (guint i = 0; names[i]; i++) {
        if (certificate_name_is_valid(names[i]) && i < CERTIFICATE_NAMES_MAX)
            continue;
        g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID,
                    i < CERTIFICATE_NAMES_MAX ? "'%s' is neither a host name nor an IP address"
                                              : "'%s' is one name too many",
                    names[i]);
        return FALSE;
    }
    return TRUE;
}

gboolean
certificate_sign_server(Certificate authority, CertificateKey authority_key,
                        const char *const *names, Certificate *ret, CertificateKey *ret_key,
                        GError **error)
{
    g_auto(Certificate) server = NULL;
    g_auto(CertificateKey) key = NULL;
    int result;

    if (!certificate_check_names(names, error))
        return FALSE;
    result = certificate_key_make(&key);
    if (result >= 0)
        result = gnutls_x509_crt_init(&server);
    if (result >= 0)
        result = server_fill(server, key, names, authority);
    if (result >= 0)
        result = gnutls_x509_crt_sign2(server, authority, authority_key, GNUTLS_DIG_SHA256, 0);
    if (result < 0)
        return certificate_fail(result, "the server's certificate cannot be made", error);
    *ret = g_steal_pointer(&server);
    *ret_key = g_steal_pointer(&key);
    return TRUE;
}

gboolean
certificate_make_server(const char *ca_cert_file, const char *ca_key_file, const char *const *names,
                        const char *cert_file, const char *key_file, GError **error)
{
    g_auto(Certificate) authority = NULL;
    g_auto(CertificateKey) authority_key = NULL;
    g_auto(Certificate) server = NULL;
    g_auto(CertificateKey) key = NULL;

    return certificate_load(ca_cert_file, &authority, error) &&
           certificate_load_key(ca_key_file, &authority_key, error) &&
           certificate_sign_server(authority, authority_key, names, &server, &key, error) &&
           write_pair(server, key, cert_file, key_file, error);
}
