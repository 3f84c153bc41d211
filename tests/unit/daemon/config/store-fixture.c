/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/daemon/config/store-fixture.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

char *
store_path(const StoreFixture *fixture, const char *name)
{
    return g_build_filename(fixture->dir, name, NULL);
}

gboolean
store_has(const StoreFixture *fixture, const char *name)
{
    g_autofree char *path = store_path(fixture, name);

    return g_file_test(path, G_FILE_TEST_EXISTS);
}

/* A streamd that starts anew. */
void
store_start_again(StoreFixture *fixture)
{
    g_autoptr(GError) error = NULL;

    store_free(fixture->store);
    fixture->store = store_new(fixture->dir, &error);
    g_assert_no_error(error);
}

void
store_set_up(StoreFixture *fixture, gconstpointer data)
{
    g_autoptr(GError) error = NULL;

    fixture->dir = g_dir_make_tmp("streamd-store-XXXXXX", NULL);
    fixture->state = g_build_filename(fixture->dir, "state", NULL);
    fixture->secrets = g_build_filename(fixture->dir, "secrets", NULL);
    fixture->store = store_new(fixture->dir, &error);
    g_assert_no_error(error);
}

void
store_tear_down(StoreFixture *fixture, gconstpointer data)
{
    const char *argv[] = {"rm", "-r", fixture->dir, NULL};

    store_free(fixture->store);
    g_assert_true(g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL,
                               NULL, NULL, NULL));
    g_free(fixture->dir);
    g_free(fixture->state);
    g_free(fixture->secrets);
}

StoreState *
store_example(void)
{
    StoreState *state = store_state_new();

    store_state_add_hub(state, &(HubSettings){.name = "office",
                                              .connection_string = IDENTITY,
                                              .ca_file = "/etc/ca.pem",
                                              .transport = HUB_TRANSPORT_MQTTS,
                                              .mqtts_port = 8884});
    store_state_add_target(state, &(TargetSettings){.name = "sshd", .address = "tcp:127.0.0.1:22"});
    store_state_add_rule(
        state, &(AcceptRule){.id = 1004, .stream = "ssh", .reject_text = "not now = never; [x]"});
    store_state_add_tunnel(state, &(TunnelOptions){.hub = "office",
                                                   .device = "gw1",
                                                   .stream = "ssh",
                                                   .listen = "tcp:127.0.0.1:2222",
                                                   .persistent = TRUE,
                                                   .timeout = 5000000,
                                                   .wait = 7,
                                                   .owner_uid = 1000});
    store_state_set_default(state, FALSE, "ask first");
    store_state_set_next_rule(state, 1009);
    return state;
}

void
store_assert_example(const StoreState *state)
{
    const char *text = NULL;
    gboolean accept = TRUE;

    g_assert_cmpstr(store_state_hub(state, 0).connection_string, ==, IDENTITY);
    g_assert_cmpstr(store_state_hub(state, 0).ca_file, ==, "/etc/ca.pem");
    g_assert_cmpuint(store_state_hub(state, 0).mqtts_port, ==, 8884);
    g_assert_cmpuint(store_state_targets(state), ==, 1);
    g_assert_cmpuint(store_state_rule(state, 0).id, ==, 1004);
    g_assert_cmpint(store_state_rule(state, 0).kind, ==, ACCEPT_REJECT);
    g_assert_cmpstr(store_state_rule(state, 0).reject_text, ==, "not now = never; [x]");
    g_assert_cmpint(store_state_tunnel(state, 0).timeout, ==, 5000000);
    g_assert_cmpint(store_state_tunnel(state, 0).wait, ==, 7);
    g_assert_cmpuint(store_state_tunnel(state, 0).owner_uid, ==, 1000);
    g_assert_true(store_state_default(state, &accept, &text));
    g_assert_false(accept);
    g_assert_cmpstr(text, ==, "ask first");
    g_assert_cmpuint(store_state_next_rule(state), ==, 1009);
}

void
store_save_example(StoreFixture *fixture)
{
    g_autoptr(StoreState) state = store_example();
    g_autoptr(GError) error = NULL;

    (void)store_save(fixture->store, state, &error);
    g_assert_no_error(error);
}

StoreState *
store_load_well(StoreFixture *fixture)
{
    g_autoptr(GError) error = NULL;
    StoreState *state = store_load(fixture->store, &error);

    g_assert_no_error(error);
    return state;
}

char *
store_load_fails(StoreFixture *fixture, const char *path)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(StoreState) state = store_load(fixture->store, &error);

    g_assert_null(state);
    g_assert_nonnull(error);
    g_assert_true(g_str_has_prefix(error->message, path));
    g_assert_null(strstr(error->message, "Y2FuYXJ5"));
    return g_strdup(error->message + strlen(path) + 2);
}

void
store_overwrite(const char *path, const char *bytes, gsize len)
{
    g_assert_true(g_file_set_contents_full(path, bytes, (gssize)len, G_FILE_SET_CONTENTS_CONSISTENT,
                                           0600, NULL));
}

void
store_write_version(const char *path, int version, const char *body)
{
    g_autofree char *sum = g_compute_checksum_for_string(G_CHECKSUM_SHA256, body, -1);
    g_autofree char *text =
        g_strdup_printf("streamd-store version=%d sha256=%s\n%s", version, sum, body);

    store_overwrite(path, text, strlen(text));
}

char *
store_contents(const StoreFixture *fixture, const char *name)
{
    g_autofree char *path = store_path(fixture, name);
    char *text = NULL;

    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    return text;
}

void
store_assert_mode(const StoreFixture *fixture, const char *name, mode_t mode)
{
    g_autofree char *path = store_path(fixture, name);
    struct stat status;

    g_assert_cmpint(stat(path, &status), ==, 0);
    g_assert_cmpuint(status.st_mode & 07777, ==, mode);
}
