/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/stream/traffic.h"

typedef struct {
    char *hub;
    guint32 uid;
    TrafficCount count;
} TrafficPair;

struct Traffic {
    GPtrArray *pairs; /* TrafficPair */
};

static void
traffic_pair_free(gpointer data)
{
    TrafficPair *pair = data;

    g_free(pair->hub);
    g_free(pair);
}

Traffic *
traffic_new(void)
{
    Traffic *traffic = g_new0(Traffic, 1);

    traffic->pairs = g_ptr_array_new_with_free_func(traffic_pair_free);
    return traffic;
}

void
traffic_free(Traffic *traffic)
{
    if (!traffic)
        return;
    g_ptr_array_unref(traffic->pairs);
    g_free(traffic);
}

/* NULL: there are too many. */
static TrafficPair *
traffic_pair(Traffic *traffic, const char *hub, guint32 uid)
{
    TrafficPair *pair;

    for (guint i = 0; i < traffic->pairs->len; i++) {
        pair = traffic->pairs->pdata[i];
        if (pair->uid == uid && g_str_equal(pair->hub, hub))
            return pair;
    }
    if (traffic->pairs->len >= TRAFFIC_PAIRS_MAX)
        return NULL;
    pair = g_new0(TrafficPair, 1);
    pair->hub = g_strdup(hub);
    pair->uid = uid;
    g_ptr_array_add(traffic->pairs, pair);
    return pair;
}

void
traffic_count_add(TrafficCount *sum, const TrafficCount *count)
{
    sum->opened += count->opened;
    sum->failed += count->failed;
    sum->bytes_in += count->bytes_in;
    sum->bytes_out += count->bytes_out;
}

void
traffic_add(Traffic *traffic, const char *hub, guint32 uid, const TrafficCount *count)
{
    TrafficPair *pair = traffic_pair(traffic, hub, uid);

    if (pair)
        traffic_count_add(&pair->count, count);
}

void
traffic_forget(Traffic *traffic, const char *hub)
{
    for (guint i = traffic->pairs->len; i > 0; i--)
        if (g_str_equal(((TrafficPair *)traffic->pairs->pdata[i - 1])->hub, hub))
            g_ptr_array_remove_index_fast(traffic->pairs, i - 1);
}

TrafficCount
traffic_sum(const Traffic *traffic, const char *hub, TrafficSees sees, gpointer data)
{
    TrafficCount sum = {0};

    for (guint i = 0; i < traffic->pairs->len; i++) {
        const TrafficPair *pair = traffic->pairs->pdata[i];

        if (g_str_equal(pair->hub, hub) && sees(pair->uid, data))
            traffic_count_add(&sum, &pair->count);
    }
    return sum;
}
