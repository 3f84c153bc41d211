/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/common/net/client-fixture.h"

#include <string.h>
#include <time.h>

static void
add_names(gnutls_x509_crt_t certificate, const ClientWish *wish)
{
    for (const char *const *name = wish->alternatives; name && *name; name++)
        gnutls_x509_crt_set_subject_alt_name(certificate, GNUTLS_SAN_DNSNAME, *name,
                                             (unsigned)strlen(*name), GNUTLS_FSAN_APPEND);
    for (guint i = 0; i < wish->many_alternatives; i++) {
        g_autofree char *name = g_strdup_printf("%u", i);

        gnutls_x509_crt_set_subject_alt_name(certificate, GNUTLS_SAN_DNSNAME, name,
                                             (unsigned)strlen(name), GNUTLS_FSAN_APPEND);
    }
    if (wish->name)
        gnutls_x509_crt_set_dn_by_oid(
            certificate, GNUTLS_OID_X520_COMMON_NAME, 0, wish->name,
            (unsigned)(wish->name_len ? wish->name_len : strlen(wish->name)));
    if (wish->second_name)
        gnutls_x509_crt_set_dn_by_oid(certificate, GNUTLS_OID_X520_COMMON_NAME, 0,
                                      wish->second_name, (unsigned)strlen(wish->second_name));
}

ClientPair
client_pair_new(const ClientWish *wish, const ClientPair *issuer)
{
    static unsigned char serial[] = {1, 0};
    ClientPair pair = {0};

    serial[1]++;
    gnutls_x509_privkey_init(&pair.key);
    gnutls_x509_crt_init(&pair.certificate);
    g_assert_cmpint(gnutls_x509_privkey_generate(pair.key, GNUTLS_PK_ECDSA,
                                                 GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1),
                                                 0),
                    ==, 0);
    gnutls_x509_crt_set_version(pair.certificate, 3);
    gnutls_x509_crt_set_key(pair.certificate, pair.key);
    gnutls_x509_crt_set_serial(pair.certificate, serial, sizeof serial);
    gnutls_x509_crt_set_activation_time(pair.certificate, time(NULL) + wish->begin);
    gnutls_x509_crt_set_expiration_time(pair.certificate, time(NULL) + wish->end);
    gnutls_x509_crt_set_basic_constraints(pair.certificate, wish->authority ? 1 : 0, -1);
    if (wish->authority)
        gnutls_x509_crt_set_key_usage(pair.certificate,
                                      GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_CRL_SIGN);
    if (wish->purpose)
        gnutls_x509_crt_set_key_purpose_oid(pair.certificate, wish->purpose, 0);
    add_names(pair.certificate, wish);
    g_assert_cmpint(gnutls_x509_crt_sign2(pair.certificate,
                                          issuer ? issuer->certificate : pair.certificate,
                                          issuer ? issuer->key : pair.key, GNUTLS_DIG_SHA256, 0),
                    ==, 0);
    return pair;
}

void
client_pair_clear(ClientPair *pair)
{
    gnutls_x509_crt_deinit(pair->certificate);
    gnutls_x509_privkey_deinit(pair->key);
}

static char *
text_of(gnutls_datum_t *pem)
{
    char *text = g_strndup((const char *)pem->data, pem->size);

    gnutls_free(pem->data);
    return text;
}

char *
client_pair_pem(const ClientPair *pair)
{
    gnutls_datum_t pem;

    g_assert_cmpint(gnutls_x509_crt_export2(pair->certificate, GNUTLS_X509_FMT_PEM, &pem), >=, 0);
    return text_of(&pem);
}

char *
client_pair_key_pem(const ClientPair *pair)
{
    gnutls_datum_t pem;

    g_assert_cmpint(gnutls_x509_privkey_export2(pair->key, GNUTLS_X509_FMT_PEM, &pem), >=, 0);
    return text_of(&pem);
}

GPtrArray *
client_chain(const ClientPair *const *pairs, guint count)
{
    GPtrArray *chain = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);

    for (guint i = 0; i < count; i++) {
        gnutls_datum_t der;

        g_assert_cmpint(gnutls_x509_crt_export2(pairs[i]->certificate, GNUTLS_X509_FMT_DER, &der),
                        >=, 0);
        g_ptr_array_add(chain, g_bytes_new(der.data, der.size));
        gnutls_free(der.data);
    }
    return chain;
}

char *
client_list_pem(const ClientPair *issuer, const ClientPair *const *revoked, guint n, int next)
{
    gnutls_x509_crl_t list;
    gnutls_datum_t pem;

    gnutls_x509_crl_init(&list);
    gnutls_x509_crl_set_version(list, 2);
    gnutls_x509_crl_set_this_update(list, time(NULL) - 3600);
    gnutls_x509_crl_set_next_update(list, time(NULL) + next);
    for (guint i = 0; i < n; i++)
        gnutls_x509_crl_set_crt(list, revoked[i]->certificate, time(NULL) - 1800);
    g_assert_cmpint(
        gnutls_x509_crl_sign2(list, issuer->certificate, issuer->key, GNUTLS_DIG_SHA256, 0), ==, 0);
    g_assert_cmpint(gnutls_x509_crl_export2(list, GNUTLS_X509_FMT_PEM, &pem), >=, 0);
    gnutls_x509_crl_deinit(list);
    return text_of(&pem);
}
