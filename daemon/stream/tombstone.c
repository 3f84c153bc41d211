/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/stream/tombstone.h"

/* The oldest first. There are few of them, and a look-up is as rare as a lost leg. */
struct Tombstones {
    GQueue all;
};

static void
tombstone_free(void *data)
{
    Tombstone *tombstone = data;

    g_free((char *)tombstone->hub);
    g_free((char *)tombstone->id);
    g_free(tombstone);
}

Tombstones *
tombstones_new(void)
{
    Tombstones *tombstones = g_new0(Tombstones, 1);

    g_queue_init(&tombstones->all);
    return tombstones;
}

void
tombstones_free(Tombstones *tombstones)
{
    if (!tombstones)
        return;
    g_queue_clear_full(&tombstones->all, tombstone_free);
    g_free(tombstones);
}

/* One for whom nobody may come back any more, else the oldest. */
static void
tombstones_drop_one(Tombstones *tombstones)
{
    GList *drop = tombstones->all.head;

    while (drop && !((Tombstone *)drop->data)->known)
        drop = drop->next;
    drop = drop ? drop : tombstones->all.head;
    tombstone_free(drop->data);
    g_queue_delete_link(&tombstones->all, drop);
}

void
tombstones_add(Tombstones *tombstones, const Tombstone *tombstone)
{
    Tombstone *copy = g_new(Tombstone, 1);

    *copy = *tombstone;
    copy->hub = g_strdup(tombstone->hub);
    copy->id = g_strdup(tombstone->id);
    g_queue_push_tail(&tombstones->all, copy);
    if (tombstones->all.length > TOMBSTONES_MAX)
        tombstones_drop_one(tombstones);
}

/* The times differ, so one that is over may stand behind one that is not. */
static void
tombstones_sweep(Tombstones *tombstones, gint64 now)
{
    GList *next;

    for (GList *l = tombstones->all.head; l; l = next) {
        next = l->next;
        if (((Tombstone *)l->data)->until >= now)
            continue;
        tombstone_free(l->data);
        g_queue_delete_link(&tombstones->all, l);
    }
}

const Tombstone *
tombstones_find(Tombstones *tombstones, const char *hub, const char *id, gint64 now)
{
    tombstones_sweep(tombstones, now);
    for (GList *l = tombstones->all.tail; l; l = l->prev) {
        const Tombstone *tombstone = l->data;

        if (g_str_equal(tombstone->id, id) && g_str_equal(tombstone->hub, hub))
            return tombstone;
    }
    return NULL;
}

void
tombstones_foreach(Tombstones *tombstones, void (*each)(const Tombstone *tombstone, void *data),
                   void *data)
{
    for (const GList *l = tombstones->all.head; l; l = l->next)
        each(l->data, data);
}

guint
tombstones_size(const Tombstones *tombstones)
{
    return tombstones->all.length;
}
