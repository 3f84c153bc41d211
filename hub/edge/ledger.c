/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/edge/ledger.h"

#include <string.h>

struct Ledger {
    guint max;
    gsize size;
    LedgerGone gone;
    void *data;
    GHashTable *entries;  /* by the key inside the entry */
    GSequence *by_expiry; /* of the entries, the one that ends first comes first */
};

static guint
key_hash(gconstpointer data)
{
    const LedgerKey *key = data;
    guint name = 0;

    memcpy(&name, key->name, sizeof name);
    return source_hash(&key->source) ^ name;
}

static gboolean
key_equal(gconstpointer a, gconstpointer b)
{
    return memcmp(a, b, sizeof(LedgerKey)) == 0;
}

static int
entry_compare(gconstpointer a, gconstpointer b, gpointer data G_GNUC_UNUSED)
{
    const LedgerEntry *one = a, *other = b;

    return (one->until > other->until) - (one->until < other->until);
}

Ledger *
ledger_new(guint max, gsize size, LedgerGone gone, void *data)
{
    Ledger *ledger = g_new0(Ledger, 1);

    ledger->max = max;
    ledger->size = size;
    ledger->gone = gone;
    ledger->data = data;
    ledger->entries = g_hash_table_new_full(key_hash, key_equal, NULL, NULL);
    ledger->by_expiry = g_sequence_new(NULL);
    return ledger;
}

void
ledger_remove(Ledger *ledger, void *data)
{
    LedgerEntry *entry = data;

    if (ledger->gone)
        ledger->gone(entry, ledger->data);
    g_hash_table_remove(ledger->entries, &entry->key);
    g_sequence_remove(entry->place);
    g_free(entry);
}

/* The entry that ends first, or NULL. */
static LedgerEntry *
ledger_first(const Ledger *ledger)
{
    GSequenceIter *first = g_sequence_get_begin_iter(ledger->by_expiry);

    return g_sequence_iter_is_end(first) ? NULL : g_sequence_get(first);
}

void
ledger_free(Ledger *ledger)
{
    LedgerEntry *entry;

    if (!ledger)
        return;
    while ((entry = ledger_first(ledger)))
        ledger_remove(ledger, entry);
    g_hash_table_unref(ledger->entries);
    g_sequence_free(ledger->by_expiry);
    g_free(ledger);
}

/* Strangers choose the names, of any length: so only digests are kept. */
static void
identity_name(const char *identity, guint8 ret[LEDGER_NAME])
{
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
    guint8 whole[32];
    gsize len = sizeof whole;

    g_checksum_update(sum, (const guchar *)identity, (gssize)strlen(identity));
    g_checksum_get_digest(sum, whole, &len);
    memcpy(ret, whole, LEDGER_NAME);
}

LedgerKey
ledger_key(const Source *source, const char *identity)
{
    LedgerKey key = {.source = *source};

    if (identity)
        identity_name(identity, key.name);
    return key;
}

void *
ledger_find(Ledger *ledger, const LedgerKey *key)
{
    return g_hash_table_lookup(ledger->entries, key);
}

void *
ledger_want(Ledger *ledger, const LedgerKey *key, gint64 now)
{
    LedgerEntry *entry = ledger_find(ledger, key);

    if (entry)
        return entry;
    if (ledger_size(ledger) >= ledger->max) {
        LedgerEntry *first = ledger_first(ledger);

        if (!first || first->until > now)
            return NULL;
        ledger_remove(ledger, first);
    }
    entry = g_malloc0(ledger->size);
    entry->key = *key;
    entry->until = now;
    entry->place = g_sequence_insert_sorted(ledger->by_expiry, entry, entry_compare, NULL);
    g_hash_table_insert(ledger->entries, &entry->key, entry);
    return entry;
}

void
ledger_set_until(Ledger *ledger G_GNUC_UNUSED, void *data, gint64 until)
{
    LedgerEntry *entry = data;

    entry->until = until;
    g_sequence_sort_changed(entry->place, entry_compare, NULL);
}

void
ledger_trim(Ledger *ledger, gint64 before)
{
    LedgerEntry *entry;

    while ((entry = ledger_first(ledger)) && entry->until <= before)
        ledger_remove(ledger, entry);
}

void
ledger_remove_identity(Ledger *ledger, const char *identity)
{
    GSequenceIter *iter = g_sequence_get_begin_iter(ledger->by_expiry);
    guint8 name[LEDGER_NAME];

    identity_name(identity, name);
    while (!g_sequence_iter_is_end(iter)) {
        LedgerEntry *entry = g_sequence_get(iter);

        iter = g_sequence_iter_next(iter);
        if (memcmp(entry->key.name, name, sizeof name) == 0)
            ledger_remove(ledger, entry);
    }
}

guint
ledger_size(const Ledger *ledger)
{
    return g_hash_table_size(ledger->entries);
}

/* In the order of the ledger: where an entry that ends now would stand. */
static gint
entry_ends_after(gconstpointer a, gconstpointer b G_GNUC_UNUSED, gpointer now)
{
    return ((const LedgerEntry *)a)->until > *(const gint64 *)now ? 1 : -1;
}

guint
ledger_in_force(const Ledger *ledger, gint64 now)
{
    GSequenceIter *first = g_sequence_search(ledger->by_expiry, NULL, entry_ends_after, &now);

    return (guint)(g_sequence_get_length(ledger->by_expiry) - g_sequence_iter_get_position(first));
}
