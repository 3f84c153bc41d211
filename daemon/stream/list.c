/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/base/error.h"
#include "daemon/stream/struct.h"

#define STREAM_SWEEP_SECONDS 15

static void
stream_free_value(void *data)
{
    stream_free(data);
}

StreamTable *
stream_table_new(Runtime *runtime, guint max, guint per_uid, const StreamTableEvents *events,
                 void *data)
{
    StreamTable *table = g_new0(StreamTable, 1);

    table->runtime = runtime;
    table->max = max;
    table->per_uid = per_uid;
    table->events = events;
    table->data = data;
    table->counts = limit_counts_new();
    table->budget = resume_budget_new(RESUME_BUDGET, RESUME_BUDGET);
    table->traffic = traffic_new();
    table->streams = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, stream_free_value);
    g_queue_init(&table->history);
    return table;
}

void
stream_table_free(StreamTable *table)
{
    if (!table)
        return;
    if (table->sweep)
        g_source_remove(table->sweep);
    g_queue_clear(&table->history);
    g_hash_table_unref(table->streams);
    limit_counts_free(table->counts);
    resume_budget_unref(table->budget);
    traffic_free(table->traffic);
    g_free(table);
}

void
stream_table_set_resume(StreamTable *table, guint64 windows, guint64 rings)
{
    resume_budget_set(table->budget, windows, rings);
}

ResumeBudget *
stream_table_budget(StreamTable *table)
{
    return table->budget;
}

Stream *
stream_table_find_resume(StreamTable *table, const char *hub, const char *id)
{
    GHashTableIter iter;
    gpointer value;

    g_hash_table_iter_init(&iter, table->streams);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        Stream *stream = value;

        if (stream->role == STREAM_ROLE_DEVICE && stream->resume.wanted &&
            !stream_has_ended(stream) && stream->sid && g_str_equal(stream->sid, id) &&
            g_str_equal(stream->hub, hub))
            return stream;
    }
    return NULL;
}

void
stream_table_probe(StreamTable *table)
{
    GHashTableIter iter;
    gpointer value;

    g_hash_table_iter_init(&iter, table->streams);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        Stream *stream = value;

        if (stream->carrier)
            carrier_probe(stream->carrier, STREAM_PROBE);
    }
}

Stream *
stream_table_find(StreamTable *table, guint64 id)
{
    return g_hash_table_lookup(table->streams, &id);
}

static gint
compare_ids(gconstpointer a, gconstpointer b)
{
    const Stream *first = *(Stream *const *)a, *second = *(Stream *const *)b;

    return first->id < second->id ? -1 : first->id > second->id;
}

GPtrArray *
stream_table_list(StreamTable *table)
{
    GPtrArray *list = g_ptr_array_new();
    GHashTableIter iter;
    gpointer stream;

    g_hash_table_iter_init(&iter, table->streams);
    while (g_hash_table_iter_next(&iter, NULL, &stream))
        g_ptr_array_add(list, stream);
    g_ptr_array_sort(list, compare_ids);
    return list;
}

guint
stream_table_open(StreamTable *table)
{
    return table->open;
}

guint
stream_table_weight(StreamTable *table)
{
    return g_hash_table_size(table->streams) + table->open;
}

guint
stream_table_most(StreamTable *table)
{
    guint most = table->most;

    table->most = stream_table_weight(table);
    return most;
}

/* Goes by ids: closing may end a stream at once and drop the oldest one of the history. Those in
 * the history have ended and are skipped. */
static void
stream_table_close_matching(StreamTable *table, const char *hub, guint64 tunnel, Reason reason)
{
    g_autoptr(GPtrArray) list = stream_table_list(table);
    g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(guint64));

    for (guint i = 0; i < list->len; i++) {
        Stream *stream = list->pdata[i];

        if (!stream_has_ended(stream) && (!hub || g_str_equal(stream->hub, hub)) &&
            (tunnel == 0 || stream->tunnel == tunnel))
            g_array_append_val(ids, stream->id);
    }
    for (guint i = 0; i < ids->len; i++) {
        Stream *stream = stream_table_find(table, g_array_index(ids, guint64, i));

        if (stream)
            stream_close(stream, reason);
    }
}

void
stream_table_close_hub(StreamTable *table, const char *hub, Reason reason)
{
    stream_table_close_matching(table, hub, 0, reason);
}

void
stream_table_close_tunnel(StreamTable *table, guint64 tunnel, Reason reason)
{
    stream_table_close_matching(table, NULL, tunnel, reason);
}

void
stream_table_close_all(StreamTable *table, Reason reason)
{
    stream_table_close_matching(table, NULL, 0, reason);
}

void
stream_table_set_per_uid(StreamTable *table, guint per_uid)
{
    table->per_uid = per_uid;
}

static guint
stream_table_count_uid(StreamTable *table, guint32 uid)
{
    GHashTableIter iter;
    gpointer value;
    guint count = 0;

    g_hash_table_iter_init(&iter, table->streams);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const Stream *stream = value;

        count += !stream_has_ended(stream) && stream->owner_uid == uid &&
                 (stream->role == STREAM_ROLE_SERVICE || stream->taken);
    }
    return count;
}

gboolean
stream_table_has_room_of(StreamTable *table, guint32 uid, GError **error)
{
    if (stream_table_count_uid(table, uid) < table->per_uid)
        return TRUE;
    g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_LIMIT,
                "user %u has %u streams already, which is the limit (StreamsPerUser)", uid,
                table->per_uid);
    return FALSE;
}

gboolean
stream_table_has_room(StreamTable *table, const StreamInfo *info, GError **error)
{
    if (table->open >= table->max) {
        g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_LIMIT, "there are %u streams already",
                    table->open);
        return FALSE;
    }
    return info->role != STREAM_ROLE_SERVICE ||
           stream_table_has_room_of(table, info->owner_uid, error);
}

void
stream_table_add(StreamTable *table, Stream *stream)
{
    g_hash_table_insert(table->streams, &stream->id, stream);
    table->open++;
    table->most = MAX(table->most, stream_table_weight(table));
    table->events->added(stream, table->data);
}

void
stream_table_changed(StreamTable *table, Stream *stream)
{
    table->events->changed(stream, table->data);
}

void
stream_table_suspended(StreamTable *table, Stream *stream)
{
    if (table->events->suspended)
        table->events->suspended(stream, table->data);
}

void
stream_table_unsaid(StreamTable *table, Stream *stream)
{
    if (table->events->unsaid)
        table->events->unsaid(stream, table->data);
}

void
stream_table_taken(StreamTable *table, Stream *stream, guint32 before)
{
    if (table->events->owner_changed)
        table->events->owner_changed(stream, before, table->data);
}

static void
stream_table_drop_oldest(StreamTable *table)
{
    Stream *stream = g_queue_pop_head(&table->history);

    table->events->removed(stream, table->data);
    g_hash_table_remove(table->streams, &stream->id);
}

static gboolean
stream_table_sweep(gpointer data)
{
    StreamTable *table = data;
    gint64 now = g_get_monotonic_time();
    Stream *oldest;

    while ((oldest = g_queue_peek_head(&table->history)) != NULL &&
           now - oldest->kept_from > STREAM_HISTORY_TIME)
        stream_table_drop_oldest(table);
    if (oldest)
        return G_SOURCE_CONTINUE;
    table->sweep = 0;
    return G_SOURCE_REMOVE;
}

static TrafficCount
stream_traffic(const Stream *stream)
{
    return (TrafficCount){
        .opened = stream->opened_at > 0,
        .failed = stream->opened_at == 0 && stream_has_ended(stream),
        .bytes_in = stream_bytes_in(stream),
        .bytes_out = stream_bytes_out(stream),
    };
}

TrafficCount
stream_table_traffic(StreamTable *table, const char *hub, TrafficSees sees, gpointer data)
{
    TrafficCount sum = traffic_sum(table->traffic, hub, sees, data);
    GHashTableIter iter;
    gpointer value;

    g_hash_table_iter_init(&iter, table->streams);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const Stream *stream = value;
        const TrafficCount count = stream_traffic(stream);

        if (!stream_has_ended(stream) && g_str_equal(stream->hub, hub) &&
            sees(stream->owner_uid, data))
            traffic_count_add(&sum, &count);
    }
    return sum;
}

void
stream_table_forget_traffic(StreamTable *table, const char *hub)
{
    traffic_forget(table->traffic, hub);
}

void
stream_table_ended(StreamTable *table, Stream *stream)
{
    const TrafficCount count = stream_traffic(stream);

    stream_figures_end(&table->ended, stream);
    traffic_add(table->traffic, stream->hub, stream->owner_uid, &count);
    table->open--;
    g_queue_push_tail(&table->history, stream);
    table->events->changed(stream, table->data);
    while (table->history.length > STREAM_HISTORY_MAX)
        stream_table_drop_oldest(table);
    if (!table->sweep)
        table->sweep = g_timeout_add_seconds(STREAM_SWEEP_SECONDS, stream_table_sweep, table);
}

void
stream_table_leave(StreamTable *table)
{
    table->leaves = TRUE;
}

gboolean
stream_table_leaves(const StreamTable *table)
{
    return table->leaves;
}
