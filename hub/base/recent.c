/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/base/recent.h"

struct Recent {
    guint most;
    gsize size;
    void (*clear)(void *entry);
    GHashTable *by_name; /* the name in the entry -> entry */
    GQueue order;        /* of the entries, the one used last first */
};

Recent *
recent_new(guint most, gsize size, void (*clear)(void *entry))
{
    Recent *recent = g_new0(Recent, 1);

    recent->most = most;
    recent->size = size;
    recent->clear = clear;
    recent->by_name = g_hash_table_new(g_str_hash, g_str_equal);
    g_queue_init(&recent->order);
    return recent;
}

static void
recent_drop(Recent *recent, RecentEntry *entry)
{
    g_hash_table_remove(recent->by_name, entry->name);
    g_queue_unlink(&recent->order, &entry->node);
    if (recent->clear)
        recent->clear(entry);
    g_free(entry->name);
    g_free(entry);
}

void
recent_free(Recent *recent)
{
    if (!recent)
        return;
    while (recent->order.head)
        recent_drop(recent, recent->order.head->data);
    g_hash_table_unref(recent->by_name);
    g_free(recent);
}

void *
recent_find(const Recent *recent, const char *name)
{
    return g_hash_table_lookup(recent->by_name, name);
}

static RecentEntry *
recent_add(Recent *recent, const char *name)
{
    RecentEntry *entry = g_malloc0(recent->size);

    if (recent->order.length >= recent->most)
        recent_drop(recent, recent->order.tail->data);
    entry->node.data = entry;
    entry->name = g_strdup(name);
    g_hash_table_insert(recent->by_name, entry->name, entry);
    return entry;
}

void *
recent_want(Recent *recent, const char *name, gint64 now)
{
    RecentEntry *entry = recent_find(recent, name);

    if (entry)
        g_queue_unlink(&recent->order, &entry->node);
    else
        entry = recent_add(recent, name);
    entry->used = now;
    g_queue_push_head_link(&recent->order, &entry->node);
    return entry;
}

void
recent_forget(Recent *recent, const char *name)
{
    RecentEntry *entry = recent_find(recent, name);

    if (entry)
        recent_drop(recent, entry);
}

void
recent_trim(Recent *recent, gint64 before, guint most)
{
    for (; most > 0 && recent->order.tail; most--) {
        RecentEntry *oldest = recent->order.tail->data;

        if (oldest->used >= before)
            return;
        recent_drop(recent, oldest);
    }
}

guint
recent_count(const Recent *recent)
{
    return recent->order.length;
}
