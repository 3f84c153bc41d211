/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Ledger: a bounded map from sources, and identities that they claimed, to what is known about
 * them. Each entry expires at a time. When the ledger is full, a new entry replaces an expired one.
 * An entry that has not expired is never dropped, however many new ones come (requirement R4). One
 * thread, or a lock around it; times are µs, monotonic. */
#pragma once

#include "hub/edge/source.h"

#define LEDGER_NAME 16

typedef struct Ledger Ledger;

typedef struct {
    Source source;
    guint8 name[LEDGER_NAME]; /* a hash of an identity; all zero: the source itself */
} LedgerKey;

/* The beginning of each entry. What follows belongs to the user of the ledger, and is zero at
 * first. */
typedef struct {
    LedgerKey key;
    gint64 until; /* read only: ledger_set_until changes it */
    GSequenceIter *place;
} LedgerEntry;

/* SIZE: of an entry. GONE (may be NULL) is called before an entry is freed. */
typedef void (*LedgerGone)(LedgerEntry *entry, void *data);
Ledger *ledger_new(guint max, gsize size, LedgerGone gone, void *data);
void ledger_free(Ledger *ledger);

/* IDENTITY NULL: the source itself. */
LedgerKey ledger_key(const Source *source, const char *identity);

void *ledger_find(Ledger *ledger, const LedgerKey *key); /* NULL: it is not there */

/* The entry of KEY. If there is none it is made, already expired (until NOW). NULL: the ledger is
 * full and no entry has expired. */
void *ledger_want(Ledger *ledger, const LedgerKey *key, gint64 now);

void ledger_set_until(Ledger *ledger, void *entry, gint64 until);
void ledger_remove(Ledger *ledger, void *entry);

/* Removes what has not been in force since BEFORE. */
void ledger_trim(Ledger *ledger, gint64 before);

/* Removes every entry of IDENTITY, whatever its source. */
void ledger_remove_identity(Ledger *ledger, const char *identity);

guint ledger_size(const Ledger *ledger);
guint ledger_in_force(const Ledger *ledger, gint64 now); /* entries that have not expired */

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Ledger, ledger_free)
