/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/device/clones.h"

#include <string.h>

typedef struct {
    char name[INSTANCE_LEN + 1];
    gint64 replaced; /* when another one came; 0: it is the last that connected */
    gboolean owed;   /* a word about a take-over */
    gboolean told;   /* it had one before, since there are two machines */
} Instance;

typedef struct {
    char *client_id;
    GList node;                           /* in `order` */
    Instance instances[CLONES_INSTANCES]; /* the last that connected first */
    guint count;
    gint64 used;      /* when one connected last */
    gint64 came_back; /* when one came back last; 0: never */
    CloneReport report;
} Entry;

struct Clones {
    gint64 window;
    GHashTable *by_id; /* client id inside the Entry -> Entry */
    GQueue order;      /* entries, the one used last first */
};

static void
entry_free(gpointer data)
{
    Entry *entry = data;

    g_free(entry->client_id);
    g_free(entry);
}

Clones *
clones_new(gint64 window)
{
    Clones *clones = g_new0(Clones, 1);

    clones->window = window;
    clones->by_id = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, entry_free);
    g_queue_init(&clones->order);
    return clones;
}

void
clones_free(Clones *clones)
{
    if (!clones)
        return;
    g_hash_table_unref(clones->by_id);
    g_free(clones);
}

static void
entry_drop(Clones *clones, Entry *entry)
{
    g_queue_unlink(&clones->order, &entry->node);
    g_hash_table_remove(clones->by_id, entry->client_id);
}

/* Whether within the window one came back. */
static gboolean
entry_is_cloned(const Clones *clones, const Entry *entry, gint64 now)
{
    return entry->came_back > 0 && now - entry->came_back <= clones->window;
}

/* What nobody can come back to any more goes, and the oldest when there are too many. */
static void
clones_purge(Clones *clones, gint64 now)
{
    while (clones->order.tail) {
        Entry *oldest = clones->order.tail->data;

        if (clones->order.length <= CLONES_DEVICES_MAX && now - oldest->used <= clones->window)
            return;
        entry_drop(clones, oldest);
    }
}

static Entry *
entry_use(Clones *clones, const char *client_id, gint64 now)
{
    Entry *entry = g_hash_table_lookup(clones->by_id, client_id);

    if (entry) {
        g_queue_unlink(&clones->order, &entry->node);
    } else {
        entry = g_new0(Entry, 1);
        entry->client_id = g_strdup(client_id);
        entry->node.data = entry;
        g_hash_table_insert(clones->by_id, entry->client_id, entry);
    }
    entry->used = now;
    g_queue_push_head_link(&clones->order, &entry->node);
    clones_purge(clones, now);
    return entry;
}

static int
entry_find(const Entry *entry, const char *instance)
{
    for (guint i = 0; entry && i < entry->count; i++)
        if (strcmp(entry->instances[i].name, instance) == 0)
            return (int)i;
    return -1;
}

/* INSTANCE becomes the last that connected. Returns what it was before; nothing for a new one. */
static Instance
entry_put_first(Entry *entry, const char *instance, gint64 now)
{
    int at = entry_find(entry, instance);
    Instance former = at >= 0 ? entry->instances[at] : (Instance){0};

    if (at == 0)
        return former;
    if (entry->count > 0)
        entry->instances[0].replaced = now;
    if (at < 0) {
        entry->count = MIN(entry->count + 1, CLONES_INSTANCES);
        at = (int)entry->count - 1;
    }
    memmove(entry->instances + 1, entry->instances, (gsize)at * sizeof(Instance));
    entry->instances[0] = (Instance){.owed = former.owed, .told = former.told};
    g_strlcpy(entry->instances[0].name, instance, sizeof entry->instances[0].name);
    return former;
}

static void
entry_note(const Clones *clones, Entry *entry, gint64 now)
{
    if (!entry_is_cloned(clones, entry, now)) {
        entry->report = (CloneReport){.since = g_get_real_time()};
        for (guint i = 0; i < entry->count; i++)
            entry->instances[i].told = FALSE;
    }
    entry->came_back = now;
    entry->report.times++;
    entry->report.last = g_get_real_time();
    entry->instances[1].owed = TRUE;
}

gboolean
clones_connected(Clones *clones, const char *client_id, const char *instance, const char *before,
                 gint64 now)
{
    Instance former;
    Entry *entry;

    if (clones->window == 0 || *instance == '\0')
        return FALSE;
    entry = entry_use(clones, client_id, now);
    if (before && *before != '\0')
        (void)entry_put_first(entry, before, now); /* a long connection may have been forgotten */
    former = entry_put_first(entry, instance, now);
    if (former.replaced == 0 || now - former.replaced > clones->window)
        return FALSE;
    entry_note(clones, entry, now);
    return TRUE;
}

gint64
clones_hold(const Clones *clones, const char *client_id, const char *instance, gint64 now)
{
    const Entry *entry = g_hash_table_lookup(clones->by_id, client_id);
    int at = entry_find(entry, instance);
    gint64 hold;

    if (!entry || !entry_is_cloned(clones, entry, now) || at == 0)
        return 0;
    if (at > 0 && entry->instances[at].owed && !entry->instances[at].told)
        return 0;
    hold = MIN(CLONES_HOLD << MIN(entry->report.times - 1, 16), CLONES_HOLD_MAX);
    return MAX(entry->used + hold - now, 0);
}

gboolean
clones_owes(const Clones *clones, const char *client_id, const char *instance)
{
    const Entry *entry = g_hash_table_lookup(clones->by_id, client_id);
    int at = entry_find(entry, instance);

    return at >= 0 && entry->instances[at].owed;
}

void
clones_told(Clones *clones, const char *client_id, const char *instance)
{
    Entry *entry = g_hash_table_lookup(clones->by_id, client_id);
    int at = entry_find(entry, instance);

    if (at < 0)
        return;
    entry->instances[at].owed = FALSE;
    entry->instances[at].told = TRUE;
}

void
clones_forget(Clones *clones, const char *client_id)
{
    Entry *entry = g_hash_table_lookup(clones->by_id, client_id);

    if (entry)
        entry_drop(clones, entry);
}

gboolean
clones_report(const Clones *clones, const char *client_id, gint64 now, CloneReport *ret)
{
    const Entry *entry = g_hash_table_lookup(clones->by_id, client_id);

    if (!entry || !entry_is_cloned(clones, entry, now))
        return FALSE;
    *ret = entry->report;
    return TRUE;
}

guint
clones_count(const Clones *clones, gint64 now)
{
    guint count = 0;

    for (const GList *node = clones->order.head; node; node = node->next)
        count += (guint)entry_is_cloned(clones, node->data, now);
    return count;
}

guint
clones_known(const Clones *clones)
{
    return clones->order.length;
}
