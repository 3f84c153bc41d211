/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Connection strings (docs/wire-protocol.md, section 6):
 *
 *   HostName=..;DeviceId=..[;ModuleId=..];SharedAccessKey=..      a device or module with a key
 *   HostName=..;DeviceId=..[;ModuleId=..];x509=true               one with a certificate
 *   HostName=..;SharedAccessKeyName=..;SharedAccessKey=..         a service with a policy's key
 *
 * GatewayHostName=.. may be added to each. Host names take `:PORT`; without one it is 443. Parts
 * come in any order, each once, spelled as above. Blanks around parts and values, line breaks, one `;`
 * at the end, and what base/pasted.h takes off are ignored. Messages of errors name parts, never the value of a key.
 * Pure; any thread. */
#pragma once

#include "common/base/error.h"

#define CONNECTION_STRING_MAX 4096
#define CONNECTION_STRING_PORT 443
#define CONNECTION_STRING_HOST_MAX 253

typedef struct {
    char *host;   /* as written, without the port */
    guint16 port; /* CONNECTION_STRING_PORT unless HostName has one */
    char *device_id;
    char *module_id;
    char *policy; /* SharedAccessKeyName */
    char *key;    /* SharedAccessKey: base64, checked; sas_key_decode() */
    gboolean x509;
    char *gateway; /* GatewayHostName without its port, or NULL */
    guint16 gateway_port;
} ConnectionString;

/* `len` -1: up to the NUL. On failure STREAMD_ERROR_INVALID; the message says what is wrong and
 * what would be right. Free with connection_string_free(). */
ConnectionString *connection_string_parse(const char *text, gssize len, GError **error);

/* The text, with the parts in the order above. Ports other than 443 are written. It holds the key:
 * free it with secret_free() (common/base/secret.h). */
char *connection_string_format(const ConnectionString *parts);

/* Wipes the key. NULL is fine. */
void connection_string_free(ConnectionString *parts);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(ConnectionString, connection_string_free)
