/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/codec/percent.h"

#include <string.h>

/* g_assert_cmpmem() counts in int. */
static void
assert_bytes(const void *bytes, gsize len, const void *expected, gsize expected_len)
{
    g_assert_cmpuint(len, ==, expected_len);
    g_assert_true(memcmp(bytes, expected, len) == 0);
}

static void
test_encoding(void)
{
    static const struct {
        PercentSet set;
        const char *text;
        const char *encoded;
    } rows[] = {
        {PERCENT_STRICT, "", ""},
        {PERCENT_STRICT, "azAZ09!()*-._", "azAZ09!()*-._"},
        {PERCENT_STRICT, "~", "%7E"},
        {PERCENT_STRICT, "wss://h:443/a?b=c&d", "wss%3A%2F%2Fh%3A443%2Fa%3Fb%3Dc%26d"},
        {PERCENT_STRICT, "+ %$#'\",;", "%2B%20%25%24%23%27%22%2C%3B"},
        {PERCENT_SEGMENT, "azAZ09-._~", "azAZ09-._~"},
        {PERCENT_SEGMENT, "127.0.0.1/devices/dev1", "127.0.0.1%2Fdevices%2Fdev1"},
        {PERCENT_SEGMENT, "!()*':", "%21%28%29%2A%27%3A"},
        {PERCENT_SEGMENT, "\xc3\xa4\x01", "%C3%A4%01"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *encoded = percent_encode(rows[i].set, rows[i].text, -1);
        g_autofree char *back = percent_decode_text(encoded, strlen(encoded));

        g_assert_cmpstr(encoded, ==, rows[i].encoded);
        g_assert_cmpstr(back, ==, rows[i].text);
    }
}

/* Every byte, in both sets: raw exactly when docs/wire-protocol.md says so. */
static void
test_sets(void)
{
    static const char strict[] = "!()*-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_"
                                 "abcdefghijklmnopqrstuvwxyz";

    for (int c = 1; c < 256; c++) {
        char text[1] = {(char)c};
        g_autofree char *encoded = percent_encode(PERCENT_STRICT, text, 1);

        g_assert_cmpuint(strlen(encoded), ==, strchr(strict, c) ? 1 : 3);
    }
}

static void
test_decoding(void)
{
    static const struct {
        const char *text;
        const char *decoded; /* NULL: refused */
    } rows[] = {
        {"", ""},       {"abc", "abc"},   {"%41%62", "Ab"},       {"%2f%2F", "//"},
        {"a+b", "a+b"}, {"%2541", "%41"}, {"%C3%A4", "\xc3\xa4"}, {"%", NULL},
        {"%4", NULL},   {"a%", NULL},     {"a%4", NULL},          {"%G1", NULL},
        {"%1G", NULL},  {"%%41", NULL},   {"%00", NULL},          {"a%00b", NULL},
        {"% 1", NULL},  {"%+1", NULL},    {"%0x", NULL},          {"%C3", NULL},
        {"%ff", NULL},  {"%C0%80", NULL}, {"%ED%A0%80", NULL},    {"\xc3", NULL},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        gsize len = strlen(rows[i].text);
        g_autofree char *exact = g_memdup2(rows[i].text, len);
        g_autofree char *decoded = percent_decode_text(exact, len);
        g_autofree char *shown = g_strescape(rows[i].text, NULL);

        g_test_message("%s", shown);
        g_assert_cmpstr(decoded, ==, rows[i].decoded);
    }
}

static void
test_bytes_in_place(void)
{
    char text[] = "%ff%01x";
    gsize len = 77;

    g_assert_false(percent_decode("a\0b", 3, text, &len));
    g_assert_cmpuint(len, ==, 77);
    memcpy(text, "%ff%01x", sizeof text);
    g_assert_true(percent_decode(text, strlen(text), text, &len));
    assert_bytes(text, len, "\xff\x01x", 3);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/percent/encode", test_encoding);
    g_test_add_func("/percent/sets", test_sets);
    g_test_add_func("/percent/decode", test_decoding);
    g_test_add_func("/percent/in-place", test_bytes_in_place);
    return g_test_run();
}
