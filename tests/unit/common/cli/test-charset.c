/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/cli/charset.h"

static void
test_convert(void)
{
    static const struct {
        const char *text, *charset, *wanted;
    } rows[] = {
        {"plain", "ANSI_X3.4-1968", "plain"},
        {"gr\u00fc\u00df\u2026", "ISO-8859-1", "gr\xfc\xdf?"},
        {"gr\u00fc\u00df", "ANSI_X3.4-1968", "gr??"},
        {"\u65e5\u672c", "ISO-8859-1", "????"}, /* two columns each */
        {"e\u0301", "ISO-8859-1", "e"},         /* none */
        {"\u65e5", "GB18030", "\xc8\xd5"},
        {"\u03b1", "ISO-8859-7", "\xe1"},
        {"x\xff", "ISO-8859-1", "x?"}, /* invalid */
        {"\033[1mx", "ISO-8859-1", "\033[1mx"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *converted = charset_convert(rows[i].text, rows[i].charset);

        g_assert_cmpstr(converted, ==, rows[i].wanted);
    }
}

static void
test_has(void)
{
    g_assert_true(charset_has("GB18030", "\u2026"));
    g_assert_true(charset_has("UTF-8", "\u2026"));
    g_assert_false(charset_has("ISO-8859-1", "\u2026"));
    g_assert_false(charset_has("ANSI_X3.4-1968", "\u00fc"));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/charset/convert", test_convert);
    g_test_add_func("/charset/has", test_has);
    return g_test_run();
}
