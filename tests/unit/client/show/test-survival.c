/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is said of streams that survive the loss of their connection. */
#include "client/show/survival.h"

#include "client/bus/bus.h"

static void
bus_object_destroy(gpointer object)
{
    bus_object_free(object);
}

/* SINCE: seconds ago; -1: it is not suspended. */
static GVariant *
stream_new(const char *state, const char *reason, int since)
{
    const guint64 time = since < 0 ? 0 : (guint64)(g_get_real_time() - since * G_TIME_SPAN_SECOND);

    return g_variant_ref_sink(g_variant_new_parsed(
        "{'State': <%s>, 'CloseReason': <%s>, 'SuspendedSince': <%t>, 'Tunnel': <uint64 3>}", state,
        reason, time));
}

static void
test_states(void)
{
    static const struct {
        const char *state, *reason;
        int since;
        const char *text;
    } rows[] = {
        {"open", "", -1, "open"},
        {"suspended", "", 12, "suspended 12 s"},
        {"suspended", "", 130, "suspended 2 min"},
        {"suspended", "", -1, "suspended"}, /* of a streamd that does not say since when */
        {"closed", "cut", -1, "closed: cut"},
        {"rejected", "rejected", -1, "rejected"},
        {"pondering", "", -1, "pondering"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GVariant) stream = stream_new(rows[i].state, rows[i].reason, rows[i].since);
        g_autofree char *text = show_stream_state(stream);

        g_assert_cmpstr(text, ==, rows[i].text);
    }
}

static void
test_counts(void)
{
    g_autoptr(GPtrArray) streams = g_ptr_array_new_with_free_func(bus_object_destroy);
    static const char *const states[] = {"open", "suspended", "closed", "suspended"};
    g_autofree char *some = show_with_suspended(3, 2), *none = show_with_suspended(3, 0);

    for (guint i = 0; i < G_N_ELEMENTS(states); i++) {
        BusObject *object = g_new0(BusObject, 1);

        object->properties = stream_new(states[i], "", -1);
        g_ptr_array_add(streams, object);
    }
    g_assert_cmpuint(show_count_suspended(streams, 3), ==, 2);
    g_assert_cmpuint(show_count_suspended(streams, 4), ==, 0);
    g_assert_cmpstr(some, ==, "3 (2 suspended)");
    g_assert_cmpstr(none, ==, "3");
}

static void
test_rules(void)
{
    static const struct {
        const char *rule, *text;
    } rows[] = {{"{'verdict': <'accept'>}", ""},
                {"{'resume-time': <uint64 0>}", "never suspended"},
                {"{'resume-time': <uint64 300000000>}", "suspended 5min"}};

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GVariant) rule = g_variant_ref_sink(g_variant_new_parsed(rows[i].rule));
        g_autofree char *text = show_rule_resume(rule);

        g_assert_cmpstr(text, ==, rows[i].text);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/survival/states", test_states);
    g_test_add_func("/survival/counts", test_counts);
    g_test_add_func("/survival/rules", test_rules);
    return g_test_run();
}
