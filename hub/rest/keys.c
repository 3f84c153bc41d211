/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/rest/keys.h"

#include "common/base/slice.h"
#include "common/codec/base64.h"
#include "common/codec/json-guard.h"

#include <string.h>

#define MARKER 5 /* bytes of "#0012"; no key is as short as that */

struct RestKeys {
    guint count;
    RegistryKey keys[REST_KEYS_MAX]; /* length 0: what was there is none */
};

/* Where the scan is: after the last string, and the names of the objects around it. */
typedef struct {
    char *text;
    gsize len;
    gsize at;
    guint depth;
    Slice names[JSON_GUARD_DEPTH_CAP + 1]; /* the last name at each depth */
} KeyScan;

static void
scan_space(KeyScan *scan)
{
    while (scan->at < scan->len && strchr(" \t\r\n", scan->text[scan->at]))
        scan->at++;
}

/* At a quote: the string behind it, without quotes; goes past its end. */
static Slice
scan_string(KeyScan *scan)
{
    gsize start = ++scan->at;

    while (scan->at < scan->len && scan->text[scan->at] != '"')
        scan->at += scan->text[scan->at] == '\\' ? 2 : 1;
    scan->at = MIN(scan->at, scan->len);
    return (Slice){scan->text + start, scan->at++ - start};
}

static gboolean
scan_is_key(const KeyScan *scan, Slice name)
{
    return scan->depth > 0 && slice_equal(scan->names[scan->depth - 1], "symmetricKey") &&
           (slice_equal(name, "primaryKey") || slice_equal(name, "secondaryKey"));
}

/* VALUE is in the text that may be written. */
static void
keys_add(RestKeys *keys, Slice value)
{
    char *place = (char *)(guintptr)value.ptr;
    char marker[MARKER + 1];

    if (!place || value.len < MARKER)
        return;
    if (keys->count < REST_KEYS_MAX) {
        RegistryKey *key = &keys->keys[keys->count];

        if (!base64_decode(value.ptr, value.len, key->bytes, sizeof key->bytes, &key->len) ||
            key->len < REGISTRY_KEY_MIN)
            registry_key_clear(key);
    }
    (void)g_snprintf(marker, sizeof marker, "#%04u", MIN(keys->count, REST_KEYS_MAX));
    keys->count = MIN(keys->count + 1, REST_KEYS_MAX);
    explicit_bzero(place, value.len);
    memset(place, ' ', value.len);
    memcpy(place, marker, MARKER);
}

/* A string, which is a name when a colon follows. */
static void
keys_take_string(RestKeys *keys, KeyScan *scan)
{
    Slice name = scan_string(scan);

    scan_space(scan);
    if (scan->at >= scan->len || scan->text[scan->at] != ':')
        return;
    scan->at++;
    scan_space(scan);
    scan->names[scan->depth] = name;
    if (scan_is_key(scan, name) && scan->at < scan->len && scan->text[scan->at] == '"')
        keys_add(keys, scan_string(scan));
}

RestKeys *
rest_keys_take(char *text, gsize len)
{
    RestKeys *keys = g_new0(RestKeys, 1);
    KeyScan scan = {.text = text, .len = len};

    while (scan.at < len) {
        char c = text[scan.at];

        if (c == '"') {
            keys_take_string(keys, &scan);
            continue;
        }
        if ((c == '{' || c == '[') && scan.depth < JSON_GUARD_DEPTH_CAP)
            scan.names[++scan.depth] = (Slice){0};
        else if ((c == '}' || c == ']') && scan.depth > 0)
            scan.depth--;
        scan.at++;
    }
    return keys;
}

void
rest_keys_free(RestKeys *keys)
{
    if (!keys)
        return;
    explicit_bzero(keys, sizeof *keys);
    g_free(keys);
}

gboolean
rest_keys_find(const RestKeys *keys, const char *value, RegistryKey *ret)
{
    g_autofree char *text = g_strndup(value + (*value == '#'), MARKER - 1);
    guint64 index;

    if (*value != '#' || strlen(text) != MARKER - 1 ||
        !g_ascii_string_to_unsigned(text, 10, 0, REST_KEYS_MAX - 1, &index, NULL) ||
        index >= keys->count || keys->keys[index].len == 0)
        return FALSE;
    *ret = keys->keys[index];
    return TRUE;
}
