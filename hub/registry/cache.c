/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/registry/cache.h"

#include <string.h>

typedef struct {
    GList link; /* in `used`; its data is the entry */
    char *name;
    void *record;
    RegistryCache *cache;
} Entry;

struct RegistryCache {
    GHashTable *entries; /* name -> Entry, which it owns */
    GQueue used;         /* the one used last comes first */
    guint max;
    GDestroyNotify free_func;
};

static void
cache_entry_free(void *data)
{
    Entry *entry = data;

    g_queue_unlink(&entry->cache->used, &entry->link);
    entry->cache->free_func(entry->record);
    g_free(entry->name);
    g_free(entry);
}

RegistryCache *
registry_cache_new(guint max, GDestroyNotify free_func)
{
    RegistryCache *cache = g_new0(RegistryCache, 1);

    cache->entries = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, cache_entry_free);
    cache->max = MAX(max, 1);
    cache->free_func = free_func;
    return cache;
}

void
registry_cache_free(RegistryCache *cache)
{
    if (!cache)
        return;
    g_hash_table_unref(cache->entries);
    g_free(cache);
}

void *
registry_cache_get(RegistryCache *cache, const char *name)
{
    Entry *entry = g_hash_table_lookup(cache->entries, name);

    if (!entry)
        return NULL;
    g_queue_unlink(&cache->used, &entry->link);
    g_queue_push_head_link(&cache->used, &entry->link);
    return entry->record;
}

void
registry_cache_put(RegistryCache *cache, const char *name, void *record)
{
    Entry *entry = g_new0(Entry, 1);

    g_hash_table_remove(cache->entries, name);
    if (g_hash_table_size(cache->entries) >= cache->max) {
        const Entry *oldest = g_queue_peek_tail(&cache->used);

        g_hash_table_remove(cache->entries, oldest->name);
    }
    entry->link.data = entry;
    entry->name = g_strdup(name);
    entry->record = record;
    entry->cache = cache;
    g_queue_push_head_link(&cache->used, &entry->link);
    g_hash_table_insert(cache->entries, entry->name, entry);
}

static gboolean
entry_belongs_to(void *key, void *value G_GNUC_UNUSED, void *data)
{
    const char *name = data;
    gsize len = strlen(name);

    return strncmp(key, name, len) == 0 &&
           (((const char *)key)[len] == '\0' || ((const char *)key)[len] == '/');
}

void
registry_cache_drop(RegistryCache *cache, const char *name)
{
    /* Looks at every entry: changes are rare, and the cache is bounded. */
    g_hash_table_foreach_remove(cache->entries, entry_belongs_to, (void *)name);
}

guint
registry_cache_size(RegistryCache *cache)
{
    return g_hash_table_size(cache->entries);
}
