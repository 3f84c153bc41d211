/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The hub's streams under random scripts. */
#include "tests/unit/hub/stream/streams-script.h"

#define SCRIPTS 12
#define BYTES (STREAMS_SCRIPT_STEPS * 4)

static void
script_at_random(GHashTable *tally)
{
    guint8 bytes[BYTES];

    for (guint i = 0; i < BYTES; i++)
        bytes[i] = (guint8)g_test_rand_int();
    streams_script_run(bytes, BYTES, tally);
}

/* All that a request may be told came up: so the scripts get everywhere. */
static void
test_random(void)
{
    static const guint statuses[] = {101, 200, 401, 404, 429, 503, 504};
    g_autoptr(GHashTable) tally = g_hash_table_new(NULL, NULL);

    for (guint i = 0; i < SCRIPTS; i++)
        script_at_random(tally);
    for (guint i = 0; i < G_N_ELEMENTS(statuses); i++) {
        gpointer count = g_hash_table_lookup(tally, GUINT_TO_POINTER(statuses[i]));

        g_test_message("%u: %u times", statuses[i], GPOINTER_TO_UINT(count));
        g_assert_nonnull(count);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/streams/random", test_random);
    return g_test_run();
}
