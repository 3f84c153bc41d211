/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/base/escape.h"

#include <string.h>

static void
test_table(void)
{
    static const struct {
        const char *in, *out;
    } cases[] = {
        {"", ""},
        {"ssh", "ssh"},
        {"gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f"},
        {"a\nb\tc", "a\\x0ab\\x09c"},
        {"\x1b[2J", "\\x1b[2J"},
        {"a\\x0ab", "a\\x5cx0ab"},
        {"\xff\xc3", "\\xff\\xc3"},
        {"\xc0\x80", "\\xc0\\x80"}, /* overlong */
        {"\xc2\x9b"
         "31m",
         "\\xc2\\x9b31m"}, /* a C1 control: CSI */
        {"\xe2\x80\xae"
         "x",
         "\\xe2\\x80\\xaex"},                /* right-to-left override */
        {"\xe2\x80\xa8", "\\xe2\\x80\\xa8"}, /* line separator */
        {"\x7f", "\\x7f"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *out = escape_text(cases[i].in, ESCAPE_MAX);

        g_assert_cmpstr(out, ==, cases[i].out);
    }
}

static void
test_nothing(void)
{
    g_autofree char *out = escape_text(NULL, ESCAPE_MAX);

    g_assert_cmpstr(out, ==, "");
}

static void
test_zero_byte(void)
{
    g_autoptr(GString) out = g_string_new("x");

    escape_append(out, "a\0b", 3, ESCAPE_MAX);
    g_assert_cmpstr(out->str, ==, "xa\\x00b");
}

/* Of any kind and length: never longer than the bound, never half a character or escape. */
static void
test_bound(void)
{
    static const char *const units[] = {"a", "\n", "\xc3\xbc", "\xf0\x9f\x98\x80", "\xff", "\\"};

    for (gsize u = 0; u < G_N_ELEMENTS(units); u++)
        for (gsize n = 0; n < 300; n++) {
            g_autoptr(GString) in = g_string_new(NULL);
            g_autofree char *out = NULL;

            for (gsize i = 0; i < n; i++)
                g_string_append(in, units[u]);
            out = escape_text(in->str, ESCAPE_MAX);
            g_assert_cmpuint(strlen(out), <=, ESCAPE_MAX);
            g_assert_true(g_utf8_validate(out, -1, NULL));
            if (strcmp(units[u], "a") == 0)
                g_assert_cmpint(g_str_has_suffix(out, "..."), ==, n > ESCAPE_MAX);
        }
}

static void
test_exact(void)
{
    g_autofree char *fits = escape_text("abcdef", 6);
    g_autofree char *cut = escape_text("abcdefg", 6);
    g_autofree char *whole = escape_text("abc\n", 6); /* the escape does not fit */

    g_assert_cmpstr(fits, ==, "abcdef");
    g_assert_cmpstr(cut, ==, "abc...");
    g_assert_cmpstr(whole, ==, "abc...");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/escape/table", test_table);
    g_test_add_func("/escape/nothing", test_nothing);
    g_test_add_func("/escape/zero-byte", test_zero_byte);
    g_test_add_func("/escape/bound", test_bound);
    g_test_add_func("/escape/exact", test_exact);
    return g_test_run();
}
