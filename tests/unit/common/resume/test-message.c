/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Each letter in each form, and one byte off it; offsets at their bound and one past it. */
#include "common/resume/message.h"

#include <string.h>

#define LAST "9223372036854775807"
#define PAST "9223372036854775808"

static const struct {
    const char *text;
    ResumeMessage message;
} good[] = {
    {"r 0 32768", {RESUME_BEGIN, 0, 32768, REASON_NONE}},
    {"r " LAST " " LAST, {RESUME_BEGIN, RESUME_OFFSET_MAX, RESUME_OFFSET_MAX, REASON_NONE}},
    {"w 1 0", {RESUME_TOLD, 1, 0, REASON_NONE}}, /* the form alone is looked at */
    {"w 10 " LAST, {RESUME_TOLD, 10, RESUME_OFFSET_MAX, REASON_NONE}},
    {"e 0", {RESUME_END, 0, 0, REASON_NONE}},
    {"e " LAST, {RESUME_END, RESUME_OFFSET_MAX, 0, REASON_NONE}},
    {"b 262144", {RESUME_BLOCKED, 262144, 0, REASON_NONE}},
    {"b " LAST, {RESUME_BLOCKED, RESUME_OFFSET_MAX, 0, REASON_NONE}},
    {"g 100 90", {RESUME_GIVE, 100, 90, REASON_NONE}},
    {"g " LAST " 0", {RESUME_GIVE, RESUME_OFFSET_MAX, 0, REASON_NONE}},
    {"c stopping", {RESUME_CLOSE, 0, 0, REASON_STOPPING}},
    {"c device-closed", {RESUME_CLOSE, 0, 0, REASON_DEVICE_CLOSED}},
};

static gboolean
parses(const char *text, gsize len)
{
    /* An exact copy, so that a look behind it is seen. */
    g_autofree char *exact = g_memdup2(text, len);
    ResumeMessage message;

    return resume_message_parse(exact, len, &message);
}

static void
test_round(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(good); i++) {
        char text[RESUME_TEXT_MAX];
        ResumeMessage found = {0};
        gsize len = resume_message_write(text, &good[i].message);

        g_assert_cmpuint(len, ==, strlen(good[i].text));
        g_assert_true(memcmp(text, good[i].text, len) == 0);
        g_assert_true(resume_message_parse(text, len, &found));
        g_assert_cmpint(found.word, ==, good[i].message.word);
        g_assert_cmpuint(found.first, ==, good[i].message.first);
        g_assert_cmpuint(found.second, ==, good[i].message.second);
        g_assert_cmpint(found.reason, ==, good[i].message.reason);
    }
}

/* Every reason has its word, and it fits. */
static void
test_reasons(void)
{
    for (guint i = REASON_NONE + 1; i < REASON_LAST; i++) {
        ResumeMessage message = {.word = RESUME_CLOSE, .reason = (Reason)i}, found = {0};
        char text[RESUME_TEXT_MAX];
        gsize len = resume_message_write(text, &message);

        g_assert_true(resume_message_parse(text, len, &found));
        g_assert_cmpint(found.reason, ==, i);
    }
}

/* A code of a later version. */
static void
test_unknown_reason(void)
{
    ResumeMessage found = {0};

    g_assert_true(resume_message_parse("c of-tomorrow", 13, &found));
    g_assert_cmpint(found.word, ==, RESUME_CLOSE);
    g_assert_cmpint(found.reason, ==, REASON_CUT);
}

/* TEXT with one byte less, and with each byte in front of each place and at its end. */
static void
one_byte_off(const char *text, gsize len)
{
    char off[RESUME_TEXT_MAX + 1];

    for (gsize at = 0; at <= len; at++)
        for (guint byte = 0; byte < 256; byte++) {
            gboolean digit = byte >= '0' && byte <= '9';

            if (digit && strchr("rwebg", text[0]))
                continue; /* may be another number; test_numbers */
            if (text[0] == 'c' && at > 1 && (g_ascii_islower((char)byte) || byte == '-'))
                continue; /* another reason */
            memcpy(off, text, at);
            off[at] = (char)byte;
            memcpy(off + at + 1, text + at, len - at);
            g_assert_false(parses(off, len + 1));
        }
}

static void
test_one_byte_off(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(good); i++)
        one_byte_off(good[i].text, strlen(good[i].text));
}

/* What stops before the last number begins is no message. */
static void
test_cut(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(good); i++) {
        const char *last = strrchr(good[i].text, ' ');

        for (gsize len = 0; len <= (gsize)(last - good[i].text) + 1; len++)
            g_assert_false(parses(good[i].text, len));
    }
}

static void
test_letters(void)
{
    for (guint byte = 0; byte < 256; byte++) {
        const char one[] = {(char)byte, ' ', '1'}, two[] = {(char)byte, ' ', '1', ' ', '2'};
        const char word[] = {(char)byte, ' ', 'c', 'u', 't'}, alone[] = {(char)byte, ' '};

        g_assert_cmpint(parses(one, sizeof one), ==, byte == 'e' || byte == 'b');
        g_assert_cmpint(parses(two, sizeof two), ==, byte == 'r' || byte == 'w' || byte == 'g');
        g_assert_cmpint(parses(word, sizeof word), ==, byte == 'c');
        g_assert_false(parses(alone, 1));
        g_assert_false(parses(alone, 2));
    }
}

static void
test_numbers(void)
{
    static const char *const bad[] = {
        "",
        "00",
        "01",
        "-1",
        "+1",
        "1.",
        "0x1",
        "1e3",
        PAST,
        "9999999999999999999",
        "10000000000000000000",
        "18446744073709551616",
        "92233720368547758070",
        "٣",
    };
    static const char *const forms[] = {"r %s 1", "r 1 %s", "w %s 1", "w 1 %s",
                                        "e %s",   "b %s",   "g %s 1", "g 1 %s"};

    for (gsize form = 0; form < G_N_ELEMENTS(forms); form++) {
        g_auto(GStrv) halves = g_strsplit(forms[form], "%s", 2);

        for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
            g_autofree char *text = g_strconcat(halves[0], bad[i], halves[1], NULL);
            g_assert_false(parses(text, strlen(text)));
        }
        g_autofree char *last = g_strconcat(halves[0], LAST, halves[1], NULL);
        g_assert_true(parses(last, strlen(last)));
    }
}

/* RESUME_TEXT_MAX bytes, and one more. */
static void
test_length(void)
{
    char text[RESUME_TEXT_MAX + 1];

    memset(text, 'a', sizeof text);
    memcpy(text, "c ", 2);
    g_assert_true(parses(text, RESUME_TEXT_MAX));
    g_assert_false(parses(text, RESUME_TEXT_MAX + 1));
    g_assert_true(parses(text, 3));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/resume-message/round", test_round);
    g_test_add_func("/resume-message/reasons", test_reasons);
    g_test_add_func("/resume-message/unknown-reason", test_unknown_reason);
    g_test_add_func("/resume-message/one-byte-off", test_one_byte_off);
    g_test_add_func("/resume-message/cut", test_cut);
    g_test_add_func("/resume-message/letters", test_letters);
    g_test_add_func("/resume-message/numbers", test_numbers);
    g_test_add_func("/resume-message/length", test_length);
    return g_test_run();
}
