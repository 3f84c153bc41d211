/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Each call that touches the disk fails in turn while a state is saved, once and for good; what is
 * killed at that call leaves the same. After each: a streamd that starts finds the old state or the
 * new one, whole, with all keys. */
#include "tests/unit/daemon/config/faults.h"
#include "tests/unit/daemon/config/store-fixture.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>

/* A state in words: hubs with their keys. */
static StoreState *
state_of(const char *words)
{
    g_auto(GStrv) parts = g_strsplit(words, " ", -1);
    StoreState *state = store_state_new();

    for (guint i = 0; parts[i]; i++) {
        g_auto(GStrv) hub = g_strsplit(parts[i], "=", 2);
        g_autofree char *key =
            hub[0] ? g_strdup_printf("HostName=h;DeviceId=%s;SharedAccessKey=%s", hub[0], hub[1])
                   : NULL;

        if (key)
            store_state_add_hub(state, &(HubSettings){.name = hub[0], .connection_string = key});
    }
    return state;
}

static char *
words_of(const StoreState *state)
{
    g_autoptr(GString) words = g_string_new(NULL);

    for (guint i = 0; i < store_state_hubs(state); i++) {
        const HubSettings hub = store_state_hub(state, i);
        const char *key = hub.connection_string ? strstr(hub.connection_string, "Key=") : NULL;

        g_string_append_printf(words, "%s%s=%s", i > 0 ? " " : "", hub.name,
                               key ? key + 4 : hub.refused);
    }
    return g_string_free(g_steal_pointer(&words), FALSE);
}

static gboolean
save_words(StoreFixture *fixture, const char *words, GError **error)
{
    g_autoptr(StoreState) state = state_of(words);

    return store_save(fixture->store, state, error);
}

static void
save_well(StoreFixture *fixture, const char *words)
{
    g_autoptr(GError) error = NULL;

    (void)save_words(fixture, words, &error);
    g_assert_no_error(error);
}

/* What a streamd that starts now has. */
static char *
start_words(StoreFixture *fixture)
{
    g_autoptr(StoreState) state = NULL;

    store_start_again(fixture);
    state = store_load_well(fixture);
    return words_of(state);
}

typedef struct {
    const char *name, *before, *after;
    gboolean old; /* BEFORE is of version 3 */
} Step;

static const Step steps[] = {
    {"first", "", "a=MTEx"},
    {"added", "a=MTEx", "a=MTEx b=MjIy"},
    {"another-key", "a=MTEx b=MjIy", "a=MTEx b=MzMz"},
    {"removed", "a=MTEx b=MjIy", "b=MjIy"},
    {"exchanged", "a=MTEx b=MjIy", "b=MTEx c=MjIy"},
    {"upgraded", "a=MTEx b=MjIy", "a=MTEx b=MjIy c=MzMz", .old = TRUE},
    {"upgraded-removed", "a=MTEx b=MjIy", "b=MjIy", .old = TRUE},
};

static void
remove_all(StoreFixture *fixture)
{
    const char *argv[] = {"rm", "-rf", fixture->dir, NULL};

    g_assert_true(g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL,
                               NULL, NULL, NULL));
    g_assert_cmpint(g_mkdir(fixture->dir, 0700), ==, 0);
}

static void
begin(StoreFixture *fixture, const Step *step)
{
    g_autoptr(StoreState) loaded = NULL;

    remove_all(fixture);
    store_start_again(fixture);
    if (step->old) {
        store_write_version(fixture->state, 3,
                            "[hub a]\ntransport=wss\nmqtt-port=0\n\n"
                            "[hub b]\ntransport=wss\nmqtt-port=0\n");
        store_write_version(fixture->secrets, 3,
                            "a HostName=h;DeviceId=a;SharedAccessKey=MTEx\n"
                            "b HostName=h;DeviceId=b;SharedAccessKey=MjIy\n");
    } else if (*step->before) {
        save_well(fixture, step->before);
        store_start_again(fixture);
    }
    loaded = store_load_well(fixture);
}

/* Of the files there are those that count, and no others. */
static void
assert_clean(StoreFixture *fixture, const Step *step, guint keys)
{
    g_autofree char *path = store_path(fixture, "secrets.d");
    GDir *folder = g_dir_open(fixture->dir, 0, NULL), *secrets = g_dir_open(path, 0, NULL);
    const char *name;
    guint found = 0;

    if (step->old) {
        g_autofree char *kept = store_contents(fixture, "state.v3");

        g_assert_true(g_str_has_prefix(kept, "streamd-store version=3 "));
    }
    while ((name = g_dir_read_name(folder)) != NULL)
        if (!g_str_equal(name, "state") && !g_str_equal(name, "secrets.d") &&
            !(step->old && (g_str_equal(name, "state.v3") || g_str_equal(name, "secrets.v3"))))
            g_error("%s: %s is left over", step->name, name);
    while ((name = g_dir_read_name(secrets)) != NULL)
        found++;
    g_dir_close(folder);
    g_dir_close(secrets);
    g_assert_cmpuint(found, ==, keys);
}

/* After it, the disk works again: the same daemon makes another change, and one that starts after
 * that has it. The next save cleans up. */
static void
go_on(StoreFixture *fixture, const Step *step)
{
    g_autofree char *next = g_strconcat(step->after, " z=OTk5", NULL), *found = NULL, *last = NULL;

    save_well(fixture, next);
    found = start_words(fixture);
    g_assert_cmpstr(found, ==, next);
    save_well(fixture, "y=ODg4");
    last = start_words(fixture);
    g_assert_cmpstr(last, ==, "y=ODg4");
    assert_clean(fixture, step, 1);
}

static void
check_fault(StoreFixture *fixture, const Step *step, guint at, gboolean for_good)
{
    g_autofree char *found = NULL;
    g_autoptr(GError) error = NULL;
    gboolean saved;

    begin(fixture, step);
    faults_arm(fixture->dir, at, for_good, at % 2 ? EIO : ENOSPC);
    saved = save_words(fixture, step->after, &error);
    (void)faults_disarm();
    go_on(fixture, step);
    begin(fixture, step);
    faults_arm(fixture->dir, at, for_good, at % 2 ? EIO : ENOSPC);
    g_clear_error(&error);
    saved = save_words(fixture, step->after, &error);
    (void)faults_disarm();
    g_assert_true(saved == (error == NULL));
    g_assert_false(saved && faults_failed_sync()); /* no yes before it is on the disk */
    found = start_words(fixture);
    if (saved ? strcmp(found, step->after) != 0
              : strcmp(found, step->before) != 0 && !(for_good && strcmp(found, step->after) == 0))
        g_error("%s, call %u%s: %s, and then there was '%s'", step->name, at,
                for_good ? " and all after it" : "", saved ? "saved" : error->message, found);
    go_on(fixture, step);
}

static void
test_step(StoreFixture *fixture, gconstpointer data)
{
    const Step *step = data;
    guint calls;

    begin(fixture, step);
    faults_arm(fixture->dir, 0, FALSE, 0);
    save_well(fixture, step->after);
    calls = faults_disarm();
    g_assert_cmpuint(calls, >, 4);
    for (guint at = 1; at <= calls; at++) {
        check_fault(fixture, step, at, FALSE);
        check_fault(fixture, step, at, TRUE);
    }
    g_test_message("%s: %u calls, each failed once and for good", step->name, calls);
}

/* What a failed change made is not left behind while the disk can be written. */
static void
check_taken_back(StoreFixture *fixture, const Step *step, guint keys)
{
    guint calls;

    begin(fixture, step);
    faults_arm(fixture->dir, 0, FALSE, 0);
    save_well(fixture, step->after);
    calls = faults_disarm();
    for (guint at = 1; at <= calls; at++) {
        gboolean saved;

        begin(fixture, step);
        faults_arm(fixture->dir, at, FALSE, ENOSPC);
        saved = save_words(fixture, step->after, NULL);
        (void)faults_disarm();
        if (!saved)
            assert_clean(fixture, step, keys);
    }
}

static void
test_taken_back(StoreFixture *fixture, gconstpointer data)
{
    check_taken_back(fixture, &steps[1], 1);
    check_taken_back(fixture, &steps[4], 2);
}

/* Each thing is on the disk before what needs it: the folder before the key in it, the key before
 * the state that names it, the state before a key goes that it does not name. */
static void
test_order(StoreFixture *fixture, gconstpointer data)
{
    static const char first[] =
        "make secrets.d\nsync .\nopen secrets.d/a.1\nwrite secrets.d/a.1\nsync secrets.d/a.1\n"
        "rename secrets.d/a.1\nsync secrets.d\nopen state\nwrite state\nsync state\n"
        "rename state\nsync .\n";
    static const char exchanged[] = /* that the folder is there is found out */
        "make secrets.d\nopen secrets.d/a.2\nwrite secrets.d/a.2\nsync secrets.d/a.2\nrename "
        "secrets.d/a.2\n"
        "sync secrets.d\nopen state\nwrite state\nsync state\nrename state\nsync .\n"
        "remove secrets.d/a.1\n";

    faults_arm(fixture->dir, 0, FALSE, 0);
    save_well(fixture, "a=MTEx");
    (void)faults_disarm();
    g_assert_cmpstr(faults_order(), ==, first);
    faults_arm(fixture->dir, 0, FALSE, 0);
    save_well(fixture, "a=MjIy");
    (void)faults_disarm();
    g_assert_cmpstr(faults_order(), ==, exchanged);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_log_set_always_fatal(G_LOG_FATAL_MASK |
                           G_LOG_LEVEL_CRITICAL); /* it warns of what it leaves */
    for (guint i = 0; i < G_N_ELEMENTS(steps); i++) {
        g_autofree char *path = g_strconcat("/store-faults/", steps[i].name, NULL);

        g_test_add(path, StoreFixture, &steps[i], store_set_up, test_step, store_tear_down);
    }
    STORE_TEST("store-faults/order", test_order);
    STORE_TEST("store-faults/taken-back", test_taken_back);
    return g_test_run();
}
