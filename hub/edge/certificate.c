/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/edge/certificate.h"

#include <string.h>

static const char *const standing_texts[] = {
    [TLS_CLIENT_TRUSTED] = NULL,
    [TLS_CLIENT_NO_AUTHORITY] = "the hub has no authority for devices (device-ca)",
    [TLS_CLIENT_STRANGE] = "the certificate is of an unknown authority (device-ca)",
    [TLS_CLIENT_REVOKED] = "the certificate has been revoked (device-crl)",
    [TLS_CLIENT_NOT_YET] = "the certificate, or one above it, is not valid yet",
    [TLS_CLIENT_EXPIRED] = "the certificate, or one above it, has expired",
    [TLS_CLIENT_PURPOSE] = "the certificate is not made for clients (extended key usage)",
    [TLS_CLIENT_UNFIT] = "the certificate is not safe enough, or its chain is broken",
};

const char *
certificate_standing_text(TlsClientStanding standing)
{
    return standing_texts[standing];
}

/* "2026-11-30 15:29 UTC" */
static char *
moment_text(gint64 moment)
{
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(moment);

    return time ? g_date_time_format(time, "%Y-%m-%d %H:%M UTC") : g_strdup("another time");
}

static char *
times_fault(const TlsClient *client, gint64 now)
{
    gboolean early = now < client->not_before;
    g_autofree char *moment = moment_text(early ? client->not_before : client->not_after);

    if (!early && now <= client->not_after)
        return NULL;
    return early ? g_strdup_printf("the certificate is not valid before %s", moment)
                 : g_strdup_printf("the certificate has expired on %s", moment);
}

static char *
thumbprint_fault(const TlsClient *client, const RegistryDevice *device, gint64 now)
{
    g_autofree char *shown = NULL;
    RegistryThumbprint thumbprint = {.len = TLS_SHA256_SIZE};

    if (registry_auth_knows(&device->auth, client->sha1, client->sha256))
        return times_fault(client, now);
    memcpy(thumbprint.bytes, client->sha256, TLS_SHA256_SIZE);
    shown = registry_thumbprint_format(&thumbprint);
    return g_strdup_printf("the device has another thumbprint; its certificate has the SHA-256 %s",
                           shown);
}

static char *
name_fault(const TlsClient *client, const RegistryDevice *device)
{
    g_autofree char *wanted = g_strjoin("/", device->id, device->module, NULL);
    g_autofree char *names = g_strjoinv(", ", client->names);

    if (tls_client_has_name(client, wanted))
        return NULL;
    if (client->name_fault)
        return g_strdup(client->name_fault);
    return *names ? g_strdup_printf("the certificate is for another device: %s", names)
                  : g_strdup("the certificate names no device (CN or SAN)");
}

static char *
authority_fault(const TlsClient *client, const RegistryDevice *device, gint64 now)
{
    char *fault = NULL;

    if (client->standing == TLS_CLIENT_EXPIRED || client->standing == TLS_CLIENT_NOT_YET ||
        client->standing == TLS_CLIENT_TRUSTED)
        fault = times_fault(client, now);
    if (!fault)
        fault = g_strdup(certificate_standing_text(client->standing));
    return fault ? fault : name_fault(client, device);
}

char *
certificate_fault(const TlsClient *client, const RegistryDevice *device, gint64 now)
{
    if (device->auth.kind == REGISTRY_AUTH_KEYS)
        return g_strdup(client ? "the device has keys, and no certificate counts for it"
                               : "neither a token nor a certificate was sent");
    if (!client)
        return g_strdup("no certificate was sent");
    if (client->fault)
        return g_strdup(client->fault);
    return device->auth.kind == REGISTRY_AUTH_THUMBPRINT ? thumbprint_fault(client, device, now)
                                                         : authority_fault(client, device, now);
}
