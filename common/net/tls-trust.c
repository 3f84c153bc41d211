/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The authorities of clients, and what they say about a certificate. */
#include "common/net/tls-client.h"

#include "common/base/error.h"
#include "common/base/file.h"

#include <gnutls/x509.h>
#include <string.h>
#include <time.h>

typedef gnutls_x509_crt_t Certificate;
typedef gnutls_x509_crl_t List;

struct TlsTrust {
    atomic_uint references;
    gnutls_x509_trust_list_t list; /* owns what is in it */
    guint authorities;
    char *warning;
};

static TlsTrust *
trust_empty(void)
{
    TlsTrust *trust = g_new0(TlsTrust, 1);

    atomic_init(&trust->references, 1);
    if (gnutls_x509_trust_list_init(&trust->list, 0) < 0)
        g_error("out of memory");
    return trust;
}

TlsTrust *
tls_trust_ref(TlsTrust *trust)
{
    atomic_fetch_add(&trust->references, 1);
    return trust;
}

void
tls_trust_unref(TlsTrust *trust)
{
    if (!trust || atomic_fetch_sub(&trust->references, 1) != 1)
        return;
    gnutls_x509_trust_list_deinit(trust->list, 1);
    g_free(trust->warning);
    g_free(trust);
}

const char *
tls_trust_warning(const TlsTrust *trust)
{
    return trust->warning;
}

static gboolean
trust_fail(const char *path, const char *why, GError **error)
{
    g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID, "%s: %s", path, why);
    return FALSE;
}

static gnutls_datum_t
datum_of(const char *text)
{
    return (gnutls_datum_t){(unsigned char *)(guintptr)text, (unsigned)strlen(text)};
}

static gboolean
trust_add_authorities(TlsTrust *trust, const char *path, GPtrArray *all, GError **error)
{
    g_autofree char *text = file_read(path, FILE_PEM_MAX, NULL, error);
    const gnutls_datum_t pem = datum_of(text ? text : "");
    Certificate *found = NULL;
    unsigned count = 0;
    gboolean good = TRUE;
    int r;

    if (!text)
        return FALSE;
    r = gnutls_x509_crt_list_import2(&found, &count, &pem, GNUTLS_X509_FMT_PEM, 0);
    if (r < 0)
        return trust_fail(path, "holds no certificate that can be read", error);
    for (unsigned i = 0; i < count; i++) {
        good = good && gnutls_x509_crt_get_ca_status(found[i], NULL) > 0;
        g_ptr_array_add(all, found[i]);
    }
    (void)gnutls_x509_trust_list_add_cas(trust->list, found, count, 0);
    trust->authorities += count;
    gnutls_free(found);
    return good || trust_fail(path, "holds a certificate that is no authority (CA)", error);
}

/* Whether one of the authorities has signed it; whether it is still the newest is another matter.
 */
static gboolean
list_is_signed(List list, const GPtrArray *authorities)
{
    const unsigned age =
        GNUTLS_CERT_REVOCATION_DATA_SUPERSEDED | GNUTLS_CERT_REVOCATION_DATA_ISSUED_IN_FUTURE;
    unsigned status = 0;

    if (authorities->len == 0 || gnutls_x509_crl_verify(list, (Certificate *)authorities->pdata,
                                                        authorities->len, 0, &status) < 0)
        return FALSE;
    /* GnuTLS also says INVALID, whatever it has found. */
    return status == 0 ||
           ((status & age) && (status & ~(age | (unsigned)GNUTLS_CERT_INVALID)) == 0);
}

static void
list_look_at_age(TlsTrust *trust, const char *path, List list)
{
    time_t next = gnutls_x509_crl_get_next_update(list);

    if (next == (time_t)-1 || next > time(NULL) || trust->warning)
        return;
    trust->warning = g_strdup_printf("%s: a list of revoked certificates in it should have been "
                                     "replaced by now; it is used all the same",
                                     path);
}

static gboolean
trust_add_lists(TlsTrust *trust, const char *path, const GPtrArray *authorities, GError **error)
{
    g_autofree char *text = file_read(path, FILE_PEM_MAX, NULL, error);
    const gnutls_datum_t pem = datum_of(text ? text : "");
    List *found = NULL;
    unsigned count = 0;
    gboolean good = TRUE;

    if (!text)
        return FALSE;
    if (gnutls_x509_crl_list_import2(&found, &count, &pem, GNUTLS_X509_FMT_PEM, 0) < 0)
        return trust_fail(path, "holds no list of revoked certificates (CRL)", error);
    for (unsigned i = 0; i < count; i++) {
        good = good && list_is_signed(found[i], authorities);
        list_look_at_age(trust, path, found[i]);
    }
    (void)gnutls_x509_trust_list_add_crls(trust->list, found, count, 0, 0);
    gnutls_free(found);
    return good ||
           trust_fail(path, "holds a list that none of the devices' authorities has signed", error);
}

TlsTrust *
tls_trust_new(const char *const *authorities, const char *const *lists, GError **error)
{
    g_autoptr(TlsTrust) trust = trust_empty();
    g_autoptr(GPtrArray) all = g_ptr_array_new();

    for (; authorities && *authorities; authorities++)
        if (!trust_add_authorities(trust, *authorities, all, error))
            return NULL;
    for (; lists && *lists; lists++)
        if (!trust_add_lists(trust, *lists, all, error))
            return NULL;
    return g_steal_pointer(&trust);
}

static TlsClientStanding
standing_of(unsigned status)
{
    static const struct {
        unsigned bit;
        TlsClientStanding standing;
    } rows[] = {
        {GNUTLS_CERT_REVOKED, TLS_CLIENT_REVOKED},
        {GNUTLS_CERT_SIGNER_NOT_FOUND | GNUTLS_CERT_SIGNER_NOT_CA | GNUTLS_CERT_SIGNATURE_FAILURE,
         TLS_CLIENT_STRANGE},
        {GNUTLS_CERT_NOT_ACTIVATED, TLS_CLIENT_NOT_YET},
        {GNUTLS_CERT_EXPIRED, TLS_CLIENT_EXPIRED},
        {GNUTLS_CERT_PURPOSE_MISMATCH, TLS_CLIENT_PURPOSE},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        if (status & rows[i].bit)
            return rows[i].standing;
    return status ? TLS_CLIENT_UNFIT : TLS_CLIENT_TRUSTED;
}

static TlsClientStanding
trust_verify(const TlsTrust *trust, Certificate *chain, guint count)
{
    static const char purpose[] = GNUTLS_KP_TLS_WWW_CLIENT;
    gnutls_typed_vdata_st wanted = {
        .type = GNUTLS_DT_KEY_PURPOSE_OID,
        .data = (unsigned char *)(guintptr)purpose,
    };
    unsigned status = 0;

    return gnutls_x509_trust_list_verify_crt2(trust->list, chain, count, &wanted, 1, 0, &status,
                                              NULL) < 0
               ? TLS_CLIENT_UNFIT
               : standing_of(status);
}

TlsClientStanding
tls_client_judge(const TlsClient *client, const TlsTrust *trust)
{
    Certificate chain[TLS_CLIENT_CHAIN_MAX];
    TlsClientStanding standing = TLS_CLIENT_UNFIT;
    guint count = 0;
    gboolean good = TRUE;

    if (client->fault)
        return TLS_CLIENT_UNFIT;
    if (!trust || trust->authorities == 0)
        return TLS_CLIENT_NO_AUTHORITY;
    for (guint i = 0; good && i < MIN(client->chain->len, TLS_CLIENT_CHAIN_MAX); i++) {
        gsize len = 0;
        const void *bytes = g_bytes_get_data(client->chain->pdata[i], &len);
        const gnutls_datum_t der = {(unsigned char *)(guintptr)bytes, (unsigned)len};

        if (gnutls_x509_crt_init(&chain[count]) < 0)
            break;
        count++;
        good = gnutls_x509_crt_import(chain[i], &der, GNUTLS_X509_FMT_DER) >= 0;
    }
    if (good && count > 0)
        standing = trust_verify(trust, chain, count);
    while (count > 0)
        gnutls_x509_crt_deinit(chain[--count]);
    return standing;
}
