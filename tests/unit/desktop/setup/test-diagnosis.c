/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What Diagnose answers, in words, and as a text to send. */
#include "desktop/setup/diagnosis.h"

static const char checks[] =
    "[('dns', 'ok', {'host': <'hub'>, 'addresses': <'10.0.0.1'>, 'time': <uint64 3000>}),"
    " ('proxy', 'skipped', {'why': <'none'>}),"
    " ('tcp', 'failed', {'cause': <'refused'>, 'message': <'nobody\\nlistens'>}),"
    " ('tls', 'skipped', {'why': <'earlier'>}),"
    " ('moon', 'failed', {'cause': <'eclipse'>, 'message': <'too dark'>}),"
    " ('sun', 'skipped', {'why': <'night'>})]";

static void
test_words(void)
{
    g_autoptr(GVariant) variant =
        g_variant_parse(G_VARIANT_TYPE("a(ssa{sv})"), checks, NULL, NULL, NULL);
    g_autoptr(GPtrArray) rows = diagnosis_read(variant);
    g_autofree char *text = diagnosis_text("Hub office", rows);

    g_assert_cmpuint(diagnosis_failures(rows), ==, 2);
    g_assert_cmpstr(text, ==,
                    "Hub office\n"
                    "Name: ok, hub: 10.0.0.1\n"
                    "Proxy: skipped, there is none\n"
                    "Connection: failed, nobody\uFFFDlistens\n"
                    "  What helps: Nothing listens there: is the hub running, and is this its "
                    "port?\n"
                    "TLS: skipped, an earlier step failed\n"
                    "moon: failed, too dark\n"
                    "sun: skipped, night\n");
    g_assert_null(diagnosis_cure("eclipse"));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/diagnosis/words", test_words);
    return g_test_run();
}
