/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/net/tls-client.h"

#include "common/base/error.h"
#include "common/base/file.h"

#include <gnutls/crypto.h>
#include <gnutls/x509.h>
#include <string.h>

static const char fault_der[] = "the certificate is malformed";
static const char fault_chain[] = "too many certificates were sent with it";
static const char fault_long[] = "a name of the certificate is too long";
static const char fault_many[] = "the certificate has more than one common name";
static const char fault_names[] = "the certificate has too many alternative names";
static const char fault_name[] = "a name of the certificate is malformed, or has a zero byte";

/* Keeps a name of SIZE bytes, or says why it does not count. GnuTLS gives a name that is no text,
 * as one with a zero byte, as '#' and hexadecimal digits, and writes a real '#' at its start as
 * "\#".
 */
static void
names_take(GPtrArray *names, const char *name, gsize size, const char **ret_fault)
{
    if (size == 0)
        return;
    if (*name == '#' || memchr(name, '\0', size) || !g_utf8_validate(name, (gssize)size, NULL))
        *ret_fault = fault_name;
    else
        g_ptr_array_add(names, g_strndup(name, size));
}

/* Of two common names a reader cannot know which one was meant: neither counts. */
static void
names_take_common(gnutls_x509_crt_t certificate, GPtrArray *names, const char **ret_fault)
{
    char name[TLS_CLIENT_NAME_MAX + 1], other[1];
    size_t size = sizeof name, other_size = sizeof other;
    int r =
        gnutls_x509_crt_get_dn_by_oid(certificate, GNUTLS_OID_X520_COMMON_NAME, 0, 0, name, &size);

    if (r == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
        return;
    if (gnutls_x509_crt_get_dn_by_oid(certificate, GNUTLS_OID_X520_COMMON_NAME, 1, 0, other,
                                      &other_size) != GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
        *ret_fault = fault_many;
    else if (r == GNUTLS_E_SHORT_MEMORY_BUFFER)
        *ret_fault = fault_long;
    else if (r < 0)
        *ret_fault = fault_name;
    else
        names_take(names, name, size, ret_fault);
}

static void
names_take_alternative(gnutls_x509_crt_t certificate, GPtrArray *names, const char **ret_fault)
{
    for (unsigned i = 0;; i++) {
        char name[TLS_CLIENT_NAME_MAX + 1];
        size_t size = sizeof name;
        unsigned type = 0;
        int r = gnutls_x509_crt_get_subject_alt_name2(certificate, i, name, &size, &type, NULL);

        if (r == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
            return;
        if (i == TLS_CLIENT_NAMES_MAX) {
            *ret_fault = fault_names;
            return;
        }
        if (r == GNUTLS_E_SHORT_MEMORY_BUFFER)
            *ret_fault = fault_long;
        else if (r < 0)
            *ret_fault = fault_name;
        else if (type == GNUTLS_SAN_DNSNAME)
            names_take(names, name, size, ret_fault);
    }
}

static gboolean
certificate_open(gnutls_x509_crt_t *ret, GBytes *der)
{
    gsize len = 0;
    const void *bytes = g_bytes_get_data(der, &len);
    const gnutls_datum_t datum = {(unsigned char *)(guintptr)bytes, (unsigned)len};

    if (gnutls_x509_crt_init(ret) < 0)
        return FALSE;
    if (gnutls_x509_crt_import(*ret, &datum, GNUTLS_X509_FMT_DER) >= 0)
        return TRUE;
    gnutls_x509_crt_deinit(*ret);
    return FALSE;
}

/* The end of a certificate above the client's own; 0: it cannot be read. */
static gint64
issuer_end(GBytes *der)
{
    gnutls_x509_crt_t certificate;
    gint64 end;

    if (!certificate_open(&certificate, der))
        return 0;
    end = (gint64)gnutls_x509_crt_get_expiration_time(certificate);
    gnutls_x509_crt_deinit(certificate);
    return MAX(end, 0);
}

static void
client_read_own(TlsClient *client, gnutls_x509_crt_t certificate)
{
    GPtrArray *names = g_ptr_array_new();

    names_take_common(certificate, names, &client->name_fault);
    names_take_alternative(certificate, names, &client->name_fault);
    g_ptr_array_add(names, NULL);
    client->names = (char **)g_ptr_array_free(names, FALSE);
    client->not_before = (gint64)gnutls_x509_crt_get_activation_time(certificate);
    client->not_after = (gint64)gnutls_x509_crt_get_expiration_time(certificate);
    client->until = client->not_after;
}

static const char *
client_read(TlsClient *client)
{
    gnutls_x509_crt_t certificate;
    gsize len = 0;
    const void *bytes;

    if (client->chain->len > TLS_CLIENT_CHAIN_MAX)
        return fault_chain;
    if (client->chain->len == 0 || !certificate_open(&certificate, client->chain->pdata[0]))
        return fault_der;
    client_read_own(client, certificate);
    gnutls_x509_crt_deinit(certificate);
    bytes = g_bytes_get_data(client->chain->pdata[0], &len);
    if (client->not_before < 0 || client->not_after < 0 ||
        gnutls_hash_fast(GNUTLS_DIG_SHA1, bytes, len, client->sha1) < 0 ||
        gnutls_hash_fast(GNUTLS_DIG_SHA256, bytes, len, client->sha256) < 0)
        return fault_der;
    for (guint i = 1; i < client->chain->len; i++) {
        gint64 end = issuer_end(client->chain->pdata[i]);

        if (end == 0)
            return fault_der;
        client->until = MIN(client->until, end);
    }
    return NULL;
}

TlsClient *
tls_client_new(GPtrArray *chain, TlsTrust *trust)
{
    TlsClient *client = g_new0(TlsClient, 1);

    atomic_init(&client->references, 1);
    client->chain = chain;
    client->trust = trust ? tls_trust_ref(trust) : NULL;
    client->fault = client_read(client);
    client->standing = tls_client_judge(client, trust);
    return client;
}

/* The DER of the first certificate in PEM. */
static GBytes *
pem_first(const char *text)
{
    const gnutls_datum_t pem = {(unsigned char *)(guintptr)text, (unsigned)strlen(text)};
    gnutls_datum_t der = {0};
    GBytes *bytes;

    if (gnutls_pem_base64_decode2("CERTIFICATE", &pem, &der) < 0)
        return NULL;
    bytes = g_bytes_new(der.data, der.size);
    gnutls_free(der.data);
    return bytes;
}

TlsClient *
tls_client_new_file(const char *path, GError **error)
{
    g_autofree char *text = file_read(path, FILE_PEM_MAX, NULL, error);
    GPtrArray *chain = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
    GBytes *der = text ? pem_first(text) : NULL;
    g_autoptr(TlsClient) client = NULL;

    if (der)
        g_ptr_array_add(chain, der);
    client = tls_client_new(chain, NULL);
    if (!client->fault)
        return g_steal_pointer(&client);
    if (text)
        g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID,
                    "%s: holds no certificate in PEM that can be read", path);
    return NULL;
}

TlsClient *
tls_client_ref(TlsClient *client)
{
    atomic_fetch_add(&client->references, 1);
    return client;
}

void
tls_client_unref(TlsClient *client)
{
    if (!client || atomic_fetch_sub(&client->references, 1) != 1)
        return;
    g_strfreev(client->names);
    g_ptr_array_unref(client->chain);
    tls_trust_unref(client->trust);
    g_free(client);
}

gboolean
tls_client_has_name(const TlsClient *client, const char *name)
{
    return client->names && g_strv_contains((const char *const *)client->names, name);
}
