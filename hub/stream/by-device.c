/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/stream/by-device.h"

#include "hub/stream/stream.h"

struct ByDevice {
    GHashTable *devices; /* client id inside the StreamDevice -> StreamDevice */
    GQueue idle;         /* of StreamDevice.idle: without streams, the longest idle first */
};

static void
stream_device_free(gpointer data)
{
    StreamDevice *device = data;

    g_free(device->client_id);
    g_free(device);
}

ByDevice *
by_device_new(void)
{
    ByDevice *table = g_new0(ByDevice, 1);

    table->devices = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, stream_device_free);
    return table;
}

void
by_device_free(ByDevice *table)
{
    if (!table)
        return;
    g_hash_table_unref(table->devices);
    g_free(table);
}

StreamDevice *
by_device_find(ByDevice *table, const char *client_id)
{
    return g_hash_table_lookup(table->devices, client_id);
}

static void
stream_device_wake(ByDevice *table, StreamDevice *device)
{
    if (!device->idle.data)
        return;
    g_queue_unlink(&table->idle, &device->idle);
    device->idle.data = NULL;
}

StreamDevice *
by_device_entry(ByDevice *table, const char *client_id)
{
    StreamDevice *device = by_device_find(table, client_id);

    if (device) {
        stream_device_wake(table, device);
        return device;
    }
    device = g_new0(StreamDevice, 1);
    device->client_id = g_strdup(client_id);
    g_hash_table_insert(table->devices, device->client_id, device);
    return device;
}

static void
by_device_forget(ByDevice *table, StreamDevice *device)
{
    stream_device_wake(table, device);
    g_hash_table_remove(table->devices, device->client_id);
}

static gboolean
is_rested(gint64 since, gint64 now)
{
    return now - since >= RID_REST;
}

static void
by_device_trim(ByDevice *table, gint64 now)
{
    while (table->idle.head) {
        StreamDevice *device = table->idle.head->data;

        if (!is_rested(device->idle_since, now))
            return;
        by_device_forget(table, device);
    }
}

void
by_device_settle(ByDevice *table, StreamDevice *device, gboolean connected, gint64 now)
{
    if (device->streams.length == 0 && !connected) {
        if (device->asked_at == 0 || is_rested(device->asked_at, now)) {
            by_device_forget(table, device);
        } else if (!device->idle.data) {
            device->idle.data = device;
            device->idle_since = now;
            g_queue_push_tail_link(&table->idle, &device->idle);
        }
    }
    by_device_trim(table, now);
}

guint
by_device_size(ByDevice *table)
{
    return g_hash_table_size(table->devices);
}

void
by_device_iter(ByDevice *table, GHashTableIter *iter)
{
    g_hash_table_iter_init(iter, table->devices);
}

HubStream *
stream_device_by_rid(const StreamDevice *device, guint64 rid)
{
    for (GList *link = device->streams.head; link; link = link->next)
        if (((HubStream *)link->data)->rid == rid)
            return link->data;
    return NULL;
}

/* There is always a free id: a device never has as many streams as there are ids. */
guint
stream_device_next_rid(StreamDevice *device, gboolean capable, gint64 now)
{
    guint most = capable ? RID_CAPABLE_MAX : RID_PLAIN_MAX;
    guint *last = &device->last_rid[capable ? 1 : 0];

    if (*last == 0)
        *last = g_random_int() % most;
    do
        *last = *last % most + 1;
    while (stream_device_by_rid(device, *last));
    device->asked_at = now;
    return *last;
}
