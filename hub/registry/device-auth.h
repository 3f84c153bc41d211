/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Device auth: how a device or module proves who it is: by tokens of its keys, by a certificate
 * with a known thumbprint, or by a certificate of a known authority (docs/wire-protocol.md, section
 * 1.7). Pure; any thread. */
#pragma once

#include <glib.h>

typedef enum {
    REGISTRY_AUTH_KEYS,       /* "sas" */
    REGISTRY_AUTH_THUMBPRINT, /* "selfSigned" */
    REGISTRY_AUTH_AUTHORITY,  /* "certificateAuthority" */
} RegistryAuthKind;

#define REGISTRY_THUMBPRINTS_MAX 2   /* a primary and a secondary one */
#define REGISTRY_THUMBPRINT_SIZE 32  /* bytes of SHA-256; SHA-1 has 20 */
#define REGISTRY_THUMBPRINT_TEXT 128 /* characters that are read */

typedef struct {
    guint8 bytes[REGISTRY_THUMBPRINT_SIZE];
    guint8 len; /* 0: none */
} RegistryThumbprint;

typedef struct {
    RegistryAuthKind kind;
    RegistryThumbprint thumbprints[REGISTRY_THUMBPRINTS_MAX]; /* of that kind alone */
} RegistryAuth;

/* 40 or 64 hexadecimal digits of any case, maybe with a ':' between two bytes, as openssl prints
 * them. */
gboolean registry_thumbprint_parse(const char *text, RegistryThumbprint *ret);
char *registry_thumbprint_format(const RegistryThumbprint *thumbprint); /* upper case; "": none */

/* One of its thumbprints is that of the certificate with these hashes. */
gboolean registry_auth_knows(const RegistryAuth *auth, const guint8 *sha1, const guint8 *sha256);

/* What is wrong with it, for the user; NULL: nothing. */
const char *registry_auth_fault(const RegistryAuth *auth);
gboolean registry_auth_equal(const RegistryAuth *auth, const RegistryAuth *other);

/* "sas" and so on, as IoT Hub calls them. */
const char *registry_auth_kind_name(RegistryAuthKind kind);
gboolean registry_auth_kind_from_name(const char *name, RegistryAuthKind *ret);

/* The text in the storage: "selfSigned AB.. CD..". FALSE: it is none; *RET is untouched. */
char *registry_auth_format(const RegistryAuth *auth);
gboolean registry_auth_parse(const char *text, RegistryAuth *ret);
