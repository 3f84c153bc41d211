/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/net/tls-next-private.h"

#include "common/base/error.h"

#include <gnutls/abstract.h>
#include <stdatomic.h>
#include <string.h>

#define CHAIN_MAX 16
#define AUTHORITIES_MAX 16
#define RSA_BITS_MIN 2048

struct TlsNext {
    atomic_uint references;
    atomic_bool verified;
    gboolean alone;
    gnutls_x509_trust_list_t list;
};

typedef struct {
    gnutls_x509_crt_t *list;
    unsigned count;
} Certificates;

static void
certificates_clear(Certificates *self)
{
    for (unsigned i = 0; i < self->count; i++)
        gnutls_x509_crt_deinit(self->list[i]);
    gnutls_free(self->list);
    self->list = NULL;
    self->count = 0;
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Certificates, certificates_clear)

static gnutls_datum_t
datum_of(const void *bytes, gsize len)
{
    return (gnutls_datum_t){(unsigned char *)(guintptr)bytes, (unsigned)len};
}

TlsNext *
tls_next_new(const char *pem, gboolean alone, GError **error)
{
    g_autoptr(TlsNext) next = g_new0(TlsNext, 1);
    const gnutls_datum_t text = datum_of(pem, strlen(pem));
    int r;

    next->references = 1;
    next->alone = alone;
    if (gnutls_x509_trust_list_init(&next->list, 0) < 0)
        g_error("no memory for a list of authorities");
    r = gnutls_x509_trust_list_add_trust_mem(next->list, &text, NULL, GNUTLS_X509_FMT_PEM, 0, 0);
    if (r > 0)
        return g_steal_pointer(&next);
    g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID,
                "the next authority of the hub cannot be used: %s",
                r < 0 ? gnutls_strerror(r) : "no certificate found");
    return NULL;
}

TlsNext *
tls_next_ref(TlsNext *next)
{
    atomic_fetch_add(&next->references, 1);
    return next;
}

void
tls_next_unref(TlsNext *next)
{
    if (!next || atomic_fetch_sub(&next->references, 1) != 1)
        return;
    gnutls_x509_trust_list_deinit(next->list, 1);
    g_free(next);
}

gboolean
tls_next_is_alone(const TlsNext *next)
{
    return next->alone;
}

gboolean
tls_next_has_verified(const TlsNext *next)
{
    return atomic_load(&next->verified);
}

static gboolean
chain_import(Certificates *chain, const gnutls_datum_t *ders, unsigned count)
{
    chain->list = gnutls_calloc(count, sizeof *chain->list);
    if (!chain->list)
        return FALSE;
    for (unsigned i = 0; i < count; i++) {
        if (gnutls_x509_crt_init(&chain->list[i]) < 0)
            return FALSE;
        chain->count++;
        if (gnutls_x509_crt_import(chain->list[i], &ders[i], GNUTLS_X509_FMT_DER) < 0)
            return FALSE;
    }
    return TRUE;
}

unsigned
tls_next_verify(TlsNext *next, const gnutls_datum_t *ders, unsigned count, const char *name)
{
    gnutls_typed_vdata_st wanted = {
        .type = GNUTLS_DT_DNS_HOSTNAME, .data = (unsigned char *)(guintptr)name, .size = 0};
    g_auto(Certificates) chain = {0};
    unsigned status = GNUTLS_CERT_INVALID;

    if (count == 0 || count > CHAIN_MAX || !chain_import(&chain, ders, count) ||
        gnutls_x509_trust_list_verify_crt2(next->list, chain.list, chain.count, &wanted, 1, 0,
                                           &status, NULL) < 0)
        return status | GNUTLS_CERT_INVALID;
    if (status == 0)
        atomic_store(&next->verified, TRUE);
    return status;
}

/* GNUTLS_SIGN_UNKNOWN: a kind of key that we do not take. */
static gnutls_sign_algorithm_t
algorithm_of(gnutls_pubkey_t key)
{
    unsigned bits = 0;
    int kind = gnutls_pubkey_get_pk_algorithm(key, &bits);

    switch (kind) {
    case GNUTLS_PK_RSA:
        return bits >= RSA_BITS_MIN ? GNUTLS_SIGN_RSA_SHA256 : GNUTLS_SIGN_UNKNOWN;
    case GNUTLS_PK_ECDSA:
        return GNUTLS_SIGN_ECDSA_SHA256;
    case GNUTLS_PK_EDDSA_ED25519:
        return GNUTLS_SIGN_EDDSA_ED25519;
    default:
        return GNUTLS_SIGN_UNKNOWN;
    }
}

static gboolean
has_signed(gnutls_x509_crt_t authority, const gnutls_datum_t *data, const gnutls_datum_t *signature)
{
    gnutls_pubkey_t key = NULL;
    gnutls_sign_algorithm_t algorithm;
    gboolean good = FALSE;

    if (gnutls_x509_crt_get_ca_status(authority, NULL) <= 0 || gnutls_pubkey_init(&key) < 0)
        return FALSE;
    if (gnutls_pubkey_import_x509(key, authority, 0) >= 0) {
        algorithm = algorithm_of(key);
        good = algorithm != GNUTLS_SIGN_UNKNOWN &&
               gnutls_pubkey_verify_data2(key, algorithm, 0, data, signature) >= 0;
    }
    gnutls_pubkey_deinit(key);
    return good;
}

gboolean
tls_signed_by(const char *ca, const void *bytes, gsize len, const guint8 *signature,
              gsize signature_len)
{
    const gnutls_datum_t text = datum_of(ca, strlen(ca)), data = datum_of(bytes, len),
                         sign = datum_of(signature, signature_len);
    g_auto(Certificates) authorities = {0};

    if (gnutls_x509_crt_list_import2(&authorities.list, &authorities.count, &text,
                                     GNUTLS_X509_FMT_PEM, 0) < 0 ||
        authorities.count > AUTHORITIES_MAX)
        return FALSE;
    for (unsigned i = 0; i < authorities.count; i++)
        if (has_signed(authorities.list[i], &data, &sign))
            return TRUE;
    return FALSE;
}

/* NULL: nothing is wrong. */
static const char *
authority_fault(gnutls_x509_crt_t authority, gint64 now)
{
    unsigned usage = 0;
    gnutls_pubkey_t key = NULL;
    gboolean known;

    if (gnutls_x509_crt_get_ca_status(authority, NULL) <= 0)
        return "it is not that of an authority";
    if (gnutls_x509_crt_get_key_usage(authority, &usage, NULL) >= 0 &&
        !(usage & GNUTLS_KEY_KEY_CERT_SIGN))
        return "its key may not sign certificates";
    if (gnutls_x509_crt_get_expiration_time(authority) <= now)
        return "it has expired";
    if (!gnutls_x509_crt_check_issuer(authority, authority))
        return "it is issued by another one";
    if (gnutls_pubkey_init(&key) < 0)
        return "no memory";
    known = gnutls_pubkey_import_x509(key, authority, 0) >= 0 &&
            algorithm_of(key) != GNUTLS_SIGN_UNKNOWN;
    gnutls_pubkey_deinit(key);
    return known ? NULL : "its key is neither ECDSA, Ed25519 nor RSA of 2048 bits";
}

char *
tls_authority_check(const guint8 *der, gsize len, gint64 now, GError **error)
{
    const gnutls_datum_t bytes = datum_of(der, len);
    gnutls_x509_crt_t authority = NULL;
    gnutls_datum_t pem = {0};
    const char *fault = "it is not a certificate";
    char *text = NULL;

    if (len <= TLS_AUTHORITY_DER_MAX && gnutls_x509_crt_init(&authority) >= 0 &&
        gnutls_x509_crt_import(authority, &bytes, GNUTLS_X509_FMT_DER) >= 0)
        fault = authority_fault(authority, now);
    if (!fault && gnutls_x509_crt_export2(authority, GNUTLS_X509_FMT_PEM, &pem) >= 0)
        text = g_strndup((const char *)pem.data, pem.size);
    gnutls_free(pem.data);
    if (authority)
        gnutls_x509_crt_deinit(authority);
    if (!text)
        g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID,
                    "the certificate of the next authority cannot be used: %s",
                    fault ? fault : "it cannot be written");
    return text;
}
