/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Registry cache: a bounded map from a name to a record. When it is full, the least recently used
 * record is dropped. One thread. */
#pragma once

#include <glib.h>

typedef struct RegistryCache RegistryCache;

/* At most MAX (1 or more) records; FREE_FUNC wipes and frees one. */
RegistryCache *registry_cache_new(guint max, GDestroyNotify free_func);
void registry_cache_free(RegistryCache *cache);

/* NULL when it is not there. Counts as a use. Valid until the next call that changes the cache. */
void *registry_cache_get(RegistryCache *cache, const char *name);

/* Takes RECORD; one of the same name is replaced. */
void registry_cache_put(RegistryCache *cache, const char *name, void *record);

/* Drops NAME and every name that begins with NAME and a slash: a device and its modules. */
void registry_cache_drop(RegistryCache *cache, const char *name);

guint registry_cache_size(RegistryCache *cache);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(RegistryCache, registry_cache_free)
