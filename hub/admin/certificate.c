/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/admin/certificate.h"

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/secret.h"
#include "hub/admin/certificate-private.h"
#include "hub/base/private-file.h"

#include <arpa/inet.h>
#include <glib/gstdio.h>
#include <gio/gio.h>
#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <gnutls/x509.h>
#include <string.h>

#define DAY 86400
#define SERIAL_SIZE 16
#define KEY_ID_MAX 64

typedef gnutls_x509_privkey_t Key;
typedef gnutls_x509_crt_t Certificate;
typedef gnutls_datum_t Pem;

static void
key_free(Key key)
{
    if (key)
        gnutls_x509_privkey_deinit(key);
}

static void
certificate_free(Certificate certificate)
{
    if (certificate)
        gnutls_x509_crt_deinit(certificate);
}

static void
pem_clear(Pem *pem)
{
    if (pem->data)
        gnutls_memset(pem->data, 0, pem->size);
    gnutls_free(pem->data);
    pem->data = NULL;
}

G_DEFINE_AUTO_CLEANUP_FREE_FUNC(Key, key_free, NULL)
G_DEFINE_AUTO_CLEANUP_FREE_FUNC(Certificate, certificate_free, NULL)
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Pem, pem_clear)

static gboolean
set_error(int result, const char *what, GError **error)
{
    g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_FAILED, "%s: %s", what,
                gnutls_strerror(result));
    return FALSE;
}

static int
key_make(Key *ret)
{
    int result = gnutls_x509_privkey_init(ret);

    if (result < 0)
        return result;
    return gnutls_x509_privkey_generate2(
        *ret, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0, NULL, 0);
}

/* Sets what the certificates of authority and server have in common. */
static int
certificate_fill(Certificate certificate, Key key, const char *name, int days)
{
    guint8 serial[SERIAL_SIZE], id[KEY_ID_MAX];
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
        result = gnutls_x509_crt_set_activation_time(certificate, now - DAY);
    if (result >= 0)
        result = gnutls_x509_crt_set_expiration_time(certificate, now + (time_t)days * DAY);
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

/* Writes both files or none. */
static gboolean
write_pair(Certificate certificate, Key key, const char *cert_file, const char *key_file,
           GError **error)
{
    g_auto(Pem) cert_pem = {0};
    g_auto(Pem) key_pem = {0};
    int result = gnutls_x509_crt_export2(certificate, GNUTLS_X509_FMT_PEM, &cert_pem);

    if (result >= 0)
        result = gnutls_x509_privkey_export2_pkcs8(key, GNUTLS_X509_FMT_PEM, NULL,
                                                   GNUTLS_PKCS_PLAIN, &key_pem);
    if (result < 0)
        return set_error(result, cert_file, error);
    if (!private_file_write(key_file, key_pem.data, key_pem.size, error))
        return FALSE;
    if (public_file_write(cert_file, cert_pem.data, cert_pem.size, error))
        return TRUE;
    (void)g_unlink(key_file);
    return FALSE;
}

gboolean
certificate_make_authority(const char *cert_file, const char *key_file, GError **error)
{
    g_auto(Key) key = NULL;
    g_auto(Certificate) authority = NULL;
    int result = key_make(&key);

    if (result >= 0)
        result = gnutls_x509_crt_init(&authority);
    if (result >= 0)
        result = certificate_fill(authority, key, "streamhub CA", CERTIFICATE_AUTHORITY_DAYS);
    /* It signs servers, not further authorities. */
    if (result >= 0)
        result = gnutls_x509_crt_set_basic_constraints(authority, 1, 0);
    if (result >= 0)
        result = gnutls_x509_crt_set_key_usage(authority,
                                               GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_CRL_SIGN);
    if (result >= 0)
        result = gnutls_x509_crt_sign2(authority, authority, key, GNUTLS_DIG_SHA256, 0);
    if (result < 0)
        return set_error(result, "the authority cannot be made", error);
    return write_pair(authority, key, cert_file, key_file, error);
}

/* The caller wipes and frees the text; RET points to it. */
static char *
read_file(const char *path, gnutls_datum_t *ret, GError **error)
{
    gsize len = 0;
    char *text = file_read(path, FILE_PEM_MAX, &len, error);

    if (text)
        *ret = (gnutls_datum_t){(unsigned char *)text, (unsigned)len};
    return text;
}

static gboolean
read_certificate(const char *path, Certificate *ret, GError **error)
{
    gnutls_datum_t pem = {0};
    g_auto(SecretText) text = read_file(path, &pem, error);
    g_auto(Certificate) certificate = NULL;
    int result;

    if (!text)
        return FALSE;
    result = gnutls_x509_crt_init(&certificate);
    if (result >= 0)
        result = gnutls_x509_crt_import(certificate, &pem, GNUTLS_X509_FMT_PEM);
    if (result < 0) {
        g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID, "%s: not a certificate: %s", path,
                    gnutls_strerror(result));
        return FALSE;
    }
    *ret = g_steal_pointer(&certificate);
    return TRUE;
}

static gboolean
read_key(const char *path, Key *ret, GError **error)
{
    gnutls_datum_t pem = {0};
    g_auto(SecretText) text = read_file(path, &pem, error);
    g_auto(Key) key = NULL;
    int result;

    if (!text)
        return FALSE;
    result = gnutls_x509_privkey_init(&key);
    if (result >= 0)
        result = gnutls_x509_privkey_import2(key, &pem, GNUTLS_X509_FMT_PEM, NULL, 0);
    if (result < 0) {
        g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID, "%s: not a key: %s", path,
                    gnutls_strerror(result));
        return FALSE;
    }
    *ret = g_steal_pointer(&key);
    return TRUE;
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
server_fill(Certificate server, Key key, const char *const *names, Certificate authority)
{
    guint8 id[KEY_ID_MAX];
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
certificate_make_server(const char *ca_cert_file, const char *ca_key_file, const char *const *names,
                        const char *cert_file, const char *key_file, GError **error)
{
    g_auto(Certificate) authority = NULL;
    g_auto(Key) authority_key = NULL;
    g_auto(Certificate) server = NULL;
    g_auto(Key) key = NULL;
    int result;

    if (!certificate_check_names(names, error) ||
        !read_certificate(ca_cert_file, &authority, error) ||
        !read_key(ca_key_file, &authority_key, error))
        return FALSE;
    result = key_make(&key);
    if (result >= 0)
        result = gnutls_x509_crt_init(&server);
    if (result >= 0)
        result = server_fill(server, key, names, authority);
    if (result >= 0)
        result = gnutls_x509_crt_sign2(server, authority, authority_key, GNUTLS_DIG_SHA256, 0);
    if (result < 0)
        return set_error(result, "the server's certificate cannot be made", error);
    return write_pair(server, key, cert_file, key_file, error);
}

gboolean
certificate_is_signed_by(const char *cert_file, const char *ca_file, GError **error)
{
    g_auto(Certificate) certificate = NULL;
    g_auto(Certificate) authority = NULL;
    unsigned problems = 0;

    return read_certificate(cert_file, &certificate, error) &&
           read_certificate(ca_file, &authority, error) &&
           gnutls_x509_crt_verify(certificate, &authority, 1, GNUTLS_VERIFY_DISABLE_TIME_CHECKS,
                                  &problems) >= 0 &&
           problems == 0;
}

static char *
address_to_text(const guint8 *bytes, gsize len)
{
    char text[INET6_ADDRSTRLEN] = "";

    if (len == 4)
        (void)inet_ntop(AF_INET, bytes, text, sizeof text);
    else if (len == 16)
        (void)inet_ntop(AF_INET6, bytes, text, sizeof text);
    return *text ? g_strdup(text) : NULL;
}

/* The name at INDEX; NULL when it is of another kind. FALSE after the last one. */
static gboolean
name_at(Certificate certificate, guint index, char **ret_name)
{
    guint8 bytes[256];
    gsize len = sizeof bytes - 1;
    unsigned type = 0;
    int result =
        gnutls_x509_crt_get_subject_alt_name2(certificate, index, bytes, &len, &type, NULL);

    *ret_name = NULL;
    if (result == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
        return FALSE;
    if (result < 0)
        return TRUE;
    if (type == GNUTLS_SAN_IPADDRESS)
        *ret_name = address_to_text(bytes, len);
    else if (type == GNUTLS_SAN_DNSNAME && !memchr(bytes, '\0', len))
        *ret_name = g_ascii_strdown((const char *)bytes, (gssize)len);
    return TRUE;
}

char **
certificate_names_in(gnutls_x509_crt_t certificate)
{
    GPtrArray *names = g_ptr_array_new();
    char *name;

    for (guint i = 0; i < CERTIFICATE_NAMES_MAX && name_at(certificate, i, &name); i++)
        if (name)
            g_ptr_array_add(names, name);
    g_ptr_array_add(names, NULL);
    return (char **)g_ptr_array_free(names, FALSE);
}

char **
certificate_names(const char *cert_file, GError **error)
{
    g_auto(Certificate) certificate = NULL;

    return read_certificate(cert_file, &certificate, error) ? certificate_names_in(certificate)
                                                            : NULL;
}

static gboolean
label_is_valid(const char *label, gsize len)
{
    if (len == 0 || len > 63 || label[0] == '-' || label[len - 1] == '-')
        return FALSE;
    for (gsize i = 0; i < len; i++)
        if (!g_ascii_isalnum(label[i]) && label[i] != '-' && label[i] != '_')
            return FALSE;
    return TRUE;
}

gboolean
certificate_name_is_valid(const char *name)
{
    const char *rest = g_str_has_prefix(name, "*.") ? name + 2 : name;

    if (g_hostname_is_ip_address(name))
        return strchr(name, '%') == NULL;
    if (strlen(name) > 253)
        return FALSE;
    for (;;) {
        gsize len = strcspn(rest, ".");

        if (!label_is_valid(rest, len))
            return FALSE;
        if (rest[len] == '\0')
            return TRUE;
        rest += len + 1;
    }
}
