/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/hub/edge/admission-fixture.h"

static void
slot_end(gpointer data)
{
    slot_leave(data, NOW);
    slot_leave(data, NOW);
    slot_unref(data);
}

void
fixture_setup(Fixture *f, gconstpointer data)
{
    f->settings = settings_new();
    f->settings->unauthenticated_max = 64;
    f->settings->unauthenticated_per_source = 4;
    f->settings->connections_per_second = 10;
    f->settings->connections_burst = 20;
    f->settings->known_source_factor = 2;
    f->admission = admission_new(f->settings);
    f->slots = g_ptr_array_new_with_free_func(slot_end);
}

void
fixture_teardown(Fixture *f, gconstpointer data)
{
    g_ptr_array_unref(f->slots);
    g_assert_cmpuint(admission_total(f->admission), ==, 0);
    g_assert_cmpuint(admission_waiting(f->admission), ==, 0);
    admission_free(f->admission);
    settings_free(f->settings);
}

guint
take(Fixture *f, guint count, const char *peer, gint64 now)
{
    guint taken = 0;

    for (guint i = 0; i < count; i++) {
        Slot *slot = admission_take(f->admission, -1, peer, now, NEVER);

        if (!slot)
            continue;
        g_ptr_array_add(f->slots, slot);
        taken++;
    }
    return taken;
}

guint
take_and_go(Fixture *f, guint count, const char *peer, gint64 now)
{
    guint taken = 0;

    for (guint i = 0; i < count; i++) {
        taken += take(f, 1, peer, now);
        g_ptr_array_set_size(f->slots, 0);
    }
    return taken;
}

void
make_known(Fixture *f, const char *peer, gint64 now)
{
    Slot *slot = admission_take(f->admission, -1, peer, now, NEVER);

    g_assert_nonnull(slot);
    slot_authenticated(slot, now);
    slot_leave(slot, now);
    slot_unref(slot);
}

gboolean
is_known(Fixture *f, const char *peer, gint64 now)
{
    Source source = source_of_peer(peer);

    return admission_knows(f->admission, &source, now);
}

void
slow(Fixture *f, const char *peer, guint level, gint64 until)
{
    Source source = source_of_peer(peer);

    source = source_at_level(&source, level);
    admission_slow(f->admission, &source, until, NOW);
}
