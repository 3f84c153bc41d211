/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Each kind of device with each certificate, and each word of an authority. */
#include "hub/edge/certificate.h"

#include <string.h>

#define NOW 1000000

static char *const names[] = {(char *)"dev", (char *)"dev/m", NULL};
static char *const others[] = {(char *)"dev2", (char *)"x", NULL};
static char *const no_names[] = {NULL};

static char *
fault_of(RegistryAuthKind kind, const char *module, const TlsClient *client)
{
    RegistryDevice device = {.id = (char *)"dev", .module = (char *)(guintptr)module};

    device.auth.kind = kind;
    device.auth.thumbprints[1].len = TLS_SHA256_SIZE;
    device.auth.thumbprints[1].bytes[0] = 7;
    return certificate_fault(client, &device, NOW);
}

static TlsClient
client_with(guint8 first, char *const *list)
{
    TlsClient client = {.not_before = NOW - 10, .not_after = NOW + 10, .until = NOW + 10};

    client.sha256[0] = first;
    client.names = (char **)(guintptr)list;
    return client;
}

static void
check_fault(RegistryAuthKind kind, const char *module, const TlsClient *client, const char *says)
{
    g_autofree char *fault = fault_of(kind, module, client);

    if (!says)
        g_assert_cmpstr(fault, ==, NULL);
    else if (!fault || !strstr(fault, says))
        g_error("\"%s\" instead of \"%s\"", fault, says);
}

static void
test_kinds(void)
{
    TlsClient right = client_with(7, names), wrong = client_with(8, names);
    TlsClient broken = client_with(7, no_names);

    broken.fault = "the certificate is malformed";
    check_fault(REGISTRY_AUTH_KEYS, NULL, NULL, "neither a token nor a certificate was sent");
    check_fault(REGISTRY_AUTH_KEYS, NULL, &right, "the device has keys");
    check_fault(REGISTRY_AUTH_THUMBPRINT, NULL, NULL, "no certificate was sent");
    check_fault(REGISTRY_AUTH_AUTHORITY, NULL, NULL, "no certificate was sent");
    check_fault(REGISTRY_AUTH_THUMBPRINT, NULL, &broken, "malformed");
    check_fault(REGISTRY_AUTH_AUTHORITY, NULL, &broken, "malformed");
    check_fault(REGISTRY_AUTH_THUMBPRINT, NULL, &right, NULL);
    check_fault(REGISTRY_AUTH_THUMBPRINT, NULL, &wrong, "has the SHA-256 0800");
    wrong.standing = TLS_CLIENT_TRUSTED;
    check_fault(REGISTRY_AUTH_THUMBPRINT, NULL, &wrong, "another thumbprint");
}

/* At its first and last second a certificate counts; one before and one after it does not. */
static void
test_times(void)
{
    static const RegistryAuthKind kinds[] = {REGISTRY_AUTH_THUMBPRINT, REGISTRY_AUTH_AUTHORITY};

    for (guint i = 0; i < G_N_ELEMENTS(kinds); i++) {
        TlsClient client = client_with(7, names);

        client.not_before = NOW;
        check_fault(kinds[i], NULL, &client, NULL);
        client.not_before = NOW + 1;
        check_fault(kinds[i], NULL, &client, "is not valid before 1970-01-12 13:46 UTC");
        client.not_before = NOW - 10;
        client.not_after = NOW;
        check_fault(kinds[i], NULL, &client, NULL);
        client.not_after = NOW - 1;
        check_fault(kinds[i], NULL, &client, "has expired on 1970-01-12 13:46 UTC");
    }
}

static void
test_names(void)
{
    TlsClient right = client_with(1, names), other = client_with(1, others);
    TlsClient nameless = client_with(1, no_names);

    check_fault(REGISTRY_AUTH_AUTHORITY, NULL, &right, NULL);
    check_fault(REGISTRY_AUTH_AUTHORITY, "m", &right, NULL);
    check_fault(REGISTRY_AUTH_AUTHORITY, "n", &right, "for another device: dev, dev/m");
    check_fault(REGISTRY_AUTH_AUTHORITY, NULL, &other, "for another device: dev2, x");
    check_fault(REGISTRY_AUTH_AUTHORITY, NULL, &nameless, "names no device");
    nameless.name_fault = "a name of the certificate has a zero byte";
    check_fault(REGISTRY_AUTH_AUTHORITY, NULL, &nameless, "zero byte");
    right.name_fault = nameless.name_fault;
    check_fault(REGISTRY_AUTH_AUTHORITY, NULL, &right, NULL);
}

static void
test_standing(void)
{
    static const char *const says[] = {
        [TLS_CLIENT_TRUSTED] = NULL,
        [TLS_CLIENT_NO_AUTHORITY] = "no authority for devices (device-ca)",
        [TLS_CLIENT_STRANGE] = "of an unknown authority",
        [TLS_CLIENT_REVOKED] = "has been revoked",
        [TLS_CLIENT_NOT_YET] = "not valid yet",
        [TLS_CLIENT_EXPIRED] = "one above it, has expired",
        [TLS_CLIENT_PURPOSE] = "not made for clients",
        [TLS_CLIENT_UNFIT] = "not safe enough",
    };

    for (guint i = 0; i < G_N_ELEMENTS(says); i++) {
        TlsClient client = client_with(7, names);

        client.standing = (TlsClientStanding)i;
        check_fault(REGISTRY_AUTH_AUTHORITY, NULL, &client, says[i]);
        check_fault(REGISTRY_AUTH_THUMBPRINT, NULL, &client, NULL);
        g_assert_cmpint(certificate_standing_text((TlsClientStanding)i) == NULL, ==,
                        says[i] == NULL);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/certificate/kinds", test_kinds);
    g_test_add_func("/certificate/times", test_times);
    g_test_add_func("/certificate/names", test_names);
    g_test_add_func("/certificate/standing", test_standing);
    return g_test_run();
}
