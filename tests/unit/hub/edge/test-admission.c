/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/edge/admission.h"

#define NOW G_TIME_SPAN_HOUR
#define NEVER G_MAXUINT32 /* a random number that no early drop takes, see test_early_drop */

typedef struct {
    Settings *settings;
    Admission *admission;
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
    fixture->admission = admission_new(fixture->settings);
}

static void
fixture_teardown(Fixture *fixture, gconstpointer data)
{
    g_assert_cmpuint(admission_total(fixture->admission), ==, 0);
    g_assert_cmpuint(admission_waiting(fixture->admission), ==, 0);
    admission_free(fixture->admission);
    settings_free(fixture->settings);
}

static guint
take(Fixture *fixture, Slot *admission, guint count, const char *address, gint64 now)
{
    guint taken = 0;

    for (guint i = 0; i < count; i++)
        taken += admission_take(fixture->admission, &admission[i], address, now, NEVER) ? 1 : 0;
    return taken;
}

static void
leave(Fixture *fixture, Slot *admission, guint count)
{
    for (guint i = 0; i < count; i++) {
        admission_leave(fixture->admission, &admission[i]);
        admission_leave(fixture->admission, &admission[i]);
    }
}

static void
test_per_source(Fixture *fixture, gconstpointer data)
{
    Slot one[6] = {0}, other[6] = {0}, more[6] = {0};

    g_assert_cmpuint(take(fixture, one, 6, "192.0.2.1:1000", NOW), ==, 4);
    g_assert_cmpuint(take(fixture, other, 6, "192.0.2.2:1000", NOW), ==, 4);
    g_assert_cmpuint(admission_waiting(fixture->admission), ==, 8);
    admission_authenticated(fixture->admission, &one[0], NOW);
    admission_authenticated(fixture->admission, &one[0], NOW);
    g_assert_cmpuint(admission_waiting(fixture->admission), ==, 7);
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
    Slot admission[4] = {0}, another[2] = {0}, mapped[6] = {0};

    for (guint i = 0; i < 4; i++)
        g_assert_cmpuint(take(fixture, &admission[i], 1, same[i], NOW), ==, 1);
    g_assert_cmpuint(take(fixture, another, 1, "[2001:db8::4]:1", NOW), ==, 0);
    g_assert_cmpuint(take(fixture, another, 1, "[2001:db8:0:1::1]:1", NOW), ==, 1);
    /* An IPv4 address is one, however it came in. */
    g_assert_cmpuint(take(fixture, mapped, 3, "[::ffff:192.0.2.1]:1", NOW), ==, 3);
    g_assert_cmpuint(take(fixture, mapped + 3, 3, "192.0.2.1:7", NOW), ==, 1);
    leave(fixture, admission, 4);
    leave(fixture, another, 2);
    leave(fixture, mapped, 6);
}

static void
test_rate(Fixture *fixture, gconstpointer data)
{
    guint taken = 0;

    for (guint i = 0; i < 40; i++) {
        Slot slot = {0};

        taken += take(fixture, &slot, 1, "192.0.2.1:1", NOW);
        admission_leave(fixture->admission, &slot);
    }
    g_assert_cmpuint(taken, ==, 20);
    for (guint i = 0; i < 40; i++) {
        Slot slot = {0};

        taken += take(fixture, &slot, 1, "192.0.2.1:1", NOW + G_TIME_SPAN_SECOND);
        admission_leave(fixture->admission, &slot);
    }
    g_assert_cmpuint(taken, ==, 30);
}

/* From the half on more and more are dropped, and at the end all. */
static void
test_early_drop(Fixture *fixture, gconstpointer data)
{
    Slot admission[64] = {0}, extra = {0};
    guint lucky = 31; /* the last of 32 values that is dropped */

    for (guint i = 0; i < 64; i++) {
        g_autofree char *address = g_strdup_printf("192.0.2.%u:1", i);

        if (i < 32)
            g_assert_true(admission_take(fixture->admission, &admission[i], address, NOW, 0));
        else {
            g_assert_cmpint(admission_take(fixture->admission, &extra, address, NOW, 0), ==,
                            i == 32);
            admission_leave(fixture->admission, &extra);
            g_assert_true(admission_take(fixture->admission, &admission[i], address, NOW, lucky));
        }
    }
    g_assert_false(admission_take(fixture->admission, &extra, "198.51.100.1:1", NOW, lucky));
    leave(fixture, admission, 64);
}

/* A source that is banned gets no slot for a while; others do, and so does one that was known. */
static void
test_ban(Fixture *fixture, gconstpointer data)
{
    AdmissionSource bad = admission_source("192.0.2.1:1"), good = admission_source("192.0.2.3:1");
    gint64 until = NOW + G_TIME_SPAN_MINUTE;
    Slot admission[3] = {0}, known = {0};

    admission_ban(fixture->admission, &bad, until, NOW);
    g_assert_cmpuint(take(fixture, &admission[0], 1, "192.0.2.1:9", until - 1), ==, 0);
    g_assert_cmpuint(take(fixture, &admission[1], 1, "192.0.2.2:1", NOW), ==, 1);
    g_assert_cmpuint(take(fixture, &admission[0], 1, "192.0.2.1:9", until), ==, 1);

    g_assert_cmpuint(take(fixture, &known, 1, "192.0.2.3:1", NOW), ==, 1);
    g_assert_false(admission_knows(fixture->admission, &good));
    admission_authenticated(fixture->admission, &known, NOW);
    g_assert_true(admission_knows(fixture->admission, &good));
    admission_leave(fixture->admission, &known);
    g_assert_false(admission_knows(fixture->admission, &good));
    admission_ban(fixture->admission, &good, until, NOW + ADMISSION_KNOWN - 1);
    g_assert_cmpuint(take(fixture, &admission[2], 1, "192.0.2.3:1", NOW), ==, 1);
    admission_leave(fixture->admission, &admission[2]);
    admission_ban(fixture->admission, &good, NOW + 2 * ADMISSION_KNOWN, NOW + ADMISSION_KNOWN);
    g_assert_cmpuint(take(fixture, &admission[2], 1, "192.0.2.3:1", NOW + ADMISSION_KNOWN), ==, 0);
    leave(fixture, admission, 3);
}

static void
test_total(Fixture *fixture, gconstpointer data)
{
    Slot admission[3] = {0};

    fixture->settings->connections_max = 2;
    for (guint i = 0; i < 2; i++) {
        g_assert_cmpuint(take(fixture, &admission[i], 1, "unix", NOW), ==, 1);
        admission_authenticated(fixture->admission, &admission[i], NOW);
    }
    g_assert_cmpuint(take(fixture, &admission[2], 1, "unix", NOW), ==, 0);
    leave(fixture, admission, 3);
}

#define ADD(path, func) g_test_add(path, Fixture, NULL, fixture_setup, func, fixture_teardown)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("/admission/per-source", test_per_source);
    ADD("/admission/sources", test_sources);
    ADD("/admission/rate", test_rate);
    ADD("/admission/early-drop", test_early_drop);
    ADD("/admission/ban", test_ban);
    ADD("/admission/total", test_total);
    return g_test_run();
}
