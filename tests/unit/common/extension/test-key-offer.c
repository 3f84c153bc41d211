/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The topics and payloads of a new key: each form that is taken, and those one off it. */
#include "common/extension/key-offer.h"

#include <string.h>

#define OFFER "$iothub/streamd/rekey/"
#define ANSWER OFFER "res/"
#define KEY "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

static char *
base64_of(gsize bytes)
{
    g_autofree guint8 *data = g_malloc0(MAX(bytes, 1));

    return g_base64_encode(data, bytes);
}

static void
test_offer_round(void)
{
    static const char *const rids[] = {"0", "1", "42", "18446744073709551615",
                                       "00000000000000000000"};

    for (gsize i = 0; i < G_N_ELEMENTS(rids); i++) {
        g_autoptr(GString) topic = g_string_new(NULL);
        g_auto(KeyOffer) offer = {0};

        key_offer_build(topic, rids[i]);
        g_assert_cmpint(key_offer_parse(slice_of(topic->str), slice_of(KEY), &offer), ==,
                        KEY_OFFER_OK);
        g_assert_cmpstr(offer.rid, ==, rids[i]);
        g_assert_cmpstr(offer.key, ==, KEY);
        g_assert_null(strstr(topic->str, KEY));
    }
}

/* At each bound of a key, and one past it. */
static void
test_key_sizes(void)
{
    static const gsize sizes[] = {0, 1, 15, 16, 17, 32, 63, 64, 65, 66, 67, 96, 4096};

    for (gsize i = 0; i < G_N_ELEMENTS(sizes); i++) {
        g_autofree char *text = base64_of(sizes[i]);
        g_auto(KeyOffer) offer = {0};
        gboolean good = sizes[i] >= KEY_OFFER_KEY_MIN && sizes[i] <= KEY_OFFER_KEY_MAX;

        g_assert_cmpint(key_offer_parse(slice_of(OFFER "?$rid=1"), slice_of(text), &offer), ==,
                        good ? KEY_OFFER_OK : KEY_OFFER_MALFORMED);
        g_assert_cmpstr(offer.key, ==, good ? text : "");
    }
}

static void
test_bad_offers(void)
{
    static const struct {
        const char *topic, *payload;
        KeyOfferResult result;
    } rows[] = {
        {"", KEY, KEY_OFFER_OTHER},
        {"$iothub/streamd/rekey", KEY, KEY_OFFER_OTHER},
        {"$iothub/streams/POST/echo/?$rid=1", KEY, KEY_OFFER_OTHER},
        {OFFER, KEY, KEY_OFFER_MALFORMED},
        {OFFER "?$rid=", KEY, KEY_OFFER_MALFORMED},
        {OFFER "?$rid=-1", KEY, KEY_OFFER_MALFORMED},
        {OFFER "?$rid=1x", KEY, KEY_OFFER_MALFORMED},
        {OFFER "?$rid=1&$x=y", KEY, KEY_OFFER_MALFORMED},
        {OFFER "?rid=1", KEY, KEY_OFFER_MALFORMED},
        {OFFER "x/?$rid=1", KEY, KEY_OFFER_MALFORMED},
        {OFFER "?$rid=123456789012345678901", KEY, KEY_OFFER_MALFORMED},
        {OFFER "?$rid=1", KEY "\n", KEY_OFFER_MALFORMED},
        {OFFER "?$rid=1", " " KEY, KEY_OFFER_MALFORMED},
        {OFFER "?$rid=1", KEY KEY, KEY_OFFER_MALFORMED},
        {OFFER "?$rid=1", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8", KEY_OFFER_MALFORMED},
        {OFFER "?$rid=1", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9=", KEY_OFFER_MALFORMED},
        {OFFER "?$rid=1", "____BAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHx8=", KEY_OFFER_MALFORMED},
        {ANSWER "200/?$rid=1", KEY, KEY_OFFER_MALFORMED},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        KeyOffer offer = {.rid = "untouched"};

        g_assert_cmpint(key_offer_parse(slice_of(rows[i].topic), slice_of(rows[i].payload), &offer),
                        ==, rows[i].result);
        g_assert_cmpstr(offer.rid, ==, "untouched");
    }
}

static void
test_answers(void)
{
    for (KeyAnswerCode code = KEY_ANSWER_STORED; code <= KEY_ANSWER_FAILED; code++) {
        g_autoptr(GString) topic = g_string_new(NULL);
        KeyAnswer answer = {.rid = "7", .code = code}, back;

        key_answer_build(topic, &answer);
        g_assert_cmpint(key_answer_parse(slice_of(topic->str), slice_of(""), &back), ==,
                        KEY_OFFER_OK);
        g_assert_cmpstr(back.rid, ==, "7");
        g_assert_cmpint(back.code, ==, code);
        g_assert_cmpint(key_answer_parse(slice_of(topic->str), slice_of("x"), &back), ==,
                        KEY_OFFER_MALFORMED);
    }
    g_assert_null(key_answer_reason(KEY_ANSWER_STORED));
    g_assert_cmpstr(key_answer_reason(KEY_ANSWER_READ_ONLY), ==, "read-only");
}

static void
test_bad_answers(void)
{
    static const struct {
        const char *topic;
        KeyOfferResult result;
    } rows[] = {
        {OFFER "?$rid=1", KEY_OFFER_OTHER},
        {ANSWER, KEY_OFFER_MALFORMED},
        {ANSWER "200", KEY_OFFER_MALFORMED},
        {ANSWER "200/", KEY_OFFER_MALFORMED},
        {ANSWER "201/?$rid=1", KEY_OFFER_MALFORMED},
        {ANSWER "200/?$rid=", KEY_OFFER_MALFORMED},
        {ANSWER "200/?$rid=1x", KEY_OFFER_MALFORMED},
        {ANSWER "200/?$rid=1&$reason=read-only", KEY_OFFER_MALFORMED},
        {ANSWER "400/?$rid=1", KEY_OFFER_MALFORMED},
        {ANSWER "400/?$rid=1&$reason=", KEY_OFFER_MALFORMED},
        {ANSWER "400/?$rid=1&reason=busy", KEY_OFFER_MALFORMED},
        {ANSWER "400/?$rid=123456789012345678901&$reason=busy", KEY_OFFER_MALFORMED},
    };
    KeyAnswer later;

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        KeyAnswer answer = {.rid = "untouched"};

        g_assert_cmpint(key_answer_parse(slice_of(rows[i].topic), slice_of(""), &answer), ==,
                        rows[i].result);
        g_assert_cmpstr(answer.rid, ==, "untouched");
    }
    g_assert_cmpint(
        key_answer_parse(slice_of(ANSWER "400/?$rid=1&$reason=later"), slice_of(""), &later), ==,
        KEY_OFFER_OK);
    g_assert_cmpint(later.code, ==, KEY_ANSWER_FAILED);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/key-offer/round", test_offer_round);
    g_test_add_func("/key-offer/key-sizes", test_key_sizes);
    g_test_add_func("/key-offer/bad-offers", test_bad_offers);
    g_test_add_func("/key-offer/answers", test_answers);
    g_test_add_func("/key-offer/bad-answers", test_bad_answers);
    return g_test_run();
}
