/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who has to go when a ledger is full, who never does, and when that is. */
#include "hub/edge/ledger.h"

#define ROOM 4
#define NOW G_TIME_SPAN_HOUR

typedef struct {
    LedgerEntry entry;
    guint number;
} Entry;

typedef struct {
    Ledger *ledger;
    GString *gone; /* the numbers of those that went */
} Fixture;

static void
entry_gone(LedgerEntry *entry, void *data)
{
    g_string_append_printf(data, "%u ", ((Entry *)entry)->number);
}

static void
fixture_setup(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    f->gone = g_string_new(NULL);
    f->ledger = ledger_new(ROOM, sizeof(Entry), entry_gone, f->gone);
}

static void
fixture_teardown(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    ledger_free(f->ledger);
    g_string_free(f->gone, TRUE);
}

static void
expect_gone(Fixture *f, const char *numbers, guint left)
{
    g_assert_cmpstr(f->gone->str, ==, numbers);
    g_assert_cmpuint(ledger_size(f->ledger), ==, left);
    g_string_truncate(f->gone, 0);
}

static LedgerKey
key_of(guint number, const char *identity)
{
    g_autofree char *peer = g_strdup_printf("192.0.2.%u:1", number);
    const Source source = source_of_peer(peer);

    return ledger_key(&source, identity);
}

static Entry *
want(Fixture *f, guint number, const char *identity, gint64 now)
{
    const LedgerKey key = key_of(number, identity);
    Entry *entry = ledger_want(f->ledger, &key, now);

    if (entry)
        entry->number = number;
    return entry;
}

static void
add(Fixture *f, guint number, gint64 until)
{
    Entry *entry = want(f, number, NULL, NOW);

    g_assert_nonnull(entry);
    ledger_set_until(f->ledger, entry, until);
}

static gboolean
is_there(Fixture *f, guint number)
{
    const LedgerKey key = key_of(number, NULL);

    return ledger_find(f->ledger, &key) != NULL;
}

/* All are in force: nobody goes, however often one more asks. At the very end of the first it goes,
 * and it alone. */
static void
test_full(Fixture *f, gconstpointer data)
{
    add(f, 1, NOW + 40);
    add(f, 2, NOW + 10);
    add(f, 3, NOW + 30);
    g_assert_nonnull(want(f, 3, NULL, NOW)); /* it is there already */
    add(f, 4, NOW + 20);
    for (guint i = 0; i < 100; i++)
        g_assert_null(want(f, 5, NULL, NOW + 9));
    expect_gone(f, "", ROOM);
    g_assert_nonnull(want(f, 3, NULL, NOW));
    g_assert_nonnull(want(f, 5, NULL, NOW + 10));
    expect_gone(f, "2 ", ROOM);
    /* The new one is not in force yet: it is the next to go. */
    g_assert_nonnull(want(f, 6, NULL, NOW + 11));
    expect_gone(f, "5 ", ROOM);
    g_assert_true(is_there(f, 1) && is_there(f, 3) && is_there(f, 4) && is_there(f, 6));
}

/* The one that ends first goes first, whoever came first, and after its time was moved. */
static void
test_order(Fixture *f, gconstpointer data)
{
    for (guint i = 1; i <= ROOM; i++)
        add(f, i, NOW + 10 * (gint64)i);
    add(f, 1, NOW + 35);
    add(f, 4, NOW + 25);
    for (guint i = 0; i < ROOM; i++) {
        Entry *entry = want(f, 11 + i, NULL, NOW + 40);

        g_assert_nonnull(entry);
        ledger_set_until(f->ledger, entry, NOW + 100);
    }
    expect_gone(f, "2 4 3 1 ", ROOM);
    g_assert_null(want(f, 20, NULL, NOW + 99));
}

/* What has ended at the moment, or before, goes; one that ends 1 µs later stays. */
static void
test_trim(Fixture *f, gconstpointer data)
{
    add(f, 1, NOW + 12);
    add(f, 2, NOW + 10);
    add(f, 3, NOW + 11);
    add(f, 4, NOW + 10);
    ledger_trim(f->ledger, NOW + 9);
    expect_gone(f, "", 4);
    ledger_trim(f->ledger, NOW + 11);
    g_assert_cmpuint(ledger_size(f->ledger), ==, 1);
    g_assert_true(is_there(f, 1));
    g_string_truncate(f->gone, 0);
    ledger_trim(f->ledger, NOW + 12);
    expect_gone(f, "1 ", 0);
    ledger_trim(f->ledger, NOW + 12);
    expect_gone(f, "", 0);
}

/* An identity is something else than its source, and another one at another source. */
static void
test_identities(Fixture *f, gconstpointer data)
{
    (void)want(f, 1, NULL, NOW);
    (void)want(f, 1, "dev1", NOW);
    (void)want(f, 1, "dev2", NOW);
    (void)want(f, 2, "dev1", NOW);
    expect_gone(f, "", 4);
    g_assert_true(want(f, 1, "dev1", NOW) != want(f, 1, NULL, NOW));
    ledger_remove_identity(f->ledger, "dev3");
    expect_gone(f, "", 4);
    ledger_remove_identity(f->ledger, "dev1");
    g_assert_cmpuint(ledger_size(f->ledger), ==, 2);
    g_assert_true(is_there(f, 1));
    g_assert_false(is_there(f, 2));
    g_string_truncate(f->gone, 0);
    ledger_remove(f->ledger, want(f, 1, "dev2", NOW));
    expect_gone(f, "1 ", 1);
    ledger_remove_identity(f->ledger, ""); /* not the source itself */
    expect_gone(f, "", 1);
}

/* A new one begins with nothing, also where another one was. */
static void
test_begins_empty(Fixture *f, gconstpointer data)
{
    const LedgerKey key = key_of(9, NULL);
    Entry *entry;

    for (guint i = 1; i <= ROOM; i++)
        add(f, i, NOW);
    entry = ledger_want(f->ledger, &key, NOW + 1);
    g_assert_cmpuint(entry->number, ==, 0);
    g_assert_cmpint(entry->entry.until, ==, NOW + 1);
    ledger_free(g_steal_pointer(&f->ledger));
    g_assert_cmpuint(f->gone->len, ==, 2 * (ROOM + 1)); /* each was told about */
}

/* An entry that ends now has ended; equal ones are all counted or none. */
static void
test_in_force(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    static const gint64 untils[] = {NOW - 1, NOW, NOW, NOW + 1, NOW + 2};

    g_assert_cmpuint(ledger_in_force(f->ledger, NOW), ==, 0);
    for (guint i = 0; i < MIN(G_N_ELEMENTS(untils), ROOM); i++)
        add(f, i + 1, untils[i]);
    g_assert_cmpuint(ledger_in_force(f->ledger, NOW - 2), ==, ledger_size(f->ledger));
    g_assert_cmpuint(ledger_in_force(f->ledger, NOW - 1), ==, ledger_size(f->ledger) - 1);
    g_assert_cmpuint(ledger_in_force(f->ledger, NOW), ==, ledger_size(f->ledger) - 3);
    g_assert_cmpuint(ledger_in_force(f->ledger, NOW + 2), ==, 0);
}

#define ADD(path, func)                                                                            \
    g_test_add("/ledger/" path, Fixture, NULL, fixture_setup, func, fixture_teardown)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("full", test_full);
    ADD("order", test_order);
    ADD("trim", test_trim);
    ADD("identities", test_identities);
    ADD("in-force", test_in_force);
    ADD("begins-empty", test_begins_empty);
    return g_test_run();
}
