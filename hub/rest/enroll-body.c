/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/rest/enroll-body.h"

#include "common/codec/sas-token.h"
#include "hub/registry/invitation.h"

#include <string.h>

typedef struct {
    const char *at, *end;
} Scan;

/* Takes TEXT, with any blanks in front of it. */
static gboolean
scan_take(Scan *scan, const char *text)
{
    gsize len = strlen(text);

    while (scan->at < scan->end && strchr(" \t\r\n", *scan->at) && *scan->at)
        scan->at++;
    if ((gsize)(scan->end - scan->at) < len || memcmp(scan->at, text, len) != 0)
        return FALSE;
    scan->at += len;
    return TRUE;
}

/* Takes the characters of a base64 text, and its quote. */
static gboolean
scan_take_value(Scan *scan, Slice *ret)
{
    const char *begin = scan->at;

    while (scan->at < scan->end && *scan->at != '"')
        if (!g_ascii_isalnum(*scan->at) && !(*scan->at && strchr("+/=", *scan->at)))
            return FALSE;
        else
            scan->at++;
    *ret = (Slice){begin, (gsize)(scan->at - begin)};
    return scan_take(scan, "\"");
}

gboolean
enroll_body_parse(const char *body, gsize len, RegistryKey *ret_key, const char **ret_why)
{
    Scan scan = {body, body + len};
    Slice value = {0};
    g_auto(SasKey) key = {0};

    *ret_why = "The body is {\"key\": \"...\"} and nothing else, without escapes.";
    if (!scan_take(&scan, "{") || !scan_take(&scan, "\"key\"") || !scan_take(&scan, ":") ||
        !scan_take(&scan, "\"") || !scan_take_value(&scan, &value) || !scan_take(&scan, "}") ||
        (scan_take(&scan, ""), scan.at != scan.end))
        return FALSE;
    *ret_why = "The key is base64 of 32 to 64 bytes.";
    if (!sas_key_decode(&key, value.ptr, value.len) || key.len < REGISTRY_ENROLLED_KEY_MIN ||
        key.len > REGISTRY_KEY_MAX)
        return FALSE;
    ret_key->len = key.len;
    memcpy(ret_key->bytes, key.data, key.len);
    return TRUE;
}
