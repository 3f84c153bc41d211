/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The tables of the admission when they are full: who is put out of them, and who never is. */
#include "tests/unit/hub/edge/admission-fixture.h"

#include "hub/edge/ledger.h"

#define INVENTED 200000

Ledger *__real_ledger_new(guint max, gsize size, LedgerGone gone, void *data);
Ledger *__wrap_ledger_new(guint max, gsize size, LedgerGone gone, void *data);

static guint room; /* of each table; 0: what it should have */

Ledger *
__wrap_ledger_new(guint max, gsize size, LedgerGone gone, void *data)
{
    return __real_ledger_new(room > 0 ? room : max, size, gone, data);
}

/* 200,000 sources are let in: 65,536 are known each for itself, the old one still, and the others
 * by their /32. */
static void
test_many_known(Fixture *f, gconstpointer data)
{
    /* One that has been there for longer than the others are known. */
    g_assert_cmpuint(take(f, 1, "203.0.113.8:1", NOW), ==, 1);
    slot_authenticated(f->slots->pdata[0], NOW - 2 * f->settings->known_source_time);
    make_known(f, "203.0.113.9:1", NOW);
    f->settings->connections_burst = 1000000;
    for (guint i = 0; i < INVENTED; i++) {
        g_autofree char *peer = g_strdup_printf("[2001:%x:%x:%x::1]:1", i % 16, i / 256, i % 256);

        make_known(f, peer, NOW + 1);
    }
    g_assert_true(is_known(f, "203.0.113.8:1", NOW + 1));
    g_assert_true(is_known(f, "203.0.113.9:1", NOW + 1));
    g_assert_true(is_known(f, "[2001:f:ffff:fff::1]:1", NOW + 1));
    g_assert_false(is_known(f, "[2001:10:ffff:fff::1]:1", NOW + 1));
}

/* One connection from each /64 of a /48: what is held against others is held still, and the /48 as
 * a whole comes no faster than it may. */
static void
test_flood_of_sources(Fixture *f, gconstpointer data)
{
    guint taken = 0;

    slow(f, "192.0.2.1:1", 0, NOW + G_TIME_SPAN_HOUR);
    for (guint i = 0; i < 65536; i++) {
        g_autofree char *peer = g_strdup_printf("[2001:db8:0:%x::1]:1", i);

        taken += take_and_go(f, 1, peer, NOW);
    }
    g_assert_cmpuint(taken, ==, 4 * 20);
    for (guint i = 0; i < INVENTED; i++) {
        g_autofree char *peer =
            g_strdup_printf("[2002:%x:%x:%x::1]:1", i / 65536, i % 65536, i % 256);

        (void)take_and_go(f, 1, peer, NOW);
    }
    g_assert_cmpuint(take_and_go(f, 20, "192.0.2.1:1", NOW), ==, 2);
}

#define ROOM 16
#define APART (SECOND / 8) /* so that how fast they come is in nobody's way */

static Slot *
take_live(Fixture *f, const char *peer, gint64 now)
{
    Slot *slot = admission_take(f->admission, -1, peer, now, NEVER);

    g_assert_nonnull(slot);
    slot_authenticated(slot, now);
    return slot;
}

/* As many sources are connected as can be known, and as many regions have been: one that found no
 * room for itself does not take what another one of its region got after it. */
static void
test_no_room_at_all(Fixture *f, gconstpointer data)
{
    gint64 day = f->settings->known_source_time;
    Slot *homeless, *later;

    room = ROOM;
    admission_free(f->admission);
    f->admission = admission_new(f->settings);
    room = 0;
    for (guint i = 0; i < ROOM; i++) {
        g_autofree char *peer = g_strdup_printf("[2001:db8:%x::1]:1", i);

        g_ptr_array_add(f->slots, take_live(f, peer, NOW + i * APART));
    }
    for (guint i = 0; i < ROOM; i++) {
        g_autofree char *peer = g_strdup_printf("[2002:%x::1]:1", i);

        make_known(f, peer, NOW + (ROOM + i) * APART);
    }
    homeless = take_live(f, "[2a00:1::1]:1", NOW + day - 1);
    g_assert_false(is_known(f, "[2a00:1::1]:1", NOW + day - 1));
    later = take_live(f, "[2a00:1::1]:1", NOW + 2 * day);
    g_assert_true(is_known(f, "[2a00:1::1]:1", NOW + 4 * day));
    slot_leave(homeless, NOW + 2 * day);
    slot_unref(homeless);
    g_assert_true(is_known(f, "[2a00:1::1]:1", NOW + 4 * day));
    g_ptr_array_add(f->slots, later);
}

#define ADD(path, func) g_test_add(path, Fixture, NULL, fixture_setup, func, fixture_teardown)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("/admission-full/many-known", test_many_known);
    ADD("/admission-full/flood-of-sources", test_flood_of_sources);
    ADD("/admission-full/no-room-at-all", test_no_room_at_all);
    return g_test_run();
}
