/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/extension/key-offer.h"

#include "common/codec/base64.h"

#include <string.h>

#define OFFER_TOPIC "$iothub/streamd/rekey/"
#define ANSWER_TOPIC OFFER_TOPIC "res/"
#define RID "?$rid="
#define REASON "&$reason="

static const char *const reasons[] = {
    [KEY_ANSWER_STORED] = NULL,
    [KEY_ANSWER_READ_ONLY] = "read-only",
    [KEY_ANSWER_BUSY] = "busy",
    [KEY_ANSWER_FAILED] = "failed",
};

const char *
key_answer_reason(KeyAnswerCode code)
{
    return reasons[code];
}

void
key_offer_clear(KeyOffer *offer)
{
    explicit_bzero(offer, sizeof *offer);
}

void
key_offer_build(GString *topic, const char *rid)
{
    g_string_append_printf(topic, OFFER_TOPIC RID "%s", rid);
}

void
key_answer_build(GString *topic, const KeyAnswer *answer)
{
    const char *reason = key_answer_reason(answer->code);

    g_string_append_printf(topic, ANSWER_TOPIC "%s/" RID "%s", reason ? "400" : "200", answer->rid);
    if (reason)
        g_string_append_printf(topic, REASON "%s", reason);
}

static gboolean
skip(Slice *text, const char *prefix)
{
    gsize len = strlen(prefix);

    if (text->len < len || memcmp(text->ptr, prefix, len) != 0)
        return FALSE;
    text->ptr += len;
    text->len -= len;
    return TRUE;
}

/* "?$rid=" and digits; what follows stays in TEXT. */
static gboolean
take_rid(Slice *text, char ret[KEY_OFFER_RID_MAX + 1])
{
    gsize len = 0;

    if (!skip(text, RID))
        return FALSE;
    while (len < text->len && g_ascii_isdigit(text->ptr[len]))
        len++;
    if (len == 0 || len > KEY_OFFER_RID_MAX)
        return FALSE;
    memcpy(ret, text->ptr, len);
    ret[len] = '\0';
    text->ptr += len;
    text->len -= len;
    return TRUE;
}

static gboolean
key_is_good(Slice key)
{
    guint8 bytes[BASE64_DECODED_MAX(KEY_OFFER_TEXT_MAX)];
    gsize len = 0;
    gboolean good = key.len <= KEY_OFFER_TEXT_MAX &&
                    base64_decode(key.ptr, key.len, bytes, sizeof bytes, &len) &&
                    len >= KEY_OFFER_KEY_MIN && len <= KEY_OFFER_KEY_MAX;

    explicit_bzero(bytes, sizeof bytes);
    return good;
}

KeyOfferResult
key_offer_parse(Slice topic, Slice payload, KeyOffer *ret)
{
    g_auto(KeyOffer) offer = {0};

    if (!skip(&topic, OFFER_TOPIC))
        return KEY_OFFER_OTHER;
    if (topic.len > KEY_OFFER_TOPIC_MAX || !take_rid(&topic, offer.rid) || topic.len > 0 ||
        !key_is_good(payload))
        return KEY_OFFER_MALFORMED;
    memcpy(offer.key, payload.ptr, payload.len);
    *ret = offer;
    return KEY_OFFER_OK;
}

/* A reason that a later version knows means that the key was not stored. */
static KeyAnswerCode
code_of_reason(Slice reason)
{
    for (guint i = KEY_ANSWER_READ_ONLY; i < G_N_ELEMENTS(reasons); i++)
        if (slice_equal(reason, reasons[i]))
            return (KeyAnswerCode)i;
    return KEY_ANSWER_FAILED;
}

KeyOfferResult
key_answer_parse(Slice topic, Slice payload, KeyAnswer *ret)
{
    KeyAnswer answer = {.code = KEY_ANSWER_STORED};
    gboolean stored;

    if (!skip(&topic, ANSWER_TOPIC))
        return KEY_OFFER_OTHER;
    stored = skip(&topic, "200/");
    if (topic.len > KEY_OFFER_TOPIC_MAX || payload.len > 0 || (!stored && !skip(&topic, "400/")) ||
        !take_rid(&topic, answer.rid))
        return KEY_OFFER_MALFORMED;
    if (!stored && skip(&topic, REASON) && topic.len > 0)
        answer.code = code_of_reason(topic);
    else if (!stored || topic.len > 0)
        return KEY_OFFER_MALFORMED;
    *ret = answer;
    return KEY_OFFER_OK;
}
