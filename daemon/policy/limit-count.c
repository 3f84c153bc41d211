/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/policy/limit-count.h"

#include "common/base/error.h"

typedef struct {
    char *what;
    guint references; /* of the table and of the holds */
    guint active;
    GQueue starts; /* gint64 *, the oldest first */
} Count;

struct LimitCounts {
    GHashTable *counts; /* what -> Count */
};

struct LimitHold {
    Count *count;
};

static void
count_unref(void *data)
{
    Count *count = data;

    if (--count->references > 0)
        return;
    g_queue_clear_full(&count->starts, g_free);
    g_free(count->what);
    g_free(count);
}

LimitCounts *
limit_counts_new(void)
{
    LimitCounts *counts = g_new0(LimitCounts, 1);

    counts->counts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, count_unref);
    return counts;
}

void
limit_counts_free(LimitCounts *counts)
{
    if (!counts)
        return;
    g_hash_table_unref(counts->counts);
    g_free(counts);
}

static void
count_forget(Count *count, gint64 now)
{
    gint64 *oldest;

    while ((oldest = g_queue_peek_head(&count->starts)) && now - *oldest >= LIMIT_RATE_TIME)
        g_free(g_queue_pop_head(&count->starts));
}

static gboolean
count_is_idle(gpointer key G_GNUC_UNUSED, gpointer value, gpointer data)
{
    Count *count = value;

    count_forget(count, *(const gint64 *)data);
    return count->active == 0 && count->starts.length == 0;
}

/* Before a new one is added, idle ones are removed: rules come and go. */
static Count *
counts_find(LimitCounts *counts, const char *what, gint64 now)
{
    Count *count = g_hash_table_lookup(counts->counts, what);

    if (count) {
        count_forget(count, now);
        return count;
    }
    (void)g_hash_table_foreach_remove(counts->counts, count_is_idle, &now);
    count = g_new0(Count, 1);
    count->what = g_strdup(what);
    count->references = 1;
    g_queue_init(&count->starts);
    g_hash_table_insert(counts->counts, g_strdup(what), count);
    return count;
}

static gboolean
count_allows(const Count *count, const char *what, const Limits *limits, GError **error)
{
    guint64 streams = limits->of[LIMIT_STREAMS], rate = limits->of[LIMIT_RATE];

    if (streams > 0 && count->active >= streams) {
        g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_LIMIT,
                    "%s allows %" G_GUINT64_FORMAT " streams at once", what, streams);
        return FALSE;
    }
    if (rate > 0 && count->starts.length >= rate) {
        g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_LIMIT,
                    "%s allows %" G_GUINT64_FORMAT " new streams a minute", what, rate);
        return FALSE;
    }
    return TRUE;
}

LimitHold *
limit_counts_take(LimitCounts *counts, const char *what, const Limits *limits, gint64 now,
                  GError **error)
{
    Count *count = counts_find(counts, what, now);
    LimitHold *hold;

    if (!count_allows(count, what, limits, error))
        return NULL;
    if (limits->of[LIMIT_RATE] > 0)
        g_queue_push_tail(&count->starts, g_memdup2(&now, sizeof now));
    hold = g_new(LimitHold, 1);
    hold->count = count;
    count->active++;
    count->references++;
    return hold;
}

const char *
limit_hold_what(const LimitHold *hold)
{
    return hold->count->what;
}

void
limit_hold_free(LimitHold *hold)
{
    if (!hold)
        return;
    hold->count->active--;
    count_unref(hold->count);
    g_free(hold);
}
