/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/show/rates.h"

typedef struct {
    guint64 in, out;
    gint64 time;
} Sample;

struct Rates {
    GHashTable *samples; /* Sample of the previous look, by the stream's number */
};

Rates *
rates_new(void)
{
    Rates *rates = g_new0(Rates, 1);

    rates->samples = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
    return rates;
}

void
rates_free(Rates *rates)
{
    if (rates == NULL)
        return;
    g_hash_table_unref(rates->samples);
    g_free(rates);
}

/* A counter that went back belongs to another stream: streamd has restarted. */
static guint64
rates_per_second(guint64 before, guint64 after, gint64 elapsed)
{
    if (after <= before || elapsed <= 0)
        return 0;
    return (guint64)((double)(after - before) * G_TIME_SPAN_SECOND / (double)elapsed);
}

static Rate
rates_look_at(Rates *rates, GVariant *stream, const Sample *now, GHashTable *samples)
{
    Rate rate = {.properties = stream, .id = bus_number(stream, "Id")};
    const Sample *before = g_hash_table_lookup(rates->samples, &rate.id);

    if (before != NULL) {
        rate.in = rates_per_second(before->in, now->in, now->time - before->time);
        rate.out = rates_per_second(before->out, now->out, now->time - before->time);
    }
    g_hash_table_insert(samples, g_memdup2(&rate.id, sizeof(rate.id)),
                        g_memdup2(now, sizeof(*now)));
    return rate;
}

static int
rates_compare(gconstpointer a, gconstpointer b)
{
    const Rate *left = a, *right = b;
    guint64 left_sum = left->in + left->out, right_sum = right->in + right->out;

    if (left_sum != right_sum)
        return left_sum > right_sum ? -1 : 1;
    return left->id > right->id ? -1 : left->id < right->id;
}

GArray *
rates_look(Rates *rates, GPtrArray *streams, gint64 now)
{
    GHashTable *samples = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
    GArray *found = g_array_new(FALSE, FALSE, sizeof(Rate));

    for (guint i = 0; i < streams->len; i++) {
        GVariant *stream = ((BusObject *)g_ptr_array_index(streams, i))->properties;
        const Sample sample = {bus_number(stream, "BytesIn"), bus_number(stream, "BytesOut"), now};
        Rate rate;

        if (bus_number(stream, "ClosedAt") != 0)
            continue;
        rate = rates_look_at(rates, stream, &sample, samples);
        g_array_append_val(found, rate);
    }
    g_hash_table_unref(rates->samples);
    rates->samples = samples;
    g_array_sort(found, rates_compare);
    return found;
}
