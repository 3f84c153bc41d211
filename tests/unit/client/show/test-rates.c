/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rates of streams, from look to look. */
#include "client/show/rates.h"

static void
bus_object_destroy(gpointer object)
{
    bus_object_free(object);
}

static void
add_stream(GPtrArray *streams, guint64 id, guint64 in, guint64 out, guint64 closed)
{
    BusObject *object = g_new0(BusObject, 1);

    object->path = g_strdup_printf("/stream/%" G_GUINT64_FORMAT, id);
    object->properties = g_variant_ref_sink(g_variant_new_parsed(
        "{'Id': <%t>, 'BytesIn': <%t>, 'BytesOut': <%t>, 'ClosedAt': <%t>}", id, in, out, closed));
    g_ptr_array_add(streams, object);
}

static void
test_rates(void)
{
    g_autoptr(Rates) rates = rates_new();
    g_autoptr(GPtrArray) before = g_ptr_array_new_with_free_func(bus_object_destroy);
    g_autoptr(GPtrArray) after = g_ptr_array_new_with_free_func(bus_object_destroy);
    g_autoptr(GArray) first = NULL, second = NULL;
    const Rate *rows;

    add_stream(before, 1, 100, 0, 0);
    add_stream(before, 2, 1000, 1000, 0);
    add_stream(before, 3, 500, 500, 0);
    first = rates_look(rates, before, 0);
    g_assert_cmpuint(first->len, ==, 3);
    g_assert_cmpuint(g_array_index(first, Rate, 0).in, ==, 0);
    g_assert_cmpuint(g_array_index(first, Rate, 0).id, ==, 3); /* of equal ones the younger */

    add_stream(after, 1, 2100, 400, 0);
    add_stream(after, 2, 1000, 1000, 0);
    add_stream(after, 3, 900, 900, 77); /* has ended */
    add_stream(after, 4, 9000, 0, 0);   /* is new: nothing to compare with */
    second = rates_look(rates, after, 2 * G_TIME_SPAN_SECOND);
    rows = (const Rate *)(void *)second->data;
    g_assert_cmpuint(second->len, ==, 3);
    g_assert_cmpuint(rows[0].id, ==, 1);
    g_assert_cmpuint(rows[0].in, ==, 1000);
    g_assert_cmpuint(rows[0].out, ==, 200);
    g_assert_cmpuint(rows[1].id, ==, 4);
    g_assert_cmpuint(rows[1].in, ==, 0);
    g_assert_cmpuint(rows[2].id, ==, 2);
}

/* streamd has begun anew, and counts from 0; no time has passed. */
static void
test_odd_looks(void)
{
    g_autoptr(Rates) rates = rates_new();
    g_autoptr(GPtrArray) before = g_ptr_array_new_with_free_func(bus_object_destroy);
    g_autoptr(GPtrArray) after = g_ptr_array_new_with_free_func(bus_object_destroy);
    g_autoptr(GArray) first = NULL, second = NULL, third = NULL;

    add_stream(before, 1, 1000, 1000, 0);
    add_stream(after, 1, 10, 10, 0);
    first = rates_look(rates, before, 0);
    second = rates_look(rates, after, G_TIME_SPAN_SECOND);
    third = rates_look(rates, before, G_TIME_SPAN_SECOND);
    g_assert_cmpuint(g_array_index(second, Rate, 0).in, ==, 0);
    g_assert_cmpuint(g_array_index(third, Rate, 0).in, ==, 0);
    g_assert_cmpuint(first->len, ==, 1);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/rates/looks", test_rates);
    g_test_add_func("/rates/odd", test_odd_looks);
    return g_test_run();
}
