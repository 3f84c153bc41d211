/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How a service says which stream it leads back: each text at its bounds and one past them. */
#include "common/base/secret.h"
#include "common/extension/resume-ask.h"

#include <string.h>

#define ID64 "0123456789abcdef0123456789ABCDEF0123456789abcdef0123456789abc-._"
#define KEY "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"

static const struct {
    const char *text;
    char separator;
    const char *id; /* NULL: malformed */
    guint32 attempt;
} asks[] = {
    {"a 1", ' ', "a", 1},
    {"a.1", '.', "a", 1},
    {"a.b.17", '.', "a.b", 17},
    {ID64 " 2147483647", ' ', ID64, 2147483647},
    {ID64 ".2147483647", '.', ID64, 2147483647},
    {"a 2147483648", ' ', NULL, 0},
    {ID64 "x 1", ' ', NULL, 0},
    {"a 0", ' ', NULL, 0},
    {"a 01", ' ', NULL, 0},
    {"a  1", ' ', NULL, 0},
    {"a 1 ", ' ', NULL, 0},
    {"a -1", ' ', NULL, 0},
    {"a 99999999999999999999", ' ', NULL, 0},
    {"a b 1", ' ', NULL, 0},
    {"a/b 1", ' ', NULL, 0},
    {" 1", ' ', NULL, 0},
    {"1", ' ', NULL, 0},
    {"a ", ' ', NULL, 0},
    {"a.1", ' ', NULL, 0},
    {"", ' ', NULL, 0},
    {"\xc3\xa4 1", ' ', NULL, 0},
};

static void
test_ask(void)
{
    for (guint i = 0; i < G_N_ELEMENTS(asks); i++) {
        ResumeAsk ask = {.attempt = 7};
        g_autofree char *again = NULL;
        gboolean good =
            resume_ask_parse(asks[i].text, strlen(asks[i].text), asks[i].separator, &ask);

        g_test_message("case %u: %s", i, asks[i].text);
        g_assert_cmpint(good, ==, asks[i].id != NULL);
        g_assert_cmpuint(ask.attempt, ==, good ? asks[i].attempt : 7);
        if (!good)
            continue;
        g_assert_cmpstr(ask.id, ==, asks[i].id);
        again = resume_ask_format(&ask, asks[i].separator);
        g_assert_cmpstr(again, ==, asks[i].text);
    }
    g_assert_false(resume_ask_parse("a\0b 1", 5, ' ', &(ResumeAsk){0}));
}

static void
test_key(void)
{
    guint8 key[RESUME_KEY_LEN];
    g_auto(SecretText) text = NULL;

    g_assert_true(resume_key_parse(KEY, strlen(KEY), key));
    for (guint i = 0; i < RESUME_KEY_LEN; i++)
        g_assert_cmpuint(key[i], ==, i);
    text = resume_key_format(key);
    g_assert_cmpstr(text, ==, KEY);
    g_assert_true(resume_key_is_valid(KEY, strlen(KEY)));
    g_assert_false(resume_key_is_valid(KEY, strlen(KEY) - 1));
    g_assert_false(resume_key_is_valid(KEY "A", strlen(KEY) + 1));
    g_assert_false(resume_key_is_valid(KEY "=", strlen(KEY) + 1));
    g_assert_false(
        resume_key_is_valid("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9", RESUME_KEY_TEXT));
    g_assert_false(
        resume_key_is_valid("+AECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8", RESUME_KEY_TEXT));
}

/* As sha256sum(1) has it. */
static void
test_digest(void)
{
    static const char expected[] =
        "630dcd2966c4336691125448bbb25b4ff412a49c732db2c8abc1b8581bd710dd";
    guint8 key[RESUME_KEY_LEN], digest[RESUME_KEY_LEN], other[RESUME_KEY_LEN];
    g_autoptr(GString) text = g_string_new(NULL);

    g_assert_true(resume_key_parse(KEY, strlen(KEY), key));
    resume_key_digest(key, digest);
    for (guint i = 0; i < RESUME_KEY_LEN; i++)
        g_string_append_printf(text, "%02x", digest[i]);
    g_assert_cmpstr(text->str, ==, expected);
    memcpy(other, digest, sizeof other);
    g_assert_true(resume_digest_equals(digest, other));
    for (guint i = 0; i < RESUME_KEY_LEN; i++) {
        other[i] ^= 0x80;
        g_assert_false(resume_digest_equals(digest, other));
        other[i] ^= 0x80;
    }
}

static const struct {
    const char *text;
    gboolean good;
    guint64 pause, replayed;
} infos[] = {
    {"0 0", TRUE, 0, 0},
    {"1200 65536", TRUE, 1200, 65536},
    {"9223372036854775807 9223372036854775807", TRUE, G_MAXINT64, G_MAXINT64},
    {"9223372036854775808 0", FALSE, 0, 0},
    {"0 9223372036854775808", FALSE, 0, 0},
    {"0 18446744073709551616", FALSE, 0, 0},
    {"00 0", FALSE, 0, 0},
    {"0", FALSE, 0, 0},
    {"0 ", FALSE, 0, 0},
    {" 0", FALSE, 0, 0},
    {"0 0 0", FALSE, 0, 0},
    {"", FALSE, 0, 0},
};

static void
test_info(void)
{
    for (guint i = 0; i < G_N_ELEMENTS(infos); i++) {
        ResumeInfo info = {0};
        g_autofree char *again = NULL;

        g_test_message("case %u: %s", i, infos[i].text);
        g_assert_cmpint(resume_info_parse(infos[i].text, strlen(infos[i].text), &info), ==,
                        infos[i].good);
        g_assert_cmpuint(info.pause, ==, infos[i].pause);
        g_assert_cmpuint(info.replayed, ==, infos[i].replayed);
        again = resume_info_format(&info);
        if (infos[i].good)
            g_assert_cmpstr(again, ==, infos[i].text);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/resume-ask/ask", test_ask);
    g_test_add_func("/resume-ask/key", test_key);
    g_test_add_func("/resume-ask/digest", test_digest);
    g_test_add_func("/resume-ask/info", test_info);
    return g_test_run();
}
