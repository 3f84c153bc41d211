/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/edge/penalties.h"

#include "hub/edge/ledger.h"

typedef struct {
    LedgerEntry entry; /* in force while the penalty lasts */
    guint failures;
} Penalty;

struct Penalties {
    const Settings *settings;
    Ledger *own;
    Ledger *shared;     /* by region, for failures without room in `own` */
    GHashTable *counts; /* Source, at each level -> how many entries it has in `own` */
};

static guint
count_of(Penalties *penalties, const Source *source)
{
    return GPOINTER_TO_UINT(g_hash_table_lookup(penalties->counts, source));
}

static void
count_change(Penalties *penalties, const Source *source, int by)
{
    for (guint level = 0; level < source_levels(source); level++) {
        Source wider = source_at_level(source, level);
        guint count = count_of(penalties, &wider) + (guint)by;

        if (count == 0)
            g_hash_table_remove(penalties->counts, &wider);
        else
            g_hash_table_insert(penalties->counts, g_memdup2(&wider, sizeof wider),
                                GUINT_TO_POINTER(count));
    }
}

static void
penalty_gone(LedgerEntry *entry, void *data)
{
    count_change(data, &entry->key.source, -1);
}

Penalties *
penalties_new(const Settings *settings)
{
    Penalties *penalties = g_new0(Penalties, 1);

    penalties->settings = settings;
    penalties->own = ledger_new(PENALTIES_MAX, sizeof(Penalty), penalty_gone, penalties);
    penalties->shared = ledger_new(PENALTIES_MAX, sizeof(Penalty), NULL, NULL);
    penalties->counts = g_hash_table_new_full(source_hash, source_equal, g_free, NULL);
    return penalties;
}

void
penalties_free(Penalties *penalties)
{
    if (!penalties)
        return;
    ledger_free(penalties->own);
    ledger_free(penalties->shared);
    g_hash_table_unref(penalties->counts);
    g_free(penalties);
}

/* The entry that counts for the identity: its own, that of its source, or of its region. */
static Penalty *
penalty_find(Penalties *penalties, const Source *source, const char *identity)
{
    const LedgerKey own = ledger_key(source, identity), all = ledger_key(source, NULL);
    const Source region = source_region(source);
    const LedgerKey shared = ledger_key(&region, NULL);
    Penalty *penalty = ledger_find(penalties->own, &own);

    if (!penalty)
        penalty = ledger_find(penalties->own, &all);
    return penalty ? penalty : ledger_find(penalties->shared, &shared);
}

gint64
penalties_wait(Penalties *penalties, const Source *source, const char *identity, gint64 now)
{
    const Penalty *penalty = penalty_find(penalties, source, identity);

    return penalty ? MAX(penalty->entry.until - now, 0) : 0;
}

/* The entry that a failure is added to; it is made if there is room. */
static Penalty *
penalty_want(Penalties *penalties, const Source *source, const char *identity, gint64 now)
{
    const LedgerKey own = ledger_key(source, identity), all = ledger_key(source, NULL);
    gboolean apart =
        ledger_find(penalties->own, &own) || count_of(penalties, source) < PENALTIES_APART;
    const LedgerKey *key = apart ? &own : &all;
    gboolean old = ledger_find(penalties->own, key) != NULL;
    Penalty *penalty = ledger_want(penalties->own, key, now);

    if (penalty && !old)
        count_change(penalties, source, 1);
    return penalty;
}

static void
penalty_extend(const Settings *settings, Ledger *ledger, Penalty *penalty, gint64 now)
{
    gint64 length = settings->penalty << MIN(penalty->failures, 20U);

    penalty->failures++;
    ledger_set_until(ledger, penalty, now + MIN(length, settings->penalty_max));
}

void
penalties_failed(Penalties *penalties, const Source *source, const char *identity, gint64 now)
{
    const Settings *settings = penalties->settings;
    const Source region = source_region(source);
    const LedgerKey key = ledger_key(&region, NULL);
    Penalty *penalty;

    if (settings->penalty == 0)
        return;
    ledger_trim(penalties->own, now - settings->penalty_max);
    ledger_trim(penalties->shared, now - settings->penalty_max);
    penalty = penalty_want(penalties, source, identity, now);
    if (penalty) {
        penalty_extend(settings, penalties->own, penalty, now);
        return;
    }
    penalty = ledger_want(penalties->shared, &key, now);
    if (penalty) /* IPv4 has fewer regions than entries; IPv6 without room goes free */
        penalty_extend(settings, penalties->shared, penalty, now);
}

void
penalties_passed(Penalties *penalties, const Source *source, const char *identity)
{
    const LedgerKey key = ledger_key(source, identity);
    Penalty *penalty = ledger_find(penalties->own, &key);

    if (penalty)
        ledger_remove(penalties->own, penalty);
}

gboolean
penalties_guesses(Penalties *penalties, const Source *source)
{
    const LedgerKey key = ledger_key(source, NULL);
    const Penalty *shared = ledger_find(penalties->shared, &key);
    guint identities = count_of(penalties, source);

    return MAX(identities, shared ? shared->failures : 0) >=
           penalties->settings->penalty_identities;
}

void
penalties_forgive(Penalties *penalties, const char *identity)
{
    ledger_remove_identity(penalties->own, identity);
}

guint
penalties_in_force(const Penalties *penalties, gint64 now)
{
    return ledger_in_force(penalties->own, now) + ledger_in_force(penalties->shared, now);
}

guint
penalties_size(const Penalties *penalties)
{
    return ledger_size(penalties->own) + ledger_size(penalties->shared);
}
