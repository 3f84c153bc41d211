/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The registry: every operation, its limits, its cache and what it tells watchers. */
#include "hub/registry/cache.h"
#include "tests/unit/hub/registry/registry-helper.h"

typedef struct {
    Scratch scratch;
    Registry *registry;
    GString *changes; /* what watchers were told */
} Fixture;

static void
on_change(const RegistryChange *change, void *data)
{
    static const char *const kinds[] = {"removed", "disabled", "policy"};

    if (change->kind == REGISTRY_DEVICE_ADMITTED)
        return; /* test_admitted */

    g_string_append_printf(data, "%s %s%s%s;", kinds[change->kind], change->name,
                           change->module ? "/" : "", change->module ? change->module : "");
}

static void
set_up(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    scratch_make(&f->scratch);
    f->registry = f->scratch.registry;
    f->changes = g_string_new(NULL);
    g_assert_cmpuint(registry_watch(f->registry, on_change, f->changes), !=, 0);
}

static void
tear_down(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    scratch_clear(&f->scratch);
    g_string_free(f->changes, TRUE);
}

static void
assert_same_key(const RegistryKey *key, const RegistryKey *other)
{
    g_assert_cmpuint(key->len, ==, other->len);
    g_assert_true(memcmp(key->bytes, other->bytes, key->len) == 0);
}

static void
test_devices(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    RegistryDevice draft = {.id = (char *)"dev1", .enabled = TRUE, .primary = {.len = 16}};
    g_auto(Answer) added = {0};
    g_auto(Answer) found = {0};

    memset(draft.primary.bytes, 'k', 16);
    g_assert_cmpint(ANSWER(added, registry_add_device, f->registry, &draft), ==, REGISTRY_OK);
    g_assert_true(added.device->admitted);
    g_assert_cmpuint(added.device->secondary.len, ==, REGISTRY_KEY_NEW);
    g_assert_cmpint(ANSWER(found, registry_lookup_device, f->registry, "dev1", NULL), ==,
                    REGISTRY_OK);
    g_assert_cmpstr(found.device->id, ==, "dev1");
    g_assert_null(found.device->module);
    assert_same_key(&found.device->primary, &draft.primary);
    assert_same_key(&found.device->secondary, &added.device->secondary);
    g_assert_cmpuint(found.device->etag, ==, added.device->etag);
    g_assert_cmpuint(found.device->generation_id, ==, added.device->generation_id);
    g_assert_cmpint(found.device->created, ==, added.device->created);
    g_assert_cmpint(add(f->registry, "dev1", NULL), ==, REGISTRY_EXISTS);
    g_assert_cmpint(lookup(f->registry, "dev10", NULL), ==, REGISTRY_NOT_FOUND);
    g_assert_cmpint(lookup(f->registry, "Dev1", NULL), ==, REGISTRY_NOT_FOUND);
}

/* In order: what came before is written, what comes after is refused until it is let go. */
static void
test_held(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    RegistryDevice before = {.id = (char *)"before", .enabled = TRUE};
    RegistryDevice after = {.id = (char *)"after", .enabled = TRUE};
    g_auto(Answer) first = {0}, hold = {0}, second = {0};

    registry_add_device(f->registry, &before, answer_take, &first);
    registry_hold(f->registry, TRUE, answer_take, &hold);
    g_assert_false(registry_is_held(f->registry));
    registry_add_device(f->registry, &after, answer_take, &second);
    answer_wait(&second);
    g_assert_cmpint(first.code, ==, REGISTRY_OK);
    g_assert_cmpint(hold.code, ==, REGISTRY_OK);
    g_assert_true(registry_is_held(f->registry));
    g_assert_cmpint(second.code, ==, REGISTRY_BUSY);
    g_assert_nonnull(strstr(second.message, "takes no changes"));
    g_assert_cmpint(lookup(f->registry, "before", NULL), ==, REGISTRY_OK);
    g_assert_cmpint(lookup(f->registry, "after", NULL), ==, REGISTRY_NOT_FOUND);
    g_assert_cmpint(ANSWER(hold, registry_hold, f->registry, FALSE), ==, REGISTRY_OK);
    g_assert_false(registry_is_held(f->registry));
    g_assert_cmpint(add(f->registry, "after", NULL), ==, REGISTRY_OK);
}

static void
test_invalid(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    RegistryDevice draft = {.id = (char *)"dev1", .enabled = TRUE, .primary = {.len = 15}};
    RegistryPolicy policy = {.name = (char *)"p", .rights = 0};
    g_auto(Answer) answer = {0};

    g_assert_cmpint(ANSWER(answer, registry_add_device, f->registry, &draft), ==, REGISTRY_INVALID);
    g_assert_nonnull(answer.message);
    g_assert_cmpint(add(f->registry, "a/b", NULL), ==, REGISTRY_INVALID);
    g_assert_cmpint(add(f->registry, "", NULL), ==, REGISTRY_INVALID);
    g_assert_cmpint(add(f->registry, "dev1", ""), ==, REGISTRY_INVALID);
    g_assert_cmpint(lookup(f->registry, "a/b", NULL), ==, REGISTRY_NOT_FOUND);
    g_assert_cmpint(ANSWER(answer, registry_add_policy, f->registry, &policy), ==,
                    REGISTRY_INVALID);
    policy.rights = 1 << 4;
    g_assert_cmpint(ANSWER(answer, registry_add_policy, f->registry, &policy), ==,
                    REGISTRY_INVALID);
}

static void
test_enabled(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    g_auto(Answer) answer = {0};
    guint64 etag;

    g_assert_cmpint(add(f->registry, "dev1", NULL), ==, REGISTRY_OK);
    g_assert_cmpint(add(f->registry, "dev1", "m"), ==, REGISTRY_OK);
    (void)ANSWER(answer, registry_lookup_device, f->registry, "dev1", "m");
    g_assert_true(answer.device->admitted);
    etag = answer.device->etag;
    g_assert_cmpint(ANSWER(answer, registry_set_enabled, f->registry, "dev1", NULL, FALSE), ==,
                    REGISTRY_OK);
    g_assert_false(answer.device->enabled);
    g_assert_cmpstr(f->changes->str, ==, "disabled dev1;");
    /* The module was in the cache: its device's state counts all the same. */
    (void)ANSWER(answer, registry_lookup_device, f->registry, "dev1", "m");
    g_assert_true(answer.device->enabled);
    g_assert_false(answer.device->admitted);
    g_assert_cmpuint(answer.device->etag, ==, etag);
    g_assert_cmpint(ANSWER(answer, registry_set_enabled, f->registry, "dev1", NULL, TRUE), ==,
                    REGISTRY_OK);
    g_assert_cmpstr(f->changes->str, ==, "disabled dev1;");
    g_assert_cmpint(ANSWER(answer, registry_set_enabled, f->registry, "dev1", "m", FALSE), ==,
                    REGISTRY_OK);
    g_assert_cmpuint(answer.device->etag, !=, etag);
    g_assert_cmpstr(f->changes->str, ==, "disabled dev1;disabled dev1/m;");
    (void)ANSWER(answer, registry_lookup_device, f->registry, "dev1", NULL);
    g_assert_true(answer.device->admitted);
    g_assert_cmpint(ANSWER(answer, registry_set_enabled, f->registry, "dev2", NULL, TRUE), ==,
                    REGISTRY_NOT_FOUND);
}

static void
test_remove(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    g_auto(Answer) answer = {0};
    guint64 generation;

    g_assert_cmpint(add(f->registry, "dev1", NULL), ==, REGISTRY_OK);
    g_assert_cmpint(add(f->registry, "dev1", "m"), ==, REGISTRY_OK);
    g_assert_cmpint(add(f->registry, "dev10", NULL), ==, REGISTRY_OK);
    (void)ANSWER(answer, registry_lookup_device, f->registry, "dev1", NULL);
    generation = answer.device->generation_id;
    g_assert_cmpint(lookup(f->registry, "dev1", "m"), ==, REGISTRY_OK);
    g_assert_cmpint(ANSWER(answer, registry_remove_device, f->registry, "dev1", NULL), ==,
                    REGISTRY_OK);
    g_assert_cmpstr(answer.device->id, ==, "dev1");
    g_assert_cmpstr(f->changes->str, ==, "removed dev1;");
    g_assert_cmpint(lookup(f->registry, "dev1", NULL), ==, REGISTRY_NOT_FOUND);
    g_assert_cmpint(lookup(f->registry, "dev1", "m"), ==, REGISTRY_NOT_FOUND);
    g_assert_cmpint(lookup(f->registry, "dev10", NULL), ==, REGISTRY_OK);
    g_assert_cmpint(ANSWER(answer, registry_remove_device, f->registry, "dev1", NULL), ==,
                    REGISTRY_NOT_FOUND);
    g_assert_cmpint(add(f->registry, "dev1", NULL), ==, REGISTRY_OK);
    (void)ANSWER(answer, registry_lookup_device, f->registry, "dev1", NULL);
    g_assert_cmpuint(answer.device->generation_id, !=, generation);
}

typedef struct {
    const GString *changes;
    gboolean done;
} Race;

static void
on_raced(const RegistryResult *result, void *data)
{
    Race *race = data;

    race->done = TRUE;
    g_assert_cmpint(result->code, ==, race->changes->len ? REGISTRY_NOT_FOUND : REGISTRY_OK);
}

/* A look-up that found its record in the cache does not admit a device when the watchers were told
 * of its removal before the look-up's completion runs. */
static void
test_lookup_overtaken(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    for (guint round = 0; round < 20; round++) {
        Race race = {f->changes, FALSE};
        g_auto(Answer) removal = {0};

        g_string_truncate(f->changes, 0);
        g_assert_cmpint(add(f->registry, "dev1", NULL), ==, REGISTRY_OK);
        g_assert_cmpint(lookup(f->registry, "dev1", NULL), ==, REGISTRY_OK);
        registry_remove_device(f->registry, "dev1", NULL, answer_take, &removal);
        g_usleep(round * 500); /* so that the removal is on its way back, or not yet */
        registry_lookup_device(f->registry, "dev1", NULL, on_raced, &race);
        g_assert_false(race.done);
        answer_wait(&removal);
        while (!race.done)
            g_main_context_iteration(NULL, TRUE);
        g_assert_cmpint(removal.code, ==, REGISTRY_OK);
    }
}

static void
test_modules(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    g_assert_cmpint(add(f->registry, "dev1", "m"), ==, REGISTRY_NOT_FOUND);
    g_assert_cmpint(add(f->registry, "dev1", NULL), ==, REGISTRY_OK);
    for (guint i = 0; i < REGISTRY_MODULES_MAX; i++) {
        g_autofree char *module = g_strdup_printf("m%u", i);

        g_assert_cmpint(add(f->registry, "dev1", module), ==, REGISTRY_OK);
    }
    g_assert_cmpint(add(f->registry, "dev1", "one-more"), ==, REGISTRY_LIMIT);
    g_assert_cmpint(lookup(f->registry, "dev1", "m0"), ==, REGISTRY_OK);
    g_assert_cmpint(lookup(f->registry, "dev1", "one-more"), ==, REGISTRY_NOT_FOUND);
}

static char *
page(Registry *registry, const char *after_id, const char *after_module, guint limit)
{
    g_auto(Answer) answer = {0};
    g_autoptr(GString) text = g_string_new(NULL);

    g_assert_cmpint(ANSWER(answer, registry_list_devices, registry, after_id, after_module, limit),
                    ==, REGISTRY_OK);
    for (guint i = 0; i < answer.names->len; i++)
        g_string_append_printf(text, "%s ", (char *)answer.names->pdata[i]);
    g_string_append(text, answer.more ? "more" : "end");
    return g_string_free(g_steal_pointer(&text), FALSE);
}

static void
test_list(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    g_autofree char *empty = page(f->registry, NULL, NULL, 0);
    g_autofree char *first = NULL, *second = NULL, *third = NULL, *all = NULL;

    g_assert_cmpstr(empty, ==, "end");
    g_assert_cmpint(add(f->registry, "b", NULL), ==, REGISTRY_OK);
    g_assert_cmpint(add(f->registry, "a", NULL), ==, REGISTRY_OK);
    g_assert_cmpint(add(f->registry, "a", "y"), ==, REGISTRY_OK);
    g_assert_cmpint(add(f->registry, "a", "x"), ==, REGISTRY_OK);
    g_assert_cmpint(add(f->registry, "a-1", NULL), ==, REGISTRY_OK);
    all = page(f->registry, NULL, NULL, 0);
    g_assert_cmpstr(all, ==, "a a/x a/y a-1 b end");
    first = page(f->registry, NULL, NULL, 2);
    g_assert_cmpstr(first, ==, "a a/x more");
    second = page(f->registry, "a", "x", 2);
    g_assert_cmpstr(second, ==, "a/y a-1 more");
    third = page(f->registry, "a-1", NULL, 2);
    g_assert_cmpstr(third, ==, "b end");
}

static void
test_policies(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    RegistryPolicy draft = {.name = (char *)"service", .rights = REGISTRY_RIGHT_SERVICE_CONNECT};
    g_auto(Answer) answer = {0};

    g_assert_cmpint(ANSWER(answer, registry_add_policy, f->registry, &draft), ==, REGISTRY_OK);
    g_assert_cmpint(ANSWER(answer, registry_add_policy, f->registry, &draft), ==, REGISTRY_EXISTS);
    for (guint i = 0; i < 2; i++) { /* from the file, then from the cache */
        g_assert_cmpint(ANSWER(answer, registry_lookup_policy, f->registry, "service"), ==,
                        REGISTRY_OK);
        g_assert_cmpint(answer.policy->rights, ==, REGISTRY_RIGHT_SERVICE_CONNECT);
        g_assert_cmpuint(answer.policy->primary.len, ==, REGISTRY_KEY_NEW);
    }
    draft.name = (char *)"another";
    (void)ANSWER(answer, registry_add_policy, f->registry, &draft);
    g_assert_cmpint(ANSWER(answer, registry_list_policies, f->registry), ==, REGISTRY_OK);
    g_assert_cmpuint(answer.names->len, ==, 2);
    g_assert_cmpstr(answer.names->pdata[0], ==, "another");
    g_assert_cmpint(ANSWER(answer, registry_remove_policy, f->registry, "service"), ==,
                    REGISTRY_OK);
    g_assert_cmpstr(f->changes->str, ==, "policy service;");
    g_assert_cmpint(ANSWER(answer, registry_lookup_policy, f->registry, "service"), ==,
                    REGISTRY_NOT_FOUND);
    g_assert_cmpint(ANSWER(answer, registry_remove_policy, f->registry, "service"), ==,
                    REGISTRY_NOT_FOUND);
}

static void
test_reopen(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    g_auto(Answer) before = {0};
    g_auto(Answer) after = {0};

    g_assert_cmpint(add(f->registry, "dev1", NULL), ==, REGISTRY_OK);
    (void)ANSWER(before, registry_lookup_device, f->registry, "dev1", NULL);
    scratch_reopen(&f->scratch);
    g_assert_cmpint(ANSWER(after, registry_lookup_device, f->scratch.registry, "dev1", NULL), ==,
                    REGISTRY_OK);
    assert_same_key(&before.device->primary, &after.device->primary);
    g_assert_cmpint(before.device->created, ==, after.device->created);
}

/* Nobody waits for ever: what is open when the registry goes is answered. */
static void
test_free_answers(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    Answer answers[64] = {0};
    guint closed = 0;

    for (guint i = 0; i < G_N_ELEMENTS(answers); i++)
        registry_list_devices(f->registry, NULL, NULL, 0, answer_take, &answers[i]);
    g_clear_pointer(&f->scratch.registry, registry_free);
    for (guint i = 0; i < G_N_ELEMENTS(answers); i++) {
        g_assert_true(answers[i].done);
        closed += answers[i].code == REGISTRY_CLOSED;
        answer_clear(&answers[i]);
    }
    g_test_message("%u of them unbegun", closed);
}

/* After closing there is an answer still, and it is no. */
static void
test_closed(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    g_assert_cmpint(add(f->registry, "dev1", NULL), ==, REGISTRY_OK);
    g_assert_cmpint(lookup(f->registry, "dev1", NULL), ==, REGISTRY_OK);
    registry_close(f->registry);
    registry_close(f->registry);
    g_assert_cmpint(lookup(f->registry, "dev1", NULL), ==, REGISTRY_CLOSED);
    g_assert_cmpint(add(f->registry, "dev2", NULL), ==, REGISTRY_CLOSED);
}

static void
test_unwatch(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    g_autoptr(GString) other = g_string_new(NULL);
    guint watch = registry_watch(f->registry, on_change, other);
    g_auto(Answer) answer = {0};

    registry_unwatch(f->registry, watch);
    g_assert_cmpint(add(f->registry, "dev1", NULL), ==, REGISTRY_OK);
    (void)ANSWER(answer, registry_remove_device, f->registry, "dev1", NULL);
    g_assert_cmpstr(other->str, ==, "");
    g_assert_cmpstr(f->changes->str, ==, "removed dev1;");
}

static void
test_pending_is_bounded(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    g_autofree Answer *answers = g_new0(Answer, REGISTRY_PENDING_MAX + 100);
    guint busy = 0;

    for (guint i = 0; i < REGISTRY_PENDING_MAX + 100; i++)
        registry_lookup_device(f->registry, "nobody", NULL, answer_take, &answers[i]);
    for (guint i = 0; i < REGISTRY_PENDING_MAX + 100; i++) {
        answer_wait(&answers[i]);
        busy += answers[i].code == REGISTRY_BUSY;
        answer_clear(&answers[i]);
    }
    g_assert_cmpuint(busy, >=, 100);
    g_assert_cmpint(lookup(f->registry, "nobody", NULL), ==, REGISTRY_NOT_FOUND);
}

static void
test_cache(void)
{
    g_autoptr(RegistryCache) cache = registry_cache_new(3, g_free);

    registry_cache_put(cache, "a", g_strdup("1"));
    registry_cache_put(cache, "b", g_strdup("2"));
    registry_cache_put(cache, "a/m", g_strdup("3"));
    registry_cache_put(cache, "a", g_strdup("4")); /* replaced, and used last */
    g_assert_cmpuint(registry_cache_size(cache), ==, 3);
    registry_cache_put(cache, "ab", g_strdup("5"));
    g_assert_cmpuint(registry_cache_size(cache), ==, 3);
    g_assert_null(registry_cache_get(cache, "b"));
    g_assert_cmpstr(registry_cache_get(cache, "a/m"), ==, "3");
    registry_cache_drop(cache, "a");
    g_assert_null(registry_cache_get(cache, "a"));
    g_assert_null(registry_cache_get(cache, "a/m"));
    g_assert_cmpstr(registry_cache_get(cache, "ab"), ==, "5");
}

static void
test_rights(void)
{
    g_autofree char *all = registry_rights_format(REGISTRY_RIGHTS_ALL);
    RegistryRights rights = 0;

    g_assert_true(registry_rights_parse(all, &rights));
    g_assert_cmpint(rights, ==, REGISTRY_RIGHTS_ALL);
    g_assert_true(registry_rights_parse("registry-read, device-connect", &rights));
    g_assert_cmpint(rights, ==, REGISTRY_RIGHT_READ | REGISTRY_RIGHT_DEVICE_CONNECT);
    g_assert_false(registry_rights_parse("", &rights));
    g_assert_false(registry_rights_parse("registry-read,", &rights));
    g_assert_false(registry_rights_parse("root", &rights));
}

static void
on_admitted(const RegistryChange *change, void *data)
{
    if (change->kind == REGISTRY_DEVICE_ADMITTED)
        g_string_append_printf(data, "%s;", change->name);
}

/* Who has been added or enabled again is told to those who had refused it. */
static void
test_admitted(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    RegistryDevice draft = {.id = (char *)"dev1", .enabled = TRUE};
    g_autoptr(GString) admitted = g_string_new(NULL);
    guint watch = registry_watch(f->registry, on_admitted, admitted);
    g_auto(Answer) added = {0};
    g_auto(Answer) again = {0};
    g_auto(Answer) off = {0};
    g_auto(Answer) on = {0};

    g_assert_cmpint(ANSWER(added, registry_add_device, f->registry, &draft), ==, REGISTRY_OK);
    g_assert_cmpstr(admitted->str, ==, "dev1;");
    g_assert_cmpint(ANSWER(again, registry_add_device, f->registry, &draft), !=, REGISTRY_OK);
    g_assert_cmpint(ANSWER(off, registry_set_enabled, f->registry, "dev1", NULL, FALSE), ==,
                    REGISTRY_OK);
    g_assert_cmpstr(admitted->str, ==, "dev1;");
    g_assert_cmpint(ANSWER(on, registry_set_enabled, f->registry, "dev1", NULL, TRUE), ==,
                    REGISTRY_OK);
    g_assert_cmpstr(admitted->str, ==, "dev1;dev1;");
    registry_unwatch(f->registry, watch);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name, func) g_test_add("/registry/" name, Fixture, NULL, set_up, func, tear_down)
    ADD("devices", test_devices);
    ADD("held", test_held);
    ADD("invalid", test_invalid);
    ADD("enabled", test_enabled);
    ADD("remove", test_remove);
    ADD("lookup-overtaken", test_lookup_overtaken);
    ADD("modules", test_modules);
    ADD("list", test_list);
    ADD("policies", test_policies);
    ADD("reopen", test_reopen);
    ADD("free-answers", test_free_answers);
    ADD("closed", test_closed);
    ADD("unwatch", test_unwatch);
    ADD("admitted", test_admitted);
    ADD("pending-bound", test_pending_is_bounded);
    g_test_add_func("/registry/cache", test_cache);
    g_test_add_func("/registry/rights", test_rights);
    return g_test_run();
}
