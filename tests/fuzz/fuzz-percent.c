/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Percent-encoding and base64: what is decoded encodes to one spelling, which decodes the same. */
#include "common/codec/base64.h"
#include "common/codec/device-id.h"
#include "common/codec/percent.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
run_percent(const char *text, gsize len, PercentSet set)
{
    g_autofree char *decoded = percent_decode_text(text, len);
    g_autofree char *encoded = decoded ? percent_encode(set, decoded, -1) : NULL;
    g_autofree char *again = encoded ? percent_decode_text(encoded, strlen(encoded)) : NULL;

    g_assert_cmpstr(decoded, ==, again);
}

static void
run_base64(const char *text, gsize len)
{
    gsize room = BASE64_DECODED_MAX(len);
    g_autofree guint8 *bytes = g_malloc(room + 1);
    gsize written = 0;

    if (base64url_decode(text, len, bytes, room, &written)) {
        g_autofree char *url = base64url_encode(bytes, written);

        g_assert_true(strlen(url) == len && (len == 0 || memcmp(url, text, len) == 0));
    }
    if (base64_decode(text, len, bytes, room, &written)) {
        g_autofree char *common = g_base64_encode(bytes, written);

        g_assert_true(strlen(common) == len && (len == 0 || memcmp(common, text, len) == 0));
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;

    run_percent(text, size, PERCENT_STRICT);
    run_percent(text, size, PERCENT_SEGMENT);
    run_base64(text, size);
    if (device_id_is_valid(text, (gssize)size))
        g_assert_true(stream_name_is_valid(text, (gssize)size));
    return 0;
}
