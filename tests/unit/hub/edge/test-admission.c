/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/edge/admission.h"

#define NOW G_TIME_SPAN_HOUR
#define NEVER G_MAXUINT32 /* a random number that no early drop takes, see test_early_drop */

typedef struct {
    Settings *settings;
    Places *places;
} Fixture;

static void
fixture_setup(Fixture *fixture, gconstpointer data)
{
    fixture->settings = settings_new();
    fixture->settings->unauthenticated_max = 64;
    fixture->settings->unauthenticated_per_source = 4;
    fixture->settings->connections_per_second = 10;
    fixture->settings->connections_burst = 20;
    fixture->settings->known_source_factor = 2;
    fixture->places = places_new(fixture->settings);
}

static void
fixture_teardown(Fixture *fixture, gconstpointer data)
{
    g_assert_cmpuint(places_total(fixture->places), ==, 0);
    g_assert_cmpuint(places_waiting(fixture->places), ==, 0);
    places_free(fixture->places);
    settings_free(fixture->settings);
}

static guint
take(Fixture *fixture, Place *places, guint count, const char *address, gint64 now)
{
    guint taken = 0;

    for (guint i = 0; i < count; i++)
        taken += places_take(fixture->places, &places[i], address, now, NEVER) ? 1 : 0;
    return taken;
}

static void
leave(Fixture *fixture, Place *places, guint count)
{
    for (guint i = 0; i < count; i++) {
        places_leave(fixture->places, &places[i]);
        places_leave(fixture->places, &places[i]);
    }
}

static void
test_per_source(Fixture *fixture, gconstpointer data)
{
    Place one[6] = {0}, other[6] = {0}, more[6] = {0};

    g_assert_cmpuint(take(fixture, one, 6, "192.0.2.1:1000", NOW), ==, 4);
    g_assert_cmpuint(take(fixture, other, 6, "192.0.2.2:1000", NOW), ==, 4);
    g_assert_cmpuint(places_waiting(fixture->places), ==, 8);
    places_authenticated(fixture->places, &one[0], NOW);
    places_authenticated(fixture->places, &one[0], NOW);
    g_assert_cmpuint(places_waiting(fixture->places), ==, 7);
    /* It is known now, and may have twice as many; three of its eight are taken. */
    g_assert_cmpuint(take(fixture, more, 6, "192.0.2.1:2000", NOW), ==, 5);
    leave(fixture, one, 6);
    leave(fixture, other, 6);
    leave(fixture, more, 6);
}

static void
test_sources(Fixture *fixture, gconstpointer data)
{
    static const char *const same[] = {"[2001:db8::1]:1", "[2001:db8::2]:1",
                                       "[2001:db8:0:0:ffff::]:9", "[2001:db8::3]:1"};
    Place places[4] = {0}, another[2] = {0}, mapped[6] = {0};

    for (guint i = 0; i < 4; i++)
        g_assert_cmpuint(take(fixture, &places[i], 1, same[i], NOW), ==, 1);
    g_assert_cmpuint(take(fixture, another, 1, "[2001:db8::4]:1", NOW), ==, 0);
    g_assert_cmpuint(take(fixture, another, 1, "[2001:db8:0:1::1]:1", NOW), ==, 1);
    /* An IPv4 address is one, however it came in. */
    g_assert_cmpuint(take(fixture, mapped, 3, "[::ffff:192.0.2.1]:1", NOW), ==, 3);
    g_assert_cmpuint(take(fixture, mapped + 3, 3, "192.0.2.1:7", NOW), ==, 1);
    leave(fixture, places, 4);
    leave(fixture, another, 2);
    leave(fixture, mapped, 6);
}

static void
test_rate(Fixture *fixture, gconstpointer data)
{
    guint taken = 0;

    for (guint i = 0; i < 40; i++) {
        Place place = {0};

        taken += take(fixture, &place, 1, "192.0.2.1:1", NOW);
        places_leave(fixture->places, &place);
    }
    g_assert_cmpuint(taken, ==, 20);
    for (guint i = 0; i < 40; i++) {
        Place place = {0};

        taken += take(fixture, &place, 1, "192.0.2.1:1", NOW + G_TIME_SPAN_SECOND);
        places_leave(fixture->places, &place);
    }
    g_assert_cmpuint(taken, ==, 30);
}

/* From the half on more and more are dropped, and at the end all. */
static void
test_early_drop(Fixture *fixture, gconstpointer data)
{
    Place places[64] = {0}, extra = {0};
    guint lucky = 31; /* the last of 32 values that is dropped */

    for (guint i = 0; i < 64; i++) {
        g_autofree char *address = g_strdup_printf("192.0.2.%u:1", i);

        if (i < 32)
            g_assert_true(places_take(fixture->places, &places[i], address, NOW, 0));
        else {
            g_assert_cmpint(places_take(fixture->places, &extra, address, NOW, 0), ==, i == 32);
            places_leave(fixture->places, &extra);
            g_assert_true(places_take(fixture->places, &places[i], address, NOW, lucky));
        }
    }
    g_assert_false(places_take(fixture->places, &extra, "198.51.100.1:1", NOW, lucky));
    leave(fixture, places, 64);
}

/* A source that is banned gets no place for a while; others do, and so does one that was known. */
static void
test_ban(Fixture *fixture, gconstpointer data)
{
    PlaceSource bad = places_source("192.0.2.1:1"), good = places_source("192.0.2.3:1");
    gint64 until = NOW + G_TIME_SPAN_MINUTE;
    Place places[3] = {0}, known = {0};

    places_ban(fixture->places, &bad, until, NOW);
    g_assert_cmpuint(take(fixture, &places[0], 1, "192.0.2.1:9", until - 1), ==, 0);
    g_assert_cmpuint(take(fixture, &places[1], 1, "192.0.2.2:1", NOW), ==, 1);
    g_assert_cmpuint(take(fixture, &places[0], 1, "192.0.2.1:9", until), ==, 1);

    g_assert_cmpuint(take(fixture, &known, 1, "192.0.2.3:1", NOW), ==, 1);
    g_assert_false(places_knows(fixture->places, &good));
    places_authenticated(fixture->places, &known, NOW);
    g_assert_true(places_knows(fixture->places, &good));
    places_leave(fixture->places, &known);
    g_assert_false(places_knows(fixture->places, &good));
    places_ban(fixture->places, &good, until, NOW + PLACES_KNOWN - 1);
    g_assert_cmpuint(take(fixture, &places[2], 1, "192.0.2.3:1", NOW), ==, 1);
    places_leave(fixture->places, &places[2]);
    places_ban(fixture->places, &good, NOW + 2 * PLACES_KNOWN, NOW + PLACES_KNOWN);
    g_assert_cmpuint(take(fixture, &places[2], 1, "192.0.2.3:1", NOW + PLACES_KNOWN), ==, 0);
    leave(fixture, places, 3);
}

static void
test_total(Fixture *fixture, gconstpointer data)
{
    Place places[3] = {0};

    fixture->settings->connections_max = 2;
    for (guint i = 0; i < 2; i++) {
        g_assert_cmpuint(take(fixture, &places[i], 1, "unix", NOW), ==, 1);
        places_authenticated(fixture->places, &places[i], NOW);
    }
    g_assert_cmpuint(take(fixture, &places[2], 1, "unix", NOW), ==, 0);
    leave(fixture, places, 3);
}

#define ADD(path, func) g_test_add(path, Fixture, NULL, fixture_setup, func, fixture_teardown)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("/places/per-source", test_per_source);
    ADD("/places/sources", test_sources);
    ADD("/places/rate", test_rate);
    ADD("/places/early-drop", test_early_drop);
    ADD("/places/ban", test_ban);
    ADD("/places/total", test_total);
    return g_test_run();
}
