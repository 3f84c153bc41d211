/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/base/pasted.h"

#include <string.h>

#define TEXT(literal) literal, sizeof(literal) - 1

static const struct {
    const char *in;
    gsize len;
    const char *out;  /* NULL: an error */
    const char *says; /* then */
} rows[] = {
    {TEXT(""), "", NULL},
    {TEXT(" a\r\nb \n"), "a\nb", NULL},
    {TEXT("\xef\xbb\xbf"
          "a"),
     "a", NULL},
    {TEXT("\"a\""), "a", NULL},
    {TEXT("\" a \""), "a", NULL},
    {TEXT("\""), "\"", NULL},
    {TEXT("\"a"), "\"a", NULL},
    {TEXT("\"a'"), "\"a'", NULL},
    {TEXT("\"\"a\"\""), "\"a\"", NULL}, /* one pair */
    {TEXT("\xe2\x80\x9e"
          "a\xe2\x80\x9c"),
     "a", NULL},
    {TEXT("> a\n> b"), "a\nb", NULL},
    {TEXT("> a\n\n>\n>> b"), "a\n\n\nb", NULL},
    {TEXT("> a\nb"), "> a\nb", NULL}, /* not all lines */
    {TEXT(">"), "", NULL},
    {TEXT("\xff\xfeH\0"), NULL, "UTF-16"},
    {TEXT("\xfe\xff\0H"), NULL, "UTF-16"},
    {TEXT("H\0o\0"), NULL, "UTF-16"},
    {TEXT("\0H\0o"), NULL, "UTF-16"},
    {TEXT("\0\0"), NULL, "a NUL"},
    {TEXT("ab\0"), NULL, "a NUL"},
};

static void
test_rows(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        /* A copy that ends where the text does, so that a sanitizer sees what is read beyond. */
        g_autofree char *in = g_memdup2(rows[i].in, rows[i].len);
        g_autoptr(GError) error = NULL;
        g_autofree char *out = pasted_clean(in, rows[i].len, "This", &error);

        g_test_message("row %u", (guint)i);
        g_assert_cmpstr(out, ==, rows[i].out);
        if (rows[i].out) {
            g_assert_no_error(error);
            continue;
        }
        g_assert_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID);
        g_assert_nonnull(strstr(error->message, rows[i].says));
        g_assert_true(g_str_has_prefix(error->message, "This "));
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/pasted/rows", test_rows);
    return g_test_run();
}
