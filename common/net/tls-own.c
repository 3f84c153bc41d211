/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a client shows to a hub: its certificate, and a key in a file or in a token. */
#include "common/net/tls-context-private.h"

#include "common/base/error.h"

#include <gnutls/abstract.h>
#include <gnutls/pkcs11.h>
#include <string.h>

/* A wrong PIN is not tried twice: after a few of them a token locks itself. */
static int
own_pin(void *data, int attempt, const char *url G_GNUC_UNUSED, const char *label G_GNUC_UNUSED,
        unsigned flags, char *pin, size_t size)
{
    const char *known = data;

    if (!known || attempt > 0 || (flags & (GNUTLS_PIN_WRONG | GNUTLS_PIN_FINAL_TRY)) ||
        strlen(known) >= size)
        return GNUTLS_E_PKCS11_PIN_ERROR;
    memcpy(pin, known, strlen(known) + 1);
    return 0;
}

static gboolean
own_fail(const char *what, int code, GError **error)
{
    g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID, "%s: %s", what, gnutls_strerror(code));
    return FALSE;
}

static gboolean
own_read_key(TlsContext *context, const TlsOwn *own, gnutls_privkey_t key, GError **error)
{
    const gnutls_datum_t pem = {(unsigned char *)(guintptr)own->key,
                                own->key ? (unsigned)strlen(own->key) : 0};
    int r;

    if (!own->key_url) {
        r = gnutls_privkey_import_x509_raw(key, &pem, GNUTLS_X509_FMT_PEM, NULL, 0);
        if (r == GNUTLS_E_DECRYPTION_FAILED)
            return own_fail("the key is encrypted, and has to be stored without a password", r,
                            error);
        return r >= 0 || own_fail("the key cannot be read", r, error);
    }
    gnutls_privkey_set_pin_function(key, own_pin, tls_context_keep_pin(context, own->pin));
    r = gnutls_privkey_import_url(key, own->key_url, 0);
    if (r == GNUTLS_E_PKCS11_PIN_ERROR || r == GNUTLS_E_PKCS11_PIN_LOCKED ||
        r == GNUTLS_E_PKCS11_PIN_EXPIRED)
        return own_fail(own->pin ? "the token does not take the PIN" : "the token wants a PIN", r,
                        error);
    return r >= 0 || own_fail("the token does not give the key", r, error);
}

/* The certificates of the chain, not the array, and the key belong to the credentials once this has
 * succeeded. */
static int
own_install(TlsContext *context, const TlsOwn *own, gnutls_privkey_t key)
{
    const gnutls_datum_t pem = {(unsigned char *)(guintptr)own->certificate,
                                (unsigned)strlen(own->certificate)};
    gnutls_pcert_st chain[TLS_CLIENT_CHAIN_MAX];
    unsigned count = TLS_CLIENT_CHAIN_MAX;
    int r;

    r = gnutls_pcert_list_import_x509_raw(chain, &count, &pem, GNUTLS_X509_FMT_PEM,
                                          GNUTLS_X509_CRT_LIST_IMPORT_FAIL_IF_EXCEED);
    if (r >= 0) {
        r = gnutls_certificate_set_key(tls_context_credentials(context), NULL, 0, chain, (int)count,
                                       key);
        for (unsigned i = 0; r < 0 && i < count; i++)
            gnutls_pcert_deinit(&chain[i]);
    }
    return r;
}

gboolean
tls_context_show(TlsContext *context, const TlsOwn *own, GError **error)
{
    gnutls_privkey_t key;
    int r = gnutls_privkey_init(&key);

    if (r < 0)
        return own_fail("the key cannot be read", r, error);
    if (!own_read_key(context, own, key, error)) {
        gnutls_privkey_deinit(key);
        return FALSE;
    }
    r = own_install(context, own, key);
    if (r >= 0)
        return TRUE;
    gnutls_privkey_deinit(key);
    if (r == GNUTLS_E_CERTIFICATE_KEY_MISMATCH)
        g_set_error_literal(error, STREAMD_ERROR, STREAMD_ERROR_INVALID,
                            "the key is not that of the certificate");
    else
        (void)own_fail("the certificate cannot be used", r, error);
    return FALSE;
}
