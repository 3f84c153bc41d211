/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/codec/base64.h"

#include <string.h>

/* g_assert_cmpmem() counts in int. */
static void
assert_bytes(const void *bytes, gsize len, const void *expected, gsize expected_len)
{
    g_assert_cmpuint(len, ==, expected_len);
    g_assert_true(memcmp(bytes, expected, len) == 0);
}

typedef struct {
    const char *text;
    const char *bytes; /* NULL: refused */
} Row;

static const Row common_rows[] = {
    {"", ""},           {"Zg==", "f"},        {"Zm8=", "fo"},
    {"Zm9v", "foo"},    {"Zm9vYg==", "foob"}, {"+/+/", "\xfb\xff\xbf"},
    {"Zg", NULL},       {"Zg=", NULL},        {"Zg===", NULL},
    {"Z===", NULL},     {"====", NULL},       {"Zh==", NULL},
    {"Zm9=", NULL},     {"Zm 9", NULL},       {"Zm9v\n", NULL},
    {" Zm9", NULL},     {"Zm9-", NULL},       {"Zm9_", NULL},
    {"Zg==Zg==", NULL}, {"=Zm9", NULL},       {"Zm9\xc3", NULL},
};

static const Row url_rows[] = {
    {"", ""},        {"Zg", "f"},    {"Zm8", "fo"}, {"Zm9v", "foo"}, {"-_-_", "\xfb\xff\xbf"},
    {"Zg==", NULL},  {"Z", NULL},    {"Zh", NULL},  {"Zm9", NULL},   {"+/+/", NULL},
    {"Zm9vY", NULL}, {"Zm.v", NULL},
};

typedef gboolean (*Decode)(const char *, gsize, guint8 *, gsize, gsize *);

static void
check_row(Decode decode, const Row *row)
{
    gsize len = strlen(row->text);
    g_autofree char *exact = g_memdup2(row->text, len);
    guint8 out[16];
    gsize written = 99;
    gboolean ok = decode(exact, len, out, sizeof(out), &written);
    g_autofree char *shown = g_strescape(row->text, NULL);

    g_test_message("%s", shown);
    g_assert_cmpint(ok, ==, row->bytes != NULL);
    if (ok)
        assert_bytes(out, written, row->bytes, strlen(row->bytes));
    else
        g_assert_cmpuint(written, ==, 99);
}

static void
test_common_alphabet(void)
{
    for (guint i = 0; i < G_N_ELEMENTS(common_rows); i++)
        check_row(base64_decode, &common_rows[i]);
}

static void
test_url_alphabet(void)
{
    for (guint i = 0; i < G_N_ELEMENTS(url_rows); i++)
        check_row(base64url_decode, &url_rows[i]);
}

static void
test_a_short_buffer_is_respected(void)
{
    guint8 out[3] = {0, 0, 0xee};
    gsize len = 0;

    g_assert_false(base64_decode("Zm9v", 4, out, 2, &len));
    g_assert_cmpuint(out[2], ==, 0xee);
    g_assert_true(base64_decode("Zm8=", 4, out, 2, &len));
    g_assert_cmpuint(len, ==, 2);
}

/* Against GLib's encoder, for every length around the groups of three. */
static void
test_encoding_comes_back(void)
{
    guint8 bytes[67];
    guint8 back[67];

    for (gsize i = 0; i < sizeof(bytes); i++)
        bytes[i] = (guint8)(i * 37 + 250);
    for (gsize len = 0; len <= sizeof(bytes); len++) {
        g_autofree char *url = base64url_encode(bytes, len);
        g_autofree char *common = g_base64_encode(bytes, len);
        gsize written = 0;

        g_assert_null(strpbrk(url, "+/="));
        g_assert_true(base64url_decode(url, strlen(url), back, sizeof(back), &written));
        assert_bytes(back, written, bytes, len);
        g_assert_true(base64_decode(common, strlen(common), back, sizeof(back), &written));
        assert_bytes(back, written, bytes, len);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/base64/common", test_common_alphabet);
    g_test_add_func("/base64/url", test_url_alphabet);
    g_test_add_func("/base64/short-buffer", test_a_short_buffer_is_respected);
    g_test_add_func("/base64/round-trip", test_encoding_comes_back);
    return g_test_run();
}
