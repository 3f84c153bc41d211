/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/codec/sas-token.h"

#include "common/codec/base64.h"
#include "common/codec/device-id.h"
#include "common/codec/percent.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>

#define SAS_PREFIX "SharedAccessSignature "
#define SIGNATURE_TEXT_SIZE 44 /* base64 of 32 bytes */

enum { PAIR_SR, PAIR_SIG, PAIR_SE, PAIR_SKN, PAIR_COUNT };

static const char *const pair_names[PAIR_COUNT] = {"sr", "sig", "se", "skn"};

/* The values as sent. ptr is NULL for a name that was not seen yet. */
typedef struct {
    Slice values[PAIR_COUNT];
} Pairs;

static SasResult
pair_add(Pairs *pairs, Slice pair)
{
    const char *equals = pair.len > 0 ? memchr(pair.ptr, '=', pair.len) : NULL;
    Slice name = {pair.ptr, equals ? (gsize)(equals - pair.ptr) : 0};

    if (!equals)
        return SAS_BAD_PAIR;
    for (guint i = 0; i < PAIR_COUNT; i++) {
        if (!slice_equal(name, pair_names[i]))
            continue;
        if (pairs->values[i].ptr)
            return SAS_DUPLICATE_NAME;
        pairs->values[i] = (Slice){equals + 1, pair.len - name.len - 1};
        return SAS_OK;
    }
    return SAS_UNKNOWN_NAME;
}

static SasResult
pairs_split(Slice text, Pairs *pairs)
{
    gsize start = 0;

    for (gsize i = 0; i <= text.len; i++) {
        SasResult result;

        if (i < text.len && text.ptr[i] != '&')
            continue;
        result = pair_add(pairs, (Slice){text.ptr + start, i - start});
        if (result != SAS_OK)
            return result;
        start = i + 1;
    }
    if (!pairs->values[PAIR_SR].ptr || !pairs->values[PAIR_SIG].ptr || !pairs->values[PAIR_SE].ptr)
        return SAS_MISSING_NAME;
    return SAS_OK;
}

/* Decodes into a buffer of `size` bytes. This also limits the raw text to what could fit. */
static gboolean
value_decode(Slice value, char *ret, gsize size, gsize *ret_len)
{
    return value.len <= size && percent_decode(value.ptr, value.len, ret, ret_len);
}

static SasResult
resource_parse(Slice value, SasToken *token)
{
    char decoded[SAS_RESOURCE_MAX];
    gsize len = 0;

    if (value.len > SAS_RESOURCE_MAX)
        return SAS_TOO_LONG;
    for (gsize i = 0; i < value.len; i++)
        if (!g_ascii_isgraph(value.ptr[i]))
            return SAS_BAD_RESOURCE;
    if (!value_decode(value, decoded, sizeof(decoded), &len) || len == 0)
        return SAS_BAD_RESOURCE;
    token->sr = value;
    return SAS_OK;
}

static SasResult
signature_parse(Slice value, SasToken *token)
{
    char text[3 * SIGNATURE_TEXT_SIZE];
    gsize text_len = 0;
    gsize len = 0;

    if (!value_decode(value, text, sizeof(text), &text_len) ||
        !base64_decode(text, text_len, token->signature, SAS_SIGNATURE_SIZE, &len) ||
        len != SAS_SIGNATURE_SIZE)
        return SAS_BAD_SIGNATURE;
    return SAS_OK;
}

static SasResult
expiry_parse(Slice value, SasToken *token)
{
    if (value.len == 0 || value.len > SAS_EXPIRY_DIGITS)
        return SAS_BAD_EXPIRY;
    for (gsize i = 0; i < value.len; i++) {
        if (!g_ascii_isdigit(value.ptr[i]))
            return SAS_BAD_EXPIRY;
        token->expiry = token->expiry * 10 + (guint64)(value.ptr[i] - '0');
    }
    token->se = value;
    return SAS_OK;
}

static SasResult
policy_parse(Slice value, SasToken *token)
{
    char name[3 * SAS_POLICY_MAX];
    gsize len = 0;

    if (value.len == 0)
        return SAS_OK;
    if (!value_decode(value, name, sizeof(name), &len) || !device_id_is_valid(name, (gssize)len))
        return SAS_BAD_POLICY;
    memcpy(token->policy, name, len);
    token->policy[len] = '\0';
    return SAS_OK;
}

SasResult
sas_token_parse(const char *text, gsize len, SasToken *ret)
{
    gsize prefix = strlen(SAS_PREFIX);
    Pairs pairs = {0};
    SasToken token = {0};
    SasResult result;

    if (len > SAS_TEXT_MAX)
        return SAS_TOO_LONG;
    if (len < prefix || memcmp(text, SAS_PREFIX, prefix) != 0)
        return SAS_NOT_SAS;
    result = pairs_split((Slice){text + prefix, len - prefix}, &pairs);
    if (result == SAS_OK)
        result = resource_parse(pairs.values[PAIR_SR], &token);
    if (result == SAS_OK)
        result = signature_parse(pairs.values[PAIR_SIG], &token);
    if (result == SAS_OK)
        result = expiry_parse(pairs.values[PAIR_SE], &token);
    if (result == SAS_OK)
        result = policy_parse(pairs.values[PAIR_SKN], &token);
    if (result == SAS_OK)
        *ret = token;
    return result;
}

const char *
sas_result_text(SasResult result)
{
    static const char *const texts[] = {
        [SAS_OK] = "the token is well-formed",
        [SAS_NOT_SAS] = "it does not begin with SharedAccessSignature",
        [SAS_TOO_LONG] = "the token is too long",
        [SAS_BAD_PAIR] = "a part of the token is not name=value",
        [SAS_UNKNOWN_NAME] = "the token has a part other than sr, sig, se and skn",
        [SAS_DUPLICATE_NAME] = "a part of the token is there twice",
        [SAS_MISSING_NAME] = "the token lacks sr, sig or se",
        [SAS_BAD_RESOURCE] = "the token's sr is malformed",
        [SAS_BAD_SIGNATURE] = "the token's sig is not the base64 of 32 bytes",
        [SAS_BAD_EXPIRY] = "the token's se is not a number of seconds",
        [SAS_BAD_POLICY] = "the token's skn is not the name of a user",
    };

    return (guint)result < G_N_ELEMENTS(texts) ? texts[result] : "the token is malformed";
}

static gboolean
sign(Slice sr, Slice se, const guint8 *key, gsize key_len, guint8 ret[static SAS_SIGNATURE_SIZE])
{
    char message[SAS_RESOURCE_MAX + 1 + SAS_EXPIRY_DIGITS];

    if (key_len == 0 || sr.len > SAS_RESOURCE_MAX || se.len > SAS_EXPIRY_DIGITS)
        return FALSE;
    memcpy(message, sr.ptr, sr.len);
    message[sr.len] = '\n';
    memcpy(message + sr.len + 1, se.ptr, se.len);
    return gnutls_hmac_fast(GNUTLS_MAC_SHA256, key, key_len, message, sr.len + 1 + se.len, ret) >=
           0;
}

gboolean
sas_token_verify(const SasToken *token, const guint8 *key, gsize key_len)
{
    guint8 expected[SAS_SIGNATURE_SIZE];
    gboolean equal;

    if (!sign(token->sr, token->se, key, key_len, expected))
        return FALSE;
    equal = gnutls_memcmp(expected, token->signature, sizeof(expected)) == 0;
    explicit_bzero(expected, sizeof(expected));
    return equal;
}

/* Cuts off a port at the end. */
static Slice
host_without_port(Slice host)
{
    const char *colon = host.len > 0 ? memchr(host.ptr, ':', host.len) : NULL;
    gsize digits;

    if (!colon)
        return host;
    digits = host.len - (gsize)(colon - host.ptr) - 1;
    for (gsize i = 1; i <= digits; i++)
        if (!g_ascii_isdigit(colon[i]))
            return host;
    return digits > 0 ? (Slice){host.ptr, host.len - digits - 1} : host;
}

static gboolean
host_is_one_of(Slice host, const char *const *names)
{
    for (; *names; names++)
        if (slice_equal_nocase(host, *names))
            return TRUE;
    return FALSE;
}

/* Whether `prefix` is all of `path`, or ends where a segment of `path` ends. */
static gboolean
segments_match(Slice prefix, const char *path)
{
    if (prefix.len == 0 || strncmp(path, prefix.ptr, prefix.len) != 0)
        return FALSE;
    return path[prefix.len] == '\0' || path[prefix.len] == '/';
}

gboolean
sas_resource_matches(Slice sr, const char *const *names, const char *path)
{
    char decoded[SAS_RESOURCE_MAX];
    gsize len = 0;
    const char *slash;
    gsize host_len;

    if (!value_decode(sr, decoded, sizeof(decoded), &len) || len == 0)
        return FALSE;
    slash = memchr(decoded, '/', len);
    host_len = slash ? (gsize)(slash - decoded) : len;
    if (!host_is_one_of(host_without_port((Slice){decoded, host_len}), names))
        return FALSE;
    return !slash || segments_match((Slice){slash + 1, len - host_len - 1}, path);
}

char *
sas_token_build(const char *resource, const guint8 *key, gsize key_len, guint64 expiry,
                const char *policy)
{
    g_autofree char *sr = percent_encode(PERCENT_SEGMENT, resource, -1);
    g_autofree char *se = g_strdup_printf("%" G_GUINT64_FORMAT, expiry);
    g_autofree char *base64 = NULL;
    g_autofree char *sig = NULL;
    g_autofree char *skn = NULL;
    guint8 mac[SAS_SIGNATURE_SIZE];

    if (*resource == '\0' || (policy && !device_id_is_valid(policy, -1)) ||
        !sign(slice_of(sr), slice_of(se), key, key_len, mac))
        return NULL;
    base64 = g_base64_encode(mac, sizeof(mac));
    sig = percent_encode(PERCENT_SEGMENT, base64, -1);
    skn = policy ? percent_encode(PERCENT_SEGMENT, policy, -1) : NULL;
    return g_strconcat(SAS_PREFIX "sr=", sr, "&sig=", sig, "&se=", se, skn ? "&skn=" : NULL, skn,
                       NULL);
}

gboolean
sas_key_decode(SasKey *ret, const char *base64, gsize len)
{
    g_auto(SasKey) key = {0};

    if (!base64_decode(base64, len, key.data, sizeof(key.data), &key.len) || key.len == 0)
        return FALSE;
    *ret = key;
    return TRUE;
}

void
sas_key_clear(SasKey *key)
{
    if (key)
        explicit_bzero(key, sizeof(*key));
}
