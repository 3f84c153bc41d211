/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A new key for a device and its answer: the first line is the topic, the rest the payload. What
 * can be read can be built again, and nothing is longer than it may be. */
#include "common/extension/key-offer.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(gboolean good)
{
    if (!good)
        abort();
}

static void
try_offer(Slice topic, Slice payload)
{
    g_auto(KeyOffer) offer = {0};
    g_autoptr(GString) out = g_string_new(NULL);

    if (key_offer_parse(topic, payload, &offer) != KEY_OFFER_OK)
        return;
    require(strlen(offer.rid) >= 1 && strlen(offer.rid) <= KEY_OFFER_RID_MAX);
    require(strlen(offer.key) == payload.len && payload.len <= KEY_OFFER_TEXT_MAX);
    key_offer_build(out, offer.rid);
    require(slice_equal(topic, out->str));
    require(!strstr(out->str, offer.key));
}

static void
try_answer(Slice topic, Slice payload)
{
    KeyAnswer answer, back;
    g_autoptr(GString) out = g_string_new(NULL);

    if (key_answer_parse(topic, payload, &answer) != KEY_OFFER_OK)
        return;
    require(payload.len == 0 && strlen(answer.rid) <= KEY_OFFER_RID_MAX);
    key_answer_build(out, &answer);
    require(key_answer_parse((Slice){out->str, out->len}, (Slice){"", 0}, &back) == KEY_OFFER_OK);
    require(answer.code == back.code && strcmp(answer.rid, back.rid) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    const char *end = size > 0 ? memchr(text, '\n', size) : NULL;
    gsize len = end ? (gsize)(end - text) : size;
    const Slice topic = {text, len};
    const Slice payload = end ? (Slice){end + 1, size - len - 1} : (Slice){"", 0};

    try_offer(topic, payload);
    try_answer(topic, payload);
    return 0;
}
