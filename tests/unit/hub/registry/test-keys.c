/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* New keys, and every step of a rekey in every state of it; each also after the hub was started
 * again in between. */
#include "hub/registry/keys.h"
#include "tests/unit/hub/registry/registry-helper.h"

typedef struct {
    Scratch scratch;
    GString *changes; /* what watchers were told */
    gboolean restarts;
} Fixture;

static void
on_change(const RegistryChange *change, void *data)
{
    if (change->kind == REGISTRY_DEVICE_KEYS || change->kind == REGISTRY_POLICY_KEYS)
        g_string_append_printf(data, "%s%s%s:%d%s;", change->name, change->module ? "/" : "",
                               change->module ? change->module : "", (int)change->keys,
                               change->planned ? "p" : "");
}

static void
set_up(Fixture *f, gconstpointer data)
{
    f->restarts = GPOINTER_TO_INT(data);
    f->changes = g_string_new(NULL);
    scratch_make(&f->scratch);
    (void)registry_watch(f->scratch.registry, on_change, f->changes);
    g_assert_cmpint(add(f->scratch.registry, "dev1", NULL), ==, REGISTRY_OK);
    g_assert_cmpint(add(f->scratch.registry, "dev1", "m"), ==, REGISTRY_OK);
    g_assert_cmpint(add(f->scratch.registry, "dev10", NULL), ==, REGISTRY_OK);
}

static void
tear_down(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    scratch_clear(&f->scratch);
    g_string_free(f->changes, TRUE);
}

static void
next(Fixture *f)
{
    if (!f->restarts)
        return;
    scratch_reopen(&f->scratch);
    (void)registry_watch(f->scratch.registry, on_change, f->changes);
}

static RegistryDevice *
device(Fixture *f, const char *module)
{
    g_auto(Answer) answer = {0};

    g_assert_cmpint(ANSWER(answer, registry_lookup_device, f->scratch.registry, "dev1", module), ==,
                    REGISTRY_OK);
    return g_steal_pointer(&answer.device);
}

static gboolean
same(const RegistryKey *a, const RegistryKey *b)
{
    return a->len == b->len && memcmp(a->bytes, b->bytes, a->len) == 0;
}

/* Which keys differ. */
static RegistryKeys
differ(const RegistryDevice *a, const RegistryDevice *b)
{
    return (same(&a->primary, &b->primary) ? 0 : REGISTRY_KEY_PRIMARY) |
           (same(&a->secondary, &b->secondary) ? 0 : REGISTRY_KEY_SECONDARY);
}

static void
assert_changes(Fixture *f, const char *wanted)
{
    g_assert_cmpstr(f->changes->str, ==, wanted);
    g_string_truncate(f->changes, 0);
}

static void
test_regenerate(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    static const struct {
        const char *module;
        RegistryKeys which;
        const char *told;
    } rows[] = {
        {NULL, REGISTRY_KEY_PRIMARY, "dev1:1;"}, {NULL, REGISTRY_KEY_SECONDARY, "dev1:2;"},
        {NULL, REGISTRY_KEYS_BOTH, "dev1:3;"},   {"m", REGISTRY_KEY_PRIMARY, "dev1/m:1;"},
        {"m", REGISTRY_KEYS_BOTH, "dev1/m:3;"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(RegistryDevice) before = device(f, rows[i].module), after = NULL;
        g_autoptr(RegistryDevice) other = device(f, rows[i].module ? NULL : "m"), still = NULL;
        g_auto(Answer) answer = {0};

        g_assert_cmpint(ANSWER(answer, registry_new_device_keys, f->scratch.registry, "dev1",
                               rows[i].module, rows[i].which),
                        ==, REGISTRY_OK);
        assert_changes(f, rows[i].told);
        next(f);
        after = device(f, rows[i].module);
        still = device(f, rows[i].module ? NULL : "m");
        g_assert_cmpint(differ(before, after), ==, rows[i].which);
        g_assert_cmpint(differ(after, answer.device), ==, 0);
        g_assert_cmpuint(before->etag, !=, after->etag);
        g_assert_cmpint(differ(other, still), ==, 0);
        g_assert_false(same(&after->primary, &after->secondary));
    }
}

static void
test_regenerate_policy(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    RegistryPolicy draft = {.name = (char *)"anna", .rights = REGISTRY_RIGHT_SERVICE_CONNECT};
    g_auto(Answer) before = {0}, answer = {0}, after = {0};

    g_assert_cmpint(ANSWER(before, registry_add_policy, f->scratch.registry, &draft), ==,
                    REGISTRY_OK);
    g_assert_cmpint(ANSWER(answer, registry_new_policy_keys, f->scratch.registry, "anna",
                           REGISTRY_KEY_SECONDARY),
                    ==, REGISTRY_OK);
    assert_changes(f, "anna:2;");
    next(f);
    g_assert_cmpint(ANSWER(after, registry_lookup_policy, f->scratch.registry, "anna"), ==,
                    REGISTRY_OK);
    g_assert_true(same(&before.policy->primary, &after.policy->primary));
    g_assert_false(same(&before.policy->secondary, &after.policy->secondary));
    g_assert_cmpint(
        ANSWER(answer, registry_new_policy_keys, f->scratch.registry, "ben", REGISTRY_KEYS_BOTH),
        ==, REGISTRY_NOT_FOUND);
    g_assert_cmpint(ANSWER(answer, registry_new_device_keys, f->scratch.registry, "dev2", NULL,
                           REGISTRY_KEYS_BOTH),
                    ==, REGISTRY_NOT_FOUND);
    assert_changes(f, "");
}

/* Steps as the tests write them; the device uses its primary key, and the grace is 100 µs. */
typedef enum {
    WANT,
    OFFER,
    OFFER_ASKED,
    OFFER_OTHER, /* it uses the secondary key */
    CONFIRM,     /* it has logged in with the secondary key */
    CONFIRM_OLD, /* with the primary */
    REFUSE,
    RETIRE_EARLY,
    RETIRE,
    STEPS
} Step;

static RegistryDevice *
do_step(Fixture *f, Step step)
{
    Registry *r = f->scratch.registry;
    g_autoptr(RegistryDevice) now = device(f, NULL);
    gint64 at = now->rekey.confirmed;
    g_auto(Answer) a = {0};

    switch (step) {
    case WANT:
        (void)ANSWER(a, registry_rekey_want, r, "dev1", NULL);
        break;
    case OFFER:
    case OFFER_ASKED:
        (void)ANSWER(a, registry_rekey_offer, r, "dev1", NULL, REGISTRY_KEY_PRIMARY,
                     step == OFFER_ASKED);
        break;
    case OFFER_OTHER:
        (void)ANSWER(a, registry_rekey_offer, r, "dev1", NULL, REGISTRY_KEY_SECONDARY, TRUE);
        break;
    case CONFIRM:
        (void)ANSWER(a, registry_rekey_confirm, r, "dev1", NULL, REGISTRY_KEY_SECONDARY);
        break;
    case CONFIRM_OLD:
        (void)ANSWER(a, registry_rekey_confirm, r, "dev1", NULL, REGISTRY_KEY_PRIMARY);
        break;
    case REFUSE:
        (void)ANSWER(a, registry_rekey_refuse, r, "dev1", NULL, REGISTRY_KEY_SECONDARY);
        break;
    case RETIRE_EARLY:
        (void)ANSWER(a, registry_rekey_retire, r, "dev1", NULL, at - 1);
        break;
    default:
        (void)ANSWER(a, registry_rekey_retire, r, "dev1", NULL, at);
        break;
    }
    g_assert_cmpint(a.code, ==, REGISTRY_OK);
    return g_steal_pointer(&a.device);
}

/* The steps that lead to each state. */
static const Step ways[][4] = {
    [REKEY_NONE] = {STEPS},
    [REKEY_WANTED] = {WANT, STEPS},
    [REKEY_OFFERED] = {WANT, OFFER, STEPS},
    [REKEY_CONFIRMED] = {OFFER_ASKED, CONFIRM, STEPS},
    [REKEY_READ_ONLY] = {OFFER_ASKED, REFUSE, STEPS},
};

/* What each step makes of each state, and which keys it replaces (1: the primary). */
static const struct {
    RekeyState state;
    int keys;
} table[][STEPS] = {
    [REKEY_NONE] = {[WANT] = {REKEY_WANTED, 0},
                    [OFFER] = {REKEY_NONE, 0},
                    [OFFER_ASKED] = {REKEY_OFFERED, 2},
                    [OFFER_OTHER] = {REKEY_OFFERED, 1}},
    [REKEY_WANTED] = {[WANT] = {REKEY_WANTED, 0},
                      [OFFER] = {REKEY_OFFERED, 2},
                      [OFFER_ASKED] = {REKEY_OFFERED, 2},
                      [OFFER_OTHER] = {REKEY_OFFERED, 1},
                      [CONFIRM] = {REKEY_WANTED, 0},
                      [CONFIRM_OLD] = {REKEY_WANTED, 0},
                      [REFUSE] = {REKEY_WANTED, 0},
                      [RETIRE_EARLY] = {REKEY_WANTED, 0},
                      [RETIRE] = {REKEY_WANTED, 0}},
    [REKEY_OFFERED] = {[WANT] = {REKEY_OFFERED, 0},
                       [OFFER] = {REKEY_OFFERED, 0},
                       [OFFER_ASKED] = {REKEY_OFFERED, 0},
                       [OFFER_OTHER] = {REKEY_OFFERED, 1},
                       [CONFIRM] = {REKEY_CONFIRMED, 0},
                       [CONFIRM_OLD] = {REKEY_OFFERED, 0},
                       [REFUSE] = {REKEY_READ_ONLY, 2},
                       [RETIRE_EARLY] = {REKEY_OFFERED, 0},
                       [RETIRE] = {REKEY_OFFERED, 0}},
    [REKEY_CONFIRMED] = {[WANT] = {REKEY_WANTED, 1},
                         [OFFER] = {REKEY_CONFIRMED, 0},
                         [OFFER_ASKED] = {REKEY_OFFERED, 2},
                         [OFFER_OTHER] = {REKEY_OFFERED, 1},
                         [CONFIRM] = {REKEY_CONFIRMED, 0},
                         [CONFIRM_OLD] = {REKEY_CONFIRMED, 0},
                         [REFUSE] = {REKEY_CONFIRMED, 0},
                         [RETIRE_EARLY] = {REKEY_CONFIRMED, 0},
                         [RETIRE] = {REKEY_NONE, 1}},
    [REKEY_READ_ONLY] = {[WANT] = {REKEY_WANTED, 0},
                         [OFFER] = {REKEY_READ_ONLY, 0},
                         [OFFER_ASKED] = {REKEY_OFFERED, 2},
                         [OFFER_OTHER] = {REKEY_OFFERED, 1},
                         [CONFIRM] = {REKEY_READ_ONLY, 0},
                         [CONFIRM_OLD] = {REKEY_READ_ONLY, 0},
                         [REFUSE] = {REKEY_READ_ONLY, 0},
                         [RETIRE_EARLY] = {REKEY_READ_ONLY, 0},
                         [RETIRE] = {REKEY_READ_ONLY, 0}},
};

static void
test_steps(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    for (gsize state = 0; state < G_N_ELEMENTS(table); state++)
        for (Step step = WANT; step < STEPS; step++) {
            g_autoptr(RegistryDevice) before = NULL, after = NULL, stored = NULL;
            g_autofree char *told = table[state][step].keys
                                        ? g_strdup_printf("dev1:%dp;", table[state][step].keys)
                                        : g_strdup("");
            g_auto(Answer) fresh = {0};

            (void)ANSWER(fresh, registry_new_device_keys, f->scratch.registry, "dev1", NULL,
                         REGISTRY_KEYS_BOTH);
            for (const Step *way = ways[state]; *way != STEPS; way++) {
                registry_device_free(do_step(f, *way));
                next(f);
            }
            g_string_truncate(f->changes, 0);
            before = device(f, NULL);
            g_assert_cmpint(before->rekey.state, ==, (int)state);
            after = do_step(f, step);
            assert_changes(f, told);
            next(f);
            stored = device(f, NULL);
            g_assert_cmpint(after->rekey.state, ==, table[state][step].state);
            g_assert_cmpint(stored->rekey.state, ==, after->rekey.state);
            g_assert_cmpint(stored->rekey.which, ==, after->rekey.which);
            g_assert_cmpint(stored->rekey.confirmed, ==, after->rekey.confirmed);
            g_assert_cmpint(differ(stored, after), ==, 0);
            g_assert_cmpint(differ(before, after), ==, table[state][step].keys);
        }
}

/* A refusal puts back the key that was there before. */
static void
test_refused(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    g_autoptr(RegistryDevice) before = device(f, NULL), offered = NULL, after = NULL;

    offered = do_step(f, OFFER_ASKED);
    g_assert_cmpint(differ(before, offered), ==, REGISTRY_KEY_SECONDARY);
    next(f);
    after = do_step(f, REFUSE);
    g_assert_cmpint(differ(before, after), ==, 0);
}

/* Whoever changes the keys by other means, or removes the device, ends a rekey. */
static void
test_ended(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    g_auto(Answer) answer = {0};
    g_autoptr(RegistryDevice) now = NULL, again = NULL;

    registry_device_free(do_step(f, OFFER_ASKED));
    next(f);
    (void)ANSWER(answer, registry_new_device_keys, f->scratch.registry, "dev1", NULL,
                 REGISTRY_KEY_PRIMARY);
    g_assert_cmpint(answer.device->rekey.state, ==, REKEY_NONE);
    now = device(f, NULL);
    g_assert_cmpint(now->rekey.state, ==, REKEY_NONE);
    registry_device_free(do_step(f, WANT));
    (void)ANSWER(answer, registry_set_enabled, f->scratch.registry, "dev1", NULL, FALSE);
    g_assert_cmpint(answer.device->rekey.state, ==, REKEY_WANTED);
    (void)ANSWER(answer, registry_remove_device, f->scratch.registry, "dev1", NULL);
    next(f);
    g_assert_cmpint(add(f->scratch.registry, "dev1", NULL), ==, REGISTRY_OK);
    again = device(f, NULL);
    g_assert_cmpint(again->rekey.state, ==, REKEY_NONE);
}

static void
on_list(const RegistryResult *result, void *data)
{
    GString *names = data;

    g_assert_cmpint(result->code, ==, REGISTRY_OK);
    g_string_append(names, "|");
    for (gsize i = 0; i < result->n_devices; i++) {
        g_assert_cmpint(result->devices[i]->rekey.confirmed, >, 0);
        g_string_append_printf(names, "%s%s%s ", result->devices[i]->id,
                               result->devices[i]->module ? "/" : "",
                               result->devices[i]->module ? result->devices[i]->module : "");
    }
}

static void
confirm(Registry *registry, const char *id, const char *module)
{
    g_auto(Answer) a = {0};

    (void)ANSWER(a, registry_rekey_offer, registry, id, module, REGISTRY_KEY_PRIMARY, TRUE);
    (void)ANSWER(a, registry_rekey_confirm, registry, id, module, REGISTRY_KEY_SECONDARY);
    g_assert_cmpint(a.device->rekey.state, ==, REKEY_CONFIRMED);
}

/* In the order in which they were confirmed, and no others. */
static void
test_list(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    g_autoptr(GString) names = g_string_new(NULL);
    g_auto(Answer) a = {0};

    confirm(f->scratch.registry, "dev10", NULL);
    confirm(f->scratch.registry, "dev1", "m");
    (void)ANSWER(a, registry_rekey_want, f->scratch.registry, "dev1", NULL);
    next(f);
    registry_list_rekeys(f->scratch.registry, 10, on_list, names);
    registry_list_rekeys(f->scratch.registry, 1, on_list, names);
    (void)ANSWER(a, registry_lookup_device, f->scratch.registry, "dev10", NULL);
    while (names->len < strlen("|dev10 dev1/m |dev10 "))
        g_main_context_iteration(NULL, TRUE);
    g_assert_cmpstr(names->str, ==, "|dev10 dev1/m |dev10 ");
}

static void
test_names(void)
{
    g_assert_cmpint(registry_keys_parse("primary"), ==, REGISTRY_KEY_PRIMARY);
    g_assert_cmpint(registry_keys_parse("secondary"), ==, REGISTRY_KEY_SECONDARY);
    g_assert_cmpint(registry_keys_parse("both"), ==, REGISTRY_KEYS_BOTH);
    g_assert_cmpint(registry_keys_parse("Both"), ==, REGISTRY_KEYS_NONE);
    g_assert_cmpint(registry_keys_parse(NULL), ==, REGISTRY_KEYS_NONE);
    g_assert_null(registry_rekey_name(REKEY_NONE));
    g_assert_cmpstr(registry_rekey_name(REKEY_READ_ONLY), ==, "read-only");
}

#define ADD(name, func)                                                                            \
    g_test_add("/keys/" name, Fixture, GINT_TO_POINTER(FALSE), set_up, func, tear_down);           \
    g_test_add("/keys/" name "-restarted", Fixture, GINT_TO_POINTER(TRUE), set_up, func, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("regenerate", test_regenerate);
    ADD("regenerate-policy", test_regenerate_policy);
    ADD("steps", test_steps);
    ADD("refused", test_refused);
    ADD("ended", test_ended);
    ADD("list", test_list);
    g_test_add_func("/keys/names", test_names);
    return g_test_run();
}
