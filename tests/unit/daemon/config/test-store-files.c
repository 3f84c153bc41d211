/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which files of the store come and go: the way back to the version before, keys of hubs, and what
 * killed saves leave. */
#include "common/base/error.h"
#include "daemon/config/store-upgrade.h"
#include "tests/unit/daemon/config/store-fixture.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

/* Version 3, as 0.1.0 writes it, with two hubs: the key of one is missing, as it was after a save
 * that failed. */
static const char old_state[] =
    "[hub lost]\ntransport=wss\nmqtt-port=0\n\n"
    "[hub office]\ntransport=mqtts\nmqtt-port=8884\nca-file=/etc/ca.pem\n\n"
    "[target sshd]\naddress=tcp:127.0.0.1:22\n\n"
    "[policy]\nnext-rule=1009\ndefault=reject\nreason=ask first\n";

static void
write_old(StoreFixture *fixture)
{
    store_write_version(fixture->state, 3, old_state);
    store_write_version(fixture->secrets, 3, "office " IDENTITY "\n");
}

/* The way back: the files of 0.1.0 are kept, byte by byte, and its streamd can have them again. */
static void
test_way_back(StoreFixture *fixture, gconstpointer data)
{
    g_autoptr(StoreState) state = NULL, again = NULL;
    g_autoptr(GError) error = NULL;
    g_autofree char *old = NULL, *old_secrets = NULL, *kept = NULL, *kept_secrets = NULL;

    write_old(fixture);
    old = store_contents(fixture, "state");
    old_secrets = store_contents(fixture, "secrets");
    state = store_load_well(fixture);
    g_assert_false(store_has(fixture, "state.v3"));
    g_assert_cmpstr(store_state_hub(state, 1).connection_string, ==, IDENTITY);
    g_assert_null(store_state_hub(state, 0).connection_string);
    g_assert_nonnull(strstr(store_state_hub(state, 0).refused, "its key is missing"));
    (void)store_save(fixture->store, state, &error);
    g_assert_no_error(error);
    kept = store_contents(fixture, "state.v3");
    kept_secrets = store_contents(fixture, "secrets.v3");
    g_assert_cmpstr(kept, ==, old);
    g_assert_cmpstr(kept_secrets, ==, old_secrets);
    store_assert_mode(fixture, "secrets.v3", 0600);
    g_assert_false(store_has(fixture, "secrets"));
    store_start_again(fixture);
    again = store_load_well(fixture);
    g_assert_cmpstr(store_state_hub(again, 1).connection_string, ==, IDENTITY);
    g_assert_nonnull(strstr(store_state_hub(again, 0).refused, "its key is missing"));
}

/* Copies that are there already are not written again: an upgrade that fails and begins anew. */
static void
test_copied_once(StoreFixture *fixture, gconstpointer data)
{
    g_autofree char *text = NULL, *kept_path = store_path(fixture, "state.v3");
    g_autoptr(StoreState) state = NULL;
    struct stat before, after;

    write_old(fixture);
    text = store_contents(fixture, "state");
    store_overwrite(kept_path, text, strlen(text));
    g_assert_cmpint(stat(kept_path, &before), ==, 0);
    state = store_load_well(fixture);
    g_assert_true(store_save(fixture->store, state, NULL));
    g_assert_cmpint(stat(kept_path, &after), ==, 0);
    g_assert_cmpuint(after.st_ino, ==, before.st_ino);
}

/* Keys of 0.1 that are damaged or open to others: streamd does not start, as 0.1 does not. */
static void
test_old_keys(StoreFixture *fixture, gconstpointer data)
{
    g_autofree char *open = NULL, *cut = NULL;

    write_old(fixture);
    g_assert_cmpint(g_chmod(fixture->secrets, 0640), ==, 0);
    open = store_load_fails(fixture, fixture->secrets);
    g_assert_nonnull(strstr(open, "mode 0640"));
    store_overwrite(fixture->secrets, "streamd-store version=3 sha256=", 31);
    cut = store_load_fails(fixture, fixture->secrets);
    g_assert_nonnull(strstr(cut, "it does not begin as"));
}

/* Nobody but the one who knows that they are of no use removes files. */
static const char *const keys_left[] = {"secrets.d/office.1",
                                        "secrets.d/office.7",
                                        "secrets.d/other.12",
                                        "secrets.d/a.new.4fGh2q",
                                        "secrets.d/notes.text",
                                        "state.kF83qz",
                                        "secrets.Q2hh1x",
                                        "state.new.aaaaaa",
                                        "state.backup",
                                        "state.v3",
                                        "secrets.v3",
                                        "state.201130",
                                        "state.BACKUP",
                                        "state.v3backup",
                                        "other.kF83qz",
                                        "state.kF83qz~",
                                        "secrets.d/notes.v3backup"};

static void
put_left(StoreFixture *fixture)
{
    g_autofree char *folder = store_path(fixture, "secrets.d");

    (void)g_mkdir(folder, 0700);
    for (guint i = 0; i < G_N_ELEMENTS(keys_left); i++) {
        g_autofree char *path = store_path(fixture, keys_left[i]);

        if (!store_has(fixture, keys_left[i]))
            store_overwrite(path, "canary", strlen("canary"));
    }
}

static void
assert_left(StoreFixture *fixture)
{
    for (guint i = 0; i < G_N_ELEMENTS(keys_left); i++)
        if (!store_has(fixture, keys_left[i]))
            g_error("%s was removed", keys_left[i]);
}

/* The file of an older version that is not kept elsewhere stays, also when the state is of ours. */
static void
assert_secrets_stay(StoreFixture *fixture)
{
    g_autofree char *keys = NULL;
    g_autoptr(StoreState) state = NULL;

    store_start_again(fixture);
    state = store_load_well(fixture);
    g_assert_true(store_save(fixture->store, state, NULL));
    keys = store_contents(fixture, "secrets");
    g_assert_cmpstr(keys, ==, "keys");
    put_left(fixture);
}

static void
test_nothing_removed(StoreFixture *fixture, gconstpointer data)
{
    g_autofree char *cut = NULL, *kept = NULL;
    g_autoptr(StoreState) state = NULL, none = NULL, old = NULL;
    g_autoptr(GError) error = NULL;

    put_left(fixture);
    store_write_version(fixture->state, STORE_VERSION + 1, "");
    state = store_load_well(fixture);
    g_assert_false(store_save(fixture->store, state, NULL));
    assert_left(fixture);
    store_overwrite(fixture->state, "streamd-store version=4 sha256=", 31);
    store_start_again(fixture);
    cut = store_load_fails(fixture, fixture->state);
    assert_left(fixture);
    g_assert_cmpint(g_unlink(fixture->state), ==, 0);
    store_overwrite(fixture->secrets, "keys", strlen("keys"));
    store_start_again(fixture);
    none = store_load_well(fixture);
    store_save_example(fixture);
    assert_left(fixture);
    kept = store_contents(fixture, "secrets.v3");
    g_assert_cmpstr(kept, ==, "canary");
    assert_secrets_stay(fixture);
    g_assert_true(store_has(fixture, "secrets.d/office.13")); /* after all that are there */
    g_assert_cmpint(g_unlink(fixture->state), ==, 0);
    write_old(fixture);
    store_start_again(fixture);
    old = store_load_well(fixture);
    (void)store_save(fixture->store, old, &error);
    g_assert_no_error(error);
    assert_left(fixture);
}

/* What killed saves have left goes with the first save of a store that knows what it needs. */
static void
test_left_overs(StoreFixture *fixture, gconstpointer data)
{
    static const char *const stay[] = {"secrets.d/office.1",
                                       "secrets.d/notes.text",
                                       "state.backup",
                                       "state.v3",
                                       "secrets.v3",
                                       "state.201130",
                                       "state.BACKUP",
                                       "state.v3backup",
                                       "other.kF83qz",
                                       "state.kF83qz~",
                                       "secrets.d/notes.v3backup"};
    g_autoptr(StoreState) state = NULL, again = NULL;
    g_autofree char *kept = NULL;
    guint there = 0;

    store_save_example(fixture);
    put_left(fixture);
    store_start_again(fixture);
    state = store_load_well(fixture);
    assert_left(fixture);
    store_save_example(fixture);
    for (guint i = 0; i < G_N_ELEMENTS(stay); i++)
        g_assert_true(store_has(fixture, stay[i]));
    for (guint i = 0; i < G_N_ELEMENTS(keys_left); i++)
        there += store_has(fixture, keys_left[i]) ? 1 : 0;
    g_assert_cmpuint(there, ==, G_N_ELEMENTS(stay));
    kept = store_contents(fixture, "state.v3");
    g_assert_cmpstr(kept, ==, "canary");
    again = store_load_well(fixture);
    store_assert_example(again);
}

/* A hub's next key is another file, and the old one goes. */
static void
test_generations(StoreFixture *fixture, gconstpointer data)
{
    g_autoptr(StoreState) state = store_state_new(), again = NULL;
    g_autoptr(GError) error = NULL;

    store_save_example(fixture);
    store_state_add_hub(state,
                        &(HubSettings){.name = "office", .connection_string = SECOND_IDENTITY});
    (void)store_save(fixture->store, state, &error);
    g_assert_no_error(error);
    g_assert_false(store_has(fixture, "secrets.d/office.1"));
    g_assert_true(store_has(fixture, "secrets.d/office.2"));
    (void)store_save(fixture->store, state, &error);
    g_assert_no_error(error);
    g_assert_true(store_has(fixture, "secrets.d/office.2"));
    again = store_load_well(fixture);
    g_assert_cmpstr(store_state_hub(again, 0).connection_string, ==, SECOND_IDENTITY);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    STORE_TEST("store-files/way-back", test_way_back);
    STORE_TEST("store-files/copied-once", test_copied_once);
    STORE_TEST("store-files/old-keys", test_old_keys);
    STORE_TEST("store-files/nothing-removed", test_nothing_removed);
    STORE_TEST("store-files/left-overs", test_left_overs);
    STORE_TEST("store-files/generations", test_generations);
    return g_test_run();
}
