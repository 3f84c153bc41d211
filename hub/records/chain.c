/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/records/chain.h"

#include <string.h>

#define BEFORE ",\"hash\":\""
#define AFTER "\"}\n"

void
chain_append(Chain *chain, GString *out, const char *record, gsize len)
{
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);

    g_checksum_update(sum, (const guchar *)chain->head, CHAIN_HASH);
    g_checksum_update(sum, (const guchar *)record, (gssize)len);
    g_strlcpy(chain->head, g_checksum_get_string(sum), sizeof chain->head);
    g_string_append_len(out, record, (gssize)len);
    g_string_append(out, BEFORE);
    g_string_append_len(out, chain->head, CHAIN_HASH);
    g_string_append(out, AFTER);
}

static gboolean
is_hash(const char *text)
{
    for (guint i = 0; i < CHAIN_HASH; i++)
        if (!g_ascii_isdigit(text[i]) && (text[i] < 'a' || text[i] > 'f'))
            return FALSE;
    return TRUE;
}

/* Whether the LEN bytes before END, which is behind a newline, end as a record does. */
static gboolean
ends_record(const char *end, gsize len)
{
    return len > CHAIN_TAIL && memcmp(end - strlen(AFTER), AFTER, strlen(AFTER)) == 0 &&
           memcmp(end - CHAIN_TAIL, BEFORE, strlen(BEFORE)) == 0 &&
           is_hash(end - strlen(AFTER) - CHAIN_HASH);
}

/* Behind the last newline in TEXT; 0: there is none. */
static gsize
after_newline(const char *text, gsize len)
{
    const char *newline = len > 0 ? memrchr(text, '\n', len) : NULL;

    return newline ? (gsize)(newline - text) + 1 : 0;
}

ChainTail
chain_tail(const char *text, gsize len)
{
    ChainTail tail = {.chain = {CHAIN_NONE}};
    gsize whole = after_newline(text, len), record = whole, first;

    while (record > 0 && !ends_record(text + record, record))
        record = after_newline(text, record - 1);
    if (record > 0)
        memcpy(tail.chain.head, text + record - strlen(AFTER) - CHAIN_HASH, CHAIN_HASH);
    tail.open = whole < len;
    tail.torn = record < len;
    first = record + (gsize)(strchrnul(text + record, '\n') - (text + record)) + 1;
    if (tail.open && first < len)
        tail.surplus = len - first;
    return tail;
}
