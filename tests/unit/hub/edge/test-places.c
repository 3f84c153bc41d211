/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who has to give way when there is no place, at each bound and one past it. */
#include "hub/edge/places.h"

#define NOW G_TIME_SPAN_HOUR
#define ROOM 8
#define NEVER G_MAXUINT32 /* a random number that nobody is dropped by */

typedef struct {
    Places *places;
    Place all[4 * ROOM];
    guint count; /* of those that were taken */
} Fixture;

static void
fixture_setup(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    f->places = places_new(ROOM);
}

static void
fixture_teardown(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    for (guint i = 0; i < f->count; i++) {
        places_leave(f->places, &f->all[i]);
        places_leave(f->places, &f->all[i]);
    }
    g_assert_cmpuint(places_taken(f->places), ==, 0);
    places_free(f->places);
}

/* NULL: there was none. */
static Place *
take(Fixture *f, const char *peer, gboolean known, gint64 now, guint32 random)
{
    const PlaceWish wish = {.fd = -1,
                            .source = source_of_peer(peer),
                            .known = known,
                            .per_source = 2,
                            .factor = 3,
                            .now = now,
                            .random = random};
    Place *place = &f->all[f->count];

    g_assert_cmpuint(f->count, <, G_N_ELEMENTS(f->all));
    if (!places_take(f->places, place, &wish))
        return NULL;
    f->count++;
    return place;
}

static gboolean
is_there(const Place *place)
{
    return place->n_groups > 0;
}

/* Fills what is left, a source for each. */
static Place *
fill(Fixture *f, guint count, gint64 now)
{
    Place *first = &f->all[f->count];

    for (guint i = 0; i < count; i++) {
        g_autofree char *peer = g_strdup_printf("198.51.100.%u:1", i);

        g_assert_nonnull(take(f, peer, FALSE, now, NEVER));
    }
    return first;
}

/* Each has one: nobody gives way before its time, and then the oldest does, by the microsecond. */
static void
test_all_alike(Fixture *f, gconstpointer data)
{
    Place *first = fill(f, 1, NOW);

    for (guint i = 1; i < ROOM; i++) {
        g_autofree char *peer = g_strdup_printf("192.0.2.%u:1", i);

        g_assert_nonnull(take(f, peer, FALSE, NOW + 1, NEVER));
    }
    g_assert_cmpuint(places_taken(f->places), ==, ROOM);
    g_assert_null(take(f, "203.0.113.1:1", FALSE, NOW + PLACE_PATIENCE - 1, NEVER));
    g_assert_true(is_there(first));
    g_assert_nonnull(take(f, "203.0.113.1:1", FALSE, NOW + PLACE_PATIENCE, NEVER));
    g_assert_false(is_there(first));
    g_assert_cmpuint(places_taken(f->places), ==, ROOM);
    g_assert_null(take(f, "203.0.113.2:1", FALSE, NOW + PLACE_PATIENCE, NEVER));
}

/* Of him who has the most the oldest one goes, whoever is the oldest of all, and at once. */
static void
test_most_gives_way(Fixture *f, gconstpointer data)
{
    Place *old = take(f, "192.0.2.1:1", FALSE, NOW, NEVER);
    Place *one = take(f, "192.0.2.2:1", FALSE, NOW + 1, NEVER);
    Place *two = take(f, "192.0.2.2:1", FALSE, NOW + 2, NEVER);

    (void)fill(f, ROOM - 3, NOW + 3);
    g_assert_nonnull(take(f, "203.0.113.1:1", FALSE, NOW + 4, NEVER));
    g_assert_false(is_there(one));
    g_assert_true(is_there(two) && is_there(old));
    /* Now all have one: nobody has more than a newcomer would. */
    g_assert_null(take(f, "203.0.113.2:1", FALSE, NOW + 4, NEVER));
}

/* A source at its limit makes room for its own with its own, when that has had its time. */
static void
test_own_limit(Fixture *f, gconstpointer data)
{
    Place *one = take(f, "192.0.2.1:1", FALSE, NOW, NEVER);
    Place *two = take(f, "192.0.2.1:2", FALSE, NOW + 1, NEVER);

    g_assert_null(take(f, "192.0.2.1:3", FALSE, NOW + PLACE_PATIENCE - 1, NEVER));
    g_assert_nonnull(take(f, "192.0.2.1:3", FALSE, NOW + PLACE_PATIENCE, NEVER));
    g_assert_false(is_there(one));
    g_assert_true(is_there(two));
    g_assert_null(take(f, "192.0.2.1:4", FALSE, NOW + PLACE_PATIENCE, NEVER));
    places_leave(f->places, two);
    g_assert_nonnull(take(f, "192.0.2.1:4", FALSE, NOW + PLACE_PATIENCE, NEVER));
}

/* Known: six instead of two, and by itself: what is around it does not count. */
static void
test_known(Fixture *f, gconstpointer data)
{
    for (guint i = 0; i < 6; i++)
        g_assert_nonnull(take(f, "[2001:db8::1]:1", TRUE, NOW, NEVER));
    g_assert_null(take(f, "[2001:db8::1]:1", TRUE, NOW, NEVER));
    /* Strangers of its /56, which may have four: it takes none of theirs. */
    g_assert_nonnull(take(f, "[2001:db8:0:1::1]:1", FALSE, NOW, NEVER));
    g_assert_nonnull(take(f, "[2001:db8:0:1::1]:1", FALSE, NOW, NEVER));
    g_assert_cmpuint(places_taken(f->places), ==, ROOM);
}

static void
test_known_neighbours(Fixture *f, gconstpointer data)
{
    for (guint i = 0; i < ROOM; i++) {
        g_autofree char *peer = g_strdup_printf("[2001:db8:0:%x::1]:1", i / 2);

        g_assert_nonnull(take(f, peer, TRUE, NOW, NEVER));
    }
}

/* A known one weighs a third: of two known and one stranger the stranger gives way. */
static void
test_known_weighs_less(Fixture *f, gconstpointer data)
{
    Place *stranger = take(f, "192.0.2.1:1", FALSE, NOW, NEVER);
    Place *known = take(f, "192.0.2.2:1", TRUE, NOW, NEVER);

    for (guint i = 2; i < ROOM; i++)
        g_assert_nonnull(take(f, i % 2 ? "192.0.2.3:1" : "192.0.2.4:1", TRUE, NOW, NEVER));
    g_assert_nonnull(take(f, "192.0.2.5:1", TRUE, NOW, NEVER));
    g_assert_false(is_there(stranger));
    g_assert_true(is_there(known));
}

/* From half of the places on: who has more than the others on the average, by the lowest random
 * number; never a known one, never the first of a source, never one that has less. */
static void
test_early_drop(Fixture *f, gconstpointer data)
{
    g_assert_nonnull(take(f, "192.0.2.1:1", FALSE, NOW, 0));
    g_assert_nonnull(take(f, "192.0.2.1:1", FALSE, NOW, 0));
    g_assert_nonnull(take(f, "192.0.2.2:1", FALSE, NOW, 0));
    g_assert_nonnull(take(f, "192.0.2.3:1", TRUE, NOW, 0)); /* half */
    g_assert_nonnull(take(f, "192.0.2.3:1", TRUE, NOW, 0));
    /* Five of three sources: a second one would be more than the average. */
    g_assert_null(take(f, "192.0.2.2:1", FALSE, NOW, 0));
    g_assert_nonnull(take(f, "192.0.2.2:1", FALSE, NOW, 1));
    g_assert_nonnull(take(f, "192.0.2.4:1", FALSE, NOW, 0));
    g_assert_nonnull(take(f, "192.0.2.3:1", TRUE, NOW, 0));
}

/* Who has less than the average may have one more. */
static void
test_fewer_are_not_dropped(Fixture *f, gconstpointer data)
{
    for (guint i = 0; i < 5; i++)
        g_assert_nonnull(take(f, "192.0.2.1:1", TRUE, NOW, 0));
    g_assert_nonnull(take(f, "192.0.2.2:1", FALSE, NOW, 0));
    g_assert_nonnull(take(f, "192.0.2.2:1", FALSE, NOW, 0)); /* two of six and two sources */
}

static void
test_none(void)
{
    Fixture f = {.places = places_new(0)};

    g_assert_null(take(&f, "192.0.2.1:1", FALSE, NOW, NEVER));
    g_assert_null(take(&f, "192.0.2.1:1", TRUE, NOW + PLACE_PATIENCE, NEVER));
    places_free(f.places);
    places_free(NULL);
}

#define ADD(path, func)                                                                            \
    g_test_add("/places/" path, Fixture, NULL, fixture_setup, func, fixture_teardown)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("all-alike", test_all_alike);
    ADD("most-gives-way", test_most_gives_way);
    ADD("own-limit", test_own_limit);
    ADD("known", test_known);
    ADD("known-neighbours", test_known_neighbours);
    ADD("known-weighs-less", test_known_weighs_less);
    ADD("early-drop", test_early_drop);
    ADD("fewer-are-not-dropped", test_fewer_are_not_dropped);
    g_test_add_func("/places/none", test_none);
    return g_test_run();
}
