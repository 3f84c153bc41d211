/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How fast connections may come: of a source and what is around it, of who is guessing, and when
 * there is no room to tell sources apart. */
#include "hub/edge/pace.h"

#define NOW G_TIME_SPAN_HOUR
#define SECOND G_TIME_SPAN_SECOND

typedef struct {
    Settings *settings;
    Paces *paces;
} Fixture;

static void
fixture_setup(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    f->settings = settings_new();
    f->settings->connections_per_second = 10;
    f->settings->connections_burst = 20;
    f->settings->guessing_per_second = 2;
    f->paces = paces_new(f->settings);
}

static void
fixture_teardown(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    paces_free(f->paces);
    settings_free(f->settings);
}

/* How many of COUNT come through. */
static guint
take(Fixture *f, guint count, const char *peer, gint64 now)
{
    const Source source = source_of_peer(peer);
    guint taken = 0;

    for (guint i = 0; i < count; i++)
        taken += paces_take(f->paces, &source, now) ? 1 : 0;
    return taken;
}

static void
slow_region(Fixture *f, const char *peer, gint64 until)
{
    Source source = source_of_peer(peer);

    source = source_region(&source);
    paces_slow(f->paces, &source, until, NOW);
}

/* Full at first; one for each tenth of a second, at that moment and not 1 µs before; never more
 * than the burst. */
static void
test_bucket(void)
{
    const BucketSize size = {10, 3};
    Bucket bucket = {0};

    for (guint i = 0; i < 3; i++) {
        g_assert_true(bucket_has(&bucket, size, NOW));
        g_assert_true(bucket_take(&bucket, size, NOW));
    }
    g_assert_false(bucket_has(&bucket, size, NOW));
    g_assert_false(bucket_take(&bucket, size, NOW));
    g_assert_false(bucket_has(&bucket, size, NOW + SECOND / 10 - 1));
    g_assert_true(bucket_take(&bucket, size, NOW + SECOND / 10));
    g_assert_false(bucket_take(&bucket, size, NOW + SECOND / 10));
    /* A clock that goes back gives nothing and takes nothing. */
    g_assert_false(bucket_has(&bucket, size, NOW));
    bucket = (Bucket){0};
    g_assert_true(bucket_take(&bucket, size, NOW));
    g_assert_true(bucket_take(&bucket, size, NOW - SECOND));
    g_assert_true(bucket_take(&bucket, size, NOW - SECOND));
    g_assert_false(bucket_take(&bucket, size, NOW - SECOND));
    for (guint i = 0; i < 3; i++)
        g_assert_true(bucket_take(&bucket, size, NOW + G_TIME_SPAN_HOUR));
    g_assert_false(bucket_take(&bucket, size, NOW + G_TIME_SPAN_HOUR));
}

static const struct {
    const char *peers; /* %x counts */
    guint burst, second;
} widths[] = {
    {"192.0.2.1:%u", 20, 10},         {"[2001:db8::%x]:1", 20, 10},
    {"[2001:db8:0:%x::1]:1", 40, 20}, {"[2001:db8:0:%x00::1]:1", 80, 40},
    {"[2001:db8:%x::1]:1", 200, 200}, /* sites of their own */
};

static void
test_widths(Fixture *f, gconstpointer data)
{
    for (guint row = 0; row < G_N_ELEMENTS(widths); row++) {
        g_autoptr(Paces) paces = paces_new(f->settings);

        for (guint second = 0; second < 3; second++) {
            guint taken = 0;

            for (guint i = 0; i < 200; i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
                g_autofree char *peer = g_strdup_printf(widths[row].peers, i + 1);
#pragma GCC diagnostic pop
                const Source source = source_of_peer(peer);

                taken += paces_take(paces, &source, NOW + second * SECOND) ? 1 : 0;
            }
            g_assert_cmpuint(taken, ==, second == 0 ? widths[row].burst : widths[row].second);
        }
    }
}

/* What the /48 refuses has taken nothing of the /64, and is not entered. */
static void
test_refused_takes_nothing(Fixture *f, gconstpointer data)
{
    for (guint i = 0; i < 4; i++) {
        g_autofree char *peer = g_strdup_printf("[2001:db8:0:%x00::1]:1", i);

        g_assert_cmpuint(take(f, 30, peer, NOW), ==, 20);
    }
    g_assert_cmpuint(paces_size(f->paces), ==, 4 * 2 + 1);
    g_assert_cmpuint(take(f, 30, "[2001:db8:0:ff00::1]:1", NOW), ==, 0);
    g_assert_cmpuint(paces_size(f->paces), ==, 4 * 2 + 1);
    g_assert_cmpuint(take(f, 30, "[2001:db8:0:ff00::1]:1", NOW + SECOND / 2), ==, 20);
}

/* A region is slowed down as a whole, wherever in it they come from, until then and no longer. */
static void
test_region(Fixture *f, gconstpointer data)
{
    slow_region(f, "192.0.2.1:1", NOW + 3 * SECOND);
    for (gint64 second = 0; second < 3; second++) {
        guint taken = 0;

        for (guint i = 0; i < 200; i++) {
            g_autofree char *peer = g_strdup_printf("192.0.%u.1:1", i);

            taken += take(f, 1, peer, NOW + second * SECOND);
        }
        g_assert_cmpuint(taken, ==, 2);
    }
    g_assert_cmpuint(take(f, 30, "192.1.2.1:1", NOW), ==, 20);
    g_assert_cmpuint(take(f, 30, "192.0.2.1:1", NOW + 3 * SECOND - 1), <=, 2);
    g_assert_cmpuint(take(f, 30, "192.0.2.1:1", NOW + 10 * SECOND), ==, 20);
}

/* Slow until the moment itself, and then no more. */
static void
test_slow_until(Fixture *f, gconstpointer data)
{
    const Source source = source_of_peer("192.0.2.1:1"), other = source_of_peer("192.0.2.2:1");

    paces_slow(f->paces, &source, NOW + SECOND, NOW);
    paces_slow(f->paces, &other, NOW + SECOND, NOW);
    g_assert_cmpuint(take(f, 30, "192.0.2.1:1", NOW + SECOND - 1), ==, 2);
    g_assert_cmpuint(take(f, 30, "192.0.2.2:1", NOW + SECOND), ==, 20);
}

/* A longer time stays when a shorter one is said after it. */
static void
test_slow_is_not_shortened(Fixture *f, gconstpointer data)
{
    const Source source = source_of_peer("192.0.2.1:1");

    paces_slow(f->paces, &source, NOW + 10 * SECOND, NOW);
    paces_slow(f->paces, &source, NOW + 5 * SECOND, NOW);
    g_assert_cmpuint(take(f, 30, "192.0.2.1:1", NOW + 10 * SECOND - 1), ==, 2);
    g_assert_cmpuint(take(f, 30, "192.0.2.1:1", NOW + 10 * SECOND), ==, 0); /* it fills up anew */
    g_assert_cmpuint(take(f, 30, "192.0.2.1:1", NOW + 11 * SECOND), ==, 10);
}

static void
fill(Fixture *f, guint count, gint64 until)
{
    for (guint i = 0; i < count; i++) {
        g_autofree char *peer = g_strdup_printf("10.%u.%u.%u:1", i / 65536, i / 256 % 256, i % 256);
        const Source source = source_of_peer(peer);

        paces_slow(f->paces, &source, until, NOW);
    }
}

/* As many as there may be, all in force: those stay what they are, and a new one has the bucket of
 * its region, with all that are new there; when they are in force no more it has its own again. */
static void
test_full(Fixture *f, gconstpointer data)
{
    fill(f, PACES_MAX - 1, NOW + 5 * SECOND);
    g_assert_cmpuint(take(f, 30, "192.0.2.1:1", NOW), ==, 20); /* the last place */
    g_assert_cmpuint(paces_size(f->paces), ==, PACES_MAX);
    g_assert_cmpuint(take(f, 15, "192.0.2.2:1", NOW), ==, 15);
    g_assert_cmpuint(take(f, 15, "192.0.2.3:1", NOW), ==, 5);
    g_assert_cmpuint(take(f, 15, "192.0.4.3:1", NOW), ==, 0);
    g_assert_cmpuint(take(f, 15, "192.1.4.3:1", NOW), ==, 15);
    g_assert_cmpuint(paces_size(f->paces), ==, PACES_MAX + 2);
    g_assert_cmpuint(take(f, 15, "10.0.0.0:1", NOW), ==, 2);
    g_assert_cmpuint(take(f, 15, "10.0.255.254:1", NOW), ==, 2);
    g_assert_cmpuint(take(f, 15, "192.0.2.1:1", NOW), ==, 0);
    /* Their buckets are full again and they are slow still: they do not go, the last one does. */
    g_assert_cmpuint(take(f, 1, "192.2.0.1:1", NOW + 2 * SECOND), ==, 1);
    g_assert_cmpuint(take(f, 15, "10.0.0.0:1", NOW + 2 * SECOND), ==, 2);
    g_assert_cmpuint(take(f, 15, "10.0.255.254:1", NOW + 2 * SECOND), ==, 2);
    g_assert_cmpuint(take(f, 30, "192.0.2.4:1", NOW + 6 * SECOND), ==, 20);
    g_assert_cmpuint(take(f, 30, "192.0.2.5:1", NOW + 6 * SECOND), ==, 20);
    g_assert_cmpuint(paces_size(f->paces), ==, PACES_MAX + 2);
}

#define ADD(path, func)                                                                            \
    g_test_add("/pace/" path, Fixture, NULL, fixture_setup, func, fixture_teardown)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/pace/bucket", test_bucket);
    ADD("widths", test_widths);
    ADD("refused-takes-nothing", test_refused_takes_nothing);
    ADD("region", test_region);
    ADD("slow-until", test_slow_until);
    ADD("slow-is-not-shortened", test_slow_is_not_shortened);
    ADD("full", test_full);
    return g_test_run();
}
