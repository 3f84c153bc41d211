/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SAS tokens: `SharedAccessSignature sr=..&sig=..&se=..[&skn=..]` (docs/wire-protocol.md, 1.3).
 *
 * The signature is the HMAC-SHA256 of sr, a line feed and se, all as sent. C sends the resource
 * unencoded and Node percent-encoded, so the raw text is verified first and decoded once after
 * that. The pairs come in any order, each once. An empty skn, which the C device sends, counts as
 * absent. The caller checks the expiry, since that needs a clock. Pure; any thread. */
#pragma once

#include "common/base/slice.h"

#define SAS_TEXT_MAX 2048     /* a whole token */
#define SAS_RESOURCE_MAX 1024 /* the raw sr */
#define SAS_POLICY_MAX 128    /* a policy's name: device_id_is_valid() */
#define SAS_EXPIRY_DIGITS 11  /* enough until the year 5138 */
#define SAS_SIGNATURE_SIZE 32
#define SAS_KEY_MAX 128 /* decoded bytes of a SharedAccessKey; IoT Hub's have 16 to 64 */

typedef enum {
    SAS_OK,
    SAS_NOT_SAS, /* does not begin with "SharedAccessSignature " */
    SAS_TOO_LONG,
    SAS_BAD_PAIR, /* a part that is not name=value */
    SAS_UNKNOWN_NAME,
    SAS_DUPLICATE_NAME,
    SAS_MISSING_NAME, /* sr, sig or se is missing */
    SAS_BAD_RESOURCE,
    SAS_BAD_SIGNATURE, /* not the base64 of 32 bytes; verifying finds a wrong one */
    SAS_BAD_EXPIRY,
    SAS_BAD_POLICY,
} SasResult;

typedef struct {
    Slice sr;       /* raw; points into the parsed text */
    Slice se;       /* raw; points into the parsed text */
    guint64 expiry; /* seconds since the epoch */
    guint8 signature[SAS_SIGNATURE_SIZE];
    char policy[SAS_POLICY_MAX + 1]; /* skn, decoded; "" for a device's own key */
} SasToken;

/* A key in plain form. Keep it on the stack: `g_auto(SasKey) key = {0};` wipes it. */
typedef struct {
    guint8 data[SAS_KEY_MAX];
    gsize len;
} SasKey;

/* *ret is written only for SAS_OK. */
SasResult sas_token_parse(const char *text, gsize len, SasToken *ret);

/* A static text for the log. It contains no part of the token. */
const char *sas_result_text(SasResult result);

/* Whether the key made this signature; compares in constant time. */
gboolean sas_token_verify(const SasToken *token, const guint8 *key, gsize key_len);

/* Whether a token for resource `sr` (raw) may be used for `path` ("devices/dev1", "twins/dev1", ""
 * for the hub itself) at a hub known by `names` (NULL-terminated). The decoded sr is a host and a
 * path. In the host, a port is ignored and case does not matter. The path must be all of `path` or
 * its first segments: host/devices/device1 is valid for devices/device1/modules/m, but not for
 * devices/device10. Empty segments never match. */
gboolean sas_resource_matches(Slice sr, const char *const *names, const char *path);

/* A token for `resource` ("hub.example/devices/dev1"), which is percent-encoded as Node does it.
 * `policy` NULL: no skn. NULL when resource, policy or expiry exceed the limits above. The caller
 * frees it; it is a credential. */
char *sas_token_build(const char *resource, const guint8 *key, gsize key_len, guint64 expiry,
                      const char *policy);

/* The bytes of a base64 SharedAccessKey. FALSE when it is malformed, empty or too long. */
gboolean sas_key_decode(SasKey *ret, const char *base64, gsize len);

/* Wipes the key. NULL is fine. */
void sas_key_clear(SasKey *key);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SasKey, sas_key_clear)
