/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The hub's streams under a script of events (docs/wire-protocol.md, section 4a).
 * Input: what the script is drawn from, byte by byte. */
#include "tests/unit/hub/stream/streams-script.h"

#include <stdint.h>

#define INPUT_MAX 2048

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(GHashTable) tally = g_hash_table_new(NULL, NULL);

    streams_script_run(data, MIN(size, INPUT_MAX), tally);
    return 0;
}
