/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A new key for a device over its own connection, from the hub to the device, and the device's
 * answer (docs/wire-protocol.md, section 8). The key is in the payload alone, since topics are what
 * programs log. Reading is as strict as building: both ends are ours. Pure; any thread. */
#pragma once

#include "common/base/slice.h"

#include <glib.h>

#define KEY_OFFER_RID_MAX 20 /* digits */
#define KEY_OFFER_TOPIC_MAX 128
#define KEY_OFFER_KEY_MIN 16 /* bytes, decoded */
#define KEY_OFFER_KEY_MAX 64
#define KEY_OFFER_TEXT_MAX 88 /* characters of base64 for KEY_OFFER_KEY_MAX bytes */

typedef enum {
    KEY_OFFER_OK,
    KEY_OFFER_OTHER, /* some other topic */
    KEY_OFFER_MALFORMED,
} KeyOfferResult;

/* Keep it on the stack: `g_auto(KeyOffer) offer = {0};` wipes it. */
typedef struct {
    char rid[KEY_OFFER_RID_MAX + 1];
    char key[KEY_OFFER_TEXT_MAX + 1]; /* base64 */
} KeyOffer;

typedef enum {
    KEY_ANSWER_STORED,    /* 200: it is on the device's disk, and in use */
    KEY_ANSWER_READ_ONLY, /* 400: the device's key is not its own to change */
    KEY_ANSWER_BUSY,      /* 400: too many in a short time */
    KEY_ANSWER_FAILED,    /* 400: the device cannot store it now; also any reason that is unknown */
} KeyAnswerCode;

typedef struct {
    char rid[KEY_OFFER_RID_MAX + 1]; /* as in the offer */
    KeyAnswerCode code;
} KeyAnswer;

/* The topics; the payload of an offer is its key, an answer has none. `rid` must be a number. */
void key_offer_build(GString *topic, const char *rid);
void key_answer_build(GString *topic, const KeyAnswer *answer);

/* *RET is set only for KEY_OFFER_OK. */
G_GNUC_WARN_UNUSED_RESULT
KeyOfferResult key_offer_parse(Slice topic, Slice payload, KeyOffer *ret);
G_GNUC_WARN_UNUSED_RESULT
KeyOfferResult key_answer_parse(Slice topic, Slice payload, KeyAnswer *ret);

/* "read-only" and so on; NULL for KEY_ANSWER_STORED. */
const char *key_answer_reason(KeyAnswerCode code);

void key_offer_clear(KeyOffer *offer);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(KeyOffer, key_offer_clear)
