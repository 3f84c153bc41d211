/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The cache of the registry: what goes when it is full, at the bound that it has in a hub; and that
 * nothing is believed for longer than it is true. The store answers at once. */
#include "hub/registry/cache.h"
#include "tests/unit/hub/registry/registry-helper.h"

#include "hub/registry/job.h"

static void
store_submit(RegistryBackend *backend G_GNUC_UNUSED, RegistryJob *job)
{
    registry_job_finish(job, REGISTRY_OK, NULL);
}

static void
store_free(RegistryBackend *backend G_GNUC_UNUSED)
{
}

static RegistryBackend store = {store_submit, store_free};

static void
put(RegistryCache *cache, const char *name, const char *record)
{
    registry_cache_put(cache, name, g_strdup(record));
}

/* The one that was not asked for for longest. */
static void
test_order(void)
{
    g_autoptr(RegistryCache) cache = registry_cache_new(3, g_free);

    put(cache, "a", "1");
    put(cache, "b", "2");
    put(cache, "c", "3");
    g_assert_cmpuint(registry_cache_size(cache), ==, 3);
    g_assert_cmpstr(registry_cache_get(cache, "a"), ==, "1");
    put(cache, "d", "4");
    g_assert_cmpuint(registry_cache_size(cache), ==, 3);
    g_assert_null(registry_cache_get(cache, "b"));
    g_assert_cmpstr(registry_cache_get(cache, "c"), ==, "3");
    put(cache, "e", "5");
    g_assert_null(registry_cache_get(cache, "a"));
    g_assert_cmpstr(registry_cache_get(cache, "c"), ==, "3");
}

/* One that is there is replaced and puts nobody out. */
static void
test_replaced(void)
{
    g_autoptr(RegistryCache) cache = registry_cache_new(2, g_free);

    put(cache, "a", "1");
    put(cache, "b", "2");
    for (guint i = 0; i < 10; i++)
        put(cache, "b", "3");
    g_assert_cmpstr(registry_cache_get(cache, "a"), ==, "1");
    g_assert_cmpstr(registry_cache_get(cache, "b"), ==, "3");
    g_assert_cmpuint(registry_cache_size(cache), ==, 2);
}

static char *
name_of(guint number)
{
    return g_strdup_printf("dev%u", number);
}

/* 4,096 devices; with one more the first one goes. Of policies 256. */
static void
test_bounds(void)
{
    g_autoptr(Registry) registry = registry_new(&store);
    g_auto(Answer) answer = {0};

    for (guint i = 0; i <= REGISTRY_CACHE_MAX; i++) {
        g_autofree char *name = name_of(i);

        if (i == REGISTRY_CACHE_MAX)
            g_assert_nonnull(registry_peek_device(registry, "dev0", NULL));
        g_assert_cmpint(ANSWER(answer, registry_lookup_device, registry, name, NULL), ==,
                        REGISTRY_OK);
        if (i < REGISTRY_CACHE_MAX)
            continue;
        g_assert_nonnull(registry_peek_device(registry, name, NULL));
    }
    /* To look is a use: so dev1 is the oldest. */
    g_assert_nonnull(registry_peek_device(registry, "dev0", NULL));
    g_assert_null(registry_peek_device(registry, "dev1", NULL));
    g_assert_nonnull(registry_peek_device(registry, "dev2", NULL));
    for (guint i = 0; i <= REGISTRY_POLICIES_MAX; i++) {
        g_autofree char *name = name_of(i);

        g_assert_cmpint(ANSWER(answer, registry_lookup_policy, registry, name), ==, REGISTRY_OK);
    }
    g_assert_null(registry_peek_policy(registry, "dev0"));
    g_assert_nonnull(registry_peek_policy(registry, "dev1"));
}

/* A fetch leaves the cache as it is, also when it is full of others. */
static void
test_fetch_keeps_nothing(void)
{
    g_autoptr(Registry) registry = registry_new(&store);
    g_auto(Answer) answer = {0};

    g_assert_cmpint(ANSWER(answer, registry_fetch_device, registry, "dev0", NULL), ==, REGISTRY_OK);
    g_assert_null(registry_peek_device(registry, "dev0", NULL));
    registry_keep_device(registry, answer.device);
    g_assert_nonnull(registry_peek_device(registry, "dev0", NULL));
    g_assert_cmpint(ANSWER(answer, registry_fetch_policy, registry, "anna"), ==, REGISTRY_OK);
    g_assert_null(registry_peek_policy(registry, "anna"));
    registry_keep_policy(registry, answer.policy);
    g_assert_nonnull(registry_peek_policy(registry, "anna"));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/registry-cache/order", test_order);
    g_test_add_func("/registry-cache/replaced", test_replaced);
    g_test_add_func("/registry-cache/bounds", test_bounds);
    g_test_add_func("/registry-cache/fetch-keeps-nothing", test_fetch_keeps_nothing);
    return g_test_run();
}
