/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/common/net/tls-fixture.h"

#include <arpa/inet.h>
#include <glib/gstdio.h>
#include <gnutls/x509.h>
#include <string.h>
#include <time.h>

static void
write_pem(const char *path, const gnutls_datum_t *pem)
{
    g_assert_true(g_file_set_contents(path, (const char *)pem->data, (gssize)pem->size, NULL));
}

static void
certificate_fill(gnutls_x509_crt_t crt, gnutls_x509_privkey_t key, const char *const *names)
{
    struct in_addr loopback = {htonl(INADDR_LOOPBACK)};
    const unsigned char serial[] = {1};

    gnutls_x509_crt_set_version(crt, 3);
    gnutls_x509_crt_set_key(crt, key);
    gnutls_x509_crt_set_serial(crt, serial, sizeof serial);
    gnutls_x509_crt_set_activation_time(crt, time(NULL) - 3600);
    gnutls_x509_crt_set_expiration_time(crt, time(NULL) + 86400);
    gnutls_x509_crt_set_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, "test", 4);
    gnutls_x509_crt_set_basic_constraints(crt, 1, -1);
    for (; *names; names++)
        gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_DNSNAME, *names,
                                             (unsigned)strlen(*names), GNUTLS_FSAN_APPEND);
    gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_IPADDRESS, &loopback, sizeof loopback,
                                         GNUTLS_FSAN_APPEND);
}

static void
certificate_write(const char *cert_file, const char *key_file, const char *const *names)
{
    gnutls_x509_privkey_t key;
    gnutls_x509_crt_t crt;
    gnutls_datum_t pem;

    gnutls_x509_privkey_init(&key);
    gnutls_x509_crt_init(&crt);
    g_assert_cmpint(gnutls_x509_privkey_generate(
                        key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0),
                    ==, 0);
    certificate_fill(crt, key, names);
    g_assert_cmpint(gnutls_x509_crt_sign2(crt, crt, key, GNUTLS_DIG_SHA256, 0), ==, 0);
    gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_PEM, &pem);
    write_pem(cert_file, &pem);
    gnutls_free(pem.data);
    gnutls_x509_privkey_export2(key, GNUTLS_X509_FMT_PEM, &pem);
    write_pem(key_file, &pem);
    gnutls_free(pem.data);
    gnutls_x509_crt_deinit(crt);
    gnutls_x509_privkey_deinit(key);
}

char *
tls_fixture_new(TlsContext **ret_server, TlsContext **ret_client)
{
    static const char *const names[] = {"localhost", NULL};

    return tls_fixture_new_named(names, ret_server, ret_client);
}

char *
tls_fixture_new_named(const char *const *names, TlsContext **ret_server, TlsContext **ret_client)
{
    g_autoptr(GError) error = NULL;
    char *folder = g_dir_make_tmp("streamd-tls-XXXXXX", &error);
    g_autofree char *cert = NULL, *key = NULL;

    g_assert_no_error(error);
    cert = g_build_filename(folder, "cert.pem", NULL);
    key = g_build_filename(folder, "key.pem", NULL);
    certificate_write(cert, key, names);
    *ret_server = tls_context_new_server(cert, key, &error);
    g_assert_no_error(error);
    *ret_client = tls_context_new_client(cert, "http/1.1", &error);
    g_assert_no_error(error);
    return folder;
}

void
tls_fixture_remove(char *folder)
{
    g_autofree char *cert = g_build_filename(folder, "cert.pem", NULL);
    g_autofree char *key = g_build_filename(folder, "key.pem", NULL);

    g_unlink(cert);
    g_unlink(key);
    g_rmdir(folder);
    g_free(folder);
}
